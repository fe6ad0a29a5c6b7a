"""A listener: accepts a few connections at a time, gives each its place in the crowd, and turns away the rest.

The event loop's own servers accept a whole backlog in one round, during which nothing else runs. Here few are accepted
in a round, and at the pace of strangers: nobody knows yet who comes.
"""

import asyncio
import errno
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from onepam.gateway.crowd import Crowd, Place, written
from onepam.gateway.turns import Pace
from onepam.kernel.errors import Refused

AT_ONCE = 16
"""How many connections are accepted in one round of the event loop."""

HANDSHAKE_SECONDS = 10.0
"""How long a TLS handshake may take."""

PAUSE_SECONDS = 0.1
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RESET = struct.pack("ii", 1, 0)


class Listener:
    """`socket` listens already. `protocol` makes what speaks to a connection that has this place, and has it leave
    the place; `words` is what a plain connection hears that is turned away."""

    def __init__(
        self,
        listening: socket.socket,
        crowd: Crowd,
        protocol: Callable[[Place], asyncio.Protocol],
        *,
        words: bytes = b"",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        listening.setblocking(False)
        self.sockets = (listening,)
        self.crowd = crowd
        self._socket = listening
        self._protocol = protocol
        self._pace = Pace()
        self._words = words if tls is None else b""
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        self._closed = False
        self._loop.add_reader(listening, self._accept)

    def close(self) -> None:
        """Accepts no more; what was accepted goes on."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._socket)
            self._socket.close()
            for task in self._beginning:
                task.cancel()

    async def wait_closed(self) -> None:
        """When nothing of it runs any more."""
        await asyncio.gather(*self._beginning, return_exceptions=True)

    def _accept(self) -> None:
        if pause := self._pace.wait():
            return self._rest(pause)
        self._pace.served()
        for _ in range(AT_ONCE):
            try:
                connection, peer = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return None
            except OSError as error:
                if error.errno not in _NO_DESCRIPTOR:
                    raise
                self.crowd.thin()
                return self._rest(PAUSE_SECONDS)
            place = self.crowd.arrive(written(str(peer[0])))
            if isinstance(place, Refused):
                _turn_away(connection, self._words)
                continue
            place.give_way = partial(_reset, connection)  # before anybody else comes
            task = self._loop.create_task(self._begin(connection, place))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
        return None

    def _rest(self, seconds: float) -> None:
        """Whoever comes waits in the kernel's queue."""
        self._loop.remove_reader(self._socket)
        self._loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._socket, self._accept)

    async def _begin(self, connection: socket.socket, place: Place) -> None:
        connection.setblocking(False)
        begun = False
        try:
            with suppress(OSError, ssl.SSLError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                transport, _ = await self._loop.connect_accepted_socket(
                    lambda: self._protocol(place),
                    connection,
                    ssl=self._tls,
                    ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls else None,
                )
                place.give_way = transport.abort
                begun = True
        finally:
            if not begun:
                place.leave()
                connection.close()


def _turn_away(connection: socket.socket, words: bytes) -> None:
    with suppress(OSError):
        connection.setblocking(False)
        connection.send(words)
    connection.close()


def _reset(connection: socket.socket) -> None:
    """A handshake that is under way fails by this."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RDWR)
