"""The three SSH certificate authorities (OpenSSH PROTOCOL.certkeys), and the gateway's own host keys.

| authority | certifies                       | trusted by             | at most            |
|-----------|---------------------------------|------------------------|--------------------|
| person    | a person's key, one CLI session | our listeners only     | 12 h               |
| target    | a fresh key per gateway session | enrolled targets only  | 2 min              |
| host      | host keys of enrolled resources | people's `known_hosts` | 90 days            |

They share no key and no principal, so a certificate of one is worth nothing where another is trusted: a person's
principal, `onepam-person:per_...`, is no account name and no host name. Private keys are Ed25519 (host keys also ECDSA
and RSA, for clients that know no other), made on the first use, and lie sealed in one folder. Wrong arguments of our
own code raise `ValueError`; a bad key that a person brings is `Refused`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, final

import asyncssh
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from onepam.domain.matrix.fields import LOGIN
from onepam.files.private_file import create_private, read_private, replace_private
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant, later
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret
from onepam.vault.database_authority import DatabaseAuthority
from onepam.vault.database_authority import rewrap as rewrap_databases
from onepam.vault.database_clients import DatabaseClientAuthority
from onepam.vault.envelope import Envelope

PERSON_PREFIX = "onepam-person:"
"""What a person's principal begins with; a colon occurs in no account name of passwd(5)."""

MAX_PERSON_LIFETIME = 12 * HOUR
MAX_TARGET_LIFETIME = 2 * MINUTE
MAX_HOST_LIFETIME = 90 * DAY
BACK_DATING = 30 * SECOND
"""How far `valid_after` lies before now: a target's clock may be a little behind ours. Counts towards the lifetime."""

PrincipalForm = Literal["login", "login@resource"]
"""`login`: what a stock sshd with TrustedUserCAKeys accepts. `login@resource`: for targets with
AuthorizedPrincipalsFile, where a certificate made for one resource opens no other."""

MAX_SEALED_BYTES = 16 * 1024
MAX_PUBLIC_KEY_CHARACTERS = 16 * 1024
MAX_PRINCIPALS = 16

# No comma, white space, quote, wildcard, `#` or `!`: characters that a principals list or a pattern gives a meaning to.
_LOGIN = re.compile(rf"(?=.{{1,64}}\Z){LOGIN.pattern}", re.ASCII)
_HOST_NAME = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,252}", re.ASCII)
_HOST_PATTERN = re.compile(r"[A-Za-z0-9_.:*?\[\]-]{1,253}", re.ASCII)
_KEY_ID = re.compile(r"[A-Za-z0-9_.:@-]{1,128}", re.ASCII)
_ID = re.compile(r"[a-z]{2,8}_[a-z2-7]{16}", re.ASCII)

_MORE_HOST_KEYS: Mapping[str, tuple[str, int | None]] = MappingProxyType(
    {"gateway-host-key-ecdsa": ("ecdsa-sha2-nistp256", None), "gateway-host-key-rsa": ("ssh-rsa", 3072)}
)
"""Beside the Ed25519 key, by the name of their file."""

_SUBJECTS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


@dataclass(frozen=True, slots=True, repr=False)
class TargetKey:
    """The key pair of one gateway session and its certificate, for asyncssh's `client_keys=[(key, certificate)]`.

    It lives in memory only: never write it, never hand it out of the gateway.
    """

    key: asyncssh.SSHKey
    certificate: asyncssh.SSHCertificate
    valid_until: Instant


class _Authority:
    """A private key that signs certificates, and its public half for those who are to trust it."""

    def __init__(self, name: str, key: asyncssh.SSHKey, random: RandomBytes) -> None:
        self._name = name
        self._key = key
        self._random = random

    @property
    def public_line(self) -> str:
        """The public key as one line of authorized_keys or TrustedUserCAKeys, without a line end."""
        return f"{self._key.export_public_key().decode('ascii').strip()} onepam-{self._name}-ca"

    @property
    def public_blob(self) -> bytes:
        """The public key in SSH wire form (RFC 8709 section 4), to compare a certificate's signer with."""
        return self._key.public_data

    @property
    def fingerprint(self) -> str:
        """`SHA256:...`, as ssh-keygen -l shows it."""
        return self._key.get_fingerprint()

    def _serial(self) -> int:
        """53 random bits: as many as an integer in the ledger's JSON may have."""
        return int.from_bytes(self._random(8), "big") >> 11


