"""One channel of a connection as the transport of another one, which goes through it: what `ssh -J` makes."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh

from onepam.gateway.parting import Nested
from onepam.protocols.ssh.algorithms import VERSION
from onepam.protocols.ssh.connections import PersonConnection
from onepam.protocols.ssh.port_channel import PortChannel


class Passage(Nested, asyncssh.SSHTCPSession[bytes]):
    """Carries `inner` through a channel of `outer`. Either end of a connection is the end of both channel and inner
    connection; `gone` hears of it once. `drop` is asked to end the outer connection where `inner` is cut, since what it
    has taken already of the inner one's bytes cannot be told from the rest.
    """

    def __init__(
        self,
        outer: PersonConnection,
        inner: PersonConnection,
        gone: Callable[["Passage"], None],
        drop: Callable[["Passage"], None],
    ) -> None:
        super().__init__()
        self._outer = outer
        self._inner = inner
        self._gone = gone
        self._drop = drop
        self._loop = asyncio.get_running_loop()
        self._protocol: Any = inner
        self._channel: PortChannel | None = None
        self._begun = False
        self._closing = False
        self._lost = False
        self._reading = True
        self._channel_full = False
        self._full = False

    # The channel's side -----------------------------------------------------------------------------------------------

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        assert isinstance(chan, PortChannel)
        self._channel = chan

    def session_started(self) -> None:
        """The client hears our version (RFC 4253, 4.2) and begins."""
        self._begun = True
        self.write(b"SSH-2.0-" + VERSION.encode("ascii") + b"\r\n")
        self._inner.connection_made(self)
        self._inner.party = self._outer.party  # both are one client's
        self._outer.brake.subscribe(self._outer_full)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        if not self._closing:
            self._protocol.data_received(data)

    def eof_received(self) -> bool:
        """The client sends no more: no SSH connection goes on after that."""
        self.close()
        self._end(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._end(exc)

    def pause_writing(self) -> None:
        self._channel_full = True
        self._tell_full()

    def resume_writing(self) -> None:
        self._channel_full = False
        self._tell_full()

    # The inner connection's side: asyncio's transport -----------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Where the client is, is known of the outer connection; there is no socket."""
        return self._outer.get_extra_info(name, default) if name in ("peername", "sockname") else default

    def is_closing(self) -> bool:
        return self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if self._channel is not None:
            self._channel.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        return self._channel.get_write_buffer_size() if self._channel is not None else 0

    def write(self, data: Any) -> None:
        if self._channel is not None and not self._channel.is_closing():
            self._channel.write(data)

    def write_eof(self) -> None:
        if self._channel is not None:
            self._channel.write_eof()

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        self._reading = False
        if self._channel is not None:
            self._channel.pause_reading()

    def resume_reading(self) -> None:
        """In a turn of its own: the channel delivers at once what it holds, and asyncssh asks while it reads."""
        self._reading = True
        self._loop.call_soon(self._resume)

    def is_reading(self) -> bool:
        return self._reading

    def close(self) -> None:
        """What was written still goes to the client."""
        self._closing = True
        if self._channel is not None:
            self._channel.close()

    def abort(self) -> None:
        """Nothing more of what waits goes to the client."""
        self._closing = True
        if self._channel is not None:
            self._channel.abort()
        self._loop.call_soon(self._end, None)

    def cut(self) -> None:
        """`abort`, and of what the outer connection has taken nothing more is sent either, where it can be helped."""
        self._drop(self)
        self.abort()

    # Both -------------------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        if self._reading and not self._closing and self._channel is not None:
            self._channel.resume_reading()

    def _outer_full(self, full: bool) -> None:
        self._tell_full()

    def _tell_full(self) -> None:
        full = self._channel_full or self._outer.brake.full
        if full is not self._full and not self._lost:
            self._full = full
            if full:
                self._protocol.pause_writing()
            else:
                self._protocol.resume_writing()

    def _end(self, exc: Exception | None) -> None:
        if self._lost:
            return
        self._lost = True
        if self._begun:
            self._outer.brake.unsubscribe(self._outer_full)
            self._protocol.connection_lost(exc)
        self._gone(self)
