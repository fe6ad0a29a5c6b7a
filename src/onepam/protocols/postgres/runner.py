"""A client of ours at the gateway's own door: runs texts for somebody who sits at a page, and gives of each statement
what fits on it.

Each statement is asked for by itself and for so many rows, so an endless one costs no more memory than a short one, and
nothing is cancelled that would have changed something. What a server says beside the results is told as it comes.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final

from onepam.gateway.entering import CONSOLE
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.said import (
    Asked,
    Column,
    Columns,
    Copies,
    Ended,
    Key,
    Message,
    Notice,
    Ready,
    Row,
    Values,
    Wrong,
    message,
)
from onepam.protocols.postgres.splitting import Part, split

MOST_ROWS: Final = 500
"""Of one result. One more is asked for, to know whether there are more."""

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of all that is kept of one result's values."""

MOST_CELLS: Final = 20_000
"""Values of one result that are kept."""

MOST_STATEMENTS: Final = 100
MOST_LATE: Final = 20
"""Statements of one text; notices that come while nothing runs."""

MOST_WAITING: Final = 16
"""Messages that are read ahead."""

_START: Final = Struct(">II")
_CANCEL: Final = 1234 << 16 | 5678
_VERSION: Final = 3 << 16 | 2
_BIND: Final = wire.message(wire.BIND, b"\0\0" + 3 * wire.SHORT.pack(0))
_DESCRIBE: Final = wire.message(wire.DESCRIBE, b"P\0")
_EXECUTE: Final = wire.message(wire.EXECUTE, b"\0" + wire.LONG.pack(MOST_ROWS + 1))
_FLUSH: Final = wire.message(wire.FLUSH, b"")
_CLOSE: Final = wire.message(wire.CLOSE, b"P\0")
_NO_DATA: Final = wire.message(wire.COPY_FAIL, b"this page sends no data\0")

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connection | Refused]]

