"""The two SSH connections of a gateway session: asyncssh's, with a brake on what waits to be sent.

asyncssh bounds what a channel holds back, yet not what the transport does: a peer that announces a huge window and
never reads would fill our memory. Here whoever writes to a connection hears when its transport is full and pauses its
source.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import asyncssh
from asyncssh.constants import MSG_IGNORE
from asyncssh.packet import SSHPacketLogger

WINDOW_BYTES = 2 * 1024 * 1024
"""What a peer may send on one channel before we have taken it: OpenSSH's own."""

PACKET_BYTES = 128 * 1024
"""Largest data packet that we accept; sshd fills it, so bulk output costs a quarter of the packets."""

PIECE_BYTES = 34 * 1024
"""How much of a socket's data asyncssh is given at once: one of OpenSSH's data packets."""

TRANSPORT_BYTES = 256 * 1024
"""What may wait in a transport before the source is paused."""


class Brake:
    """Tells subscribers whether a transport can take more."""

    def __init__(self) -> None:
        self.full = False
        self._subscribers: list[Callable[[bool], None]] = []

    def subscribe(self, told: Callable[[bool], None]) -> None:
        """`told(True)` when the transport fills, `told(False)` when it has drained."""
        self._subscribers.append(told)

    def unsubscribe(self, told: Callable[[bool], None]) -> None:
        """Tell no more."""
        self._subscribers.remove(told)

    def set(self, full: bool) -> None:
        """The transport's word."""
        self.full = full
        for told in tuple(self._subscribers):
            told(full)


class PacketsUnlogged(SSHPacketLogger):
    """Packets are never logged: their formatting alone costs a twentieth of the throughput."""

    def log_sent_packet(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""

    def log_received_packet(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""


class _Tuned(PacketsUnlogged, asyncssh.connection.SSHConnection):
    """asyncssh's connection with a brake, in batches, and without what costs time and gives nothing here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.brake = Brake()
        self._batch: list[Callable[[], None]] | None = None
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=TRANSPORT_BYTES)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        self.brake.set(True)

    def resume_writing(self) -> None:
        self.brake.set(False)

    def data_received(self, data: bytes, datatype: asyncssh.DataType = None) -> None:
        """One read of the socket is one batch of packets."""
        batch: list[Callable[[], None]] = []
        self._batch = batch
        try:
            if len(data) <= 2 * PIECE_BYTES:
                super().data_received(data)
            else:  # asyncssh copies the rest of its buffer twice a packet: a short buffer is a cheap one
                for start in range(0, len(data), PIECE_BYTES):
                    super().data_received(data[start : start + PIECE_BYTES])
        finally:
            self._batch = None
            for call in batch:
                call()

    def after_batch(self, call: Callable[[], None]) -> None:
        """Call once when the packets at hand have been processed."""
        if self._batch is not None:
            self._batch.append(call)
        else:
            self._loop.call_soon(call)

    def send_packet(self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        """asyncssh sends an empty MSG_IGNORE before each packet, against an attack on CBC, which we do not offer."""
        if pkttype != MSG_IGNORE:
            super().send_packet(pkttype, *args, handler=handler)


class PersonConnection(_Tuned, asyncssh.SSHServerConnection):
    """A person's client at our door."""


class TargetConnection(_Tuned, asyncssh.SSHClientConnection):
    """Our connection to a target."""
