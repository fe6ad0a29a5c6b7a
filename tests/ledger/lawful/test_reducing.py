"""Rules of what a review keeps until a day: each clause broken once by a planted entry."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.reviews.events import RoleReduced, RoleWithheld, Withheld
from onepam.kernel.clock import DAY, Instant
from onepam.ledger.lawful.reducing import LONGEST_KEPT
from tests.ledger.lawful.story import Story, binding
from tests.ledger.lawful.test_reviews import REMOVE, decided, ready, review, withheld

OVER = withheld(by=None, because=Withheld.REDUCED)


def reduced(told: Story, **other: Any) -> RoleReduced:
    """Ada keeps what eve holds for a day from the next command on."""
    return replace(RoleReduced("eve", "engineer", "rev_1", Instant(told.at() + DAY), "ada"), **other)


def kept() -> Story:
    told = ready()
    told.add(decided(), reduced(told))
    return told


def test_it_is_kept_until_then_and_no_longer() -> None:
    told = kept()
    told.wait(DAY)
    told.add(OVER)
    assert told.said() == []


def test_a_later_decision_takes_the_end_away() -> None:
    told = kept()
    told.add(decided())
    told.wait(DAY)
    at = told.add(OVER)
    assert told.said() == [(at, "no day until which it was kept was over")]


def test_what_was_removed_meanwhile_is_withheld_once() -> None:
    told = kept()
    told.add(decided(verdict=REMOVE), withheld())
    told.wait(DAY)
    at = told.add(OVER)
    assert told.said() == [(at, "no day until which it was kept was over"), (at, "it was withheld already")]


def test_it_is_not_withheld_twice() -> None:
    told = ready()
    told.add(decided(verdict=REMOVE), withheld())
    told.add(review(told, review="rev_2"))
    told.add(decided(), reduced(told))  # it would be returned with that
    told.wait(DAY)
    at = told.add(OVER)
    assert (at, "it was withheld already") in told.said()


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (replace(OVER, by="ada"), "it is in time's name, and somebody did it"),
        (replace(OVER, review="rev_2"), "no day until which it was kept was over"),
        (replace(OVER, person="ops", role="operator"), "no day until which it was kept was over"),
    ],
)
def test_what_is_withheld_when_the_day_is_over(event: RoleWithheld, why: str) -> None:
    told = kept()
    told.wait(DAY)
    at = told.add(event)
    assert told.said() == [(at, why)]


def test_nothing_is_withheld_before_the_day() -> None:
    told = kept()
    at = told.add(OVER)
    assert told.said() == [(at, "no day until which it was kept was over")]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"by": "bob"}, "nobody decided to keep it"),
        ({"review": "rev_2"}, "nobody decided to keep it"),
        ({"until": Instant(0)}, "its day is not within the next 366 days"),
        ({"until": Instant(2**52)}, "its day is not within the next 366 days"),
    ],
)
def test_how_something_is_kept_until_a_day(other: dict[str, Any], why: str) -> None:
    told = ready()
    at = told.add(decided(), reduced(told, **other)) + 1
    assert told.said() == [(at, why)]


def test_the_day_may_be_a_year_ahead() -> None:
    told = ready()
    told.add(decided(), reduced(told, until=Instant(told.at() + LONGEST_KEPT)))
    assert told.said() == []


def test_only_what_would_be_given_for_longer_is_kept_until_a_day() -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_9", "ada", binding("bnd_joe", "operator", "joe", Instant(told.at() + DAY)))
    told.add(review(told))
    at = told.add(
        decided("joe", "operator"), reduced(told, person="joe", role="operator", until=Instant(told.at() + DAY))
    )
    told.add(decided("joe", "operator"), reduced(told, person="joe", role="operator", until=Instant(told.at() + 1000)))
    nobody = told.add(reduced(told, person="per_x"))
    assert told.said() == [
        (at + 1, "nothing gave it for longer"),
        (nobody, "nothing gave it for longer"),
        (nobody, "nobody decided to keep it"),
    ]


def test_what_administers_takes_a_fresh_factor() -> None:
    told = ready()
    told.wait(5 * 60_000_000)
    told.add(decided(), reduced(told))
    at = told.add(decided("bob", "administrator"), reduced(told, person="bob", role="administrator")) + 1
    assert [each for each, _ in told.said()] == [at]
