"""How a PostgreSQL asks for our secret, and what it gets: SCRAM, md5 or the password itself, inside TLS alone."""

import hashlib
from struct import Struct

from cryptography.x509 import load_der_x509_certificate
from scramp import ScramClient, ScramException
from scramp.utils import saslprep

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret

_CODE = Struct("!I")
_OK, _PASSWORD, _MD5, _SASL, _CONTINUE, _FINAL = 0, 3, 5, 10, 11, 12
_SCRAM, _PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
MOST_ITERATIONS = 1_000_000
"""Of SCRAM: some tenths of a second of a core. PostgreSQL takes 4,096 unless it is told otherwise."""

_CANNOT = "the target asks for a way to sign in that OnePAM does not have"


class SigningIn:
    """One sign-in at a server whose certificate (DER) is known. `answer` works for some milliseconds, or for
    `MOST_ITERATIONS`: not on a loop."""

    def __init__(self, login: str, secret: Secret, certificate: bytes) -> None:
        self._login, self._secret, self._certificate = login, secret, certificate
        self._scram: ScramClient | None = None
        self._proven = True
        self.in_clear = False
        """Whether the server was given the password itself."""

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
            self.in_clear = True
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
            self._scram = ScramClient([mechanism], self._login, "", bound)
            self._scram.password = _Prepared(self._secret)
            first = self._scram.get_client_first().encode()
            return _message(mechanism.encode() + b"\0" + _CODE.pack(len(first)) + first)
        if code == _CONTINUE and self._scram is not None:
            self._scram.set_server_first(said.decode("ascii"))
            if int(self._scram.iterations) > MOST_ITERATIONS:
                return Refused("target.refusing", f"the target wants more than {MOST_ITERATIONS:,} iterations of SCRAM")
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


class _Prepared:
    """A password as SCRAM takes it (RFC 4013); as it is where that forbids it, or it is no UTF-8: so do PostgreSQL,
    when it is set, and libpq (PostgreSQL, "SASL Authentication")."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __bytes__(self) -> bytes:
        try:
            prepared: bytes = saslprep(self._secret.reveal().decode()).encode()
        except (ScramException, UnicodeDecodeError):
            prepared = b""
        return prepared or self._secret.reveal()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).hexdigest().encode()


def _message(body: bytes) -> bytes:
    return b"p" + _CODE.pack(len(body) + 4) + body
