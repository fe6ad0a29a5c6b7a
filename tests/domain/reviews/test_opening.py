"""Who opens a review, and when one opens by itself."""

from dataclasses import replace

import pytest

from onepam.domain.access.review_schedule import Every, ReviewSchedule, Suspends, Trigger
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import kind_of
from onepam.domain.matrix.matrix import Someone
from onepam.domain.reviews.calendar import Version, begins, period_of
from onepam.domain.reviews.events import ReviewOpened, ReviewOpened1, Scope, Scope1
from onepam.domain.reviews.opening import (
    MOST_NAMED,
    MOST_OPEN,
    Opened,
    Opening,
    OpeningFacts,
    open_period,
    open_review,
    open_triggered,
)
from onepam.domain.reviews.population import Way, digest, population
from onepam.kernel.clock import DAY, Instant, iso
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, MANAGER, present
from tests.domain.matrices import BASE, NOW

PEOPLE = tuple(Someone(each, "", each != "gone", None) for each in ("ada", "eve", "max", "gone"))
ADA = replace(present("ada", ADMINISTRATOR), signed_in_until=Instant(NOW + DAY), mfa_at=NOW)
FACTS = OpeningFacts(ADA, BASE, PEOPLE, frozenset(), 0, Instant(0))
WANTED = Opening(Scope(), 14 * DAY, Suspends.EVERYTHING, "max")
ITEMS = population(BASE, PEOPLE, Scope(), NOW)


def test_an_administrator_opens_one_of_what_everybody_holds_now() -> None:
    opened = ReviewOpened(
        "rev_1", "", Scope(), 2, digest(ITEMS, BASE), Instant(NOW + 14 * DAY), Suspends.EVERYTHING, "max", "ada"
    )
    assert open_review(FACTS, WANTED, "rev_1", NOW) == Decided((opened,), Opened("rev_1", 2))
    assert isinstance(open_review(FACTS, Opening(Scope(), DAY), "rev_1", NOW), Decided)


