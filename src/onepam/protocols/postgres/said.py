"""What a server says to a client of ours, read from a stream in bounded memory, however much it is.

Of a value so much is kept as somebody would read in a table; the rest is read and dropped.
"""

import struct
from asyncio import StreamReader
from dataclasses import dataclass
from struct import Struct
from typing import Final

from onepam.protocols.postgres import wire
from onepam.protocols.postgres.wire import HEAD, LONG, SHORT, Malformed

MOST_VALUE_BYTES: Final = 4096
MOST_ROW_BYTES: Final = 128 * 1024
"""What is kept of one value, and of all values of a row."""

MOST_MESSAGE_BYTES: Final = 64 * 1024
"""What is kept of any other message."""

MOST_COLUMNS: Final = 1664
"""A server's own bound (MaxTupleAttributeNumber)."""

NUMBERS: Final = frozenset((20, 21, 23, 26, 700, 701, 790, 1700))
"""Types of numbers by their OID: int8, int2, int4, oid, float4, float8, money, numeric."""

_PIECE: Final = 64 * 1024
_NULL: Final = 0xFFFF_FFFF
_AUTHENTICATION, _KEY = ord("R"), ord("K")
_COLUMN: Final = Struct(">IhIhih")


@dataclass(frozen=True, slots=True)
class Value:
    """A value as text; `left` bytes of it were not kept."""

    text: str
    left: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a result; `number`: its values are numbers."""

    name: str
    number: bool


Row = tuple[Value | None, ...]
"""NULL is None."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A NoticeResponse: what a server, or the gateway, tells beside the results."""

    severity: str
    words: str
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An ErrorResponse. `position` is that of the character in the statement, from 1; 0 where it names none. `fatal`:
    the session ends with it."""

    sqlstate: str
    words: str
    detail: str = ""
    hint: str = ""
    position: int = 0
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """How to sign in: 0 is that one is in, 3 that a password is asked for."""

    code: int


@dataclass(frozen=True, slots=True)
class Key:
    """By what the session's statements are cancelled."""

    process: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Ready:
    """Nothing runs: `status` is "I" outside of a transaction, "T" in one, "E" in one that has failed."""

    status: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A statement has: by its tag, or because so many rows have come as were asked for (`suspended`)."""

    tag: str = ""
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Copies:
    """Data are copied from here (`wants`), or to here."""

    wants: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """A RowDescription."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Values:
    """A DataRow."""

    row: Row


Message = Columns | Values | Notice | Wrong | Asked | Key | Ready | Ended | Copies


async def message(reader: StreamReader) -> Message | None:
    """The next message, or None for one that nobody is told of. Raises `asyncio.IncompleteReadError` at the end, and
    `Malformed` for what is none."""
    kind, length = HEAD.unpack(await reader.readexactly(HEAD.size))
    if length < LONG.size:
        raise Malformed("a message is shorter than its head")
    if kind == wire.ROW:
        return Values(await _row(reader, length - LONG.size))
    body = await _kept(reader, length - LONG.size, MOST_MESSAGE_BYTES)
    try:
        return _told(kind, body)
    except struct.error:
        raise Malformed("a message is shorter than it must be") from None


def _told(kind: int, body: bytes) -> Message | None:
    if kind == wire.ROWS_DESCRIBED:
        return Columns(_columns(body))
    if kind == wire.NOTICE:
        said = wire.fields(body)
        return Notice(said.get("V", said.get("S", "")), said.get("M", ""), said.get("D", ""), said.get("H", ""))
    if kind == wire.ERROR:
        return _wrong(body)
    return _other(kind, body)


def _other(kind: int, body: bytes) -> Message | None:
    if kind == _AUTHENTICATION:
        return Asked(LONG.unpack_from(body)[0])
    if kind == _KEY:
        return Key(LONG.unpack_from(body)[0], body[LONG.size :])
    if kind == wire.READY:
        return Ready(body[:1].decode("ascii", "replace"))
    if kind == wire.COMPLETE:
        return Ended(body.split(b"\0", 1)[0].decode("utf-8", "replace"))
    if kind in (wire.EMPTY, wire.SUSPENDED):
        return Ended(suspended=kind == wire.SUSPENDED)
    if kind in (wire.COPY_IN, wire.COPY_OUT):
        return Copies(kind == wire.COPY_IN)
    return None


async def _row(reader: StreamReader, length: int) -> Row:
    """A DataRow, value after value."""
    values: list[Value | None] = []
    kept, left = 0, length - SHORT.size
    count = SHORT.unpack(await reader.readexactly(SHORT.size))[0]
    for _ in range(count):
        size = LONG.unpack(await reader.readexactly(LONG.size))[0]
        null = size == _NULL
        left -= LONG.size + (0 if null else size)
        if left < 0:
            raise Malformed("a row is shorter than its values")
        if null:
            values.append(None)
            continue
        part = await _kept(reader, size, min(MOST_VALUE_BYTES, MOST_ROW_BYTES - kept))
        kept += len(part)
        text, cut = part.decode("utf-8", "replace"), size - len(part)
        values.append(Value(text.rstrip("\ufffd") if cut else text, cut))
    if left:
        raise Malformed("a row is longer than its values")
    return tuple(values)


async def _kept(reader: StreamReader, size: int, most: int) -> bytes:
    """The first bytes of so many; the rest is read and dropped."""
    kept = await reader.readexactly(min(size, most))
    left = size - len(kept)
    while left:
        left -= len(await reader.readexactly(min(left, _PIECE)))
    return kept


def _columns(body: bytes) -> tuple[Column, ...]:
    """Of a RowDescription, of which the end may be missing: a column without a name then stands for each."""
    count, at, found = SHORT.unpack_from(body)[0], SHORT.size, list[Column]()
    for _ in range(min(count, MOST_COLUMNS)):
        end = body.find(0, at)
        if end < 0 or len(body) < end + 1 + _COLUMN.size:
            break
        kind = _COLUMN.unpack_from(body, end + 1)[2]
        found.append(Column(body[at:end].decode("utf-8", "replace"), kind in NUMBERS))
        at = end + 1 + _COLUMN.size
    found += [Column("", False)] * (min(count, MOST_COLUMNS) - len(found))
    return tuple(found)


def _wrong(body: bytes) -> Wrong:
    said = wire.fields(body)
    position = said.get("P", "")
    return Wrong(
        sqlstate=said.get("C", ""),
        words=said.get("M", ""),
        detail=said.get("D", ""),
        hint=said.get("H", ""),
        position=int(position) if position.isascii() and position.isdigit() and len(position) < 10 else 0,
        fatal=said.get("V", said.get("S", "")) in ("FATAL", "PANIC"),
    )
