"""Who signs a review off, what they have seen of it, and who decided faster than anybody reads."""

from dataclasses import replace

import pytest

from onepam.domain.access.authority import HeldRole
from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proof import MfaBasis
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.commit import Decided
from onepam.domain.reviews.deciding import ReviewFacts
from onepam.domain.reviews.events import ReviewSignedOff, Verdict
from onepam.domain.reviews.figures import FEWEST, Decision, Figures, Pace, figures, paces
from onepam.domain.reviews.signing_off import SigningFacts, sign_off
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Refused
from tests.domain.given import ADMINISTRATOR, BEFORE, ENGINEER, MANAGER, NOW, present

KEEP, REMOVE = Verdict.KEEP, Verdict.REMOVE
AUDITOR = HeldRole("bnd_5", "", "auditor", "v1", (), (ConsoleRight.AUDIT,), None)
AUD = replace(present("aud", AUDITOR), mfa_at=NOW)
OVER = ReviewFacts("rev_1", BEFORE, NOW, Suspends.PRIVILEGED, True)
DECISIONS = (
    Decision("eve", "dba", REMOVE, "max", Instant(10 * SECOND)),
    Decision("eve", "dev", KEEP, "max", Instant(3 * SECOND)),
    Decision("joe", "dev", REMOVE, "ada", Instant(4 * SECOND)),
)
WITHHELD = frozenset({("eve", "dba"), ("eve", "dev")})
FACTS = SigningFacts(AUD, OVER, 5, DECISIONS, WITHHELD, False, frozenset({"ada", "max", "sue"}))
"""Sue had decided on something, and somebody else decided otherwise later."""
SEEN = "1.0.2.2.1"


def made(number: int, kept: int, apart: int, by: str = "max") -> list[Decision]:
    """So many decisions of one reviewer, each so long after the one before."""
    return [Decision("eve", str(n), KEEP if n < kept else REMOVE, by, Instant(n * apart)) for n in range(number)]


def test_what_a_review_comes_to() -> None:
    found = figures(5, DECISIONS, {("eve", "dba"), ("eve", "dev"), ("joe", "none")})
    assert found == Figures(1, 2, 2, 1, ())
    assert found.seen() == SEEN
    assert replace(found, rubber_stamps=("ada", "max")).seen() == "1.0.2.2.1.ada.max"
    assert paces(DECISIONS) == (Pace("ada", 1, 0, None), Pace("max", 2, 1, 7 * SECOND))


@pytest.mark.parametrize(
    ("decisions", "stamps"),
    [
        (made(50, 48, SECOND), ("max",)),
        (made(50, 47, SECOND), ()),
        (made(49, 49, SECOND), ()),
        (made(100, 95, SECOND), ()),
        (made(100, 96, SECOND), ("max",)),
        (made(50, 50, 2 * SECOND), ()),
        (made(50, 50, 2 * SECOND - 1), ("max",)),
        (made(50, 50, 0), ("max",)),
        ([*made(60, 60, SECOND, "zoe"), *made(60, 60, SECOND, "bob"), *made(60, 60, 9 * SECOND)], ("bob", "zoe")),
        ([*made(30, 30, SECOND), *(replace(each, at=Instant(each.at + 90 * SECOND)) for each in made(30, 30, SECOND))],
         ("max",)),
        ([], ()),
    ],
)  # fmt: skip
def test_who_keeps_nearly_everything_of_much_in_no_time_has_stamped(
    decisions: list[Decision], stamps: tuple[str, ...]
) -> None:
    assert FEWEST == 50
    assert figures(len(decisions), tuple(decisions), ()).rubber_stamps == stamps


def test_somebody_who_had_no_part_in_it_signs_it_off() -> None:
    signed = ReviewSignedOff("rev_1", 1, 2, 2, 1, (), "aud", "looked at")
    assert sign_off(FACTS, "looked at", SEEN, NOW) == Decided((signed,), None)
    administrator = replace(FACTS, actor=replace(present("bob", ADMINISTRATOR), mfa_at=NOW))
    assert isinstance(sign_off(administrator, "looked at", SEEN, NOW), Decided)
    theirs = replace(FACTS, decisions=(*DECISIONS, Decision("aud", "auditor", KEEP, "max", NOW)))
    assert isinstance(sign_off(theirs, "looked at", "2.0.2.1.1", NOW), Decided)


@pytest.mark.parametrize(
    ("facts", "note", "seen", "code"),
    [
        (replace(FACTS, actor=replace(AUD, enabled=False)), "yes", SEEN, "person.disabled"),
        (replace(FACTS, actor=replace(AUD, roles=(MANAGER, ENGINEER))), "yes", SEEN, "right.missing"),
        (replace(FACTS, actor=replace(AUD, roles=(ADMINISTRATOR,), basis=MfaBasis.DECLARED)), "yes", SEEN,
         "mfa.not_shown"),
        (replace(FACTS, actor=replace(AUD, mfa_at=Instant(NOW - FRESH_FACTOR))), "yes", SEEN, "factor.stale"),
        (replace(FACTS, review=None), "yes", SEEN, "review.unknown"),
        (replace(FACTS, review=replace(OVER, closed=False)), "yes", SEEN, "review.runs"),
        (replace(FACTS, signed=True), "yes", SEEN, "review.signed"),
        (replace(FACTS, actor=replace(AUD, person="max")), "yes", SEEN, "review.took_part"),
        (replace(FACTS, actor=replace(AUD, person="sue")), "yes", SEEN, "review.took_part"),
        (replace(FACTS, actor=replace(AUD, linked_by=("max",))), "yes", SEEN, "review.took_part"),
        (replace(FACTS, actor=replace(AUD, linked_for=("sue",))), "yes", SEEN, "review.took_part"),
        (replace(FACTS, lost=True), "yes", SEEN, "review.lost_by_it"),
        (replace(FACTS, actor=replace(AUD, linked_for=("ada",))), "yes", SEEN, "review.took_part"),
        (replace(FACTS, actor=replace(AUD, person="eve")), "yes", SEEN, "review.lost_by_it"),
        (FACTS, "", SEEN, "text.missing"),
        (FACTS, "\u202e", SEEN, "text.not_plain"),
        (FACTS, "yes", "1.0.2.2.0", "review.figures"),
        (replace(FACTS, reduced=1), "yes", SEEN, "review.figures"),
    ],
)  # fmt: skip
def test_nobody_else_does(facts: SigningFacts, note: str, seen: str, code: str) -> None:
    outcome = sign_off(facts, note, seen, NOW)
    assert isinstance(outcome, Refused)
    assert outcome.code == code