@pytest.mark.parametrize(
    ("facts", "wanted", "code"),
    [
        (replace(FACTS, actor=replace(ADA, roles=(MANAGER,))), WANTED, "right.missing"),
        (FACTS, replace(WANTED, lasts=DAY - 1), "review.lasts"),
        (FACTS, replace(WANTED, lasts=90 * DAY + 1), "review.lasts"),
        (replace(FACTS, open=MOST_OPEN), WANTED, "review.many"),
        (FACTS, replace(WANTED, fallback="gone"), "review.fallback"),
        (FACTS, replace(WANTED, scope=Scope(roles=("none",))), "review.scope"),
        (FACTS, replace(WANTED, scope=Scope(resources=("none",))), "review.scope"),
        (FACTS, replace(WANTED, scope=Scope(people=("none",))), "review.scope"),
        (FACTS, replace(WANTED, scope=Scope(systems=("system:none",))), "review.scope"),
        (FACTS, replace(WANTED, scope=Scope(roles=("dev",) * (MOST_NAMED + 1))), "review.scope"),
        (FACTS, replace(WANTED, scope=Scope(people=("gone",))), "review.empty"),
    ],
)
def test_what_is_not_opened(facts: OpeningFacts, wanted: Opening, code: str) -> None:
    outcome = open_review(facts, wanted, "rev_1", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_what_is_held_in_other_systems_is_counted_and_may_be_all_that_it_is_of() -> None:
    facts = replace(FACTS, beyond={("eve", "system:crm"): (Way("lac_1", "read"),)})
    for scope, counts in ((Scope(), (3, 1)), (Scope(systems=("system:crm",)), (1, 1))):
        outcome = open_review(facts, replace(WANTED, scope=scope), "rev_1", NOW)
        assert isinstance(outcome, Decided)
        (opened,) = outcome.events
        assert isinstance(opened, ReviewOpened)
        assert (opened.items, opened.beyond) == counts


def test_an_older_opening_was_of_roles_only() -> None:
    scope = Scope1(("dev",), ("eve",), ("web",), True)
    old = ReviewOpened1("rev_1", "", scope, 2, "d", NOW, Suspends.NOTHING, None, None)
    upcast = kind_of(ReviewOpened("", "", Scope(), 0, "", NOW, Suspends.NOTHING, None, None)).upcast
    assert upcast is not None
    assert upcast(old) == ReviewOpened(
        "rev_1", "", Scope(("dev",), ("eve",), ("web",), True), 2, "d", NOW, Suspends.NOTHING, None, None, 0
    )


def test_a_periods_review_opens_by_itself_and_once() -> None:
    quarter, alone = period_of(Every.QUARTER, NOW), replace(FACTS, actor=None)
    outcome = open_period(alone, "rev_1", NOW)
    assert isinstance(outcome, Decided)
    (opened,) = outcome.events
    closes = Instant(NOW + 21 * DAY)
    assert opened == ReviewOpened(
        "rev_1", quarter, Scope(), 2, digest(ITEMS, BASE), closes, Suspends.PRIVILEGED, None, None
    )
    for facts in (replace(alone, periods=frozenset({quarter})), replace(alone, founded=begins(quarter))):
        refused = open_period(facts, "rev_1", NOW)
        assert isinstance(refused, Refused)
        assert refused.code == "review.not_due"


ON = replace(BASE, reviews=ReviewSchedule(lasts=7 * DAY, on=tuple(Trigger)))
HAPPENED = replace(
    FACTS, actor=None, matrix=ON,
    triggered={Trigger.MOVER: frozenset({"max", "gone", "ada"}), Trigger.WIDENED: frozenset({"dev", "none"})},
)  # fmt: skip


@pytest.mark.parametrize(
    ("trigger", "scope"), [(Trigger.MOVER, Scope(people=("max",))), (Trigger.WIDENED, Scope(roles=("dev",)))]
)
def test_what_happened_opens_a_review_of_just_that(trigger: Trigger, scope: Scope) -> None:
    outcome = open_triggered(HAPPENED, trigger, "rev_1", NOW)
    assert isinstance(outcome, Decided)
    (opened,) = outcome.events
    items = population(BASE, PEOPLE, scope, NOW)
    closes = Instant(NOW + 7 * DAY)
    assert opened == ReviewOpened("rev_1", "", scope, 1, digest(items, BASE), closes, Suspends.PRIVILEGED, None, None)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(HAPPENED, matrix=BASE), "review.not_due"),
        (replace(HAPPENED, triggered={}), "review.not_due"),
        (replace(HAPPENED, matrix=replace(ON, reviews=replace(ON.reviews, holidays=(iso(NOW)[:10],)))),
         "review.not_due"),
        (replace(HAPPENED, open=MOST_OPEN), "review.many"),
        (replace(HAPPENED, triggered={Trigger.MOVER: frozenset({"ada"})}), "review.empty"),
    ],
)  # fmt: skip
def test_nothing_opens_by_what_happened(facts: OpeningFacts, code: str) -> None:
    outcome = open_triggered(facts, Trigger.MOVER, "rev_1", NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


@pytest.mark.parametrize(("fallback", "decides"), [("max", "max"), ("gone", None)])
def test_it_is_what_the_schedule_says(fallback: str, decides: str | None) -> None:
    ends = iso(Instant(NOW + 7 * DAY))[:10]
    schedule = ReviewSchedule(Every.MONTH, 7 * DAY, Suspends.EVERYTHING, fallback, (ends,))
    facts = replace(
        FACTS, actor=None, matrix=replace(BASE, reviews=schedule), schedules=(Version(Instant(DAY), schedule),)
    )
    outcome = open_period(facts, "rev_1", NOW)
    assert isinstance(outcome, Decided)
    (opened,) = outcome.events
    assert isinstance(opened, ReviewOpened)
    assert (opened.period, opened.closes) == (period_of(Every.MONTH, NOW), NOW + 8 * DAY)
    assert (opened.suspends, opened.fallback) == (Suspends.EVERYTHING, decides)
