"""The authorities of databases (X.509). One certifies our listeners: people's clients trust its root, and nothing else.
The other certifies people's keys: our listeners trust its root, and nothing else (`database_clients.py`).

They share no key. Key and root of each lie sealed in one file beside those of SSH. The certificates of the listeners
live in memory only.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from onepam.files.private_file import create_private, read_private, replace_private
from onepam.kernel.clock import DAY, HOUR, SECOND, Instant, later
from onepam.kernel.errors import Corrupt
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret
from onepam.vault.envelope import Envelope

ROOT_LIFETIME = 20 * 365 * DAY
SERVER_LIFETIME = 30 * DAY
BACK_DATING = 1 * HOUR
"""How far a certificate's begin lies before now: a client's clock may be behind ours."""

MAX_SEALED_BYTES = 16 * 1024
MAX_NAMES = 16
_ABOUT = {"database": "OnePAM database authority", "database-client": "OnePAM database client authority"}
"""Names of the files, and of the authorities in them."""


@dataclass(frozen=True, slots=True, repr=False)
class ServerCertificate:
    """A certificate (PEM) and its private key (PEM), until `until`. It lives in memory only."""

    certificate: bytes
    key: Secret
    until: Instant


class Root:
    """An authority of one installation, opened from, and on the first use created in, one folder."""

    _file: ClassVar[str]

    def __init__(self, folder: Path, envelope: Envelope, random: RandomBytes, at: Instant) -> None:
        """Raises `Corrupt` when the file was altered or is open to others, `KeyMissing` when its master key is gone."""
        self._random = random
        path, about = _path(folder, self._file), f"authority/{self._file}".encode("ascii")
        if not path.exists():
            create_private(path, envelope.seal(_founded(random, _ABOUT[self._file], at), about), random)
        pem = envelope.open(read_private(path, MAX_SEALED_BYTES), about).reveal()
        key = load_pem_private_key(pem, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Corrupt(f"{path} holds a key of another kind")
        self._key, self._root = key, x509.load_pem_x509_certificate(pem)

    @property
    def root(self) -> bytes:
        """The certificate by which it is known, as PEM. It is public."""
        return self._root.public_bytes(Encoding.PEM)


@final
class DatabaseAuthority(Root):
    """Certifies our listeners."""

    _file = "database"

    def issue(self, names: tuple[str, ...], at: Instant, lifetime: int = SERVER_LIFETIME) -> ServerCertificate:
        """A fresh key with a certificate for exactly these DNS names (`*.` before one: what is one level below it) and
        IP addresses. `lifetime` in microseconds. Raises `ValueError` for no name, or a malformed one."""
        if not 0 < len(names) <= MAX_NAMES:
            raise ValueError("a server's certificate needs names")
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            builder(_serial(self._random), subject(names[0][:64]), self._root.subject, key.public_key(), at, lifetime)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return ServerCertificate(certificate.public_bytes(Encoding.PEM), Secret(_pem(key)), later(at, lifetime))


def rewrap(folder: Path, envelope: Envelope, random: RandomBytes) -> int:
    """Put those that there are under the current master key; how many files changed."""
    changed = 0
    for path in filter(Path.exists, (_path(folder, file) for file in _ABOUT)):
        sealed = read_private(path, MAX_SEALED_BYTES)
        again = envelope.rewrap(sealed)
        if again != sealed:
            replace_private(path, again, random)
            changed += 1
    return changed


def _path(folder: Path, file: str) -> Path:
    return folder / f"{file}.sealed"


def _founded(random: RandomBytes, name: str, at: Instant) -> Secret:
    key, known = ec.generate_private_key(ec.SECP256R1()), subject(name)
    root = (
        builder(_serial(random), known, known, key.public_key(), at, ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_CERTIFIES, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Secret(_pem(key) + root.public_bytes(Encoding.PEM))


_CERTIFIES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def builder(
    serial: int,
    of: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    at: Instant,
    lifetime: int,
    back: int = BACK_DATING,
) -> x509.CertificateBuilder:
    """A certificate without extensions, from `back` before `at`; both times in microseconds."""
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=of,
        public_key=key,
        serial_number=serial,
        not_valid_before=_when(later(at, -back)),
        not_valid_after=_when(later(at, lifetime)),
    )


def _serial(random: RandomBytes) -> int:
    return int.from_bytes(random(16), "big") | 1


def subject(name: str) -> x509.Name:
    """A common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _when(at: Instant) -> datetime:
    return datetime.fromtimestamp(max(0, at // SECOND), UTC)
