"""The section `reviews` of access.yaml, what a plan says of it, and when it takes two."""

from dataclasses import replace
from typing import Any

import pytest

from onepam.domain.access.review_schedule import (
    BUILT_IN,
    Every,
    ReviewSchedule,
    ReviewsSet,
    Suspends,
    Trigger,
    laxer,
)
from onepam.domain.matrix.file import read_access, resolve
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.domain.matrix.plan import How, ObjectChange, make_plan, plan_events
from onepam.kernel.clock import DAY
from tests.domain.matrices import BASE, DOCUMENT, NOW

MAX = Someone("max", "max@example.com", True, None)
FULL = """
  every: half-year
  lasts: 14d
  suspends: everything
  fallback: max@example.com
  holidays: [2027-01-01, "2027-07-01", sunday, saturday]
  on: [widened, mover]
"""
SCHEDULE = ReviewSchedule(
    Every.HALF_YEAR, 14 * DAY, Suspends.EVERYTHING, "max", ("2027-01-01", "2027-07-01", "saturday", "sunday"),
    (Trigger.MOVER, Trigger.WIDENED),
)  # fmt: skip


def read(section: str) -> Any:
    return resolve(read_access(f"version: 1\nreviews:{section}"), (MAX,))


def test_the_whole_section() -> None:
    found = read(FULL)
    assert isinstance(found, Matrix)
    assert found.reviews == SCHEDULE


@pytest.mark.parametrize("section", [" {}", "\n  every: quarter\n", "\n  lasts: 21d\n  holidays: []\n"])
def test_what_it_leaves_out_is_as_built_in(section: str) -> None:
    found = read(section)
    assert isinstance(found, Matrix)
    assert found.reviews == BUILT_IN
    nothing = resolve(read_access("version: 1"), ())
    assert isinstance(nothing, Matrix)
    assert nothing.reviews == BUILT_IN
    assert (
        nothing.digest() == replace(nothing, reviews=BUILT_IN).digest() != replace(nothing, reviews=SCHEDULE).digest()
    )


def days(number: int) -> str:
    return ", ".join(f"2027-03-{each:02}" for each in range(1, number + 1))


def test_a_review_is_put_off_by_two_weeks_at_most() -> None:
    assert isinstance(read(f"\n  holidays: [{days(14)}]\n"), Matrix)


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        (" [often]", "The section of reviews must be a mapping."),
        ("\n  often: yes\n", "A section of reviews has no `often`."),
        ("\n  every: week\n", "`week` is not an interval."),
        ("\n  suspends: all\n", "`all` is not an answer to silence."),
        ("\n  lasts: 12h\n", "A review lasts whole days. From 1d to 90d with this interval."),
        ("\n  lasts: 0d\n", "A review lasts whole days."),
        ("\n  lasts: [1d]\n", "A review lasts whole days."),
        ("\n  every: month\n  lasts: 29d\n", "From 1d to 28d with this interval."),
        ("\n  fallback: eve@example.com\n", "Nobody here has the address eve@example.com."),
        ("\n  holidays: [2027-02-29]\n", "`2027-02-29` is neither a day nor a weekday."),
        ("\n  holidays: [christmas]\n", "`christmas` is neither a day nor a weekday."),
        ("\n  holidays: [[sunday]]\n", "`` is neither a day nor a weekday."),
        ("\n  holidays: [sunday, sunday]\n", "`sunday` stands here twice."),
        (f"\n  holidays: [{days(15)}]\n", "More than 14 days in a row are holidays."),
        ("\n  holidays: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]\n", "More than 14 days"),
        ("\n  on: [leaver]\n", "`leaver` is not a trigger."),
    ],
)
def test_what_is_wrong_in_it_is_said(section: str, problem: str) -> None:
    found = read(section)
    assert not isinstance(found, Matrix)
    assert problem in "\n".join(map(str, found.problems))


def test_a_plan_says_what_changes_and_sets_it() -> None:
    plan = make_plan(BASE, replace(BASE, reviews=SCHEDULE), DOCUMENT, NOW)
    assert plan.objects == (
        ObjectChange(
            "schedule",
            "reviews",
            How.CHANGED,
            (
                "every: quarter → half-year",
                "lasts: 21 days → 14 days",
                "suspends: privileged → everything",
                "fallback",
                "holidays: none → 2027-01-01, 2027-07-01, saturday, sunday",
                "on: none → mover, widened",
            ),
        ),
    )
    assert plan.summary() == "1 schedule changed; gain: 0, lose: 0"
    assert plan_events(plan, "chg_1", "ada") == (
        ReviewsSet(
            Every.HALF_YEAR, 14 * DAY, Suspends.EVERYTHING, "max", SCHEDULE.holidays, SCHEDULE.on, "chg_1", "ada"
        ),
    )
    same = make_plan(BASE, BASE, DOCUMENT, NOW)
    assert (same.objects, plan_events(same, "chg_1", "ada")) == ((), ())


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"every": Every.YEAR}, "fall due less often"),
        ({"lasts": 15 * DAY}, "may be decided on for longer"),
        ({"suspends": Suspends.PRIVILEGED}, "take less without an answer"),
        ({"suspends": Suspends.NOTHING}, "take less without an answer"),
        ({"fallback": None}, "are decided on by somebody else where nobody else can"),
        ({"fallback": "eve"}, "are decided on by somebody else where nobody else can"),
        ({"on": (Trigger.WIDENED,)}, "no longer open on mover"),
    ],
)
def test_what_lets_access_stand_for_longer_takes_two(change: dict[str, Any], word: str) -> None:
    after = replace(SCHEDULE, **change)
    assert list(laxer(SCHEDULE, after)) == [word]
    assert list(laxer(after, SCHEDULE)) in ([], [word])
    plan = make_plan(replace(BASE, reviews=SCHEDULE), replace(BASE, reviews=after), DOCUMENT, NOW)
    assert plan.widens
    assert plan.widenings == (f"reviews: {word}",)


@pytest.mark.parametrize(
    "change",
    [
        {"every": Every.MONTH},
        {"lasts": 7 * DAY},
        {"holidays": ("2027-01-01",)},
        {"on": (Trigger.MOVER, Trigger.WIDENED)},
    ],
)
def test_what_asks_more_takes_one(change: dict[str, Any]) -> None:
    assert not make_plan(BASE, replace(BASE, reviews=replace(BUILT_IN, **change)), DOCUMENT, NOW).widens
