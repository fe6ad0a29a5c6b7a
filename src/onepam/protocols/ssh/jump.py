"""Through the gateway to a target: `ssh -J GATEWAY LOGIN@TARGET`, and `ProxyJump` (docs/decisions/0059).

The connection to the gateway proves who comes, and opens nothing. What the client asks it to forward to is the name of
a target, never a host that we would resolve; the SSH connection that it then makes there ends here, too. It comes with
the outer one's proof, goes through the one door, and is a session like any other.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import asyncssh
from asyncssh.constants import (
    DISC_BY_APPLICATION,
    OPEN_ADMINISTRATIVELY_PROHIBITED,
    OPEN_RESOURCE_SHORTAGE,
)

from onepam.gateway.entering import refusal_words
from onepam.gateway.parting import cut
from onepam.kernel.errors import Fault, Refused
from onepam.protocols.ssh.algorithms import HostKey
from onepam.protocols.ssh.connections import PersonConnection
from onepam.protocols.ssh.door import Door
from onepam.protocols.ssh.passage import Passage
from onepam.protocols.ssh.port_channel import PortChannel
from onepam.protocols.ssh.relay import MAX_CHANNELS, Relay

log = logging.getLogger(__name__)

IDLE_SECONDS = 150.0
"""How long a connection stays through which nothing goes."""

MOST_REFUSED = 16
"""Targets that one connection may name in vain; each refusal is an entry of the ledger."""

SSH_PORT = 22
"""What clients ask for by themselves. A name at another port is a port that somebody wants forwarded."""

UNAVAILABLE = Refused("gateway.unavailable", "The gateway cannot open sessions now.", "Try again soon.")
NOT_SSH = Refused(
    "ssh.jump", "Through the gateway leads ssh -J GATEWAY LOGIN@TARGET, to a target's name and port 22: nothing else."
)

Enter = Callable[[PersonConnection, str, str, Callable[[str], None]], Awaitable[Relay | Refused]]
"""By the outer connection's proof through the door: the inner connection, login, target, and what shows lines."""


class Jump:
    """What goes through one connection of somebody who has proven who they are.

    `known` says why a target's name is refused to them, and has recorded that. `keys` are our host keys, certified for
    a target's name.
    """

    def __init__(
        self,
        outer: PersonConnection,
        known: Callable[[str], Awaitable[Refused | None]],
        keys: Callable[[str], Sequence[HostKey]],
        enter: Enter,
    ) -> None:
        self._outer = outer
        self._known = known
        self._keys = keys
        self._enter = enter
        self._passages: set[Passage] = set()
        self._opening = 0
        self._refused = 0
        self._idle: asyncio.TimerHandle | None = None
        self._rest()

    def opened(self, name: str, port: int) -> tuple[PortChannel, Awaitable[Passage]]:
        """The channel of a connection to a target, and what carries it. Raises `ChannelOpenError`."""
        if port != SSH_PORT:
            raise _no(NOT_SSH)
        if self._refused >= MOST_REFUSED or len(self._passages) + self._opening >= MAX_CHANNELS:
            words = f"at most {MAX_CHANNELS} connections may go through"
            raise asyncssh.ChannelOpenError(OPEN_RESOURCE_SHORTAGE, words)
        self._opening += 1
        return PortChannel.on(self._outer), self._passage(name.lower())

    def end(self) -> None:
        """The outer connection has gone, and with it by and by each that went through."""
        if self._idle is not None:
            self._idle.cancel()

    async def _passage(self, name: str) -> Passage:
        try:
            refused = await self._known(name)
        except Fault as fault:
            log.error("a target's name could not be looked up: %s", fault)
            refused = UNAVAILABLE
        finally:
            self._opening -= 1
        if refused is not None:
            self._refused += 1
            raise _no(refused)
        self.end()
        inner = self._outer.within(lambda: InnerDoor(name, self._enter), self._keys(name))
        passage = Passage(self._outer, inner, self._gone, self._drop)
        self._passages.add(passage)
        return passage

    def _gone(self, passage: Passage) -> None:
        self._passages.discard(passage)
        if not self._passages:
            self._rest()

    def _drop(self, passage: Passage) -> None:
        """Of an inner connection that ends at once nothing more may be sent. Where others go the same way they end with
        it only if the client has left off reading: what waits for it then may be of any of them."""
        transport: asyncio.Transport | None = self._outer._transport
        if transport is not None and (self._passages <= {passage} or transport.get_write_buffer_size()):
            cut(transport)

    def _rest(self) -> None:
        """Nothing goes through."""
        self.end()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._over)

    def _over(self) -> None:
        self._outer.disconnect(DISC_BY_APPLICATION, f"OnePAM: nothing went through for {IDLE_SECONDS:.0f} s.")


class InnerDoor(Door):
    """A connection to `target` that goes through one whose client has proven who they are: nothing more is asked."""

    def __init__(self, target: str, enter: Enter) -> None:
        self._target = target
        self._enter = enter
        self._asked = False

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        assert isinstance(conn, PersonConnection)
        self._conn = conn

    async def begin_auth(self, username: str) -> bool:
        """Once; False lets the client in (asyncssh's `SSHServer.begin_auth`)."""
        if self._asked:
            return True
        self._asked = True
        try:
            answer = await self._enter(self._conn, username, self._target, self._say)
        except Fault as fault:
            log.error("a sign-in to %s failed: %s", self._target, fault)
            self._say(refusal_words(UNAVAILABLE))
            return True
        if isinstance(answer, Relay):
            self.relay = answer
        return self.relay is None

    def _say(self, lines: str) -> None:
        self._conn.send_auth_banner(lines.replace("\n", "\r\n"))


def _no(refused: Refused) -> asyncssh.ChannelOpenError:
    return asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, refused.message)
