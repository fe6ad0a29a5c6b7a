"""Relays one gateway session: all channels between a person's connection and a target's."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from fnmatch import fnmatchcase

import asyncssh
from asyncssh.constants import OPEN_CONNECT_FAILED, OPEN_RESOURCE_SHORTAGE

from onepam.domain.access.model import ENVIRONMENT
from onepam.gateway.recorder import Recorder
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.channel import ChannelRelay
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.forward import WINDOW_BYTES, ForwardRelay, Rule
from onepam.protocols.ssh.person_channel import PersonChannel
from onepam.protocols.ssh.port_channel import PortChannel
from onepam.protocols.ssh.tap import Kind
from onepam.protocols.ssh.target_channel import TargetChannel

MAX_CHANNELS = 16
"""Channels that one connection may have open (OpenSSH's server admits 10)."""

MAX_FORWARDED = 32
"""Connections to ports of the target that one connection may have open: a browser's, an editor's."""

GRACE_SECONDS = 5.0
"""How long what the person sent last may take to reach the target after the person has gone."""


class _Stage(Enum):
    OPEN = auto()
    ENDED = auto()


class Relay:
    """The channels of one gateway session.

    `target` is the dialled connection, or why there is none; channels that a client opens before it is there wait.
    `kinds` is what the permit allows: `pty` shells and terminals, `exec` commands, `sftp` file transfer; `environment`
    the variables that may go to the target. `excerpt`: of commands' output only a part is kept (`Tap`).
    `greeting` is the line that a shell at a terminal begins with. `rule` says where connections to ports of the target
    may lead; None where there are none.
    """

    def __init__(
        self,
        person: PersonConnection,
        target: "asyncio.Future[TargetConnection | Refused]",
        recorder: Recorder,
        kinds: frozenset[Kind],
        *,
        excerpt: bool = False,
        environment: Sequence[str] = ENVIRONMENT,
        greeting: str = "",
        rule: Rule | None = None,
    ) -> None:
        self.person = person
        self.target = target
        self.recorder = recorder
        self.kinds = kinds
        self.excerpt = excerpt
        self.environment = environment
        self.greeting = greeting
        self._rule = rule
        self._stage = _Stage.OPEN
        self._open: set[ChannelRelay] = set()
        self._forwarded: set[ForwardRelay] = set()
        self._opened = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def idle(self) -> bool:
        """Whether no channel is open."""
        return self._idle.is_set()

    @property
    def forwards(self) -> bool:
        """Whether connections to ports of the target are let through at all."""
        return self._rule is not None

    def forwarded(self, host: str, port: int) -> tuple[PortChannel, Awaitable[ForwardRelay]]:
        """The channel of a connection to a port of the target, and what relays it once the target has connected.
        Raises `ChannelOpenError`."""
        if self._stage is _Stage.ENDED or self._rule is None or len(self._forwarded) >= MAX_FORWARDED:
            words = f"at most {MAX_FORWARDED} connections may be forwarded"
            raise asyncssh.ChannelOpenError(OPEN_RESOURCE_SHORTAGE, words)
        self._opened += 1
        relay = ForwardRelay(self, self._opened, host, port, self._rule)
        self._forwarded.add(relay)
        self._idle.clear()
        near = PortChannel.on(self.person, WINDOW_BYTES)
        return near, relay.reach(near)

    def channel(self) -> ChannelRelay | None:
        """The session behind the next channel that the person opens, None when there are too many, or after the end."""
        if self._stage is _Stage.ENDED or len(self._open) >= MAX_CHANNELS:
            return None
        self._opened += 1
        relay = ChannelRelay(self, self._opened)
        self._open.add(relay)
        self._idle.clear()
        return relay

    async def opened(self, channel: ChannelRelay, near: PersonChannel) -> ChannelRelay:
        """`channel`, once the target has opened its end. Where it does not (sshd's MaxSessions), `near` is not opened
        either, for the target's reason: a client that shares its connection makes another one then. Raises
        `ChannelOpenError`."""
        far = await channel.reaching
        if isinstance(far, TargetChannel) and not near.gone:
            return channel
        channel.end()
        if isinstance(far, asyncssh.ChannelOpenError):
            raise far
        raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, far.message if isinstance(far, Refused) else "")

    def admits(self, variable: bytes) -> bool:
        """Whether an environment variable goes to the target: names or patterns, as sshd's AcceptEnv."""
        name = variable.decode("ascii", "replace")
        return any(fnmatchcase(name, pattern) for pattern in self.environment)

    def ended(self, channel: ChannelRelay | ForwardRelay) -> None:
        """A channel has nothing more to forward."""
        if isinstance(channel, ChannelRelay):
            self._open.discard(channel)
        else:
            self._forwarded.discard(channel)
        if not self._open and not self._forwarded:
            self._idle.set()

    def tell(self, words: str) -> None:
        """A line at each terminal."""
        for channel in tuple(self._open):
            channel.tell(words)

    async def close(self) -> None:
        """The person has gone: let what was sent last reach the target, then hang up on it, politely."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._idle.wait()
        self._end(lambda dialled: dialled.close())

    def abort(self) -> None:
        """End the session now: nothing more is sent in either direction, not even what our kernel holds already."""
        self._end(lambda dialled: dialled.cut())

    def _end(self, hang_up: Callable[[TargetConnection], None]) -> None:
        """Once. Every channel has its last word in the recording on return, and gets no other."""
        if self._stage is _Stage.ENDED:
            return
        self._stage = _Stage.ENDED
        for channel in tuple(self._open):
            channel.end()
        for connection in tuple(self._forwarded):
            connection.end()
        self.person.abort()
        if not self.target.done():
            self.target.cancel()
        elif not self.target.cancelled() and isinstance(dialled := self.target.result(), TargetConnection):
            hang_up(dialled)
