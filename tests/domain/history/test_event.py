"""Events: what is public, what is private, and that every kind comes back from its stored form as it went in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.domain.history.event import Kind, UnknownKind, decoder, event, join, kind_of, kinds, plain
from onepam.domain.people import events as people
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.domain.requests.events import GrantEnded
from onepam.kernel.canonical import decode
from scripts import rooms

rooms.load()
DIGEST = "d1"
ADDED = PersonAdded("per_1", PersonKind.VENDOR, "contract", "ada", "max", None, None, "Vic", "vic@example.com")


def written(record: object) -> tuple[Kind, dict[str, Any], dict[str, Any] | None]:
    """The kind, the body and the payload of an event as the ledger keeps them, read as canonical JSON."""
    kind = kind_of(record)
    if not kind.private_fields:
        return kind, decode(kind.write_open(record).encode()), None
    return kind, decode(kind.write_body(record, DIGEST).encode()), decode(kind.write_payload(record).encode())


@pytest.mark.claim(
    "stands outside the ledger's entries, which hold only its salted digest",
    altered="the body was written with the private fields",
)
def test_private_fields_stand_in_the_payload_only() -> None:
    kind, body, payload = written(ADDED)
    assert (kind.name, kind.version, kind.klass) == ("person.added", 1, "person")
    assert payload == {"name": "Vic", "email": "vic@example.com"}
    assert not body.keys() & payload.keys()
    assert body["payload"] == DIGEST
    assert written(people.PersonDisabled("per_1", "ada", "left"))[2] is None


def test_an_erased_payload_leaves_the_event_with_its_open_fields() -> None:
    kind, body, _ = written(ADDED)
    found = join(kind.name, kind.version, body, None)
    assert (found.person, found.name, found.email) == ("per_1", None, None)


@settings(max_examples=10)
@given(st.data())
@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: f"{kind.name}-{kind.version}")
def test_every_kind_comes_back_as_it_went_in(kind: Any, data: st.DataObject) -> None:
    record = data.draw(values(kind.record))
    _, body, payload = written(record)
    assert join(kind.name, kind.version, body, payload) == record
    fields = plain(record)
    assert isinstance(fields, dict)
    assert {**body, **(payload or {})}.keys() - {"payload"} == fields.keys()


def test_unknown_kinds_are_named() -> None:
    with pytest.raises(UnknownKind, match="nonsense v1"):
        join("nonsense", 1, {}, None)
    with pytest.raises(UnknownKind, match="str is not"):
        kind_of("text")
    with pytest.raises(ValueError, match="registered twice"):
        event("grant.ended", klass="request", control="LOG-03", words="It happened")(GrantEnded)


@dataclass(frozen=True)
class Pair:
    """A record with a field that has a default."""

    left: int
    right: str = "r"


@pytest.mark.parametrize(
    ("hint", "value", "found"),
    [
        (int, 3, 3),
        (str | None, None, None),
        (str | None, "x", "x"),
        (tuple[int, ...], [1, 2], (1, 2)),
        (Mapping[str, int], {"a": 1}, {"a": 1}),
        (Pair, {"left": 1}, Pair(1)),
        (PersonKind, "vendor", PersonKind.VENDOR),
    ],
)
def test_what_fits_is_read(hint: Any, value: Any, found: Any) -> None:
    assert decoder(hint)(value) == found


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, "3"),
        (int, True),
        (str, None),
        (tuple[int, ...], {"a": 1}),
        (tuple[int, ...], ["a"]),
        (Mapping[str, int], []),
        (Pair, {"right": "x"}),
        (Pair, {"left": 1, "middle": 2}),
        (PersonKind, "robot"),
    ],
)
def test_what_does_not_fit_is_refused(hint: Any, value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the messages differ by type
        decoder(hint)(value)


@pytest.mark.parametrize("make", [lambda: decoder(float), lambda: decoder(int | str), lambda: plain(1.5)])
def test_types_without_a_plain_form_are_found_when_an_event_is_written(make: Callable[[], object]) -> None:
    with pytest.raises(TypeError):
        make()


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an event field's type."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return st.none() | st.one_of(*(values(each) for each in get_args(hint) if each is not NoneType))
    if origin is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=3).map(tuple)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(
            st.text(st.characters(max_codepoint=127), max_size=5), values(get_args(hint)[1]), max_size=3
        )
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    base = getattr(hint, "__supertype__", hint)
    if base is bool:
        return st.booleans()
    if base is int:
        return st.integers(-(1 << 53) + 1, (1 << 53) - 1)
    if base is str:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    hints = get_type_hints(hint)
    return st.builds(hint, **{each.name: values(hints[each.name]) for each in fields(hint)})
