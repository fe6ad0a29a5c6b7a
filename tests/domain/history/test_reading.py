"""The quick way to read an event says what the definition says, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pprint import pformat
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import onepam.domain.history.event as events
from onepam.domain.history.event import Kind, Registry, UnknownKind, as_stored, event, every_version, private
from onepam.domain.history.reading import as_written
from onepam.kernel.canonical import decode
from tests.domain.history.test_event import values

DIGEST = "ab" * 32


def written(kind: Kind, record: Any) -> tuple[bytes, bytes | None]:
    """Body and payload as they are stored."""
    if not kind.private_fields:
        return kind.write_open(record).encode(), None
    return kind.write_body(record, DIGEST).encode(), kind.write_payload(record).encode()


@pytest.mark.parametrize("kind", every_version(), ids=lambda kind: f"{kind.name}-{kind.version}")
@settings(max_examples=5)
@given(data=st.data())
def test_what_is_written_is_read_as_the_definition_reads_it(kind: Kind, data: st.DataObject) -> None:
    hints = get_type_hints(kind.record)
    record = data.draw(st.builds(kind.record, **{each.name: values(hints[each.name]) for each in fields(kind.record)}))
    body, payload = written(kind, record)
    said, told = decode(body), None if payload is None else decode(payload)
    found = as_written(kind.name, kind.version, body, payload)
    assert found == (as_stored(kind.name, kind.version, said, told), said)
    assert pformat(found[0]) == pformat(record)  # the types, too: a member of an enumeration is equal to its text
    erased = as_written(kind.name, kind.version, body, None)
    assert erased == (as_stored(kind.name, kind.version, said, None), said)


@dataclass(frozen=True, slots=True)
class Lock:
    """A part of a door."""

    kind: str
    keys: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """A door was seen."""

    door: str
    at: int = 7
    lock: Lock | None = None
    by: str | None = private()


@contextmanager
def doors() -> Iterator[Callable[[bytes, bytes | None], Any]]:
    """Reads entries of the one kind that there is then."""
    known = events._registry
    events._registry = Registry()
    try:
        event("door.seen", klass="door", control="LOG-03", words="Seen")(Seen)
        yield lambda body, payload: as_written("door.seen", 1, body, payload)
    finally:
        events._registry = known


BODY = b'{"at":1,"door":"front","lock":{"keys":2,"kind":"old"},"payload":"d"}'
PAYLOAD = b'{"by":"ada"}'


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b"", PAYLOAD),
        (b"[]", PAYLOAD),
        (BODY + b" ", PAYLOAD),
        (BODY.replace(b'"at":1,', b""), PAYLOAD),
        (BODY.replace(b'"at":1', b'"at":1.0'), PAYLOAD),
        (BODY.replace(b'"at":1', b'"at":true'), PAYLOAD),
        (BODY.replace(b'"at":1', b'"at":"1"'), PAYLOAD),
        (BODY.replace(b'"at":1', b'"at":1,"at":1'), PAYLOAD),
        (BODY.replace(b'"at":1', b'"at":9007199254740992'), PAYLOAD),
        (BODY.replace(b'"at":1', b'"at":1,"by":"eve"'), PAYLOAD),
        (BODY.replace(b'"front"', b"null"), PAYLOAD),
        (BODY.replace(b'"front"', b'"\xff"'), PAYLOAD),
        (BODY.replace(b'"front"', b'"\\ud800"'), PAYLOAD),
        (BODY.replace(b'"keys":2,', b""), PAYLOAD),
        (BODY.replace(b'"keys":2', b'"keys":2,"more":1'), PAYLOAD),
        (BODY.replace(b'"lock"', b'"less":1,"lock"'), PAYLOAD),
        (BODY.replace(b',"payload":"d"', b""), PAYLOAD),
        (BODY, b"{}"),
        (BODY, b'{"by":1}'),
        (BODY, b'{"by":"ada","more":1}'),
        (BODY, b'{"by": "ada"}'),
    ],
)
def test_any_other_form_is_left_to_the_definition(body: bytes, payload: bytes) -> None:
    with doors() as read:
        assert read(BODY, PAYLOAD) == (Seen("front", 1, Lock("old", 2), "ada"), decode(BODY))
        assert read(body, payload) is None


def test_a_kind_that_is_not_known_is_named() -> None:
    with pytest.raises(UnknownKind, match=r"door\.gone v1"):
        as_written("door.gone", 1, BODY, None)
