"""What a value may say beside its letters: escapes that are undone, bytes that are written out, and numbers that bytes
may be. So that a masked pattern is found however a value is written."""

import re
import struct
from collections.abc import Iterator
from typing import Final

_INTEGERS: Final = {2: struct.Struct(">h"), 4: struct.Struct(">i"), 8: struct.Struct(">q")}
_FLOATS: Final = {4: struct.Struct(">f"), 8: struct.Struct(">d")}

_ESCAPE: Final = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))", re.DOTALL
)
_UNICODE: Final = re.compile(r"\\(?:\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4})|(\\))")
_SHORT: Final = re.compile(r"\\(.)", re.DOTALL)
_HEX: Final = re.compile(r"\s*(?:\\x|0[xX])?((?:[0-9a-fA-F]{2})+)\s*")
_PLAIN: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "Z": "\x1a"}


def readings(text: str) -> Iterator[str]:
    """What a literal or a value in text form may say: itself, with a quote that is doubled once, with the escapes of
    `E'…'`, JSON and bytea undone, with those of MySQL, with those of `U&'…'`, and as the text of the bytes that it
    writes out."""
    yield text
    if "''" in text:
        yield (text := text.replace("''", "'"))
    if "\\" in text:
        yield _ESCAPE.sub(_undone, text)
        yield _SHORT.sub(lambda found: _PLAIN.get(found[1], found[1]), text)
        yield _UNICODE.sub(lambda found: found[3] or _letter(int(found[1] or found[2], 16)), text)
    if (found := _HEX.fullmatch(text)) is not None:
        yield bytes.fromhex(found[1]).decode("utf-8", "backslashreplace")


def integer(value: bytes) -> int | None:
    """The whole number that a value in binary form may be; None where it can be none."""
    number = _INTEGERS.get(len(value))
    return None if number is None else int(number.unpack(value)[0])


def floating(value: bytes) -> float | None:
    """The floating-point number that a value in binary form may be; None where it can be none, or one so far from 1
    that the bytes are those of something else."""
    number = _FLOATS.get(len(value))
    found = 0.0 if number is None else float(number.unpack(value)[0])
    return found if 1e-9 < abs(found) < 1e18 else None


def _undone(found: re.Match[str]) -> str:
    for part in found.groups()[:3]:
        if part is not None:
            return _letter(int(part, 16))
    return _letter(int(found[4], 8) & 0xFF) if found[4] is not None else _PLAIN.get(found[5], found[5])


def _letter(number: int) -> str:
    return chr(number) if number <= 0x10FFFF else ""