@final
class PersonAuthority(_Authority):
    """Certifies a person's key for one CLI session."""

    def issue(
        self,
        public_key: str,
        session_id: str,
        person_id: str,
        at: Instant,
        lifetime: int = 8 * HOUR,
        source_addresses: Sequence[str] = (),
    ) -> str | Refused:
        """The certificate as one line for `id_...-cert.pub`; `Refused` when the person's key will not do.

        `lifetime` in microseconds, counted from `at`. `source_addresses`: networks in CIDR form the certificate is
        bound to. Raises `ValueError` for malformed ids or a lifetime outside (0, 12 h].
        """
        subject = _subject(public_key)
        if isinstance(subject, Refused):
            return subject
        if not _ID.fullmatch(session_id) or not _ID.fullmatch(person_id):
            raise ValueError("not the id of a session and of a person")
        if not 0 < lifetime <= MAX_PERSON_LIFETIME:
            raise ValueError("a person's certificate lives for at most 12 hours")
        certificate = self._key.generate_user_certificate(
            subject,
            session_id,
            serial=self._serial(),
            principals=[PERSON_PREFIX + person_id],
            valid_after=_seconds(later(at, -BACK_DATING)),
            valid_before=_seconds(later(at, lifetime)),
            source_address=_networks(source_addresses) or None,
            permit_x11_forwarding=False,
            permit_agent_forwarding=False,
            permit_port_forwarding=False,
            permit_pty=True,
            permit_user_rc=False,
            comment=None,
        )
        return certificate.export_certificate().decode("ascii").strip()


@final
class TargetAuthority(_Authority):
    """Certifies the gateway itself towards one target, for one session."""

    def issue(
        self,
        key_id: str,
        principals: Sequence[str],
        source_addresses: Sequence[str],
        at: Instant,
        lifetime: int = MAX_TARGET_LIFETIME,
        *,
        pty: bool = False,
        port_forwarding: bool = False,
        agent_forwarding: bool = False,
        x11_forwarding: bool = False,
    ) -> TargetKey:
        """A fresh Ed25519 key pair with a certificate for exactly `principals` (see `target_principal`).

        `key_id` (the gateway session's id) is what the target's log shows. `source_addresses`: the gateway's own, in
        CIDR form. `lifetime` in microseconds, back-dating included. Raises `ValueError` for a missing or malformed
        principal, no source address, or a lifetime outside (30 s, 2 min].
        """
        if not 0 < len(principals) <= MAX_PRINCIPALS or not all(map(_is_target_principal, principals)):
            raise ValueError("a target's certificate needs well-formed principals")
        if not _KEY_ID.fullmatch(key_id):
            raise ValueError("a malformed key id")
        if not source_addresses:
            raise ValueError("a target's certificate is bound to the gateway's addresses")
        if not BACK_DATING < lifetime <= MAX_TARGET_LIFETIME:
            raise ValueError("a target's certificate lives for at most 2 minutes")
        key = asyncssh.generate_private_key("ssh-ed25519")
        valid_until = later(at, lifetime - BACK_DATING)
        certificate = self._key.generate_user_certificate(
            key,
            key_id,
            serial=self._serial(),
            principals=list(principals),
            valid_after=_seconds(later(at, -BACK_DATING)),
            valid_before=_seconds(valid_until),
            source_address=_networks(source_addresses),
            permit_x11_forwarding=x11_forwarding,
            permit_agent_forwarding=agent_forwarding,
            permit_port_forwarding=port_forwarding,
            permit_pty=pty,
            permit_user_rc=False,
            comment=None,
        )
        return TargetKey(key, certificate, valid_until)


@final
class HostAuthority(_Authority):
    """Certifies the host keys of enrolled resources and of the gateway, so that nobody trusts on the first connect."""

    def issue(self, public_key: str, names: Sequence[str], at: Instant, lifetime: int = 30 * DAY) -> str | Refused:
        """The host certificate as one line for sshd's HostCertificate, valid for exactly `names`.

        Raises `ValueError` for no name, a wildcard or other odd name, or a lifetime outside (0, 90 days].
        """
        subject = _subject(public_key)
        if isinstance(subject, Refused):
            return subject
        if not 0 < len(names) <= MAX_PRINCIPALS or not all(map(_HOST_NAME.fullmatch, names)):
            raise ValueError("a host certificate needs well-formed names")
        if not 0 < lifetime <= MAX_HOST_LIFETIME:
            raise ValueError("a host certificate lives for at most 90 days")
        certificate = self._key.generate_host_certificate(
            subject,
            names[0],
            serial=self._serial(),
            principals=list(names),
            valid_after=_seconds(later(at, -BACK_DATING)),
            valid_before=_seconds(later(at, lifetime)),
            comment=None,
        )
        return certificate.export_certificate().decode("ascii").strip()

    def known_hosts_line(self, patterns: Sequence[str]) -> str:
        """The `@cert-authority` line (sshd(8), SSH_KNOWN_HOSTS) that trusts this authority for hosts of `patterns`."""
        if not patterns or not all(map(_HOST_PATTERN.fullmatch, patterns)):
            raise ValueError("malformed host patterns")
        return f"@cert-authority {','.join(patterns)} {self.public_line}"


