"""Rules of when reviews fall due: each clause broken once, and the product's calendar held against theirs."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.review_schedule import WEEKDAYS, Every, ReviewSchedule, ReviewsSet, Suspends, Trigger
from onepam.domain.history.event import plain
from onepam.domain.people.events import PersonChanged
from onepam.domain.reviews.calendar import Version, due_since, working
from onepam.domain.reviews.events import ReviewOpened, Scope
from onepam.kernel.clock import DAY, Instant, iso, parse
from onepam.ledger.lawful.review_schedule import next_working, period_due
from onepam.ledger.lawful.state import State
from tests.ledger.lawful.story import PROD, Story, role_set
from tests.ledger.lawful.test_reviews import quarters

OFTEN = ReviewsSet(Every.MONTH, 7 * DAY, Suspends.EVERYTHING, None, ("2026-04-01",), (Trigger.MOVER,), "", None)
LESS: list[tuple[dict[str, Any], str]] = [
    ({"every": Every.QUARTER}, "reviews fall due less often"),
    ({"lasts": 8 * DAY}, "reviews may be decided on for longer"),
    ({"suspends": Suspends.PRIVILEGED}, "reviews take less without an answer"),
    ({"fallback": "max"}, "reviews are decided on by somebody else where nobody else can"),
    ({"on": ()}, "reviews open on less"),
]


@pytest.mark.parametrize(("change", "what"), LESS)
def test_what_lets_access_stand_for_longer_takes_two(change: dict[str, Any], what: str) -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_2", "ada", OFTEN, alone=True)
    at = told.change("chg_3", "ada", replace(OFTEN, **change), alone=True)
    assert told.said() == [(at + 2, f"{what}, and nobody else had approved the change")]


def test_with_another_administrators_yes_it_may_be_less() -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_2", "ada", OFTEN, alone=True)
    told.change("chg_3", "ada", replace(OFTEN, every=Every.YEAR, suspends=Suspends.NOTHING, fallback="max", on=()))
    assert told.said() == []


def test_it_is_set_by_a_change() -> None:
    told = Story().ready("ada")
    at = told.add(replace(OFTEN, change="chg_9", by="ada"))
    assert told.said() == [(at, "no change of the roles that was applied says so")]


def test_a_review_is_due_and_lasts_as_the_schedule_says() -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_2", "ada", replace(OFTEN, holidays=("2026-04-01", "2026-04-09")), alone=True)
    told.wait(parse("2026-04-01T12:00:00Z") - told.now)
    early = told.add(monthly(told, 7, review="rev_9"))
    told.wait(DAY)
    at = told.add(monthly(told, 7, review="rev_8"))
    assert told.said() == [(early, "it was not due"), (at, "it does not last as long as the schedule says"),
                           (at, "that period had had its review")]  # fmt: skip


def test_a_review_ends_on_no_holiday() -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_2", "ada", replace(OFTEN, holidays=("2026-04-08",)), alone=True)
    told.wait(parse("2026-04-01T12:00:00Z") - told.now)
    told.add(monthly(told, 8))
    assert told.said() == []


def monthly(told: Story, days: int, review: str = "rev_1") -> ReviewOpened:
    """The review of April by itself, which lasts so many days."""
    ends = Instant(told.at() + days * DAY)
    return quarters(told, period="2026-04", suspends=Suspends.EVERYTHING, closes=ends, review=review)


def test_nobody_who_left_decides_where_nobody_else_can() -> None:
    told = Story().ready("ada", "bob")
    told.change("chg_2", "ada", replace(OFTEN, every=Every.QUARTER, lasts=21 * DAY, fallback="joe"))
    told.add(quarters(told, suspends=Suspends.EVERYTHING, fallback="joe"))
    assert told.said() == []


WIDER = role_set("operator", [PROD])
MOVES = PersonChanged("eve", "ada", "bob", None, None, "eve", "eve@example.com")


def happening(on: tuple[Trigger, ...]) -> Story:
    """Eve comes from max to bob, and the operator's role begins to give more, under a schedule that names those."""
    told = Story().ready("ada", "bob", "max")
    told.add(replace(MOVES, manager="max"))
    told.change("chg_2", "ada", replace(OFTEN, every=Every.QUARTER, lasts=21 * DAY, on=on))
    told.add(MOVES)
    told.change("chg_3", "ada", WIDER)
    return told


