"""What a target is known by, as pages show it: host keys of SSH; certificates of PostgreSQL, and authorities' own."""

from base64 import b64decode, b64encode
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from onepam.console.frame.page import Context
from onepam.console.frame.wording import visible
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.model import ResourceKind
from onepam.identity.ssh_keys import fingerprint
from onepam.kernel.clock import Instant, instant

_DIGEST = "sha256:"


def pin_name(kind: str) -> str:
    """What a resource of this kind is known by, in words."""
    return KINDS[ResourceKind(kind)].pin


def pin_state(kind: str, pinned: bool) -> str:
    """`Host key pinned`, `No TLS certificate yet`."""
    name = pin_name(kind)
    return f"{name[0].upper()}{name[1:]} pinned" if pinned else f"No {name} yet"


def pin_shown(kind: ResourceKind, pin: str) -> Context:
    """{fingerprint, algorithm, ends (Instant or none)}. A pin is what an administrator wrote: one that cannot be read
    is said to be so, and the dial refuses it."""
    try:
        match kind:
            case ResourceKind.SSH:
                algorithm, blob = pin.split(" ")[:2]
                return _told(fingerprint(b64decode(blob, validate=True)), algorithm)
            case ResourceKind.POSTGRES | ResourceKind.MYSQL:
                return _certificate(pin)
    except ValueError:
        digest = b64encode(sha256(pin.encode("utf-8")).digest()).decode("ascii").rstrip("=")
        return _told(f"SHA256:{digest}", f"{KINDS[kind].pin} that cannot be read")


def _certificate(pin: str) -> Context:
    if pin.startswith(_DIGEST):
        return _told(pin, "the server’s certificate")
    found = x509.load_pem_x509_certificate(pin.encode("utf-8"))
    subject = visible(found.subject.rfc4514_string()) or "without a subject"
    ends = instant(found.not_valid_after_utc)
    return _told(_DIGEST + found.fingerprint(SHA256()).hex(), f"authority {subject}", ends)


def _told(shown: str, algorithm: str, ends: Instant | None = None) -> Context:
    return {"fingerprint": shown, "algorithm": algorithm, "ends": ends}
