"""Values of the domain as canonical text, in one step: what `canonical.encode(event.plain(value))` would give.

Every entry is written, and read back by a fold, by way of this. How a type is written is worked out once.
"""

import json.encoder
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from operator import attrgetter
from types import NoneType
from typing import Any

from onepam.kernel.canonical import MAX_INTEGER, NotCanonical

_quoted: Callable[[str], str] = json.encoder.encode_basestring  # what the encoder of canonical JSON uses itself


class _Writers(dict[type, Callable[[Any], str]]):
    def __missing__(self, kind: type) -> Callable[[Any], str]:
        made = self[kind] = _writer(kind)
        return made


def text(value: Any) -> str:
    """The canonical text. Raises `NotCanonical` as `canonical.encode` does, `TypeError` for what no event can hold.

    Only a lone surrogate is not found here, but by whoever encodes the text in UTF-8.
    """
    return _writers[type(value)](value)


def record_writer(names: tuple[str, ...]) -> Callable[[Any], str]:
    """Writes the named fields of a record as an object."""
    ordered = sorted(names)
    if len(ordered) < 2:  # `attrgetter` gives a tuple for two and more
        return lambda record: "{" + ",".join(f'"{name}":{text(getattr(record, name))}' for name in ordered) + "}"
    form = "{" + ",".join(f'"{name}":%s' for name in ordered) + "}"
    values = attrgetter(*ordered)
    return lambda record: form % tuple([_writers[type(value)](value) for value in values(record)])


def body_writer(names: tuple[str, ...]) -> Callable[[Any, str], str]:
    """Writes the named fields of a record, and the digest of its payload, as an object."""
    ordered = sorted(names)
    place = sum(name < "payload" for name in ordered)
    before, after = record_writer(tuple(ordered[:place])), record_writer(tuple(ordered[place:]))

    def write(record: Any, digest: str) -> str:
        left, right = before(record)[:-1], after(record)[1:]
        return f'{left}{"," if place else ""}"payload":{_quoted(digest)}{"," if place < len(ordered) else ""}{right}'

    return write


def _writer(kind: type) -> Callable[[Any], str]:
    if issubclass(kind, Mapping):
        return _mapping
    if issubclass(kind, StrEnum):
        return {member: _quoted(member.value) for member in kind}.__getitem__
    if is_dataclass(kind):
        return record_writer(tuple(f.name for f in fields(kind)))
    raise TypeError(f"{kind.__name__} cannot stand in an event")


def _integer(value: int) -> str:
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise NotCanonical(f"integer outside 2^53: {value}")
    return str(value)


def _list(value: Any) -> str:
    return "[" + ",".join([_writers[type(item)](item) for item in value]) + "]"


def _mapping(value: Mapping[Any, Any]) -> str:
    for key in value:
        if type(key) is not str or not key.isascii():
            raise NotCanonical(f"key is not ASCII text: {key!r}")
    return "{" + ",".join([f"{_quoted(key)}:{text(value[key])}" for key in sorted(value)]) + "}"


_writers = _Writers(
    {
        str: _quoted,
        int: _integer,
        bool: {True: "true", False: "false"}.__getitem__,
        NoneType: lambda value: "null",
        tuple: _list,
        list: _list,
    }
)
