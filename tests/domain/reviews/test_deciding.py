"""Deciding on an item of a review, and passing it on."""

from dataclasses import replace

import pytest

from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.commit import Decided
from onepam.domain.reviews.advice import Odd
from onepam.domain.reviews.answering import Chain
from onepam.domain.reviews.deciding import (
    LONGEST_KEPT,
    ItemFacts,
    ReviewFacts,
    Usual,
    UsualFacts,
    Withholding,
    decide_item,
    keep_usual,
    pass_on,
)
from onepam.domain.reviews.events import (
    Answers,
    Passed,
    Returned,
    ReviewDecided,
    ReviewPassed,
    RoleReduced,
    RoleReturned,
    RoleWithheld,
    Verdict,
    Withheld,
)
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, BEFORE, LATER, MANAGER, NOW, present

KEEP, REMOVE = Verdict.KEEP, Verdict.REMOVE
REVIEW = ReviewFacts("rev_1", BEFORE, LATER, Suspends.PRIVILEGED, False)
CHAIN = Chain("eve", None, "max", None, "ada", "bob", frozenset({"max", "ada", "bob", "eve"}))
MAX = present("max", MANAGER)
FACTS = ItemFacts(MAX, REVIEW, CHAIN, None, True, None, False, True)
SILENT = Withholding("rev_1", Withheld.SILENCE)
OVER = replace(REVIEW, closes=NOW)


def said(verdict: Verdict, note: str | None = "fine") -> ReviewDecided:
    return ReviewDecided("rev_1", "eve", "dev", verdict, "max", Answers.MANAGER, note)


def decide(facts: ItemFacts, verdict: Verdict, note: str = "fine") -> object:
    return decide_item(facts, "eve", "dev", verdict, note, NOW)


def code(outcome: object) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.code


def withheld(because: Withheld = Withheld.REMOVED) -> RoleWithheld:
    return RoleWithheld("eve", "dev", "rev_1", because, "max")


RETURNED = RoleReturned("eve", "dev", "rev_1", Returned.KEPT, "max")


def test_what_is_recommended_to_be_removed_is_kept_with_a_note_only() -> None:
    facts = replace(FACTS, against=(Odd.UNUSED, Odd.SEPARATED))
    refused = decide(facts, KEEP, "")
    assert code(refused) == "review.say_why"
    assert isinstance(refused, Refused)
    assert refused.message.endswith(f"{Odd.UNUSED.words}; {Odd.SEPARATED.words}.")
    assert isinstance(decide(facts, KEEP, "on call"), Decided)
    assert isinstance(decide(facts, REMOVE, ""), Decided)


def test_what_administers_is_removed_under_a_fresh_factor() -> None:
    stale = replace(MAX, mfa_at=Instant(NOW - FRESH_FACTOR))
    facts = replace(FACTS, actor=stale, administers=True)
    assert code(decide(facts, REMOVE)) == "factor.stale"
    assert isinstance(decide(facts, KEEP), Decided)
    assert isinstance(decide(replace(facts, administers=False), REMOVE), Decided)
    assert isinstance(decide(replace(facts, actor=MAX), REMOVE), Decided)


def test_only_what_is_as_usual_is_kept_together() -> None:
    usual, odd = Usual("eve", "dev", FACTS, False), Usual("eve", "ops", FACTS, True)
    said_already = Usual("eve", "old", replace(FACTS, verdict=KEEP), False)
    better_not = Usual("eve", "dba", replace(FACTS, against=(Odd.UNUSED,)), False)
    kept = keep_usual(UsualFacts((odd, usual, said_already, better_not)), NOW)
    assert kept == Decided((said(KEEP, None),), 1)
    assert code(keep_usual(UsualFacts((odd,)), NOW)) == "review.unusual"
    assert code(keep_usual(UsualFacts(()), NOW)) == "review.unusual"
    assert code(keep_usual(UsualFacts((said_already,)), NOW)) == "review.decided"


