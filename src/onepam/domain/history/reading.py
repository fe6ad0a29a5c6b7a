"""Reading an event straight from its bytes, where they are exactly what writing it gives.

A fold reads every entry that there is. Most are of the newest form, and for those decoders in C do all of it: one reads
the members in the form of the kind, another makes the record of them. Whatever they do not take is for
`event.as_stored`, which is the definition and says what is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypedDict, Union, get_args, get_origin, get_type_hints

import msgspec

from onepam.domain.history.event import kind_named
from onepam.kernel.canonical import Integer, reader

_Read = Callable[[bytes], Any]


def as_written(name: str, version: int, body: bytes, payload: bytes | None) -> tuple[Any, dict[str, Any]] | None:
    """(record, the members of the body); private fields are None where `payload` is (erased).

    None unless `body` and `payload` are what writing the record gives; the digest of the payload is not compared.
    Raises `UnknownKind`.
    """
    kind = kind_named(name, version)
    read_body, read_payload = _readers(kind.record, kind.open_fields, kind.private_fields)
    said = read_body(body)
    hidden = {} if payload is None else read_payload(payload)
    if said is None or hidden is None:
        return None
    return msgspec.convert({**said, **hidden}, kind.record), said


@cache
def _readers(record: type, open_fields: tuple[str, ...], private_fields: tuple[str, ...]) -> tuple[_Read, _Read]:
    """Of the body and of the payload."""
    hints = get_type_hints(record)
    digest = {"payload": str} if private_fields else {}
    return (
        reader(_object(digest | {each: hints[each] for each in open_fields})),
        reader(_object({each: hints[each] for each in private_fields})),
    )


def _object(hints: Mapping[str, Any]) -> Any:
    """An object with these members and no other, in the order in which they are written."""
    return TypedDict("Form", {name: _form(hints[name]) for name in sorted(hints)})  # type: ignore[operator]


def _form(hint: Any) -> Any:
    """How a value of the annotated type is written, as a form of `canonical.reader`."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return Union[tuple(NoneType if each is NoneType else _form(each) for each in get_args(hint))]  # noqa: UP007
    if origin is tuple:
        return list[_form(get_args(hint)[0])]  # type: ignore[misc]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[str, _form(get_args(hint)[1])]  # type: ignore[misc]
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return _object({each.name: hints[each.name] for each in fields(hint)})
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Literal[tuple(each.value for each in hint)]
    return {str: str, int: Integer, bool: bool}[getattr(hint, "__supertype__", hint)]
