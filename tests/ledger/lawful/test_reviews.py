"""Rules of access reviews: each clause broken once by a planted entry, and nothing else found."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.events import BindingEnded
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.event import plain
from onepam.domain.people.events import GroupMemberAdded, PersonAdded, PersonChanged, PersonKind
from onepam.domain.reviews.events import (
    Answers,
    Passed,
    Returned,
    ReviewClosed,
    ReviewDecided,
    ReviewOpened,
    ReviewPassed,
    ReviewReminded,
    RoleReturned,
    RoleWithheld,
    Scope,
    Stage,
    Verdict,
    Withheld,
)
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.ledger.lawful import reviews
from onepam.ledger.lawful.rows import of_rows, through
from tests.ledger.lawful.story import Story, binding

KEEP, REMOVE = Verdict.KEEP, Verdict.REMOVE
QUARTER = "2026-Q1"
"""That in which the stories happen."""


def review(told: Story, scope: Scope | None = None, **other: Any) -> ReviewOpened:
    """A review of what everybody holds as of the next command, by ada, with bob as the fallback."""
    scope = scope or Scope()
    judging = of_rows()
    for _ in through(judging, iter(told.rows)):
        pass
    judging.end()
    judging._state.begun = told.at()
    items, digest = reviews._held_by_all(judging._state, plain(scope))  # type: ignore[arg-type]
    closes = Instant(told.at() + DAY)
    opened = ReviewOpened("rev_1", "", scope, len(items), digest, closes, Suspends.PRIVILEGED, "bob", "ada")
    return replace(opened, **other)


def ready(**other: Any) -> Story:
    """Ada, bob and max are signed in, and a review of everything is open."""
    told = Story().ready("ada", "bob", "max")
    told.add(review(told, **other))
    return told


def decided(
    person: str = "eve",
    role: str = "engineer",
    verdict: Verdict = KEEP,
    by: str = "ada",
    answers: Answers = Answers.ROLE_OWNER,
    name: str = "rev_1",
) -> ReviewDecided:
    return ReviewDecided(name, person, role, verdict, by, answers, "")


def withheld(person: str = "eve", role: str = "engineer", by: str | None = "ada", **other: Any) -> RoleWithheld:
    return replace(RoleWithheld(person, role, "rev_1", Withheld.REMOVED, by), **other)


def returned(by: str | None = "ada", because: Returned = Returned.KEPT) -> RoleReturned:
    return RoleReturned("eve", "engineer", "rev_1", because, by)


SILENT = withheld(by=None, because=Withheld.SILENCE)
NO = decided(verdict=REMOVE)
PASSED = ReviewPassed("rev_1", "eve", "engineer", "bob", Passed.NOT_MINE, "ada", "")
SILENT_AT_THE_END = [("bob", "administrator"), ("max", "manager"), ("sue", "senior"), ("aud", "auditor"),
                     ("mon", "security"), ("eve", "engineer"), ("ops", "operator")]  # fmt: skip


def over(told: Story) -> Story:
    """The time of the review is over; ada and bob have signed in again."""
    told.wait(DAY)
    told.sign_in("ada")
    told.sign_in("bob")
    return told


def taken(*spared: str) -> list[RoleWithheld]:
    """What silence takes at the end of the review, but for what administers."""
    return [
        withheld(person, role, None, because=Withheld.SILENCE)
        for person, role in SILENT_AT_THE_END
        if role != "administrator" and person not in spared
    ]


def test_a_review_from_its_beginning_to_its_end() -> None:
    told = ready()
    told.add(ReviewReminded("rev_1", "ada", Stage.OPENED, 7, 7, Instant(0)))
    told.add(NO, withheld())
    told.add(decided(), returned())
    told.add(decided("max", "manager"))
    told.add(decided("ada", "administrator", by="bob", answers=Answers.FALLBACK))
    told.add(ReviewPassed("rev_1", "aud", "auditor", "max", Passed.DELEGATED, "ada", ""))
    told.add(decided("aud", "auditor", KEEP, "max", Answers.NAMED))
    told.add(ReviewPassed("rev_1", "mon", "security", "sue", Passed.ASSIGNED, "bob", ""))
    over(told)
    told.add(*taken("eve", "max", "aud"), ReviewClosed("rev_1", 4, 0, 4))
    told.add(decided("ops", "operator", by="ada"), replace(returned(), person="ops", role="operator"))
    told.add(decided("sue", "senior", REMOVE), withheld("sue", "senior"))
    assert told.said() == []


def test_a_manager_decides_and_then_a_sponsor() -> None:
    told = Story().ready("ada", "bob", "max")
    told.add(PersonChanged("eve", "ada", "max", "bob", None, "eve", "eve@example.com"))
    told.add(review(told))
    told.add(decided(by="max", answers=Answers.MANAGER))
    told.add(PersonChanged("eve", "ada", None, "bob", None, "eve", "eve@example.com"))
    told.add(decided(by="bob", answers=Answers.SPONSOR, verdict=REMOVE), withheld(by="bob"))
    told.add(PersonChanged("eve", "ada", "eve", None, None, "eve", "eve@example.com"))
    told.add(decided(), returned())
    assert told.said() == []


@pytest.mark.parametrize(
    "scope",
    [
        Scope(people=("eve",)),
        Scope(roles=("engineer", "manager")),
        Scope(privileged=True),
        Scope(resources=("dev-1",)),
        Scope(resources=("none",)),
    ],
)
def test_what_a_review_is_of_is_worked_out(scope: Scope) -> None:
    told = Story().ready("ada")
    told.change("chg_9", "ada", binding("bnd_team", "engineer", "team", group=True),
                GroupMemberAdded("team", "joe", "access.yaml", None),
                binding("bnd_old", "operator", "joe", Instant(told.at() + HOUR)))  # fmt: skip
    told.wait(HOUR)
    told.sign_in("ada")
    told.add(review(told, scope))
    at = told.add(review(told, scope, review="rev_2", items=99))
    assert told.said() == [(at, "what it says it is of is not what everybody held")]


def test_a_quarter_has_one_review_by_itself() -> None:
    told = Story().ready("ada")
    told.add(quarters(told))
    again = told.add(quarters(told, review="rev_2"))
    early = told.add(quarters(told, period="2026-Q2", review="rev_3"))
    assert told.said() == [(again, "that period had had its review"), (early, "it was not due")]


def quarters(told: Story, scope: Scope | None = None, **other: Any) -> ReviewOpened:
    """The review of the quarter, by itself."""
    values = {"by": None, "period": QUARTER, "fallback": None, "closes": Instant(told.at() + 21 * DAY)}
    return review(told, scope, **{**values, **other})


@pytest.mark.parametrize(
    ("scope", "other", "why"),
    [
        (Scope(roles=("engineer",)), {}, "it is not what the schedule says"),
        (Scope(privileged=True), {}, "it is not what the schedule says"),
        (None, {"closes": Instant(0)}, "it does not last as long as the schedule says"),
        (None, {"suspends": Suspends.NOTHING}, "it is not what the schedule says"),
        (None, {"fallback": "bob"}, "it is not what the schedule says"),
        (None, {"period": ""}, "it was not due"),
    ],
)
def test_the_review_of_a_period_is_what_the_schedule_says(scope: Scope | None, other: dict[str, Any], why: str) -> None:
    told = Story().ready("ada")
    at = told.add(quarters(told, scope, **other))
    assert told.said() == [(at, why)]


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"by": "max"}, "max held no role with the right to administer"),
        ({"review": "rev_1"}, "there was such a review already"),
        ({"closes": Instant(0)}, "it does not last from 1 to 90 days"),
        ({"closes": Instant(2**53 - 1)}, "it does not last from 1 to 90 days"),
        ({"period": QUARTER}, "it is in the name of a period, and somebody opened it"),
        ({"fallback": "nobody"}, "there was no account nobody"),
        ({"items": 1}, "what it says it is of is not what everybody held"),
        ({"digest": "d"}, "what it says it is of is not what everybody held"),
    ],
)
def test_how_a_review_opens(other: dict[str, Any], why: str) -> None:
    told = ready()
    at = told.add(review(told, **{"review": "rev_2", **other}))
    assert told.said() == [(at, why)]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (decided(by="sue"), "somebody else decided on it"),
        (decided(by="bob", answers=Answers.ROLE_OWNER), "somebody else decided on it"),
        (decided(answers=Answers.MANAGER), "somebody else decided on it"),
        (decided("ada", "administrator"), "somebody else decided on it"),
        (decided("joe"), "no such item of a review waited"),
        (decided(name="rev_2"), "no such item of a review waited"),
        (NO, "the role was left"),
    ],
)
def test_who_decides_on_what(event: ReviewDecided, why: str) -> None:
    told = ready()
    told.sign_in("sue")
    at = told.add(event)
    assert told.said() == [(at, why)]


def test_to_keep_something_takes_a_factor_of_the_last_hour_and_to_remove_it_a_sign_in() -> None:
    told = ready()
    told.wait(HOUR)
    at = told.add(decided())
    told.add(NO, withheld())
    absent = ready(fallback="sue")
    out = absent.add(decided("ada", "administrator", by="sue", answers=Answers.FALLBACK))
    assert told.said() == [(at, "ada had shown no second factor within 60 minutes")]
    assert absent.said() == [(out, "sue was not signed in")]


def test_nothing_is_decided_after_the_end() -> None:
    told = over(ready())
    at = told.add(decided())
    told.add(*taken("eve"), ReviewClosed("rev_1", 1, 0, 7))
    late = told.add(decided("ops", "operator"), replace(returned(), person="ops", role="operator"))
    assert told.said() == [(at, "the review was over")]
    assert late > at


def test_what_is_kept_after_all_is_withheld_no_longer() -> None:
    told = ready()
    told.add(NO, withheld())
    at = told.add(decided())
    assert told.said() == [(at, "it is withheld all the same")]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (replace(PASSED, role="operator"), "no such item of a review waited"),
        (replace(PASSED, review="rev_2"), "no such item of a review waited"),
        (replace(PASSED, by="bob"), "somebody else decided on it"),
        (replace(PASSED, by="max", because=Passed.ASSIGNED), "max held no role with the right to administer"),
        (replace(PASSED, by="bob", because=Passed.ASSIGNED), "they took it from whoever decided on it"),
        (replace(PASSED, to="eve"), "it went to somebody who cannot decide on it"),
        (replace(PASSED, to="nobody"), "it went to somebody who cannot decide on it"),
    ],
)
def test_who_passes_what_on_to_whom(event: ReviewPassed, why: str) -> None:
    told = ready()
    at = told.add(event)
    assert told.said() == [(at, why)]


def test_nothing_goes_to_a_service_account() -> None:
    told = ready()
    told.add(PersonAdded("bot", PersonKind.SERVICE, "deploys", "ada", "max", Instant(told.at() + DAY)))
    at = told.add(replace(PASSED, to="bot"))
    assert told.said() == [(at, "it went to somebody who cannot decide on it")]


def test_whoever_passes_something_on_is_signed_in_and_it_waits() -> None:
    told = ready(fallback="sue")
    item = replace(PASSED, person="ada", role="administrator", by="sue", to="bob")
    nowhere = told.add(replace(PASSED, review="rev_2", by="sue"))
    out = told.add(item)
    told.add(decided())
    done = told.add(replace(PASSED, because=Passed.ASSIGNED))
    over(told)
    late = told.add(replace(PASSED, person="mon", role="security"))
    none = "no such item of a review waited"
    assert told.said() == [
        (nowhere, "sue was not signed in"), (nowhere, none), (out, "sue was not signed in"), (done, none), (late, none),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (ReviewClosed("rev_2", 0, 0, 8), "no such review was open"),
        (ReviewClosed("rev_1", 1, 0, 7), "its numbers are others"),
    ],
)
def test_how_a_review_ends(event: ReviewClosed, why: str) -> None:
    told = over(ready())
    at = told.add(*taken(), event) + len(taken())
    assert told.said() == [(at, why)]


def test_a_review_ends_once_in_time_and_takes_what_nobody_answered() -> None:
    told = ready(suspends=Suspends.NOTHING)
    early = told.add(ReviewClosed("rev_1", 0, 0, 8))
    again = told.add(ReviewClosed("rev_1", 0, 0, 8))
    assert told.said() == [(early, "something waited, and its time was not over"), (again, "no such review was open")]
    left = over(ready())
    at = left.add(*taken("eve"), ReviewClosed("rev_1", 0, 0, 8)) + len(taken("eve"))
    assert left.said() == [(at, "what nobody answered was left")]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (replace(SILENT, by="ada"), "it is in time's name, and somebody did it"),
        (replace(SILENT, review="rev_2"), "its time to be decided on was not over"),
        (
            withheld("joe", "engineer", None, because=Withheld.SILENCE),
            "the review takes nothing of that without an answer",
        ),
        (withheld("nobody", "engineer", None, because=Withheld.SILENCE), "there was no account nobody"),
        (withheld(), "nobody decided to remove it"),
        (withheld(by="bob"), "nobody decided to remove it"),
    ],
)
def test_what_is_withheld(event: RoleWithheld, why: str) -> None:
    told = over(ready())
    at = told.add(event)
    assert (at, why) in told.said()
    assert {found for found, _ in told.said()} == {at}


def test_silence_takes_nothing_before_the_end_nor_what_was_decided_nor_what_the_review_does_not_say() -> None:
    told = ready()
    early = told.add(SILENT)
    assert told.said() == [(early, "its time to be decided on was not over")]
    told = ready()
    told.add(decided())
    over(told)
    kept = told.add(SILENT)
    assert told.said() == [(kept, "its time to be decided on was not over")]
    for suspends, whys in ((Suspends.NOTHING, ["the review takes nothing of that without an answer"]),
                           (Suspends.EVERYTHING, [])):  # fmt: skip
        told = over(ready(suspends=suspends))
        told.add(SILENT)
        assert [why for _, why in told.said()] == whys


def test_what_is_withheld_is_not_withheld_again_and_silence_may_become_a_decision() -> None:
    told = ready()
    told.add(NO, withheld())
    at = told.add(NO, withheld())
    assert told.said() == [(at + 1, "it was withheld already")]
    told = over(ready())
    told.add(SILENT)
    again = told.add(SILENT)
    told.add(NO, withheld())
    assert told.said() == [(again, "it was withheld already")]


def test_somebody_is_left_who_administers() -> None:
    told = ready()
    told.add(decided("bob", "administrator", REMOVE), withheld("bob", "administrator"))
    last = told.add(
        decided("ada", "administrator", REMOVE, "bob", Answers.FALLBACK), withheld("ada", "administrator", "bob")
    )
    assert told.said() == [(last + 1, "after it nobody could administer any more")]


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (replace(returned(), role="operator"), "nothing was withheld after that review"),
        (replace(returned(), person="nobody"), "nothing was withheld after that review"),
        (replace(returned(None, Returned.GIVEN_UP), role="operator"), "nothing was withheld after that review"),
        (returned(), "nobody decided to keep it"),
        (returned(None, Returned.GIVEN_UP), "a binding gave it still"),
    ],
)
def test_what_is_withheld_no_longer(event: RoleReturned, why: str) -> None:
    told = ready()
    told.add(NO, withheld())
    at = told.add(event)
    assert told.said() == [(at, why)]


def test_what_nothing_gives_is_withheld_no_longer() -> None:
    told = ready()
    told.add(NO, withheld())
    told.change("chg_9", "ada", BindingEnded("bnd_eve_engineer", "binding.removed", "", None))
    told.add(returned(None, Returned.GIVEN_UP))
    assert told.said() == []


def test_a_role_that_is_withheld_uses_no_right() -> None:
    """Whoever administers decides nothing while that is withheld, and who brings it back by another way gives it."""
    told = ready()
    told.add(decided("bob", "administrator", REMOVE), withheld("bob", "administrator"))
    at = told.add(review(told, review="rev_2", by="bob"))
    assert told.said() == [(at, "bob held no role with the right to administer")]
