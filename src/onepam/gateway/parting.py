"""How a connection ends: at once for whoever does not read, with a last word for whoever does."""

import asyncio
import socket
from contextlib import suppress
from struct import Struct

PARTING_SECONDS = 0.3
"""How long the last words may take to a client that reads."""

_LINGER = Struct("ii")


class Nested(asyncio.Transport):
    """A transport without a socket of its own: its bytes go through another connection."""

    def cut(self) -> None:
        """What `cut` does to a TCP connection, as far as it can be done to this one alone."""
        raise NotImplementedError


def cut(transport: asyncio.Transport) -> None:
    """Ends a TCP connection at once, in both directions: what our kernel still holds for the other side is dropped
    (`SO_LINGER` of 0 seconds, so RST instead of FIN), whether or when that side reads. Not after `connection_lost`."""
    if isinstance(transport, Nested):
        transport.cut()
        return
    plain: socket.socket = transport.get_extra_info("socket")
    with suppress(OSError):
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER.pack(1, 0))
    transport.abort()


def part(transport: asyncio.Transport) -> asyncio.Event:
    """Sends what was written, the last words among it, to a client that reads, and no more than that; takes the
    transport's protocol away. The event is set when nothing more is sent, not even by our kernel."""
    parting = _Parting(transport)
    transport.set_protocol(parting)
    try:
        transport.write_eof()
    except OSError:  # it was gone already, and nobody had read that yet
        cut(transport)
    return parting.over


class _Parting(asyncio.Protocol):
    """What a client still sends after the end: read, so that it can read our last words, and dropped."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.over = asyncio.Event()
        self._patience = asyncio.get_running_loop().call_later(PARTING_SECONDS, cut, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        self.over.set()
