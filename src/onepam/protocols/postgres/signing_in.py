"""How a PostgreSQL asks for our secret, and what it gets: SCRAM, md5 or the password itself, inside TLS alone."""

import hashlib
from struct import Struct

from cryptography.x509 import load_der_x509_certificate
from scramp import ScramClient, ScramException

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

_CODE = Struct("!I")
_OK, _PASSWORD, _MD5, _SASL, _CONTINUE, _FINAL = 0, 3, 5, 10, 11, 12
_SCRAM, _PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
_CANNOT = "the target asks for a way to sign in that OnePAM does not have"


class SigningIn:
    """One sign-in at a server whose certificate (DER) is known. `answer` works for some milliseconds: not on a loop."""

    def __init__(self, login: str, secret: Secret, certificate: bytes) -> None:
        self._login, self._secret, self._certificate = login, secret, certificate
        self._scram: ScramClient | None = None
        self._proven = True

    def answer(self, body: bytes) -> bytes | Refused | None:
        """To the body of an Authentication message ("R"): a message; empty for nothing to say; None once we are in."""
        if len(body) < _CODE.size:
            return Refused("target.refusing", "the target does not answer as a PostgreSQL does")
        (code,), said = _CODE.unpack_from(body), body[_CODE.size :]
        if code == _OK and self._proven:
            return None
        if self._secret.reveal().lstrip().startswith(b"-----BEGIN "):
            return Refused("target.refusing", f"the target wants a password for {self._login}, not a certificate")
        if code == _PASSWORD:
            return _message(self._secret.reveal() + b"\0")
        if code == _MD5 and len(said) == 4:
            return _message(b"md5" + _md5(_md5(self._secret.reveal() + self._login.encode()) + said) + b"\0")
        try:
            return self._sasl(code, said)
        except (ScramException, UnicodeDecodeError, ValueError):  # its words may hold what was said
            return Refused("target.refusing", "the target does not prove that it knows the secret (SCRAM)")

    def _sasl(self, code: int, said: bytes) -> bytes | Refused:
        """RFC 5802, RFC 7677; PostgreSQL, "SASL Authentication"."""
        if code == _SASL and self._scram is None:
            offered = said.decode("ascii").split("\0")
            binding = self._binding() if _PLUS in offered else None
            if _SCRAM not in offered and binding is None:
                return Refused("target.refusing", _CANNOT)
            mechanism, self._proven = _PLUS if binding else _SCRAM, False
            bound = ("tls-server-end-point", binding) if binding else None
            self._scram = ScramClient([mechanism], self._login, self._secret.reveal().decode(), bound)
            first = self._scram.get_client_first().encode()
            return _message(mechanism.encode() + b"\0" + _CODE.pack(len(first)) + first)
        if code == _CONTINUE and self._scram is not None:
            self._scram.set_server_first(said.decode("ascii"))
            return _message(self._scram.get_client_final().encode())
        if code == _FINAL and self._scram is not None:
            self._scram.set_server_final(said.decode("ascii"))
            self._proven = True
            return b""
        return Refused("target.refusing", _CANNOT)

    def _binding(self) -> bytes | None:
        """`tls-server-end-point` (RFC 5929, 4.1); None for a certificate whose signature names no hash, as Ed25519."""
        found = load_der_x509_certificate(self._certificate).signature_hash_algorithm
        if found is None:
            return None
        return hashlib.new("sha256" if found.name in ("md5", "sha1") else found.name, self._certificate).digest()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


def _message(body: bytes) -> bytes:
    return b"p" + _CODE.pack(len(body) + 4) + body