@final
class Authorities:
    """All authorities of one installation, opened from (and on the first use created in) one folder."""

    _NAMES = ("person", "target", "host", "gateway-host-key", *_MORE_HOST_KEYS)

    def __init__(self, folder: Path, envelope: Envelope, random: RandomBytes) -> None:
        """Raises `Corrupt` when a key was altered or is open to others, `KeyMissing` when its master key is gone."""
        self._folder = folder
        self._envelope = envelope
        self._random = random
        self._database: DatabaseAuthority | None = None
        self._database_client: DatabaseClientAuthority | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.person = PersonAuthority("person", self._load("person"), random)
        self.target = TargetAuthority("target", self._load("target"), random)
        self.host = HostAuthority("host", self._load("host"), random)
        self.gateway_host_key = self._load("gateway-host-key")
        """The private host key of our own SSH listener; the same one in every process."""

    @cached_property
    def gateway_host_keys(self) -> tuple[asyncssh.SSHKey, ...]:
        """All private host keys of our SSH listener, the preferred one first; the same ones in every process."""
        return (self.gateway_host_key, *(self._load(name, *kind) for name, kind in _MORE_HOST_KEYS.items()))

    def database(self, at: Instant) -> DatabaseAuthority:
        """The authority of our listeners for databases; `at` is now, for the first time that it is asked for."""
        if self._database is None:
            self._database = DatabaseAuthority(self._folder, self._envelope, self._random, at)
        return self._database

    def database_client(self, at: Instant) -> DatabaseClientAuthority:
        """The authority of people's certificates for databases; `at` as above."""
        if self._database_client is None:
            self._database_client = DatabaseClientAuthority(self._folder, self._envelope, self._random, at)
        return self._database_client

    def rewrap(self) -> int:
        """Put every key under the current master key; answers how many files changed."""
        changed = 0
        for name in self._NAMES:
            if name in _MORE_HOST_KEYS and not self._path(name).exists():
                continue  # the listener has not been started yet
            sealed = read_private(self._path(name), MAX_SEALED_BYTES)
            again = self._envelope.rewrap(sealed)
            if again != sealed:
                replace_private(self._path(name), again, self._random)
                changed += 1
        return changed + rewrap_databases(self._folder, self._envelope, self._random)

    def _load(self, name: str, algorithm: str = "ssh-ed25519", bits: int | None = None) -> asyncssh.SSHKey:
        about = f"authority/{name}".encode("ascii")
        path = self._path(name)
        if not path.exists():
            sized: dict[str, Any] = {"key_size": bits} if bits else {}
            fresh = Secret(asyncssh.generate_private_key(algorithm, **sized).export_private_key())
            create_private(path, self._envelope.seal(fresh, about), self._random)
        sealed = self._envelope.open(read_private(path, MAX_SEALED_BYTES), about)
        # The seal says that it is the key that was made here; looking for its primes again takes a fifth of a second.
        return asyncssh.import_private_key(sealed.reveal(), unsafe_skip_rsa_key_validation=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sealed"


def target_principal(login: str, resource: str, form: PrincipalForm = "login") -> str:
    """The principal of one login on one resource. Raises `ValueError` for a name that could be read as another.

    In the form `login@resource` a login never holds `@`: as `root@db-1` it would be, elsewhere, the login `root` on the
    resource `db-1`. In the form `login` it may (`bob@corp.example`): there a stock sshd compares it with the account.
    """
    ambiguous = "@" in login and form == "login@resource"
    if ambiguous or not _LOGIN.fullmatch(login) or not _HOST_NAME.fullmatch(resource):
        raise ValueError("a malformed login or resource name")
    return login if form == "login" else f"{login}@{resource}"


def _is_target_principal(principal: str) -> bool:
    return bool(_LOGIN.fullmatch(principal)) or bool(
        _LOGIN.fullmatch(principal.partition("@")[0]) and _HOST_NAME.fullmatch(principal.partition("@")[2])
    )


def _subject(line: str) -> asyncssh.SSHKey | Refused:
    """The public key to certify: Ed25519, ECDSA, or RSA from 3072 bits. No certificates, no private keys."""
    fitting = Refused(
        "certificate.subject",
        "This key cannot be certified.",
        "Use an Ed25519 key: ssh-keygen -t ed25519",
    )
    line = line.strip()
    algorithm = line.split(" ", 1)[0]
    if len(line) > MAX_PUBLIC_KEY_CHARACTERS or not line.isprintable() or algorithm not in _SUBJECTS:
        return fitting
    try:
        key = asyncssh.import_public_key(line)
    except (asyncssh.KeyImportError, ValueError):
        return fitting
    modulus = key.pyca_key
    if isinstance(modulus, RSAPublicKey) and not 3072 <= modulus.key_size <= 8192:
        return fitting
    return key


def _networks(addresses: Sequence[str]) -> list[str]:
    return [str(ip_network(address)) for address in addresses]


def _seconds(at: Instant) -> int:
    return max(0, at // SECOND)
