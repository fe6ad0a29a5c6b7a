"""The two SSH connections of a gateway session: asyncssh's, with a brake on what waits to be sent.

asyncssh bounds what a channel holds back, yet not what the transport does: a peer that announces a huge window and
never reads would fill our memory. Here whoever writes to a connection hears when its transport is full and pauses its
source.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import asyncssh

WINDOW_BYTES = 2 * 1024 * 1024
"""What a peer may send on one channel before we have taken it: OpenSSH's own."""

PACKET_BYTES = 128 * 1024
"""Largest data packet that we accept; sshd fills it, so bulk output costs a quarter of the packets."""

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


class _Braked(asyncssh.connection.SSHConnection):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.brake = Brake()
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=TRANSPORT_BYTES)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        self.brake.set(True)

    def resume_writing(self) -> None:
        self.brake.set(False)


class PersonConnection(_Braked, asyncssh.SSHServerConnection):
    """A person's client at our door."""


class TargetConnection(_Braked, asyncssh.SSHClientConnection):
    """Our connection to a target."""
