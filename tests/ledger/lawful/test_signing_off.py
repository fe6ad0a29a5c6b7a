"""The rule of a review's sign-off: each clause broken once by a planted entry."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.review_schedule import Suspends
from onepam.domain.people.events import PersonChanged
from onepam.domain.reviews.events import Answers, ReviewClosed, ReviewSignedOff, Scope, Withheld
from onepam.domain.signing_in.events import EnrolmentOpened, EnrolmentUsed, FactorEnrolled, FactorKind
from onepam.domain.systems.events import AccountSystemSet
from onepam.kernel.clock import DAY, HOUR, SECOND, Instant
from tests.ledger.lawful.story import HOLDS, Story, binding
from tests.ledger.lawful.test_reviews import NO, REMOVE, SILENT_AT_THE_END, decided, over, ready, review, withheld
from tests.ledger.lawful.test_reviews_beyond import elsewhere

UNANSWERED = len(SILENT_AT_THE_END)  # and ada's own
SIGNED = ReviewSignedOff("rev_1", 0, 1, UNANSWERED, 1, (), "aud", "")


def signing() -> Story:
    """A review of which ada removed one item, and nobody answered on the others; it is over, and aud is signed in."""
    told = ready(suspends=Suspends.NOTHING)
    told.add(NO, withheld())
    over(told)
    told.add(ReviewClosed("rev_1", 0, 1, UNANSWERED))
    for who in ("aud", "max"):
        told.sign_in(who)
    return told


def test_somebody_who_had_no_part_in_it_signs_it_off_once() -> None:
    told = signing()
    told.add(SIGNED)
    assert told.said() == []
    again = told.add(SIGNED)
    assert told.said() == [(again, "it was signed off already")]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"by": "max"}, "max held no role with the right to administer or audit"),
        ({"by": "ada"}, "they had decided in it"),
        ({"kept": 1}, "its numbers are others"),
        ({"removed": 0}, "its numbers are others"),
        ({"unanswered": 0}, "its numbers are others"),
        ({"not_remediated": 0}, "its numbers are others"),
        ({"rubber_stamps": ("ada",)}, "others decided as fast as that"),
        ({"review": "rev_9"}, "no such review was over"),
    ],
)
def test_who_signs_what(other: dict[str, Any], why: str) -> None:
    told = signing()
    at = told.add(replace(SIGNED, **other))
    assert told.said() == [(at, why)]


def test_it_takes_a_fresh_factor_and_what_is_over() -> None:
    told = ready(suspends=Suspends.NOTHING)
    told.sign_in("aud")
    at = told.add(replace(SIGNED, removed=0, not_remediated=0, unanswered=UNANSWERED + 1))
    assert told.said() == [(at, "no such review was over")]
    told = signing()
    told.wait(HOUR)
    at = told.add(SIGNED)
    assert told.said() == [(at, "aud had shown no second factor within 5 minutes")]


def test_nobody_signs_who_is_one_hand_with_who_decided() -> None:
    told = Story().found()
    told.enrol("ada")
    told.sign_in("ada")
    told.add(EnrolmentOpened("enr_a", "aud", Instant(told.at() + DAY), "new", "ada"))
    kinds = (FactorKind.PASSWORD, FactorKind.TOTP)
    enrolled = (FactorEnrolled(f"fac_aud_{each.value}", "aud", each, "", None, "aud") for each in kinds)
    told.add(EnrolmentUsed("enr_a", "aud", ("ada",)), *enrolled)
    told.sign_in("aud")
    told.add(review(told, suspends=Suspends.NOTHING, scope=Scope(people=("eve",))))
    told.add(decided())
    told.add(ReviewClosed("rev_1", 1, 0, 0))
    at = told.add(replace(SIGNED, kept=1, removed=0, unanswered=0, not_remediated=0))
    assert told.said() == [(at, "aud and ada may be one hand: one made the link by which the other enrolled")]


def test_nobody_signs_what_took_something_from_them() -> None:
    told = Story().ready("ada", "bob", "max")
    told.change("chg_9", "ada", binding("bnd_x", "auditor", "eve"))
    told.add(review(told, suspends=Suspends.NOTHING))
    told.add(NO, withheld())
    over(told)
    told.add(ReviewClosed("rev_1", 0, 1, UNANSWERED + 1))
    told.sign_in("eve")
    at = told.add(replace(SIGNED, by="eve", unanswered=UNANSWERED + 1))
    assert told.said() == [(at, "it had taken something from them")]


def test_nobody_signs_what_they_had_decided_otherwise_than_somebody_after_them() -> None:
    told = ready(suspends=Suspends.NOTHING)
    told.add(decided(by="ada"))
    told.add(PersonChanged("eve", "ada", "bob", None, None, "eve", "eve@example.com"))
    told.add(decided(verdict=REMOVE, by="bob", answers=Answers.MANAGER), withheld(by="bob"))
    over(told)
    told.add(ReviewClosed("rev_1", 0, 1, UNANSWERED))
    told.sign_in("ada")
    at = told.add(replace(SIGNED, by="ada"))
    assert told.said() == [(at, "they had decided in it")]


def test_nobody_signs_what_silence_took_from_them() -> None:
    told = Story().ready("ada", "bob", "max")
    told.change("chg_9", "ada", binding("bnd_x", "engineer", "aud"))
    told.add(review(told, scope=Scope(people=("aud",), roles=("engineer",))))
    over(told)
    taken = withheld("aud", "engineer", None, because=Withheld.SILENCE)
    told.add(taken, ReviewClosed("rev_1", 0, 0, 1))
    told.sign_in("aud")
    at = told.add(replace(SIGNED, removed=0, unanswered=1, not_remediated=0))
    assert told.said() == [(at, "it had taken something from them")]


@pytest.mark.parametrize(("apart", "stamps"), [(0, ("ada",)), (2, ())])
def test_whoever_stamps_is_named(apart: int, stamps: tuple[str, ...]) -> None:
    crew = [f"u{number:02}" for number in range(50)]
    told = Story().found({**HOLDS, **dict.fromkeys(crew, ("engineer",))})
    for who in HOLDS:
        told.enrol(who)
    for who in ("ada", "aud"):
        told.sign_in(who)
    told.add(review(told, suspends=Suspends.NOTHING, scope=Scope(people=tuple(crew))))
    for who in crew:
        told.wait(apart * SECOND)
        told.add(decided(who))
    told.add(ReviewClosed("rev_1", 50, 0, 0))
    told.add(replace(SIGNED, kept=50, removed=0, unanswered=0, not_remediated=0, rubber_stamps=stamps))
    assert told.said() == []


def test_what_is_there_still_in_another_system_is_given_still() -> None:
    told = elsewhere()
    told.add(AccountSystemSet("crm", "max", 9, "ada"))
    told.add(review(told, Scope(systems=("system:crm", "scim:okta")), suspends=Suspends.NOTHING, beyond=2))
    told.add(decided(role="system:crm", by="max", answers=Answers.SYSTEM_OWNER, verdict=REMOVE))
    told.add(decided("zoe", "scim:okta", by="bob", answers=Answers.FALLBACK, verdict=REMOVE))
    told.add(ReviewClosed("rev_1", 0, 2, 0))
    told.sign_in("aud")
    told.add(replace(SIGNED, removed=2, unanswered=0, not_remediated=2))
    assert told.said() == []
