"""PostgreSQL's wire after the start-up: frames, their bounds, and what is read and written of them.

A message is `kind (u8) | length (u32, of itself and the body) | body`, big-endian (PostgreSQL, "Message Formats"). No
socket, no state.
"""

import struct
from struct import Struct
from typing import Final

HEAD: Final = Struct(">BI")
SHORT: Final = Struct(">H")
LONG: Final = Struct(">I")

LARGE: Final = 0x3FFF_FFFE
SMALL: Final = 10_000
"""PostgreSQL's own bounds of a message's length in bytes: of texts, parameters and data, and of all else."""

QUERY, PARSE, BIND, DESCRIBE, EXECUTE, CLOSE, SYNC, FLUSH, FUNCTION, TERMINATE = b"QPBDECSHFX"
DATA, COPY_DONE, COPY_FAIL = b"dcf"
"""Kinds that a client sends. `DATA` and `COPY_DONE` come from both sides."""

CLIENT: Final = {
    QUERY: LARGE, PARSE: LARGE, BIND: LARGE, FUNCTION: LARGE, DATA: LARGE,
    DESCRIBE: SMALL, EXECUTE: SMALL, CLOSE: SMALL, COPY_FAIL: SMALL,
    SYNC: 4, FLUSH: 4, COPY_DONE: 4, TERMINATE: 4,
}  # fmt: skip
"""What a client may send once it is in -> the greatest length."""

ROW, ROWS_DESCRIBED, PARAMETERS_DESCRIBED, NO_DATA, COMPLETE, EMPTY, SUSPENDED = b"DTtnCIs"
PARSED, BOUND, CLOSED = b"123"
ERROR, NOTICE, NOTIFICATION, SETTING, READY, RESULT = b"ENASZV"
COPY_IN, COPY_OUT = b"GH"
"""Kinds that a target sends once we are in. Others (another sign-in, a replication's stream) do not belong there."""

MOST_READ = 64 * 1024
TARGET: Final = {
    ROW: LARGE, ROWS_DESCRIBED: LARGE, PARAMETERS_DESCRIBED: LARGE, DATA: LARGE, RESULT: LARGE, NOTICE: LARGE,
    NOTIFICATION: LARGE, ERROR: LARGE, COPY_IN: LARGE, COPY_OUT: LARGE,
    COMPLETE: MOST_READ, SETTING: MOST_READ, READY: 5,
    PARSED: 4, BOUND: 4, CLOSED: 4, NO_DATA: 4, EMPTY: 4, SUSPENDED: 4, COPY_DONE: 4,
}  # fmt: skip
"""What a target may send -> the greatest length."""

WHOLE: Final = {COMPLETE: MOST_READ, SETTING: MOST_READ, READY: 5, ERROR: 4096}
"""Of these so much of the length is read before they pass; of the others the header."""

SYNC_MESSAGE: Final = HEAD.pack(SYNC, 4)
STATUS: Final = (b"I", b"T", b"E")


class Malformed(Exception):
    """The bytes are no message of this kind. The text names what is wrong, not what it contains."""


def message(kind: int, body: bytes) -> bytes:
    """A message of this kind."""
    return HEAD.pack(kind, len(body) + 4) + body


def error(sqlstate: str, words: str, hint: str = "", severity: str = "ERROR") -> bytes:
    """An ErrorResponse of ours."""
    fields = (("S", severity), ("V", severity), ("C", sqlstate), ("M", f"OnePAM: {words}"), ("H", hint))
    body = b"".join(f"{name}{value}\0".encode() for name, value in fields if value)
    return message(ERROR, body + b"\0")


def notice(words: str) -> bytes:
    """A NoticeResponse of ours."""
    fields = (("S", "NOTICE"), ("V", "NOTICE"), ("C", "00000"), ("M", f"OnePAM: {words}"))
    return message(NOTICE, b"".join(f"{name}{value}\0".encode() for name, value in fields) + b"\0")


