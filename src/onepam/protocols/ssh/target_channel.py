"""The target's end of one channel."""

import asyncio
from typing import Protocol

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.constants import DEFAULT_LANG, MSG_CHANNEL_EOF, OPEN_CONNECT_FAILED
from asyncssh.packet import SSHPacket

from onepam.kernel.errors import Refused
from onepam.protocols.ssh.connections import (
    LEAST_PACKET_BYTES,
    PACKET_BYTES,
    WINDOW_BYTES,
    PacketsUnlogged,
    TargetConnection,
    crumbs,
)
from onepam.protocols.ssh.fast_data import FastDataChannel

_OPENSSH = b"SSH-2.0-OpenSSH"


class FromTarget(Protocol):
    """Who hears what the target's channel does."""

    def target_opened(self, far: "TargetChannel") -> None: ...
    def target_ready(self) -> None: ...
    def target_sent(self, data: bytes, datatype: asyncssh.DataType) -> None: ...
    def target_eof(self) -> None: ...
    def target_deaf(self) -> None: ...
    def target_full(self, full: bool) -> None: ...
    def target_flow_control(self, client_can_do: bool) -> None: ...
    def target_status(self, status: int) -> None: ...
    def target_signal(self, signal: str, core_dumped: bool, message: str, language: str) -> None: ...
    def target_lost(self, exc: Exception | None) -> None: ...


class TargetChannel(PacketsUnlogged, FastDataChannel, asyncssh.SSHClientChannel[bytes]):
    """The target's end of one channel."""

    target: TargetConnection
    _confirmed: SSHPacket | None = None

    @classmethod
    async def opened(cls, target: TargetConnection) -> "TargetChannel":
        """A channel of `target`, for bytes, as asyncssh's `create_session` makes one, yet open before anything is asked
        of it. Raises `ChannelOpenError` where the target opens none."""
        target._update_recv_pktlen(PACKET_BYTES)
        channel = cls(target, asyncio.get_running_loop(), "strict", None, "strict", WINDOW_BYTES, PACKET_BYTES)
        channel.target = target
        channel._confirmed = await channel._open(b"session")
        channel._session = asyncssh.SSHClientSession()  # nobody listens until `create`
        return channel

    async def _open(self, chantype: bytes, *args: bytes) -> SSHPacket:
        """What `create` begins with: done already."""
        confirmed, self._confirmed = self._confirmed, None
        return confirmed if confirmed is not None else await super()._open(chantype, *args)

    def process_open_confirmation(self, send_chan: int, send_window: int, send_pktsize: int, packet: SSHPacket) -> None:
        """Not where the target takes only crumbs."""
        if send_pktsize < LEAST_PACKET_BYTES:
            self.process_open_failure(OPEN_CONNECT_FAILED, crumbs("it", send_pktsize), DEFAULT_LANG)
        else:
            super().process_open_confirmation(send_chan, send_window, send_pktsize, packet)

    def stop_output(self) -> bool:
        """Nobody reads the command's output any more: its next write fails. False where the target has no word for
        that (it is not OpenSSH): then the channel is closed."""
        if self._conn._server_version.startswith(_OPENSSH):
            self._send_request(b"eow@openssh.com")
            return True
        self.close()
        return False

    def _process_eow_at_openssh_dot_com_request(self, packet: SSHPacket) -> bool:
        """The command has closed its standard input (OpenSSH's PROTOCOL, 2.1)."""
        packet.check_end()
        if isinstance(self._session, TargetSide):
            self._session.eow_received()
        return True

    def _process_eof(self, kind: int, number: int, packet: SSHPacket) -> None:
        """In its place among data and status: asyncssh lets a status overtake it, and forgets it where the channel
        closes while it waits."""
        if self._recv_state != "open" or not isinstance(self._session, TargetSide):
            return super()._process_eof(kind, number, packet)
        packet.check_end()
        self._recv_state = "eof"
        return self.in_turn(self._session.eof_received)

    _packet_handlers = {**SSHChannel._packet_handlers, MSG_CHANNEL_EOF: _process_eof}  # noqa: RUF012


Reached = TargetChannel | Refused | asyncssh.ChannelOpenError


async def next_channel(target: "asyncio.Future[TargetConnection | Refused]") -> Reached:
    """One more channel of the target, once it is there; why there is no target; or how it refuses the channel."""
    dialled = await asyncio.shield(target)
    if isinstance(dialled, Refused):
        return dialled
    try:
        return await TargetChannel.opened(dialled)
    except asyncssh.ChannelOpenError as refusal:
        return refusal


def close_reached(reaching: "asyncio.Task[Reached]") -> None:
    """Done with a channel of which nothing was asked."""
    if not reaching.cancelled() and isinstance(far := reaching.result(), TargetChannel):
        far.close()


class TargetSide(asyncssh.SSHClientSession[bytes]):
    """Hands the events of the target's channel to its relay."""

    def __init__(self, relay: FromTarget) -> None:
        self._relay = relay

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        assert isinstance(chan, TargetChannel)
        self._far = chan
        self._relay.target_opened(chan)

    def session_started(self) -> None:
        self._relay.target_ready()

    def eow_received(self) -> None:
        """The target takes no more input."""
        self._relay.target_deaf()

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._relay.target_sent(data, datatype)

    def eof_received(self) -> bool:
        self._relay.target_eof()
        return True

    def pause_writing(self) -> None:
        self._relay.target_full(True)

    def resume_writing(self) -> None:
        self._relay.target_full(False)

    def xon_xoff_requested(self, client_can_do: bool) -> None:
        self._relay.target_flow_control(client_can_do)

    def exit_status_received(self, status: int) -> None:
        self._far.in_turn(lambda: self._relay.target_status(status))

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self._far.in_turn(lambda: self._relay.target_signal(signal, core_dumped, msg, lang))

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.target_lost(exc)
