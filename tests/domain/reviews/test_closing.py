"""What time does with reviews."""

from dataclasses import replace

import pytest

from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.commit import Decided
from onepam.domain.reviews.closing import (
    MOST_AT_ONCE,
    ClosingFacts,
    GivenUpFacts,
    Progress,
    ReducedFacts,
    carry_out,
    close_review,
    end_reduced,
)
from onepam.domain.reviews.deciding import ReviewFacts
from onepam.domain.reviews.events import (
    Returned,
    ReviewClosed,
    RoleReturned,
    RoleWithheld,
    Verdict,
    Withheld,
)
from onepam.domain.reviews.population import Item
from onepam.kernel.errors import Refused
from tests.domain.given import BEFORE, LATER, NOW

REVIEW = ReviewFacts("rev_1", BEFORE, NOW, Suspends.PRIVILEGED, False)
PLAIN = Item("eve", "test", "v1", (), False)
HIGH = Item("eve", "prod", "v1", (), True)
ADMIN = Item("ada", "admin", "v1", (), True)
ITEMS = (ADMIN, HIGH, PLAIN)
ELSEWHERE = Item("eve", "system:crm", "", (), False)
HELD = frozenset((each.person, each.role) for each in ITEMS)
FACTS = ClosingFacts(REVIEW, ITEMS, frozenset(), HELD, frozenset({"admin"}), frozenset({"ada", "bob"}))
DECIDED = frozenset({("eve", "prod", Verdict.KEEP), ("eve", "test", Verdict.REMOVE), ("ada", "admin", Verdict.KEEP)})


def taken(*items: Item) -> tuple[RoleWithheld, ...]:
    return tuple(RoleWithheld(each.person, each.role, "rev_1", Withheld.SILENCE, None) for each in items)


@pytest.mark.parametrize(
    ("facts", "silence"),
    [
        (FACTS, (ADMIN, HIGH)),
        (replace(FACTS, review=replace(REVIEW, suspends=Suspends.EVERYTHING)), ITEMS),
        (
            replace(
                FACTS,
                review=replace(REVIEW, suspends=Suspends.EVERYTHING),
                items=(ADMIN, HIGH, ELSEWHERE),
                held=HELD | {("eve", "system:crm")},
            ),
            ITEMS[:2],
        ),
        (replace(FACTS, review=replace(REVIEW, suspends=Suspends.NOTHING)), ()),
        (replace(FACTS, held=HELD - {("eve", "prod")}), (ADMIN,)),
        (replace(FACTS, administrators=frozenset({"ada"})), (HIGH,)),
        (replace(FACTS, administrators=frozenset()), (HIGH,)),
    ],
)
def test_silence_takes_what_the_review_said_and_spares_the_last_administrators(
    facts: ClosingFacts, silence: tuple[Item, ...]
) -> None:
    over = ReviewClosed("rev_1", 0, 0, 3)
    assert close_review(facts, NOW) == Decided((*taken(*silence), over), Progress(len(silence), True))


def test_where_all_is_decided_it_is_over_at_once() -> None:
    facts = replace(FACTS, review=replace(REVIEW, closes=LATER), decided=DECIDED)
    assert close_review(facts, NOW) == Decided((ReviewClosed("rev_1", 2, 1, 0),), Progress(0, True))


def test_many_are_taken_in_portions() -> None:
    many = tuple(Item(f"per_{number}", "prod", "v1", (), True) for number in range(MOST_AT_ONCE + 1))
    facts = replace(FACTS, items=many, held=frozenset((each.person, each.role) for each in many))
    assert close_review(facts, NOW) == Decided(taken(*many[:MOST_AT_ONCE]), Progress(MOST_AT_ONCE, False))


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(FACTS, review=None), "review.unknown"),
        (replace(FACTS, review=replace(REVIEW, closed=True)), "review.unknown"),
        (replace(FACTS, review=replace(REVIEW, closes=LATER)), "review.runs"),
    ],
)
def test_what_does_not_end(facts: ClosingFacts, code: str) -> None:
    outcome = close_review(facts, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code


def test_what_nothing_gives_any_more_is_withheld_no_longer() -> None:
    returned = RoleReturned("eve", "prod", "rev_1", Returned.GIVEN_UP, None)
    assert carry_out(GivenUpFacts((("eve", "prod", "rev_1"),)), NOW) == Decided((returned,), 1)


def test_what_was_kept_until_a_day_is_withheld_then_and_the_last_who_administer_are_spared() -> None:
    due = (("ada", "admin", "rev_1"), ("eve", "prod", "rev_2"))
    ada, eve = (RoleWithheld(who, role, review, Withheld.REDUCED, None) for who, role, review in due)
    both = ReducedFacts(due, frozenset({"admin"}), frozenset({"ada", "bob"}))
    assert end_reduced(both, NOW) == Decided((ada, eve), 2)
    assert end_reduced(replace(both, administrators=frozenset({"ada"})), NOW) == Decided((eve,), 1)
    assert end_reduced(ReducedFacts((), frozenset(), frozenset({"ada"})), NOW) == Decided((), 0)