def ready(status: bytes) -> bytes:
    """ReadyForQuery: the transaction is in none ("I"), one ("T"), a failed one ("E")."""
    return message(READY, status)


def fields(body: bytes) -> dict[str, str]:
    """Of an ErrorResponse or a NoticeResponse (PostgreSQL, "Error and Notice Message Fields")."""
    return {
        part[:1].decode("ascii", "replace"): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part
    }


def error_fields(body: bytes) -> tuple[bool, str]:
    """Whether the server hangs up after this ErrorResponse, and `SQLSTATE message`; its body may be cut."""
    said = fields(body)
    severity = said.get("V") or said.get("S", "")
    return severity in ("FATAL", "PANIC"), f"{said.get('C', 'XX000')} {said.get('M', '')}"


def string(body: bytes, offset: int) -> tuple[bytes, int]:
    """The bytes until the next NUL, and where what follows it begins. Raises `Malformed`."""
    end = body.find(0, offset)
    if end < 0:
        raise Malformed("a text has no end")
    return body[offset:end], end + 1


def query(body: bytes) -> bytes:
    """The text of a Query. Raises `Malformed`."""
    text, end = string(body, 0)
    if end != len(body):
        raise Malformed("something follows the text of a Query")
    return text


def parse(body: bytes) -> tuple[bytes, bytes]:
    """Name and text of a Parse. Raises `Malformed`."""
    name, offset = string(body, 0)
    text, offset = string(body, offset)
    types_of(body[offset:])
    return name, text


def types_of(rest: bytes) -> None:
    """What follows the text of a Parse: types of parameters. Raises `Malformed`."""
    if len(rest) < SHORT.size or len(rest) != SHORT.size + 4 * SHORT.unpack_from(rest)[0]:
        raise Malformed("the types of a Parse are not as many as it says")


def execute(body: bytes) -> tuple[bytes, int]:
    """The portal of an Execute, and most rows (0: all). Raises `Malformed`."""
    portal, offset = string(body, 0)
    if len(body) != offset + LONG.size:
        raise Malformed("an Execute has another length")
    return portal, LONG.unpack_from(body, offset)[0]


def named(body: bytes) -> tuple[bool, bytes]:
    """Whether a Describe or a Close is of a portal (else of a statement), and its name. Raises `Malformed`."""
    what = body[:1]
    name, end = string(body, 1)
    if what not in (b"S", b"P") or end != len(body):
        raise Malformed("a name has another form")
    return what == b"P", name


def run(data: bytes, offset: int, kind: int, most: int) -> tuple[int, int]:
    """Where a run of messages of one kind ends, of which the last may be here in part, and how many they are; at most
    `most`. Of each only the header is looked at: it is what most bytes of a session pass by."""
    count, length, unpack = 0, 0, HEAD.unpack_from
    try:
        for count in range(most):  # noqa: B007 - where the bytes end, it is how many there were
            found, length = unpack(data, offset)
            if found != kind or length < 4:
                break
            offset += 1 + length
        else:
            count = max(most, 0)
    except struct.error:
        pass
    if offset > len(data) and length > LARGE:
        return offset - 1 - length, count - 1
    return offset, count


def run_within(data: bytes, offset: int, kind: int, most: int, room: int) -> tuple[int, int]:
    """The same, where they hold at most `room` bytes together."""
    count, length, unpack = 0, 0, HEAD.unpack_from
    try:
        while count < most:
            found, length = unpack(data, offset)
            room -= length - 4
            if found != kind or length < 4 or room < 0:
                break
            offset += 1 + length
            count += 1
    except struct.error:
        pass
    if offset > len(data) and length > LARGE:
        return offset - 1 - length, count - 1
    return offset, count


def part(data: bytes, start: int, end: int) -> bytes | memoryview:
    """These bytes, not copied."""
    return data if end - start == len(data) else memoryview(data)[start:end]


def affected(tag: str) -> int:
    """Rows that a command tag tells of: `INSERT 0 5` is 5, `CREATE TABLE` none."""
    number = tag.rpartition(" ")[2]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 20 else 0
