"""HTTP of a listener that strangers reach: uvicorn's connection with bounds on size and time.

httptools gives headers as they come and bounds nothing; so the bounds stand here, before anything is kept.
"""

import asyncio
from typing import Any, NoReturn

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from onepam.gateway.crowd import Place

MOST_HEAD_BYTES = 32 * 1024
MOST_HEADERS = 100
"""Of the request line and all headers; more is answered 431 (RFC 6585, 5)."""

MOST_READ_BYTES = 4 * 1024
"""What is parsed at a time. A head is noticed to be too long after as much again; a piece of which nothing comes out is
a chunk's line (RFC 9112, 7.1.1) that is too long, and answered 400."""

MOST_BODY_BYTES = 10 * 1024 * 1024
"""What the most generous route takes; a request that declares more is answered 413 before its body is read."""

MOST_PIPELINED = 8
"""Requests behind the one that is being answered; those are answered, then the connection ends (RFC 9112, 9.3.2)."""

LINGER_SECONDS = 1.0
"""How long what still comes is read and dropped after the last answer, so that that arrives (RFC 9112, 9.6)."""

DROP_SECONDS = 0.02
"""Between two pieces (at most 256 KiB each) of what is read only to be dropped: who sends as fast as he can keeps no
processor busy with it."""

HEAD_SECONDS = 10.0
"""From a connection's beginning, or the first byte of a request, to the end of its head."""

BODY_SECONDS = 10.0
BODY_RATE = 4 * 1024
"""A body may take so long, and as much again as these bytes a second need. Time that we do not read is not counted."""

READ_SECONDS = 30.0
"""How long an answer may wait for its reader without getting on."""

_REFUSALS = {
    400: b"HTTP/1.1 400 Bad Request\r\n",
    408: b"HTTP/1.1 408 Request Timeout\r\n",
    413: b"HTTP/1.1 413 Content Too Large\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
}
_REST = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"


class _OverBound(Exception):
    pass


class HttpConnection(HttpToolsProtocol):
    """One connection in its place. `tick` is to be called every second."""

    def __init__(self, place: Place, **options: Any) -> None:
        super().__init__(**options)
        self._place = place
        self._refusal = 0
        self._last: bytes | None = None
        self._head_bytes = 0
        self._unparsed = 0
        self._heard = False
        self._in_head = True
        self._since = self.loop.time()
        self._body_bytes = 0
        self._body_waited = 0.0
        self._unread_since = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        self._place.leave()
        self.pipeline.clear()
        super().connection_lost(exc)

    # Size -------------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._last is not None:
            self._drop()
        for start in range(0, len(data), MOST_READ_BYTES):
            if self.transport.is_closing() or self._last is not None:
                return
            if self._in_head and not self._unparsed:
                self._since = self.loop.time()
            piece = data[start : start + MOST_READ_BYTES]
            self._unparsed += len(piece)
            self._heard = False
            super().data_received(piece)
            if self._in_head and self._unparsed > MOST_HEAD_BYTES + MOST_READ_BYTES:
                self._refuse(431)
            elif not self._in_head and not self._heard and len(piece) == MOST_READ_BYTES:
                self._refuse(400)

    def on_message_begin(self) -> None:
        self._head_bytes, self._in_head = 0, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)
        if len(self.headers) > MOST_HEADERS:
            self._count(MOST_HEAD_BYTES)

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            self._end(b"")
            raise _OverBound
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and self.parser.get_http_version() == "1.1"):  # RFC 9112, 3.2
            self._over(400)
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        if len(length) > 18 or int(length) > MOST_BODY_BYTES:
            self._over(413)
        self._heard = True
        self._in_head, self._unparsed = False, 0
        self._body_bytes, self._body_waited = 0, 0.0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._heard = True
        self._body_bytes += len(body)
        super().on_body(body)

    def on_chunk_header(self) -> None:
        """A chunk's line is read."""
        self._heard = True

    def on_message_complete(self) -> None:
        self._heard = True
        self._in_head, self._unparsed = True, 0
        super().on_message_complete()

    def _count(self, more: int) -> None:
        self._heard = True
        self._head_bytes += more
        if self._head_bytes > MOST_HEAD_BYTES:
            self._over(431)

    def _over(self, status: int) -> NoReturn:
        self._refusal = status
        raise _OverBound

    def send_400_response(self, msg: str) -> None:
        """What the parser could not read; or, after a bound, its refusal."""
        self._refuse(self._refusal or 400)

    def _refuse(self, status: int) -> None:
        """Says why where that cannot be taken for the answer to another request, and ends the connection."""
        if self.transport.is_closing() or self._last is not None:
            return
        words = _REFUSALS[status].split(b" ", 2)[2].strip() + b"\n"
        last = _REFUSALS[status] + _REST % (len(words), words)
        cycle: Any = self.cycle
        if not (self._answering() and cycle.more_body):
            self._end(last)
        elif self.pipeline or cycle.response_started:  # the body of a request that others stand before
            self.transport.abort()
        else:
            self.transport.write(last)
            self.transport.close()

    def _end(self, last: bytes) -> None:
        """Nothing more is taken; what was asked before is answered, then `last` is said."""
        self._last = last
        if not self._answering():
            self._part()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._last is not None and not self._answering():
            self._part()

    def _part(self) -> None:
        if self.transport.is_closing() or self._last is None:
            return
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.transport.write(self._last)
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)
        else:
            self.transport.close()

    def _drop(self) -> None:
        """Reads on in a moment. What was asked before is still answered: its body has come whole."""
        self.flow.pause_reading()
        self.loop.call_later(DROP_SECONDS, self.flow.resume_reading)

    def _answering(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    # Time -------------------------------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Ends what takes too long."""
        answering = self._answering()
        if answering and self.cycle.more_body and not self.flow.read_paused:
            self._body_waited += 1.0
            if self._body_waited > BODY_SECONDS + self._body_bytes / BODY_RATE:
                self.transport.abort()
        elif self._in_head and not answering and now - self._since > HEAD_SECONDS:
            if self._unparsed:
                self._refuse(408)
            elif self.timeout_keep_alive_task is None:
                self.transport.close()
        self._watch_reader(now)

    def resume_writing(self) -> None:
        self._unread_since = 0.0
        super().resume_writing()

    def _watch_reader(self, now: float) -> None:
        """An answer that nobody reads: it waits in the transport, also after the connection was closed on our side."""
        if not self.transport.get_write_buffer_size():
            self._unread_since = 0.0
        elif not self._unread_since:
            self._unread_since = now
        elif now - self._unread_since > READ_SECONDS:
            self.transport.abort()


async def watch(connections: set[Any]) -> None:
    """Ticks for every open connection."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(1)
        for each in tuple(connections):
            each.tick(loop.time())