@pytest.mark.parametrize(
    ("facts", "verdict", "follows"),
    [
        (FACTS, KEEP, ()),
        (FACTS, REMOVE, (withheld(),)),
        (replace(FACTS, held=False), REMOVE, ()),
        (replace(FACTS, verdict=REMOVE, withheld=Withholding("rev_1", Withheld.REMOVED)), KEEP, (RETURNED,)),
        (replace(FACTS, verdict=KEEP), REMOVE, (withheld(),)),
        (replace(FACTS, withheld=Withholding("rev_0", Withheld.REMOVED)), KEEP, ()),
        (replace(FACTS, withheld=Withholding("rev_0", Withheld.REMOVED)), REMOVE, ()),
        (replace(FACTS, withheld=Withholding("rev_0", Withheld.SILENCE)), REMOVE, (withheld(),)),
        (replace(FACTS, review=OVER, withheld=SILENT), KEEP, (RETURNED,)),
        (replace(FACTS, review=replace(OVER, closed=True), withheld=SILENT), KEEP, (RETURNED,)),
        (replace(FACTS, review=OVER, withheld=SILENT), REMOVE, (withheld(),)),
    ],
)
def test_what_follows_from_a_decision(facts: ItemFacts, verdict: Verdict, follows: tuple[object, ...]) -> None:
    assert decide(facts, verdict) == Decided((said(verdict), *follows), None)


def test_a_note_need_not_be() -> None:
    assert decide(FACTS, KEEP, "") == Decided((said(KEEP, None),), None)


@pytest.mark.parametrize(
    ("facts", "verdict", "refused"),
    [
        (replace(FACTS, actor=replace(MAX, enabled=False)), KEEP, "person.disabled"),
        (replace(FACTS, review=None), KEEP, "review.unknown"),
        (replace(FACTS, chain=None), KEEP, "review.unknown"),
        (replace(FACTS, actor=present("eve")), KEEP, "review.own"),
        (replace(FACTS, chain=replace(CHAIN, hands=frozenset({"max"}))), KEEP, "review.own"),
        (replace(FACTS, elsewhere=True), KEEP, "review.removed_elsewhere"),
        (replace(FACTS, actor=present("ada")), KEEP, "review.not_yours"),
        (replace(FACTS, chain=replace(CHAIN, here=frozenset())), KEEP, "review.not_yours"),
        (replace(FACTS, review=OVER), KEEP, "review.over"),
        (replace(FACTS, review=replace(REVIEW, closed=True)), KEEP, "review.over"),
        (replace(FACTS, review=OVER, withheld=Withholding("rev_1", Withheld.REMOVED)), KEEP, "review.over"),
        (replace(FACTS, verdict=KEEP), KEEP, "review.decided"),
        (replace(FACTS, actor=replace(MAX, mfa_at=Instant(NOW - HOUR))), KEEP, "factor.stale"),
        (replace(FACTS, last=True), REMOVE, "review.last_administrator"),
    ],
)
def test_what_is_not_decided(facts: ItemFacts, verdict: Verdict, refused: str) -> None:
    assert code(decide(facts, verdict)) == refused


def test_to_remove_something_takes_no_fresh_factor() -> None:
    assert isinstance(decide(replace(FACTS, actor=replace(MAX, mfa_at=Instant(NOW - HOUR))), REMOVE), Decided)
    assert isinstance(decide(replace(FACTS, last=True), KEEP), Decided)


def test_a_note_is_plain_text() -> None:
    assert code(decide(FACTS, KEEP, "\u202e")) == "text.not_plain"
    assert code(hand_on(FACTS, "bob", "\u202e")) == "text.not_plain"


def hand_on(facts: ItemFacts, to: str | None, note: str = "") -> object:
    return pass_on(facts, "eve", "dev", to, note, NOW)


def passed(to: str, because: Passed, by: str = "max", note: str | None = None) -> Decided[str]:
    return Decided((ReviewPassed("rev_1", "eve", "dev", to, because, by, note),), to)


def test_it_goes_to_the_next_or_to_whoever_is_named() -> None:
    assert hand_on(FACTS, None) == passed("ada", Passed.NOT_MINE)
    assert hand_on(FACTS, "sue", "knows") == passed("sue", Passed.DELEGATED, note="knows")


