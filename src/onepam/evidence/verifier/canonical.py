"""JSON: one value has one encoding (RFC 8785 without floats); times in UTC (RFC 3339).

Duplicate keys, numbers that are no integers below 2^53 (RFC 7493, section 2.2), other spellings of the same value and
deep nesting are refused.
"""

from __future__ import annotations

import datetime
import functools
import json
import re
from collections.abc import Iterator
from typing import Any, Dict, List, Tuple

from onepam.evidence.verifier.archive import Archive
from onepam.evidence.verifier.progress import Progress
from onepam.evidence.verifier.refusal import Refused, need

MAX_DEPTH, MAX_INTEGER = 32, (1 << 53) - 1
LONGEST = 1 << 20  # bytes; no line is nearly as long of a file that is read by whole lines
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    need(len(found) == len(pairs), "JSON: duplicate key")
    need("".join(found).isascii(), "JSON: a key that is not ASCII")
    return found


def _integer(text: str) -> int:
    if len(text) > 15:
        need(len(text) <= 17 and abs(int(text)) <= MAX_INTEGER, "JSON: integer outside 2^53")
    return int(text)


def _no_number(text: str) -> Any:
    raise Refused(f"JSON: {text} where an integer is due")


_decode_json = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_number, parse_constant=_no_number
).decode
_decode_ascii = json.JSONDecoder(parse_int=_integer, parse_float=_no_number, parse_constant=_no_number).decode
decode_rows = _decode_ascii
"""The value of a line, for whoever writes the line again from it."""
canonical = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


def _check_depth(value: Any) -> None:
    layer: List[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        inner = (child for item in layer for child in (item.values() if type(item) is dict else item))
        layer = [child for child in inner if type(child) in (dict, list)]
    need(not layer, f"JSON: nested deeper than {MAX_DEPTH}")


def parse(data: bytes, what: str) -> Any:
    """The value of which `data` is the canonical encoding. Raises `Refused`, which names `what`.

    The keys of a text that is ASCII are so, too, and one that is there twice is there once when it is encoded again: so
    nobody needs to look at each.
    """
    try:
        text = data.decode("utf-8")
        value = _decode_ascii(text) if text.isascii() else _decode_json(text)
        if text.count("{") + text.count("[") > MAX_DEPTH:
            _check_depth(value)
        if canonical(value) != text:
            _decode_json(text)  # which names a key that is there twice
            raise Refused("JSON: not in canonical form")
    except RecursionError:
        raise Refused(f"{what}: JSON: nested deeper than {MAX_DEPTH}") from None
    except (ValueError, Refused) as error:
        raise Refused(f"{what}: {error}") from None
    return value


def members(value: Any, what: str, **types: type) -> Any:
    """The object `value`, which has exactly these members of exactly these types."""
    if type(value) is not dict or value.keys() != types.keys():
        raise Refused(f"{what}: members must be {', '.join(types)}")
    for key, kind in types.items():
        if kind is not object and type(value[key]) is not kind:
            raise Refused(f"{what}: {key} must be {kind.__name__}")
        if kind is int and value[key] < 0:
            raise Refused(f"{what}: {key} is negative")
    return value


def lines(files: Archive, name: str) -> Iterator[Any]:
    """The values of JSON lines, each ended by a newline."""
    for number, line in enumerate(raw_lines(files, name), 1):
        yield parse(line, f"{name} line {number}")


def raw_lines(files: Archive, name: str) -> Iterator[bytes]:
    """The lines of a file, each ended by a newline, which is taken off."""
    need(files.ends_a_line(name), f"{name}: last line is cut")
    progress, done = Progress(name, files.size(name)), 0
    begun: List[bytes] = []
    for piece in files.pieces(name):
        first, newline, rest = piece.partition(b"\n")
        begun.append(first)
        if newline:
            yield b"".join(begun)
            *whole, last = rest.split(b"\n")
            yield from whole
            begun = [last]
        done += len(piece)
        progress.at(done)


def whole_lines(files: Archive, name: str) -> Iterator[bytes]:
    """The pieces of a file, each of whole lines as far as no line is longer than `LONGEST`."""
    progress, done, rest = Progress(name, files.size(name)), 0, b""
    for piece in files.pieces(name):
        rest += piece
        end = rest.rfind(b"\n") + 1
        if end or len(rest) > LONGEST:
            yield rest[: end or None]
            rest = rest[end:] if end else b""
        done += len(piece)
        progress.at(done)
    if rest:
        yield rest


def instant(text: Any, what: str) -> int:
    """Microseconds since 1970 in UTC of `2026-03-03T14:00:00.000000Z`."""
    try:
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text, re.ASCII), "")
        moment = datetime.datetime.strptime(text[:-1] + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z")
    except (ValueError, TypeError, Refused):
        raise Refused(f"{what}: {text!r} is not a time in UTC") from None
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def iso(at: int) -> str:
    """The text of microseconds since 1970 in UTC."""
    minute, rest = divmod(at, 60_000_000)
    return f"{_minute(minute)}{rest // 1_000_000:02d}.{rest % 1_000_000:06d}Z"


@functools.lru_cache(5_000)
def _minute(minute: int) -> str:
    """All of the text before the seconds; times that are asked for after each other share it."""
    return (EPOCH + datetime.timedelta(minutes=minute)).isoformat()[:17]
