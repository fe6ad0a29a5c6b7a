"""The form of a kind in words, and what of it may change without a new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from onepam.domain.history.event import kind_of
from onepam.domain.history.form import form, is_same, type_in_words
from onepam.domain.people.events import PersonAdded, PersonKind
from onepam.kernel.clock import Instant


class Colour(StrEnum):
    """An enumeration."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Pair:
    """A record inside a field."""

    left: int
    right: str = "r"


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (str, "text"),
        (int, "integer"),
        (bool, "truth"),
        (Instant, "Instant, integer"),
        (str | None, "text or nothing"),
        (tuple[Colour, ...], "list of (one of [blue red])"),
        (Mapping[str, int | None], "map of (integer or nothing)"),
        (Pair, "{left: integer; right?: text}"),
    ],
)
def test_a_type_is_told_down_to_what_is_stored(hint: Any, words: str) -> None:
    assert type_in_words(hint) == words


def test_the_form_of_a_kind_names_class_fields_and_what_is_private() -> None:
    added = PersonAdded("per_1", PersonKind.VENDOR, "contract", "ada", "max", None, None, "Vic", "vic@example.com")
    told = form(kind_of(added)).split("\n")
    assert told[0] == "person.added v1, class person"
    assert {"  person: text", "  name: text or nothing, private"} <= set(told)


BEFORE = "kind v1, class x\n  colour: one of [blue red]\n  name: text, private"


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (BEFORE, True),
        (BEFORE.replace("blue", "black blue"), True),
        (BEFORE.replace("blue ", ""), False),
        (BEFORE.replace("one of [blue red]", "text"), False),
        (BEFORE.replace("name", "named"), False),
        (BEFORE.replace(", private", ""), False),
        (BEFORE.replace("text", "text or nothing"), False),
        (BEFORE.replace("class x", "class y"), False),
        (BEFORE + "\n  more: integer", False),
        (BEFORE.partition("\n  name")[0], False),
    ],
    ids=["same", "member more", "member gone", "type", "renamed", "opened", "empty", "class", "added", "removed"],
)
def test_only_an_enumeration_grows(after: str, same: bool) -> None:
    assert is_same(BEFORE, after) is same
