"""The target's end of one channel, whose events go to the channel's relay."""

import asyncio
from typing import TYPE_CHECKING

import asyncssh

from onepam.protocols.ssh.connections import PACKET_BYTES, WINDOW_BYTES, PacketsUnlogged, TargetConnection
from onepam.protocols.ssh.fast_data import FastDataChannel

if TYPE_CHECKING:
    from onepam.protocols.ssh.channel import ChannelRelay


class TargetChannel(PacketsUnlogged, FastDataChannel, asyncssh.SSHClientChannel[bytes]):
    """The target's end of one channel."""

    @classmethod
    def on(cls, target: TargetConnection) -> "TargetChannel":
        """A channel of `target`, for bytes, as asyncssh's `create_session` makes one."""
        target._update_recv_pktlen(PACKET_BYTES)
        loop = asyncio.get_running_loop()
        return cls(target, loop, "strict", None, "strict", WINDOW_BYTES, PACKET_BYTES)


class TargetSide(asyncssh.SSHClientSession[bytes]):
    """Hands the events of the target's channel to its relay."""

    def __init__(self, relay: "ChannelRelay", target: TargetConnection) -> None:
        self._relay = relay
        self._target = target

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self._relay.target_opened(chan, self._target)

    def session_started(self) -> None:
        self._relay.target_ready()

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
        self._relay.target_status(status)

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        self._relay.target_signal(signal, core_dumped, msg, lang)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.target_lost(exc)
