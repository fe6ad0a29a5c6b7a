"""A JSON object from somebody else, bounded before anything looks into it."""

import json
from math import isfinite
from typing import Any

MAX_DEPTH = 8
MAX_VALUES = 10_000
MAX_STRING_CHARACTERS = 64 * 1024
"""A token of the largest size that is read, as the token endpoint's answer holds it."""


class _Unfit(ValueError):
    """Not one JSON object within the bounds."""


def json_object(data: bytes) -> dict[str, Any] | None:
    """The object in `data`, or None: not UTF-8, not JSON, not an object, a name twice, NaN, too deep or too large."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_name_twice,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_small,
        )
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and _within_bounds(value) else None


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unfit("a name twice")
    return found


def _no_constant(name: str) -> Any:
    raise _Unfit(name)


def _finite(digits: str) -> float:
    if not isfinite(number := float(digits)):
        raise _Unfit("a number without bound")
    return number


def _small(digits: str) -> int:
    if len(digits) > 20:
        raise _Unfit("a number without bound")
    return int(digits)


def _within_bounds(value: Any) -> bool:
    """Level by level, so that the depth costs no stack."""
    level, seen = [value], 0
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for each in level:
            seen += 1
            if isinstance(each, str) and (len(each) > MAX_STRING_CHARACTERS or not _text(each)):
                return False
            if isinstance(each, dict):
                below += each.keys()
                below += each.values()
            elif isinstance(each, list):
                below += each
        if seen + len(below) > MAX_VALUES:
            return False
        level = below
        if not level:
            return True
    return False


def _text(value: str) -> bool:
    """No lone surrogates: they cannot be stored or sent."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
