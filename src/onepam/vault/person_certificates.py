"""Judge the SSH certificate that a person presents to our listener (OpenSSH PROTOCOL.certkeys).

A pure function of the bytes, our person CA's public key, the moment and where it came from. It answers *which CLI
session of which person* the certificate was issued to; whether that session still stands is the caller's question: a
certificate carries no authority by itself.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    SSHCertificate,
    SSHCertificateType,
    load_ssh_public_identity,
    load_ssh_public_key,
)

from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from onepam.vault.authorities import BACK_DATING, MAX_PERSON_LIFETIME, PERSON_PREFIX

MAX_CERTIFICATE_BYTES = 8 * 1024
CLOCK_SKEW = 30 * SECOND
"""Allowed for a certificate that seems to come from the future (another node issued it); none for an expired one."""

_ID = r"[a-z]{2,8}_[a-z2-7]{16}"
_KEY_ID = re.compile(_ID.encode("ascii"))
_PRINCIPAL = re.compile(f"{PERSON_PREFIX}({_ID})".encode("ascii"))
_TYPES = tuple(
    name + b"-cert-v01@openssh.com"
    for name in (b"ssh-ed25519", b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp384", b"ecdsa-sha2-nistp521", b"ssh-rsa")
)
_LOGIN_AGAIN = "Sign in again: onepam login"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good certificate says: issued to this CLI session of this person, and worthless from `expires` on."""

    session_id: str
    person_id: str
    expires: Instant


def judge(presented: bytes, authority: bytes, at: Instant, source: str) -> Claims | Refused:
    """The claims of a certificate, or why it is refused.

    `presented`: the certificate in wire form, as the client sent it. `authority`: `PersonAuthority.public_blob`.
    `source`: the peer's IP address. Codes: `certificate.` + `malformed`, `foreign_ca`, `host_certificate`,
    `critical_option`, `source_address`, `principals`, `not_yet_valid`, `expired`, `lifetime`.
    """
    certificate = _parse(presented)
    if certificate is None:
        return _refused("malformed", "This is not a certificate that OnePAM issues.")
    if not _signed_by(certificate, authority):
        return _refused("foreign_ca", "This certificate was not issued by OnePAM's authority for people.")
    if certificate.type is not SSHCertificateType.USER:
        return _refused("host_certificate", "This is a host's certificate; it does not sign a person in.")
    principals = certificate.valid_principals
    person = _PRINCIPAL.fullmatch(principals[0]) if len(principals) == 1 else None
    if person is None:
        return _refused("principals", "This certificate does not name exactly one person.")
    key_id = certificate.key_id
    if not _KEY_ID.fullmatch(key_id):
        return _refused("malformed", "This certificate names no session.")
    refused = _time(certificate, at) or _options(certificate, source)
    if refused:
        return refused
    expires = Instant(certificate.valid_before * SECOND)
    return Claims(key_id.decode("ascii"), person[1].decode("ascii"), expires)


def person_of(presented: bytes) -> str | None:
    """Whom a certificate names, whether or not it is good otherwise: for the record of its refusal."""
    certificate = _parse(presented)
    principals = certificate.valid_principals if certificate else []
    person = _PRINCIPAL.fullmatch(principals[0]) if len(principals) == 1 else None
    return person[1].decode("ascii") if person else None


def _parse(presented: bytes) -> SSHCertificate | None:
    if not 4 < len(presented) <= MAX_CERTIFICATE_BYTES:
        return None
    kind = presented[4 : 4 + int.from_bytes(presented[:4], "big")]
    if kind not in _TYPES:
        return None
    try:
        identity = load_ssh_public_identity(kind + b" " + b64encode(presented))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return identity if isinstance(identity, SSHCertificate) else None


def _signed_by(certificate: SSHCertificate, authority: bytes) -> bool:
    """Signed by exactly this key: never by another certificate, whoever signed that one (CVE-2025-49825)."""
    ours = load_ssh_public_key(b"ssh-ed25519 " + b64encode(authority))
    try:
        signer = certificate.signature_key()
        if not isinstance(signer, Ed25519PublicKey) or signer != ours:
            return False
        certificate.verify_cert_signature()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _time(certificate: SSHCertificate, at: Instant) -> Refused | None:
    after, before = certificate.valid_after * SECOND, certificate.valid_before * SECOND
    if before <= at:
        return _refused("expired", "This certificate has expired.")
    if after > at + CLOCK_SKEW:
        return _refused("not_yet_valid", "This certificate is not valid yet.", "Check the clocks of both machines.")
    if before - after > MAX_PERSON_LIFETIME + BACK_DATING + SECOND:
        return _refused("lifetime", "This certificate is valid for longer than OnePAM ever issues.")
    return None


def _options(certificate: SSHCertificate, source: str) -> Refused | None:
    options = dict(certificate.critical_options)
    networks = options.pop(b"source-address", None)
    if options:
        return _refused("critical_option", "This certificate carries a restriction that OnePAM does not know.")
    if networks is None:
        return None
    try:
        address = ip_address(source)
        inside = any(address in ip_network(text) for text in networks.decode("ascii").split(","))
    except ValueError:
        inside = False
    if not inside:
        return _refused("source_address", "This certificate may not be used from your address.")
    return None


def _refused(reason: str, message: str, hint: str = _LOGIN_AGAIN) -> Refused:
    return Refused(f"certificate.{reason}", message, hint)
