"""Canonical JSON: RFC 8785 (JCS), restricted so that one value has exactly one encoding.

Values are None, bool, int with |n| < 2^53, str without lone surrogates, list/tuple and dict with ASCII keys. There are
no floats. With ASCII keys, RFC 8785's order by UTF-16 code unit is Python's string order.
Bytes that are not UTF-8 text (a hostile file name) travel as `tagged(data)`: `"base64:..."`.

Reading has two ways. Nearly every text takes the quick one, msgspec's decoder and encoder in C, which may only say yes;
whatever it does not take is judged by the other, which is the definition. The quick one may ask for a form as well, and
then gives nothing but values that have it.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

Json = None | bool | int | str | Sequence[Any] | Mapping[str, Any]

MAX_INTEGER = (1 << 53) - 1
MAX_DEPTH = 32

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode  # `_check` bounds the depth, so there is no circle
_scan = json.JSONDecoder().raw_decode

Integer = Annotated[int, msgspec.Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
"""An integer of a form."""

_QUICK_DEPTH = 8


def _quick_type() -> Any:
    """The canonical values of no great depth as a form. (That keys are ASCII it cannot say.)"""
    leaf: Any = None | bool | str | Integer
    value = leaf
    for _ in range(_QUICK_DEPTH):
        value = leaf | list[value] | dict[str, value]  # type: ignore[valid-type]
    return value


_quick_encode = msgspec.json.Encoder(order="sorted").encode


def reader(form: Any) -> Callable[[bytes], Any]:
    """A quick way to the value of canonical bytes: it gives the value where it has the form, and None for any other
    bytes, which `decode` judges.

    The form is a type of msgspec's that decodes to values of this module; of integers it is `Integer`.
    """
    read = msgspec.json.Decoder(form).decode

    def value(data: bytes) -> Any:
        try:
            found = read(data)
            if _quick_encode(found) != data:  # keys out of order or twice, members that the form has not
                return None
            if not data.isascii():
                _check(found, 0)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NotCanonical):
            return None
        return found

    return value


class NotCanonical(ValueError):
    """The value or the text is outside the canonical subset; the message says where."""


_read = reader(_quick_type())


def encode(value: Json) -> bytes:
    """The canonical UTF-8 bytes of `value`. Raises `NotCanonical` for floats, large integers, odd keys, deep nests."""
    _check(value, 0)
    return utf8(_encode(value))


def utf8(text: str) -> bytes:
    """The bytes of canonical text. Raises `NotCanonical` for a lone surrogate."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical(f"lone surrogate in a string: {error.reason}") from None


def decode(data: bytes) -> Any:
    """The value of canonical bytes. Raises `NotCanonical` unless re-encoding gives exactly `data`."""
    value = _read(data)
    if value is not None:
        return value
    try:
        value, _ = _scan(data.decode("utf-8"))  # what follows the value is found by encoding it again
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"not JSON: {error}") from None
    if encode(value) != data:
        raise NotCanonical("not in canonical form")
    return value


def tagged(data: bytes) -> str:
    """Text for bytes: themselves where they are UTF-8 and carry no tag, else `base64:` and their base64."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + b64encode(data).decode("ascii")
    return "base64:" + b64encode(data).decode("ascii") if text.startswith("base64:") else text


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical(f"integer outside 2^53: {value}")
        return
    if depth >= MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}")
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                raise NotCanonical(f"key is not ASCII text: {key!r}")
            if type(item) is not str:  # most are, and a call for each is what this costs
                _check(item, depth + 1)
    elif kind is list or kind is tuple:
        for item in value:
            if type(item) is not str:
                _check(item, depth + 1)
    else:
        raise NotCanonical(f"{kind.__name__} has no canonical form")
