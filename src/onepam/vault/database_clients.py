"""A person's certificate for databases (X.509), as SSH's: issued to one CLI session, worth nothing without it.

`judge` is a pure function of the bytes, our authority's root and the moment. Whether whoever shows a certificate holds
its key is TLS's question, and whether the session behind it still stands the one door's.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from onepam.kernel.clock import HOUR, SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.vault.database_authority import Root, builder

MAX_LIFETIME = 12 * HOUR
BACK_DATING = 30 * SECOND
"""How far a certificate's begin lies before now: another node's clock may be a little behind."""
CLOCK_SKEW = 30 * SECOND
"""Allowed for a certificate that seems to come from the future (another node issued it); none for an expired one."""

MAX_CERTIFICATE_BYTES = 8 * 1024

NOT_OURS = ("certificate.malformed", "certificate.foreign_ca")
"""Refusals after which nothing that a certificate says counts."""

_ID = re.compile(r"[a-z]{2,8}_[a-z2-7]{16}", re.ASCII)
_KNOWN = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.ExtendedKeyUsage.oid,
        x509.AuthorityKeyIdentifier.oid,
    }
)
_LOGIN_AGAIN = "Sign in again: onepam login"


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate (PEM), its number, and the digest of its key."""

    certificate: str
    serial: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class ClientClaims:
    """What a good certificate says: issued to this CLI session of this person."""

    sign_in: str
    person: str


@final
class DatabaseClientAuthority(Root):
    """Certifies a person's key for one CLI session."""

    _file = "database-client"

    def issue(
        self, public_key: str, sign_in: str, person: str, at: Instant, lifetime: int = 8 * HOUR
    ) -> ClientCertificate | Refused:
        """`public_key` is a PEM; `Refused` where it is none of P-256. `lifetime` in microseconds, counted from `at`.
        Raises `ValueError` for malformed ids or a lifetime outside (0, 12 h]."""
        key = _key(public_key)
        if isinstance(key, Refused):
            return key
        if not _ID.fullmatch(sign_in) or not _ID.fullmatch(person):
            raise ValueError("not the id of a session and of a person")
        if not 0 < lifetime <= MAX_LIFETIME:
            raise ValueError("a person's certificate lives for at most 12 hours")
        names = {NameOID.USER_ID: person, NameOID.COMMON_NAME: sign_in}
        of = x509.Name([x509.NameAttribute(*each) for each in names.items()])
        serial = int.from_bytes(self._random(8), "big") >> 11 | 1  # as many bits as a number in the ledger may have
        made = (
            builder(serial, of, self._root.subject, key, at, lifetime, BACK_DATING)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        digest = sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        fingerprint = "SHA256:" + b64encode(digest).decode("ascii").rstrip("=")
        return ClientCertificate(made.public_bytes(Encoding.PEM).decode("ascii"), made.serial_number, fingerprint)


def judge(presented: bytes, root: bytes, at: Instant) -> ClientClaims | Refused:
    """The claims of a certificate (DER), or why it is refused; `root` is `DatabaseClientAuthority.root`.

    Codes: `certificate.` + `malformed`, `foreign_ca`, `purpose`, `critical_option`, `principals`, `not_yet_valid`,
    `expired`, `lifetime`.
    """
    certificate = _parse(presented)
    if certificate is None:
        return _refused("malformed", "This is not a certificate that OnePAM issues.")
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(root))
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return _refused("foreign_ca", "This certificate was not issued by OnePAM's authority for clients of databases.")
    refused = _purpose(certificate) or _time(certificate, at)
    if refused is not None:
        return refused
    if (person := _named(certificate, NameOID.USER_ID)) is None:
        return _refused("principals", "This certificate does not name exactly one person.")
    if (sign_in := _named(certificate, NameOID.COMMON_NAME)) is None:
        return _refused("malformed", "This certificate names no session.")
    return ClientClaims(sign_in, person)


def person_of(presented: bytes) -> str | None:
    """Whom a certificate names, whether or not it is good otherwise: for the record of its refusal."""
    certificate = _parse(presented)
    return _named(certificate, NameOID.USER_ID) if certificate is not None else None


def _key(pem: str) -> ec.EllipticCurvePublicKey | Refused:
    try:
        key = load_pem_public_key(pem.encode("utf-8"))
    except ValueError:
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return Refused("certificate.subject", "This key cannot be certified.", "onepam login makes one of P-256")
    return key


def _parse(presented: bytes) -> x509.Certificate | None:
    if not 0 < len(presented) <= MAX_CERTIFICATE_BYTES:
        return None
    try:
        certificate = x509.load_der_x509_certificate(presented)
        _ = certificate.subject, certificate.extensions  # read when they are asked for
    except (ValueError, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        return None
    return certificate


def _purpose(certificate: x509.Certificate) -> Refused | None:
    found = {each.oid: each for each in certificate.extensions}
    usage = found.get(x509.ExtendedKeyUsage.oid)
    if usage is None or list(usage.value) != [ExtendedKeyUsageOID.CLIENT_AUTH]:
        return _refused("purpose", "This certificate does not sign a person in.")
    if any(each.critical and oid not in _KNOWN for oid, each in found.items()):
        return _refused("critical_option", "This certificate carries a restriction that OnePAM does not know.")
    return None


def _time(certificate: x509.Certificate, at: Instant) -> Refused | None:
    after = int(certificate.not_valid_before_utc.timestamp()) * SECOND
    before = int(certificate.not_valid_after_utc.timestamp()) * SECOND
    if before <= at:
        return _refused("expired", "This certificate has expired.")
    if after > at + CLOCK_SKEW:
        return _refused("not_yet_valid", "This certificate is not valid yet.", "Check the clocks of both machines.")
    if before - after > MAX_LIFETIME + BACK_DATING + SECOND:
        return _refused("lifetime", "This certificate is valid for longer than OnePAM ever issues.")
    return None


def _named(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    """The one id of a kind in the subject."""
    found = [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]
    return found[0] if len(found) == 1 and _ID.fullmatch(found[0]) else None


def _refused(reason: str, message: str, hint: str = _LOGIN_AGAIN) -> Refused:
    return Refused(f"certificate.{reason}", message, hint)
