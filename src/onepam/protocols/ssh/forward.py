"""Relays one TCP connection to a port of the target's loopback: `ssh -L`, `-W` and `-D`, where the permit has it.

What passes is nothing that we could read, so none of it is kept: recorded are where it went and how many bytes passed
each way, before they pass.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_CONNECT_FAILED

from onepam.gateway.recorder import Recorder, RecorderFailed
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.flow import Flow, Hold
from onepam.protocols.ssh.port_channel import PortChannel
from onepam.recording.frames import ChannelClosed, ChannelOpened, Marker, Omitted, Stream

WINDOW_BYTES = 1024 * 1024
"""What may wait in one direction of one forwarded connection; there may be many of them."""

MOST_NAMED = 253
"""Characters of a host that are recorded: a name of DNS has no more."""

Rule = Callable[[str, int, TargetConnection], Awaitable[Refused | None]]
"""Why nothing is forwarded to this host and port of the target; None where it is. Never raises."""


class ForwardedSession(Protocol):
    """What a forwarded connection needs of its session."""

    person: PersonConnection
    target: "asyncio.Future[TargetConnection | Refused]"
    recorder: Recorder

    def ended(self, channel: Any) -> None: ...


class ForwardRelay(asyncssh.SSHTCPSession[bytes]):
    """One forwarded connection: the client's side is this object, the target's is its `_FarSide`."""

    def __init__(self, session: ForwardedSession, number: int, host: str, port: int, rule: Rule) -> None:
        self._session = session
        self._number = number
        self._host, self._port = host, port
        self._rule = rule
        self._near: PortChannel | None = None
        self._far: PortChannel | None = None
        self._target: TargetConnection | None = None
        self._up = Flow(Hold.OPENING)
        self._down = Flow(Hold.OPENING)
        self._sent: list[bytes] = []
        self._shown: list[bytes] = []
        self._recording = False
        self._over = False
        self._bytes = {Stream.STDIN: 0, Stream.STDOUT: 0}

    # The way there ----------------------------------------------------------------------------------------------------

    async def reach(self, near: PortChannel) -> "ForwardRelay":
        """This, once the target has connected. Raises `ChannelOpenError`, and then has ended."""
        try:
            await self._reach()
        except asyncssh.ChannelOpenError:
            self._finish()
            raise
        except BaseException:
            self.end()
            raise
        if near.gone or self._over:
            self.end()
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, "")
        return self

    async def _reach(self) -> None:
        dialled = await asyncio.shield(self._session.target)
        if isinstance(dialled, Refused):
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, dialled.message)
        refused = await self._rule(self._host, self._port, dialled)
        if refused is not None:
            self._mark(f"not forwarded to {self._place}: {refused.message}")
            raise asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, refused.message)
        self._target = dialled
        with suppress(RecorderFailed):
            if not self._over:
                recorder = self._session.recorder
                recorder.record(ChannelOpened(recorder.at, self._number, "forward", self._place))
                self._recording = True
        if not self._recording:
            raise asyncssh.ChannelOpenError(OPEN_CONNECT_FAILED, "this session cannot be recorded any more")
        await PortChannel.on(dialled, WINDOW_BYTES).reached(lambda: _FarSide(self), self._host, self._port)

    @property
    def _place(self) -> str:
        host = self._host if len(self._host) <= MOST_NAMED else f"{self._host[:MOST_NAMED]}…"
        return f"[{host}]:{self._port}" if ":" in host else f"{host}:{self._port}"

    # The client's side ------------------------------------------------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        assert isinstance(chan, PortChannel)
        self._near = chan
        self._up.flows_from(chan)
        self._session.person.brake.subscribe(self._near_transport)

    def session_started(self) -> None:
        """asyncssh reads from now on, whatever holds it."""
        asyncio.get_running_loop().call_soon(self._begin)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if not self._sent:
            self._session.person.after_batch(self._forward_up)
        self._sent.append(data)

    def eof_received(self) -> bool:
        self._forward_up()
        if self._far is not None:
            self._far.write_eof()
        return True

    def pause_writing(self) -> None:
        self._down.set(Hold.CHANNEL, True)

    def resume_writing(self) -> None:
        self._down.set(Hold.CHANNEL, False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forward_up()
        self._session.person.brake.unsubscribe(self._near_transport)
        self._near = None
        if self._far is not None:
            self._far.close()  # what was sent last still reaches it
        else:
            self._finish()

    # The target's side ------------------------------------------------------------------------------------------------

    def target_made(self, far: PortChannel) -> None:
        """The target has connected."""
        self._far = far
        assert self._target is not None
        self._target.party = self._session.person.party
        self._down.flows_from(far)
        self._target.brake.subscribe(self._far_transport)

    def target_sent(self, data: bytes) -> None:
        """What comes from the port."""
        if not self._shown and self._target is not None:
            self._target.after_batch(self._forward_down)
        self._shown.append(data)

    def target_eof(self) -> None:
        """Nothing more comes from it, though it may still read."""
        self._forward_down()
        if self._near is not None:
            self._near.write_eof()

    def target_full(self, full: bool) -> None:
        """The target's channel can take no more, or again."""
        self._up.set(Hold.CHANNEL, full)

    def target_lost(self) -> None:
        """The target's channel has closed."""
        self._forward_down()
        if self._target is not None:
            self._target.brake.unsubscribe(self._far_transport)
        self._far = self._target = None
        if self._near is not None:
            self._near.close()
        self._finish()

    # Both -------------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """The last word is recorded now; nothing passes after it."""
        self._finish()
        if self._far is not None:
            self._far.abort()
        if self._near is not None:
            self._near.abort()

    def _begin(self) -> None:
        for flow in (self._up, self._down):
            flow.set(Hold.OPENING, False)
        self._up.renew()

    def _forward_up(self) -> None:
        pieces, self._sent = self._sent, []
        if self._passes(Stream.STDIN, pieces, self._up) and self._far is not None and not self._far.is_closing():
            self._far.write_all(pieces)

    def _forward_down(self) -> None:
        pieces, self._shown = self._shown, []
        if self._passes(Stream.STDOUT, pieces, self._down) and self._near is not None and not self._near.is_closing():
            self._near.write_all(pieces)

    def _passes(self, stream: Stream, pieces: Sequence[bytes], flow: Flow) -> bool:
        """Records that so many bytes pass; False where they may not."""
        if not pieces or not self._recording:
            return False
        recorder, count = self._session.recorder, sum(map(len, pieces))
        try:
            recorder.record(Omitted(recorder.at, self._number, stream, count))
        except RecorderFailed:  # which ends the session: its owner was told by the recorder
            self._recording = False
            return False
        self._bytes[stream] += count
        if recorder.full and not flow.holds(Hold.RECORDER):
            flow.set(Hold.RECORDER, True)
            recorder.when_drained(lambda: flow.set(Hold.RECORDER, False))
        return True

    def _mark(self, words: str) -> None:
        with suppress(RecorderFailed):
            if not self._over:
                self._session.recorder.record(Marker(self._session.recorder.at, f"channel {self._number}: {words}"))

    def _finish(self) -> None:
        """The one end of the connection, whoever comes to it first: client, target, gateway."""
        if self._over:
            return
        self._over = True
        if self._recording:
            recorder = self._session.recorder
            up, down = self._bytes[Stream.STDIN], self._bytes[Stream.STDOUT]
            with suppress(RecorderFailed):
                recorder.record(ChannelClosed(recorder.at, self._number, input_bytes=up, output_bytes=down))
        self._recording = False
        self._session.ended(self)

    def _near_transport(self, full: bool) -> None:
        self._down.set(Hold.TRANSPORT, full)

    def _far_transport(self, full: bool) -> None:
        self._up.set(Hold.TRANSPORT, full)


class _FarSide(asyncssh.SSHTCPSession[bytes]):
    """Hands the events of the target's channel to its relay."""

    def __init__(self, relay: ForwardRelay) -> None:
        self._relay = relay

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        assert isinstance(chan, PortChannel)
        self._relay.target_made(chan)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._relay.target_sent(data)

    def eof_received(self) -> bool:
        self._relay.target_eof()
        return True

    def pause_writing(self) -> None:
        self._relay.target_full(True)

    def resume_writing(self) -> None:
        self._relay.target_full(False)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.target_lost()