def test_whoever_administers_names_somebody_for_what_is_not_theirs() -> None:
    ada = replace(FACTS, actor=present("ada", ADMINISTRATOR))
    assert hand_on(ada, "sue") == passed("sue", Passed.ASSIGNED, "ada")
    left = replace(CHAIN, manager=None, owner=None, fallback=None)
    assert hand_on(replace(ada, chain=left), "ada") == passed("ada", Passed.ASSIGNED, "ada")
    nobody = replace(ada, chain=replace(CHAIN, here=frozenset()))
    assert hand_on(nobody, "sue") == passed("sue", Passed.ASSIGNED, "ada")
    own = replace(FACTS, actor=present("eve", ADMINISTRATOR))
    assert code(hand_on(own, "sue")) == "review.own"
    assert hand_on(replace(own, alone=True), "sue") == passed("sue", Passed.ASSIGNED, "eve")
    assert code(hand_on(ada, None)) == "review.not_yours"
    assert code(hand_on(replace(ada, review=None), "sue")) == "review.unknown"


@pytest.mark.parametrize(
    ("facts", "to", "refused"),
    [
        (replace(FACTS, actor=present("sue")), "bob", "review.not_yours"),
        (replace(FACTS, review=OVER), None, "review.over"),
        (replace(FACTS, verdict=KEEP), None, "review.decided"),
        (replace(FACTS, chain=replace(CHAIN, here=frozenset({"max"}))), None, "review.nobody_else"),
        (replace(FACTS, named_may=False), "gone", "review.cannot_decide"),
        (FACTS, "max", "review.cannot_decide"),
    ],
)
def test_what_is_not_passed_on(facts: ItemFacts, to: str | None, refused: str) -> None:
    assert code(hand_on(facts, to)) == refused


def test_whoever_administers_takes_nothing_for_themselves_from_whoever_decides() -> None:
    ada = replace(FACTS, actor=present("ada", ADMINISTRATOR))
    assert code(pass_on(ada, "eve", "dev", "ada", "", NOW)) == "review.takes_it"
    assert isinstance(pass_on(ada, "eve", "dev", "bob", "", NOW), Decided)
    left = replace(ada, chain=replace(CHAIN, here=frozenset({"zoe"})))
    assert isinstance(pass_on(left, "eve", "dev", "ada", "", NOW), Decided), "nobody is left who could"


def until(facts: ItemFacts, day: Instant, verdict: Verdict = KEEP, role: str = "dev") -> object:
    return decide_item(facts, "eve", role, verdict, "fine", NOW, day)


def test_what_is_kept_until_a_day_is_kept_and_says_so() -> None:
    day = Instant(NOW + LONGEST_KEPT)
    assert until(FACTS, day) == Decided((said(KEEP), RoleReduced("eve", "dev", "rev_1", day, "max")), None)
    ends_later = replace(FACTS, ends=Instant(day + 1))
    assert isinstance(until(ends_later, day), Decided)
    late = until(replace(FACTS, review=OVER, withheld=SILENT), day)
    assert late == Decided((said(KEEP), RETURNED, RoleReduced("eve", "dev", "rev_1", day, "max")), None)
    again = replace(FACTS, verdict=KEEP, reduced=True)
    assert isinstance(until(again, day), Decided)
    assert decide(again, KEEP) == Decided((said(KEEP),), None), "and without an end after all"
    over = replace(again, reduced=False, withheld=Withholding("rev_1", Withheld.REDUCED))
    assert decide(over, REMOVE) == Decided((said(REMOVE),), None), "it gives nothing already"


@pytest.mark.parametrize(
    ("facts", "day", "verdict", "role", "why"),
    [
        (FACTS, DAY, REMOVE, "dev", "review.not_until"),
        (FACTS, DAY, KEEP, "system:crm", "review.not_until"),
        (replace(FACTS, held=False), DAY, KEEP, "dev", "review.not_until"),
        (FACTS, 0, KEEP, "dev", "review.until"),
        (FACTS, LONGEST_KEPT + 1, KEEP, "dev", "review.until"),
        (replace(FACTS, ends=Instant(NOW + DAY)), DAY, KEEP, "dev", "review.ends_before"),
        (replace(FACTS, actor=replace(MAX, mfa_at=Instant(NOW - FRESH_FACTOR)), administers=True), DAY, KEEP, "dev",
         "factor.stale"),
        (replace(FACTS, against=(Odd.UNUSED,)), DAY, KEEP, "dev", ""),
    ],
)  # fmt: skip
def test_what_is_not_kept_until_a_day(facts: ItemFacts, day: int, verdict: Verdict, role: str, why: str) -> None:
    outcome = until(facts, Instant(NOW + day), verdict, role)
    assert code(outcome) == why if why else isinstance(outcome, Decided)
