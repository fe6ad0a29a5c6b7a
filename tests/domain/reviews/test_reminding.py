"""Who is told that something waits, and when."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.commit import Decided
from onepam.domain.reviews.deciding import ReviewFacts
from onepam.domain.reviews.events import ReviewReminded, Stage
from onepam.domain.reviews.reminding import SHORTLY, RemindingFacts, Waits, is_due, remind, stage_of
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import NOW

OPENED, CLOSES = NOW, Instant(NOW + 20 * DAY)
REVIEW = ReviewFacts("rev_1", OPENED, CLOSES, Suspends.PRIVILEGED, False)
FACTS = RemindingFacts(REVIEW, None, {"max": Waits(3, 2), "ada": Waits(1, 0)})


@pytest.mark.parametrize(
    ("at", "stage"),
    [
        (OPENED, Stage.OPENED),
        (OPENED + 10 * DAY - 1, Stage.OPENED),
        (OPENED + 10 * DAY, Stage.HALF),
        (CLOSES - SHORTLY - 1, Stage.HALF),
        (CLOSES - SHORTLY, Stage.LAST),
        (CLOSES - 1, Stage.LAST),
        (CLOSES, None),
    ],
)
def test_stages(at: int, stage: Stage | None) -> None:
    assert stage_of(OPENED, CLOSES, Instant(at)) is stage


def test_a_short_review_is_not_at_its_end_when_it_begins() -> None:
    assert stage_of(OPENED, Instant(OPENED + DAY), OPENED) is Stage.OPENED


def test_each_for_whom_something_waits_is_told_once_at_each_stage() -> None:
    told = (
        ReviewReminded("rev_1", "ada", Stage.OPENED, 1, 0, CLOSES),
        ReviewReminded("rev_1", "max", Stage.OPENED, 3, 2, CLOSES),
    )
    assert remind(FACTS, NOW) == Decided(told, 2)
    later = remind(replace(FACTS, told=Stage.OPENED), Instant(CLOSES - 1))
    assert isinstance(later, Decided)
    assert [each.stage for each in later.events if isinstance(each, ReviewReminded)] == [Stage.LAST] * 2
    assert remind(replace(FACTS, waits={}), NOW) == Decided((), 0)


def test_from_half_time_on_whoever_is_next_is_told_too() -> None:
    facts = replace(FACTS, above={"bob": Waits(4, 2)})
    assert remind(facts, NOW) == remind(FACTS, NOW)
    for at in (Instant(OPENED + 10 * DAY), Instant(CLOSES - 1)):
        outcome = remind(facts, at)
        assert isinstance(outcome, Decided)
        assert outcome.events[-1] == ReviewReminded("rev_1", "bob", Stage.ESCALATED, 4, 2, CLOSES)
        assert outcome.result == 3


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, review=None),
        replace(FACTS, review=replace(REVIEW, closed=True)),
        replace(FACTS, review=replace(REVIEW, closes=NOW)),
        replace(FACTS, told=Stage.OPENED),
    ],
)
def test_when_nobody_is_told(facts: RemindingFacts) -> None:
    outcome = remind(facts, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == "review.not_due"


@given(st.lists(st.integers(0, 21), max_size=8))
def test_nobody_is_told_more_than_three_times(days: list[int]) -> None:
    told, count = None, 0
    for day in sorted(days):
        stage = stage_of(OPENED, CLOSES, Instant(OPENED + day * DAY))
        if is_due(stage, told):
            told, count = stage, count + 1
    assert count <= 3
