"""Events in words: every kind has a sentence, and it bears what is erased and what nobody said."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.domain.history.event import Kind, kinds, private, sentence
from onepam.domain.history.words import Words, naming, plainly, words
from onepam.domain.people.events import PersonDisabled
from onepam.domain.requests.events import GrantEnded, RequestApproved, RequestDenied
from onepam.domain.signing_in.events import FactorKind, SignInKind, SteppedUp
from onepam.kernel.clock import FOREVER, Instant
from tests.domain.history.test_event import values


class Side(StrEnum):
    FRONT_LEFT = "front_left"


@dataclass(frozen=True)
class Place:
    house: str
    floor: int | None = None


@dataclass(frozen=True)
class Seen:
    place: Place
    at: Instant
    count: int
    side: Side
    tags: tuple[str, ...]
    by: str | None = None
    until: Instant | None = None
    note: str | None = private()


SEEN = Seen(Place("mill"), Instant(1_772_546_400_000_000), 1204, Side.FRONT_LEFT, ("a", "b"))


def worded(template: str) -> Words:
    return words(template, get_type_hints(Seen), ("note",))


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
@settings(max_examples=10)
@given(st.data())
def test_every_kind_has_a_sentence_also_where_it_is_erased(kind: Kind, data: st.DataObject) -> None:
    record = data.draw(values(kind.record))
    whole = sentence(record)
    erased = sentence(replace(record, **dict.fromkeys(kind.private_fields)))
    assert whole.strip() != ""
    assert erased.strip() != ""
    assert kind.record.__name__ not in whole
    assert not kind.words.template.endswith("."), "it stands in lists, and before other words"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("In {place.house} at {at}", "In mill at 3 March 2026 14:00 UTC"),
        ("{count} times: {side}, {tags}", "1,204 times: front left, a, b"),
        ("{by} looked", "OnePAM looked"),
        ("Looked[ by {by}]", "Looked by OnePAM"),
        ("Seen[ until {until}][: {note}]", "Seen"),
        ("Seen[ on floor {place.floor}] by {by}", "Seen by OnePAM"),
        ("[{note}]Seen", "Seen"),
    ],
)
def test_words_are_filled(template: str, said: str) -> None:
    assert worded(template).sentence(SEEN) == said


def test_what_is_told_stands_between() -> None:
    told = replace(SEEN, note="it glows", by="ada", until=FOREVER, tags=())
    assert (
        worded("{by} saw it[ until {until}][: {note}][, {tags}]").sentence(told) == "ada saw it until no end: it glows"
    )


@pytest.mark.parametrize(
    ("template", "wrong"),
    [
        ("", "no words"),
        ("Seen {At}", "no words"),
        ("Seen {at", "no words"),
        ("Seen [at {at}", "no words"),
        ("Seen [a [b]]", "no words"),
        ("Seen {when}", "not there: when"),
        ("Seen {count.low}", "not there: count.low"),
        ("Seen {place.roof}", "not there: place.roof"),
        ("Seen {lost.roof}", "not there: lost.roof"),
        ("Seen until {until}", "may be None: until"),
        ("Seen on {place.floor}", "may be None: place.floor"),
        ("Seen: {note}", "may be None: note"),
    ],
)
def test_words_that_do_not_fit_are_refused(template: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        worded(template)


def test_factors_and_sign_ins_are_called_as_people_call_them() -> None:
    factor = SteppedUp("sgn_1", "ada", FactorKind.TOTP, Instant(0))
    assert sentence(factor) == "ada showed a fresh factor: authenticator app"
    assert FactorKind.PASSKEY.words == "passkey"
    assert (SignInKind.CLI.words, SignInKind.CONSOLE.words) == ("command line", "console")


def test_people_have_names_and_codes_have_words() -> None:
    called: dict[str, str] = {"ada": "Ada Lovelace"}
    approved: Any = RequestApproved("req_1", "d1", "ada", "lead", Instant(0), "fine")
    assert sentence(approved, naming(called)) == "Ada Lovelace approved the request req_1: fine"
    assert sentence(RequestDenied("req_1", "bob", "lead"), naming(called)) == "bob denied the request req_1"
    ended = GrantEnded("grt_1", "req_1", because="role.removed", by=None)
    assert sentence(ended) == "OnePAM ended the access by the request req_1 early: role: removed"
    assert sentence(ended, naming(called)) == "OnePAM ended the access by the request req_1 early: role: removed"
    assert (
        sentence(ended, naming(called, {"role.removed": "gone"}))
        == "OnePAM ended the access by the request req_1 early: gone"
    )


def test_somebodys_own_words_stay_as_they_are() -> None:
    assert plainly("because", "Contract no. 7_b ended.") == "Contract no. 7_b ended."
    assert plainly("login", "svc_build") == "svc_build"
    assert sentence(PersonDisabled("per_1", "ada", "left")) == "ada disabled per_1: left"
