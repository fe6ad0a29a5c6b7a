"""Where a forwarded connection may lead: to the loopback of the target, and there to no port that has a door here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from onepam.app.open_session import Opened
from onepam.egress.egress import HERE
from onepam.kernel.errors import Fault, Refused
from onepam.protocols.ssh.connections import TargetConnection

log = logging.getLogger(__name__)

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SSH_PORT = 22
PORTS = 65536
"""A port is less; some servers take of a larger number what is left beyond this one."""

MOST_ALIKE = 64
"""Resources at the port in question whose names are looked up; where there are more, nothing is forwarded to it."""

HOST = Refused("forward.host", "OnePAM forwards to the target itself alone: to localhost, 127.0.0.1 or ::1 there.")
PORT = Refused("forward.port", "OnePAM forwards neither to SSH nor to what has a door of its own here.")
UNKNOWN = Refused("gateway.unavailable", "The gateway cannot forward connections now: try again soon.")


@dataclass(frozen=True, slots=True)
class Forwarding:
    """The rule of one session. `at_port` gives the addresses of all resources at a port as of now, `machine` the
    addresses by which one machine is told from another (`Egress.machine`); `own_ports` are those of our listeners."""

    opened: Opened
    at_port: Callable[[int], Awaitable[Sequence[str]]]
    machine: Callable[[str, int], Awaitable[frozenset[str] | Refused]]
    own_ports: frozenset[int]

    async def refused(self, host: str, port: int, target: TargetConnection) -> Refused | None:
        """Why nothing is forwarded to this host and port of the target; None where it is.

        A resource is at the target where it has the same address, or any that leads to the same machine; one that leads
        nowhere might. Which resource it is, is not told: it may be none of the person's.
        """
        if host.lower() not in LOOPBACK:
            return HOST
        if port in (SSH_PORT, self.opened.port) or not 0 < port < PORTS:
            return PORT
        try:
            alike = frozenset(each.lower() for each in await self.at_port(port))
        except Fault as fault:
            log.error("session %s: a forwarded port could not be judged: %s", self.opened.session, fault)
            return UNKNOWN
        if self.opened.address.lower() in alike or len(alike) > MOST_ALIKE:
            return PORT
        return PORT if (alike or port in self.own_ports) and await self._same(alike, port, target) else None

    async def _same(self, alike: frozenset[str], port: int, target: TargetConnection) -> bool:
        """Whether one of these is the target's machine; ours is, where one of our listeners has this port."""
        dialled = str(target.get_extra_info("peername", ("",))[0])
        found = await asyncio.gather(*(self.machine(each, port) for each in (dialled, self.opened.address, *alike)))
        known = [each for each in found if not isinstance(each, Refused)]
        if len(known) < len(found):
            return True
        here = known[0] | known[1]
        return (port in self.own_ports and HERE in here) or any(each & here for each in known[2:])
