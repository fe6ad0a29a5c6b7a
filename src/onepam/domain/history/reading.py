"""Reading an event straight from its bytes, where they are exactly what writing it gives.

A fold reads every entry that there is. Most are of the newest form, and for those a decoder in C makes the record;
whatever it does not take is for `event.as_stored`, which is the definition and says what is wrong.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, get_type_hints

import msgspec
from msgspec.structs import asdict

from onepam.domain.history.event import kind_named

_Decode = Callable[[bytes], Any]

_encode = msgspec.json.Encoder(order="sorted").encode


def as_written(name: str, version: int, body: bytes, payload: bytes | None) -> tuple[Any, str | None] | None:
    """(record, the digest that the body names of its payload); private fields are None where `payload` is (erased).

    None unless `body` and `payload`, both canonical, are what writing the record gives; the digest is not compared.
    Raises `UnknownKind`.
    """
    kind = kind_named(name, version)
    read_body, read_payload = _decoders(kind.record, kind.open_fields, kind.private_fields)
    try:
        said = read_body(body)
        if _encode(said) != body:
            return None
        values = asdict(said)
        digest = values.pop("payload") if kind.private_fields else None
        if payload is not None:
            hidden = read_payload(payload)
            if _encode(hidden) != payload:
                return None
            values |= asdict(hidden)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return kind.record(**values), digest


@cache
def _decoders(record: type, open_fields: tuple[str, ...], private_fields: tuple[str, ...]) -> tuple[_Decode, _Decode]:
    """Of the body and of the payload."""
    hints = get_type_hints(record)
    digest = {"payload": str} if private_fields else {}
    return (
        _decoder(digest | {each: hints[each] for each in open_fields}),
        _decoder({each: hints[each] for each in private_fields}),
    )


def _decoder(types: dict[str, Any]) -> _Decode:
    """Of an object with these fields and no other."""
    form = msgspec.defstruct("Form", sorted(types.items()), forbid_unknown_fields=True)
    return msgspec.json.Decoder(form).decode
