"""What the SSH listener shows of itself."""

import asyncssh

from onepam.boot.clock import wall_clock
from onepam.kernel.clock import DAY
from onepam.kernel.errors import Fault, Refused
from onepam.vault.authorities import Authorities

HOST_CERTIFICATE = 90 * DAY


def host_keys(authorities: Authorities, gateway_name: str) -> list[tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]]:
    """The listener's keys, certified for the gateway's name: `onepam login` makes clients trust the host CA."""
    certified = []
    for key in authorities.gateway_host_keys:
        public = key.export_public_key().decode("ascii")
        line = authorities.host.issue(public, [gateway_name], wall_clock(), HOST_CERTIFICATE)
        if isinstance(line, Refused):
            raise Fault(line.message)
        certified.append((key, asyncssh.import_certificate(line)))
    return certified
