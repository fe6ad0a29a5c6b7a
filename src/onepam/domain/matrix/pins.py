"""What a resource of `access.yaml` is known by, in the field of its kind."""

from collections.abc import Mapping

from onepam.domain.access.kinds import KINDS
from onepam.domain.access.model import ResourceKind
from onepam.domain.matrix import database_fields, fields
from onepam.domain.matrix.parse import Findings, Node, Scalar

_PINS = {ResourceKind.SSH: "host_keys", ResourceKind.POSTGRES: "tls", ResourceKind.MYSQL: "tls"}
"""By which field a kind says what it is known by."""

_TAKEN = {
    ResourceKind.SSH: "Take it from the machine itself: /etc/ssh/ssh_host_ed25519_key.pub",
    ResourceKind.POSTGRES: "Take it from the server itself: the file that ssl_cert_file names, or of the CA behind it.",
    ResourceKind.MYSQL: "Take it from the server itself: the file that ssl_cert names, or of the CA behind it.",
}

FIELDS = tuple(dict.fromkeys(_PINS.values()))
"""The fields, each once."""


def read(kind: ResourceKind, given: Mapping[str, Node], key: Scalar, findings: Findings) -> tuple[str, ...] | None:
    """What the resource is known by, in the field of its kind and in no other."""
    name, pin = _PINS[kind], KINDS[kind].pin
    for other in FIELDS:
        if other != name and other in given:
            findings.add(given[other].spot, f"A resource of kind {kind} has no `{other}`.", f"Write `{name}`.")
    if name not in given:
        findings.add(key.spot, f"This resource has no `{name}`.", f"Add a line: {name}: ...")
        return None
    listed = fields.items(given[name], f"{pin}s", findings, 8)
    if not listed:
        findings.add(given[name].spot, f"Without a {pin} the gateway connects to nothing.", _TAKEN[kind])
    one = fields.host_key if kind is ResourceKind.SSH else database_fields.certificate
    return tuple(sorted({found for each in listed if (found := one(each, findings)) is not None}))
