"""What the API needs: wired by the composition root, handed to the routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from onepam.app.ports import Documents, EntryProof, Ledger, LedgerHealth, Reader
from onepam.app.provisioning.traffic import ScimTraffic
from onepam.domain.access.authority import Actor
from onepam.domain.leaving.erasing import KEEP_DAYS
from onepam.egress.ldap.client import Directory
from onepam.gateway.ask_first import WaitingStatements
from onepam.gateway.playback import Playback
from onepam.gateway.probes import Probes
from onepam.gateway.watching import Watchers
from onepam.identity.devices import Devices
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes
from onepam.kernel.secret import Secret
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope


async def _untried(resource: str, login: str, secret: Secret) -> Refused | None:
    """Nobody tries it."""
    return Refused("target.down", "Nothing here reaches it.")


@dataclass(frozen=True, slots=True)
class ApiServices:
    """The parts behind the routes.

    `gateway_name` and `ssh_port` are what a person's SSH client connects to, `host_key_line` the known_hosts line
    (`@cert-authority ...` or a plain key) by which it knows the gateway. `entry_proof` gives None for an index that is
    not in the newest checkpoint. `evidence_pack` draws a pack of [starts, ends) for the actor into a temporary file,
    which the API deletes before it sends the first byte. `devices` are terminals without a browser that wait.
    `clock` is the ledger's time, `wall` this machine's clock, for
    what is compared with somebody else's. `keep_days`: for so long a leaver's data are kept in any case.
    `postgres_port` and `mysql_port` are where clients of those come, 0 for nowhere; `database_root` the root (PEM) by
    which they know the gateway, empty where an operator's own certificate is shown; `try_secret` signs in at a
    resource as a login with a secret, and says why that did not work. `statements` is
    what those say that wait for somebody's yes, `watchers` who watches which session. `documents` are those of
    policies.
    """

    ledger: Ledger
    reader: Reader
    envelope: Envelope
    authorities: Authorities
    playback: Playback
    clock: Clock
    wall: Clock
    random: RandomBytes
    gateway_name: str
    ssh_port: int
    host_key_line: str
    console_url: str
    ledger_health: Callable[[], Awaitable[LedgerHealth]]
    entry_proof: Callable[[int], Awaitable[EntryProof | None]]
    probes: Probes
    evidence_pack: Callable[[Actor, Instant, Instant], Awaitable[Path | Refused]]
    directory: Directory
    devices: Devices
    documents: Documents
    scim_traffic: ScimTraffic = field(default_factory=ScimTraffic)
    keep_days: int = KEEP_DAYS
    postgres_port: int = 0
    mysql_port: int = 0
    statements: WaitingStatements = field(default_factory=WaitingStatements)
    watchers: Watchers = field(default_factory=Watchers)
    database_root: Callable[[], bytes] = bytes
    try_secret: Callable[[str, str, Secret], Awaitable[Refused | None]] = _untried