_LOST: Final = Wrong("08006", "The connection has ended.", fatal=True)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one statement: the `number`th of `of` in the text, of which `part` is what was asked.

    `more`: there are rows that were not fetched, or not kept. `copied`: data were copied to here, and dropped. `took`:
    in seconds. `status`: that of the transaction after it.
    """

    number: int
    of: int
    part: Part
    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    more: bool = False
    copied: bool = False
    tag: str = ""
    wrong: Wrong | None = None
    took: float = 0.0
    status: str = "I"


class _Gathered:
    """What comes of one statement, as far as it is kept."""

    def __init__(self, result: Result) -> None:
        self.result = result
        self.rows: list[Row] = []
        self._kept = 0

    def take(self, said: Message) -> bytes:
        """What is said to that."""
        if isinstance(said, Columns):
            self.result = replace(self.result, columns=said.columns)
        elif isinstance(said, Values):
            self._row(said.row)
        elif isinstance(said, Copies) and said.wants:
            return _NO_DATA
        elif isinstance(said, Copies):
            self.result = replace(self.result, copied=True)
        elif isinstance(said, Ended):
            self.result = replace(self.result, tag=said.tag, more=self.result.more or said.suspended)
            return _CLOSE + wire.SYNC_MESSAGE
        elif isinstance(said, Wrong):
            self.result = replace(self.result, wrong=self.result.wrong or said)
            return wire.SYNC_MESSAGE
        return b""

    def _row(self, row: Row) -> None:
        self._kept += sum(len(value.text) for value in row if value is not None)
        fits = self._kept <= MOST_BYTES and len(self.rows) < MOST_ROWS and len(self.rows) * len(row) < MOST_CELLS
        if self.result.more:
            return
        if fits:
            self.rows.append(row)
        else:
            self.result = replace(self.result, more=True)


class Runner:
    """One connection. `over` says why it has ended, once it has; `status` is that of the transaction."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._heard: asyncio.Queue[Message | None] = asyncio.Queue(MOST_WAITING)
        self._late: deque[Notice] = deque(maxlen=MOST_LATE)
        self._listens = False
        self._cancelled = False
        self._cancelling = asyncio.Lock()
        self._pump: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._key = Key(0, b"")
        self.over: Wrong | None = None
        self.status = "I"

    @property
    def running(self) -> bool:
        """Something was asked that has not been answered."""
        return self._listens

    # The beginning and the end ---------------------------------------------------------------------------------------

    async def start(self, user: str, word: Secret, database: str) -> AsyncIterator[Notice]:
        """Signs in; gives what is told meanwhile, as that somebody must confirm. Whether it is in, `over` says."""
        connection = await self._connect()
        if isinstance(connection, Refused):
            self.over = Wrong("53300", connection.message, hint=connection.hint, fatal=True)
            return
        reader, self._writer = connection
        self._listens = True
        self._pump = asyncio.get_running_loop().create_task(self._read(reader))
        asked = {"user": user, **({"database": database} if database else {})}
        asked |= {"application_name": CONSOLE, "client_encoding": "UTF8"}
        pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in asked.items()) + b"\0"
        self._send(_START.pack(len(pairs) + _START.size, _VERSION) + pairs)
        while True:
            said = await self._next()
            if isinstance(said, Asked) and said.code == 3:
                self._send(wire.message(ord("p"), word.reveal() + b"\0"))
            elif isinstance(said, Key):
                self._key = said
            elif isinstance(said, Notice):
                yield said
            elif said is None or self._rests(said):
                return

    async def close(self) -> None:
        """Ends it; what runs at the server is cancelled there."""
        if self._listens and self._key.process:
            with suppress(OSError):  # no socket is left to ask by: the end of the session stops it, too
                await self.cancel()
        self.over = self.over or _LOST
        if self._writer is not None:
            with suppress(OSError):
                self._writer.write(wire.message(wire.TERMINATE, b""))
                self._writer.close()
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait((self._pump,))
        self._empty()

    def _empty(self) -> None:
        """Whoever waits for an answer gets none."""
        while not self._heard.empty():
            self._heard.get_nowait()
        self._heard.put_nowait(None)

    async def cancel(self) -> None:
        """Has the server stop what runs; of the text nothing more is run. Raises `OSError` where no socket is left."""
        self._cancelled = True
        async with self._cancelling:
            if not self._listens or self.over is not None:
                return
            connection = await self._connect()
            if isinstance(connection, Refused):
                return
            reader, writer = connection
            body = wire.LONG.pack(self._key.process) + self._key.key
            writer.write(_START.pack(_START.size + len(body), _CANCEL) + body)
            try:
                with suppress(OSError):
                    await reader.read(1)  # the end: it was taken
            finally:
                writer.close()

    # What is run -----------------------------------------------------------------------------------------------------

    async def run(self, text: str) -> AsyncIterator[Notice | Result]:
        """Runs the statements of a text (without NUL), up to the first that is refused or fails."""
        parts: list[Part] = []
        for part in split(text):
            parts.append(part)
            if len(parts) > MOST_STATEMENTS:
                words = f"a text has at most {MOST_STATEMENTS} statements here; psql takes more"
                yield Result(1, len(parts), Part("", 0), wrong=Wrong("54000", words), status=self.status)
                return
        self._cancelled = False
        for number, part in enumerate(parts, 1):
            async with self._cancelling:  # a cancel that is under way would hit the next statement
                pass
            if self._cancelled or self.over is not None:
                return
            result = Result(number, len(parts), part)
            async for said in self._one(result):
                yield said
                if isinstance(said, Result) and said.wrong is not None:
                    return

    async def _one(self, asked: Result) -> AsyncIterator[Notice | Result]:
        loop, self._listens = asyncio.get_running_loop(), True
        began, gathered = loop.time(), _Gathered(asked)
        while self._late:
            yield self._late.popleft()
        text = asked.part.text.encode("utf-8", "replace")
        self._send(wire.message(wire.PARSE, b"\0" + text + b"\0\0\0") + _BIND + _DESCRIBE + _EXECUTE + _FLUSH)
        while (said := await self._next()) is not None:
            if isinstance(said, Notice):
                yield said
            elif self._rests(said):
                gathered.take(said)
                break
            else:
                self._send(gathered.take(said))
            if gathered.result.took == 0.0 and isinstance(said, Ended | Wrong):
                gathered.result = replace(gathered.result, took=loop.time() - began)
        self._listens = False
        result = gathered.result
        wrong, took = result.wrong or self.over, result.took or loop.time() - began
        yield replace(result, rows=tuple(gathered.rows), wrong=wrong, took=took, status=self.status)

    def _rests(self, said: Message) -> bool:
        """Whether nothing runs any more."""
        if isinstance(said, Wrong) and said.fatal:
            self.over = self.over or said
            self._listens = False
        elif isinstance(said, Ready):
            self.status, self._listens = said.status, False
        return not self._listens

    # What comes and goes ---------------------------------------------------------------------------------------------

    def _send(self, data: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    async def _next(self) -> Message | None:
        """What comes next; None once nothing more does."""
        if self.over is not None and self._heard.empty():
            return None
        return await self._heard.get()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Hands on what comes, until the end. What comes while nobody waits for it are notices, and the last word."""
        try:
            while True:
                said = await message(reader)
                if isinstance(said, Wrong) and said.fatal:
                    self.over = self.over or said
                if said is None:
                    continue
                if self._listens:
                    await self._heard.put(said)
                elif isinstance(said, Notice):
                    self._late.append(said)
        except (asyncio.IncompleteReadError, OSError):
            self.over = self.over or _LOST
        except wire.Malformed as fault:
            self.over = self.over or Wrong("08P01", f"The database broke the protocol: {fault}.", fatal=True)
            if self._writer is not None:
                self._writer.close()
        if self._listens:
            await self._heard.put(None)