@pytest.mark.parametrize("scope", [Scope(people=("eve",)), Scope(roles=("operator",))])
def test_what_happened_has_a_review_of_just_that_once(scope: Scope) -> None:
    told = happening(tuple(Trigger))
    told.add(quarters(told, scope, period="", suspends=Suspends.EVERYTHING))
    assert told.said() == []
    again = told.add(quarters(told, scope, period="", suspends=Suspends.EVERYTHING, review="rev_2"))
    assert [each for each, _ in told.said()] == [again, again]


@pytest.mark.parametrize(
    ("on", "scope"),
    [
        ((Trigger.WIDENED,), Scope(people=("eve",))),
        ((Trigger.MOVER,), Scope(roles=("operator",))),
        (tuple(Trigger), Scope(people=("eve", "max"))),
        (tuple(Trigger), Scope(people=("eve",), roles=("operator",))),
        (tuple(Trigger), Scope(people=("eve",), privileged=True)),
        (tuple(Trigger), Scope()),
    ],
)
def test_nothing_else_has(on: tuple[Trigger, ...], scope: Scope) -> None:
    told = happening(on)
    at = told.add(quarters(told, scope, period="", suspends=Suspends.EVERYTHING))
    assert told.said()[0] == (at, "it was not due")


def test_what_waits_is_forgotten_with_what_the_schedule_names() -> None:
    told = happening(tuple(Trigger))
    less = replace(OFTEN, every=Every.QUARTER, lasts=21 * DAY, on=())
    told.change("chg_4", "ada", less)
    told.change("chg_5", "ada", replace(less, on=tuple(Trigger)))
    at = told.add(quarters(told, Scope(people=("eve",)), period="", suspends=Suspends.EVERYTHING))
    assert told.said()[0] == (at, "it was not due")


DAYS = st.sets(st.integers(0, 730), max_size=20)
SCHEDULES = st.builds(
    lambda every, weekdays, days: ReviewSchedule(every, holidays=(*weekdays, *sorted(days))),
    st.sampled_from(Every),
    st.sets(st.sampled_from(WEEKDAYS), max_size=5).map(sorted),
    DAYS.map(lambda days: {date_of(each) for each in days}),
)
FOUNDED = parse("2025-12-31T12:00:00Z")


def test_a_history_of_odd_times_and_holidays_is_read_to_its_end() -> None:
    state = State()
    assert period_due(state, -1) == ""
    assert next_working(5 * DAY, list(WEEKDAYS)) == 5 * DAY


def date_of(day: int) -> str:
    return iso(Instant(parse("2026-01-01T00:00:00Z") + day * DAY))[:10]


@given(st.lists(st.tuples(st.integers(1, 700), SCHEDULES), max_size=4), st.integers(0, 900 * 24))
def test_both_calendars_say_the_same(those: list[tuple[int, ReviewSchedule]], hours: int) -> None:
    versions = tuple(Version(Instant(FOUNDED + day * DAY), each) for day, each in sorted(those, key=lambda it: it[0]))
    now = Instant(FOUNDED + hours * (DAY // 24))
    versions = tuple(each for each in versions if each.since <= now)
    state = State()
    state.schedules = [(each.since, plain(each.schedule)) for each in versions]  # type: ignore[misc]
    due = due_since(FOUNDED, versions, now)
    if due:
        assert period_due(state, now) == due[-1].period
    for each in versions:
        assert next_working(now, list(each.schedule.holidays)) == working(now, each.schedule)
