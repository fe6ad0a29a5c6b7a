"""What the SSH listener shows of itself."""

import asyncssh

from onepam.boot.clock import wall_clock
from onepam.kernel.clock import DAY, HOUR
from onepam.kernel.errors import Fault, Refused
from onepam.vault.authorities import Authorities

HOST_CERTIFICATE = 90 * DAY
TARGET_CERTIFICATE = HOUR
"""Each connection to a target that goes through another one has a certificate of its own."""


def host_keys(
    authorities: Authorities, name: str, lifetime: int = HOST_CERTIFICATE
) -> list[tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]]:
    """The listener's keys, certified for so many microseconds for one name, the gateway's or that of a target which
    somebody reaches through it: `onepam login` makes clients trust the host CA."""
    certified = []
    for key in authorities.gateway_host_keys:
        public = key.export_public_key().decode("ascii")
        line = authorities.host.issue(public, [name], wall_clock(), lifetime)
        if isinstance(line, Refused):
            raise Fault(line.message)
        certified.append((key, asyncssh.import_certificate(line)))
    return certified
