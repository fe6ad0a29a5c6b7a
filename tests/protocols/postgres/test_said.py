"""What a server says, in bounded memory and however it is cut."""

import asyncio
import struct

import pytest

from onepam.protocols.postgres import said, wire
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
    Value,
    Values,
    Wrong,
)

pytestmark = pytest.mark.anyio


def row(*values: bytes | None) -> bytes:
    body = b"".join(b"\xff\xff\xff\xff" if each is None else struct.pack(">I", len(each)) + each for each in values)
    return wire.message(wire.ROW, struct.pack(">H", len(values)) + body)


def column(name: bytes, kind: int) -> bytes:
    return name + b"\0" + struct.pack(">IhIhih", 0, 0, kind, 4, -1, 0)


def columns(*described: bytes) -> bytes:
    return wire.message(wire.ROWS_DESCRIBED, struct.pack(">H", len(described)) + b"".join(described))


async def read(data: bytes) -> Message | None:
    reader = asyncio.StreamReader(limit=1 << 16)
    reader.feed_data(data)
    reader.feed_eof()
    return await said.message(reader)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (row(b"1", None, b""), Values((Value("1"), None, Value("")))),
        (row(), Values(())),
        (row("ä".encode()), Values((Value("ä"),))),
        (row(b"\xff"), Values((Value("\ufffd"),))),
        (columns(column(b"a", 23), column(b"b", 25)), Columns((Column("a", True), Column("b", False)))),
        (columns(column(b"a", 23), b"half"), Columns((Column("a", True), Column("", False)))),
        (wire.notice("told"), Notice("NOTICE", "OnePAM: told")),
        (wire.error("42P01", "no table", "look", "FATAL"), Wrong("42P01", "OnePAM: no table", hint="look", fatal=True)),
        (wire.message(wire.ERROR, b"VERROR\0C42703\0Mno\0P12\0Dmore\0\0"), Wrong("42703", "no", "more", position=12)),
        (wire.message(wire.ERROR, b"SERROR\0P99999999999\0\0"), Wrong("", "")),
        (wire.message(ord("R"), b"\0\0\0\3"), Asked(3)),
        (wire.message(ord("K"), b"\0\0\0\7key"), Key(7, b"key")),
        (wire.ready(b"T"), Ready("T")),
        (wire.message(wire.COMPLETE, b"SELECT 1\0"), Ended("SELECT 1")),
        (wire.message(wire.EMPTY, b""), Ended()),
        (wire.message(wire.SUSPENDED, b""), Ended(suspended=True)),
        (wire.message(wire.COPY_IN, b"\0\0\0"), Copies(True)),
        (wire.message(wire.COPY_OUT, b"\0\0\0"), Copies(False)),
        (wire.message(wire.SETTING, b"a\0b\0"), None),
    ],
)  # fmt: skip
async def test_what_is_told(data: bytes, told: Message | None) -> None:
    assert await read(data) == told


async def test_of_long_values_the_beginning_is_kept() -> None:
    """No letter is cut in two; of a row's values there is an end, too; what follows is read as if nothing were."""
    long = "xä".encode() * said.MOST_VALUE_BYTES
    found = await read(row(long, b"short"))
    assert isinstance(found, Values)
    first, second = found.row
    assert first is not None
    assert len(first.text.encode()) in (said.MOST_VALUE_BYTES, said.MOST_VALUE_BYTES - 1)
    assert first.text.strip("xä") == ""
    assert first.left == len(long) - said.MOST_VALUE_BYTES
    assert second == Value("short")
    wide = await read(row(*[b"y" * said.MOST_VALUE_BYTES] * 100))
    assert isinstance(wide, Values)
    assert sum(len(each.text) for each in wide.row if each) == said.MOST_ROW_BYTES
    assert wide.row[-1] == Value("", said.MOST_VALUE_BYTES)
    notice = await read(wire.notice("z" * 2 * said.MOST_MESSAGE_BYTES))
    assert isinstance(notice, Notice)
    assert len(notice.words) < said.MOST_MESSAGE_BYTES


@pytest.mark.parametrize(
    "data",
    [
        wire.HEAD.pack(wire.ROW, 3),
        wire.message(wire.ROW, b"\0\1\0\0\0\5ab") + b"cde",
        wire.message(wire.ROW, b"\0\1\0\0\0\1abc"),
        wire.message(wire.ROWS_DESCRIBED, b"\0"),
        wire.message(ord("R"), b"\0"),
    ],
)
async def test_what_is_no_message_ends_it(data: bytes) -> None:
    with pytest.raises(wire.Malformed):
        await read(data)


async def test_an_end_within_a_message_is_an_end() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await read(row(b"abc")[:-1])
