"""Rules of erasing: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace

import pytest

from onepam.domain.history.system import PayloadsErased
from onepam.domain.leaving.erasure_events import ErasureApproved, ErasureEnded, ErasureFinished, ErasureProposed
from onepam.domain.people.events import PersonChanged, PersonDisabled, PersonEnabled
from onepam.kernel.clock import DAY
from tests.ledger.lawful.story import Story

PROPOSED = ErasureProposed("ers_1", "eve", "ada", "asked for it", 30, (3, 4), {})
APPROVED = ErasureApproved("ers_1", "eve", "asked for it", "ada", "bob")
ERASED = PayloadsErased("ers_1", "eve", (1, 2), naming=False)
FINISHED = ErasureFinished("ers_1", "eve", 2)


def left(days: int = 30) -> Story:
    """Eve left so many days ago; ada and bob have just signed in."""
    told = Story().ready("ada", "bob", "joe")
    told.add(PersonDisabled("eve", "ada", "left", "administrator", None, None))
    told.wait(days * DAY)
    for who in ("ada", "bob", "joe"):
        told.sign_in(who)
    return told


def agreed() -> Story:
    told = left()
    told.add(PROPOSED)
    told.add(APPROVED)
    return told


def test_two_administrators_erase() -> None:
    told = agreed()
    told.add(ERASED)
    told.add(replace(ERASED, indexes=(4, 3), naming=True))
    told.add(FINISHED)
    assert told.said() == []


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(PROPOSED, by="joe"), "joe held no role with the right to administer"),
        (replace(PROPOSED, person="nobody"), "there was no account nobody"),
        (replace(PROPOSED, person="max"), "max had not left"),
        (replace(PROPOSED, keep_days=31), "eve had left less than 31 days before"),
    ],
)
def test_who_proposes_and_of_whom(planted: ErasureProposed, why: str) -> None:
    told = left()
    at = told.add(planted)
    assert told.said() == [(at, why)]


@pytest.mark.parametrize(
    ("planted", "why"),
    [
        (replace(APPROVED, by="ada"), "ada had proposed it"),
        (replace(APPROVED, by="joe"), "joe held no role with the right to administer"),
        (replace(APPROVED, erasure="ers_2"), "no such proposal waited"),
        (replace(APPROVED, because="another reason"), "it is not what was proposed"),
        (replace(APPROVED, proposed_by="max"), "it is not what was proposed"),
    ],
)
def test_who_agrees_and_to_what(planted: ErasureApproved, why: str) -> None:
    told = left()
    told.add(PROPOSED)
    at = told.add(planted)
    assert told.said() == [(at, why)]


def test_whoever_came_back_is_not_erased() -> None:
    told = left()
    told.add(PROPOSED)
    told.add(PersonEnabled("eve", "ada", "back"))
    at = told.add(APPROVED)
    assert told.said() == [(at, "eve had not left")]


def test_somebody_else_than_was_proposed() -> None:
    told = left()
    told.add(PROPOSED)
    at = told.add(replace(APPROVED, person="nobody"))
    assert told.said() == [(at, "it is not what was proposed"), (at, "there was no account nobody")]


def test_who_says_no() -> None:
    told = left()
    told.add(PROPOSED)
    told.add(ErasureEnded("ers_1", "eve", "denied", "bob"))
    at = told.add(ErasureEnded("ers_1", "eve", "denied", "bob"))
    assert told.said() == [(at, "no such proposal waited")]
    told = left()
    told.add(PROPOSED)
    at = told.add(ErasureEnded("ers_1", "eve", "erasure.lapsed", None))
    assert told.said() == [(at, "it is on nobody's word, had not lapsed, and its people were there")]


@pytest.mark.parametrize("planted", [ERASED, FINISHED])
def test_nothing_goes_that_was_not_agreed_to(planted: object) -> None:
    why = "nobody had agreed to erase eve"
    told = left()
    told.add(PROPOSED)
    at = told.add(planted)
    assert told.said() == [(at, why)]
    told = agreed()
    told.add(FINISHED)
    at = told.add(planted)
    assert told.said() == [(at, why)]


def test_it_is_of_that_person_and_of_entries_that_are_there() -> None:
    told = agreed()
    at = told.add(replace(ERASED, person="max"))
    then = told.add(replace(ERASED, indexes=(1, 1)))
    last = told.add(replace(ERASED, indexes=(9_999,)))
    there = "it names an entry twice, or one that was not there"
    assert told.said() == [(at, "nobody had agreed to erase max"), (then, there), (last, there)]


@pytest.mark.parametrize(
    "planted",
    [PersonEnabled("eve", "ada", "back"), PersonChanged("eve", "ada", None, None, None, "Eve", "eve@example.com")],
)
def test_the_account_never_comes_back(planted: object) -> None:
    told = agreed()
    at = told.add(planted)
    assert told.said() == [(at, "what was known of the account had been erased")]


def test_a_list_or_file_that_was_not_proposed() -> None:
    told = agreed()
    at = told.add(replace(ERASED, indexes=(3, 5), naming=True))
    assert told.said() == [(at, "it takes a list or a file that was not proposed")]
