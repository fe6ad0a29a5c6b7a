"""Text of the domain's values: the same bytes as by way of plain JSON."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.history.event import plain
from onepam.domain.history.text import body_writer, record_writer, text
from onepam.domain.people.events import PersonKind
from onepam.kernel.canonical import NotCanonical, decode, encode, utf8


@dataclass(frozen=True)
class Empty:
    """A record without fields."""


@dataclass(frozen=True)
class One:
    """A record with one field."""

    zeta: Any


@dataclass(frozen=True)
class Pair:
    """A record whose fields do not stand in order."""

    zeta: Any
    alpha: Any


_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 53) + 1, (1 << 53) - 1),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(PersonKind),
    st.just(Empty()),
)
VALUES = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
        st.builds(One, inner),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=12,
)


@given(VALUES)
def test_it_is_what_the_canonical_encoder_writes(value: Any) -> None:
    assert utf8(text(value)) == encode(plain(value))


@pytest.mark.parametrize("value", [1 << 53, -(1 << 53), {"\u00e4": 1}, {1: "a"}, (1, [{"x": 1 << 53}])])
def test_what_is_not_canonical_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        text(value)


@pytest.mark.parametrize("value", [1.5, b"bytes", [object()]])
def test_what_no_event_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot stand"):
        text(value)


def test_a_lone_surrogate_is_found_when_the_bytes_are_made() -> None:
    with pytest.raises(NotCanonical, match="lone surrogate"):
        utf8(text("\ud800"))


@pytest.mark.parametrize("names", [(), ("zeta",), ("zeta", "alpha"), ("alpha",)])
def test_a_record_is_written_by_the_names_of_its_fields(names: tuple[str, ...]) -> None:
    record = Pair(1, "a")
    assert decode(record_writer(names)(record).encode()) == {name: getattr(record, name) for name in names}
    assert decode(body_writer(names)(record, "d").encode()) == {
        "payload": "d",
        **{name: getattr(record, name) for name in names},
    }


def test_any_mapping_is_an_object() -> None:
    assert text(MappingProxyType({"b": 1, "a": None})) == '{"a":null,"b":1}'
