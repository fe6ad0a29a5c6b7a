"""asyncssh's channel of a TCP connection (RFC 4254, 7.2), on either leg of a session."""

import asyncio
from collections.abc import Callable

import asyncssh
from asyncssh.constants import DEFAULT_LANG, OPEN_CONNECT_FAILED
from asyncssh.packet import SSHPacket

from onepam.protocols.ssh.connections import (
    LEAST_PACKET_BYTES,
    PACKET_BYTES,
    WINDOW_BYTES,
    PacketsUnlogged,
    PersonConnection,
    TargetConnection,
    crumbs,
)
from onepam.protocols.ssh.fast_data import FastDataChannel


class PortChannel(PacketsUnlogged, FastDataChannel, asyncssh.SSHTCPChannel[bytes]):
    """One connection's channel, for bytes."""

    @classmethod
    def on(cls, connection: PersonConnection | TargetConnection, window: int = WINDOW_BYTES) -> "PortChannel":
        """As asyncssh's `create_tcp_channel` makes one. `window`: the bytes that may wait for us in it."""
        connection._update_recv_pktlen(PACKET_BYTES)
        return cls(connection, asyncio.get_running_loop(), None, "strict", window, PACKET_BYTES)

    @property
    def gone(self) -> bool:
        """Whether the connection has ended, or the channel with it."""
        connection: object = self._conn
        return connection is None

    async def reached(self, session: Callable[[], asyncssh.SSHTCPSession[bytes]], host: str, port: int) -> None:
        """The target connects to this host and port. Raises `ChannelOpenError` where it does not."""
        await self.connect(session, host, port, "127.0.0.1", 0)

    def process_open_confirmation(self, send_chan: int, send_window: int, send_pktsize: int, packet: SSHPacket) -> None:
        """Not where the target takes only crumbs."""
        if send_pktsize < LEAST_PACKET_BYTES:
            self.process_open_failure(OPEN_CONNECT_FAILED, crumbs("it", send_pktsize), DEFAULT_LANG)
        else:
            super().process_open_confirmation(send_chan, send_window, send_pktsize, packet)
