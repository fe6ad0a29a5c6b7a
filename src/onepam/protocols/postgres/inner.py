"""The same door for who is in this process already: a console's page that asks for somebody.

Between both ends there is a pair of sockets that no other process has; so nothing is enciphered. All else is as for a
client that comes over the network from the page's address: its place in the crowd, the login token in the place of a
password, the one door, the session and all that bounds it.
"""

import asyncio
import socket
from dataclasses import dataclass

from onepam.gateway.crowd import Crowd
from onepam.gateway.turns import Turns
from onepam.kernel.errors import Refused
from onepam.protocols.postgres.serve import PersonDoor
from onepam.protocols.postgres.session import PostgresGateway
from onepam.protocols.sql.door import SILENT_SECONDS

READ_AHEAD_BYTES = 64 * 1024
"""What may wait for who reads, before the door is asked for no more."""


class InnerDoor(PersonDoor):
    """The door's end. `source` is the address of the page that asks."""

    inner_source = ""
    ours = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.source = self.inner_source

    @property
    def secured(self) -> bool:
        """What passes leaves the process nowhere."""
        return True

    def let_in(self) -> bytes:
        self.is_psql = True  # a person sits there, and is shown what a terminal is
        return super().let_in()


@dataclass(frozen=True, slots=True)
class Inner:
    """Connections to the door from within this process."""

    gateway: PostgresGateway
    crowd: Crowd
    turns: Turns

    async def connect(self, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | Refused:
        """Our end of a connection that counts as one from `source`. Raises `OSError` where no socket is left."""
        place = self.crowd.arrive(source)
        if isinstance(place, Refused):
            return place
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()

        def door() -> InnerDoor:
            made = InnerDoor(self.gateway, place, self.turns, SILENT_SECONDS)
            made.inner_source = source
            return made

        try:
            theirs.setblocking(False)
            transport, _ = await loop.connect_accepted_socket(door, theirs)
        except BaseException:
            place.leave()
            ours.close()
            theirs.close()
            raise
        place.give_way = transport.abort
        try:
            return await asyncio.open_connection(sock=ours, limit=READ_AHEAD_BYTES)
        except BaseException:
            transport.abort()
            ours.close()
            raise
