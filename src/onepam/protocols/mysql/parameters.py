"""The parameters of an execution (MySQL, "COM_STMT_EXECUTE"), read as they come, as the text of their values.

The binary form of a number says neither whether it has a sign nor how wide it is without the type beside it, of which a
recording has none. So numbers and times are recorded as they are written, and texts and bytes as they are.
"""

import struct
from collections.abc import Generator, Mapping
from typing import Final

from onepam.protocols.mysql.wire import Malformed, wide
from onepam.recording.statements import Parameter

MOST_PARAMETERS: Final = 65_535
MAX_PARAMETERS_BYTES: Final = 512 * 1024
"""What is kept of all parameters of one execution; of those beyond it the size is."""

UNSIGNED: Final = 0x8000
NUMBERS: Final = {0x01: "b", 0x02: "h", 0x0D: "h", 0x03: "i", 0x09: "i", 0x08: "q"}
FLOATS: Final = {0x04: "f", 0x05: "d"}
_NULL, _TIME = 0x06, 0x0B
TIMES: Final = frozenset((0x07, 0x0A, 0x0C, _TIME))
_NAMED, _HEAD_BYTES = 0x0100, 9

Reader = Generator[int, bytes, tuple[tuple[int, ...] | None, tuple[Parameter, ...]]]
"""Asks for so many bytes, or with a negative number has so many passed over, and gives the types and the parameters."""


def reader(count: int, types: tuple[int, ...] | None, ahead: Mapping[int, bytearray | int], most: int) -> Reader:
    """Reads what follows the head of an execution of a statement with so many parameters. `types` are those of the
    execution before; `ahead` what was sent of parameters before; `most` bytes are kept of one. Raises `Malformed`."""
    if not count:
        return types, ()
    nulls = yield (count + 7) // 8
    if (yield 1) == b"\1":
        types = struct.unpack(f"<{count}H", (yield 2 * count))
    if types is None:
        raise Malformed("an execution names no types")
    found: list[Parameter] = []
    left = MAX_PARAMETERS_BYTES
    for index, kind in enumerate(types):
        room = min(most, left)
        if (sent := ahead.get(index)) is not None:
            value: bytes | int | None = (
                bytes(sent) if isinstance(sent, bytearray) and len(sent) <= room else _size(sent)
            )
        elif nulls[index // 8] >> index % 8 & 1 or kind & 0xFF == _NULL:
            value = None
        else:
            value = yield from _value(kind, room)
        left -= len(value) if isinstance(value, bytes) else 0
        found.append(Parameter(value))
    return types, tuple(found)


def _size(sent: bytearray | int) -> int:
    return sent if isinstance(sent, int) else len(sent)


def _value(kind: int, most: int) -> Generator[int, bytes, bytes | int]:
    code = kind & 0xFF
    if code in NUMBERS or code in FLOATS:
        data = yield struct.calcsize(NUMBERS.get(code) or FLOATS[code])
        return _kept(number_of(kind, data), most)
    if code in TIMES:
        size = (yield 1)[0]
        if size > 12:
            raise Malformed("a time has another length")
        data = (yield size) if size else b""
        return _kept(time_of(code, data), most)
    first = (yield 1)[0]
    more = wide(first)
    length = int.from_bytes((yield more), "little") if more else first
    if length <= most:
        return (yield length) if length else b""
    yield -length
    return length


def number_of(kind: int, data: bytes) -> str:
    """A number as it is written, by its type, with `UNSIGNED` where it has no sign."""
    code = kind & 0xFF
    if code in FLOATS:
        [real] = struct.unpack("<" + FLOATS[code], data)
        return repr(real) if code == 0x05 else f"{real:.9g}"
    letter = NUMBERS[code]
    [number] = struct.unpack("<" + (letter.upper() if kind & UNSIGNED else letter), data)
    return str(number)


def time_of(code: int, data: bytes) -> str:
    """A time as it is written, of its bytes behind their length. Raises `Malformed`."""
    return _duration(data) if code == _TIME else _moment(data)


def _kept(text: str, most: int) -> bytes | int:
    return text.encode() if len(text) <= most else len(text)


def _moment(data: bytes) -> str:
    """A date, with a time where it has one (MySQL, "Binary Protocol Value")."""
    if len(data) not in (0, 4, 7, 11):
        raise Malformed("a time has another length")
    year, month, day, hour, minute, second, micro = struct.unpack("<HBBBBBI", data.ljust(11, b"\0"))
    date = f"{year:04}-{month:02}-{day:02}"
    if len(data) <= 4:
        return date
    return f"{date} {hour:02}:{minute:02}:{second:02}{f'.{micro:06}' if len(data) == 11 else ''}"


def _duration(data: bytes) -> str:
    if len(data) not in (0, 8, 12):
        raise Malformed("a time has another length")
    minus, days, hour, minute, second, micro = struct.unpack("<BIBBBI", data.ljust(12, b"\0"))
    fraction = f".{micro:06}" if len(data) == 12 else ""
    return f"{'-' if minus else ''}{days * 24 + hour:02}:{minute:02}:{second:02}{fraction}"
