"""Where a forwarded connection may lead: to the loopback of the target, and there to no port that has a door here."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from onepam.app.open_session import Opened
from onepam.kernel.errors import Fault, Refused
from onepam.protocols.ssh.connections import TargetConnection

log = logging.getLogger(__name__)

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SSH_PORT = 22
MOST_ALIKE = 64
"""Resources at the port in question whose names are looked up; where there are more, nothing is forwarded to it."""

HOST = Refused("forward.host", "OnePAM forwards to the target itself alone: to localhost, 127.0.0.1 or ::1 there.")
PORT = Refused("forward.port", "OnePAM forwards neither to SSH nor to what has a door of its own here.")
UNKNOWN = Refused("gateway.unavailable", "The gateway cannot forward connections now: try again soon.")


@dataclass(frozen=True, slots=True)
class Forwarding:
    """The rule of one session. `at_port` gives the addresses of all resources at a port as of now, `resolve` the IP
    address of one."""

    opened: Opened
    at_port: Callable[[int], Awaitable[Sequence[str]]]
    resolve: Callable[[str, int], Awaitable[str | Refused]]

    async def refused(self, host: str, port: int, target: TargetConnection) -> Refused | None:
        """Why nothing is forwarded to this host and port of the target; None where it is.

        A resource is at the target where it has the same address, or one that leads to the same machine; one that leads
        nowhere might. Which resource it is, is not told: it may be none of the person's.
        """
        if host.lower() not in LOOPBACK:
            return HOST
        if port in (SSH_PORT, self.opened.port):
            return PORT
        try:
            alike = frozenset(each.lower() for each in await self.at_port(port))
        except Fault as fault:
            log.error("session %s: a forwarded port could not be judged: %s", self.opened.session, fault)
            return UNKNOWN
        if self.opened.address.lower() in alike or len(alike) > MOST_ALIKE:
            return PORT
        here = str(target.get_extra_info("peername", ("",))[0])
        there = await asyncio.gather(*(self.resolve(each, port) for each in alike))
        return PORT if any(isinstance(each, Refused) or each == here for each in there) else None
