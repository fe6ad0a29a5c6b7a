"""Signing a review off once it is over: somebody who had no part in it has seen what it came to, and says so.

Nothing is proposed by it: it lapses never, and nobody says no to it. A review that nobody signed is said to be that.
"""

from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised, shown_within
from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.reviews.deciding import ReviewFacts
from onepam.domain.reviews.events import ReviewSignedOff, Verdict
from onepam.domain.reviews.figures import Decision, figures
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text


@dataclass(frozen=True, slots=True)
class SigningFacts:
    """A review (None: there is none) of so many `items`, the last decision on each, which roles are withheld from
    whom, and whether it was signed off. `took_part` are all who ever decided in it; `lost`: silence in it took
    something from the actor. `reduced` are those that were kept until a day."""

    actor: ActorFacts
    review: ReviewFacts | None
    items: int
    decisions: tuple[Decision, ...]
    withheld: frozenset[tuple[str, str]]
    signed: bool
    took_part: frozenset[str] = frozenset()
    lost: bool = False
    reduced: int = 0


def sign_off(facts: SigningFacts, note: str, seen: str, now: Instant) -> Decided[None] | Refused:
    """`seen` are the figures that the actor was shown, as `Figures.seen` gives them: they are signed, and no others."""
    if (refused := may_sign_off(facts, now)) is not None:
        return refused
    assert facts.review is not None  # may_sign_off refuses without one
    words = plain_text(note, limits.MAX_TEXT_CHARACTERS, what="note")
    if isinstance(words, Refused):
        return words
    if (refused := shown_within(facts.actor, FRESH_FACTOR, now)) is not None:
        return refused
    found = figures(facts.items, facts.decisions, facts.withheld, facts.reduced)
    if seen != found.seen():
        return Refused("review.figures", "Its figures are others than those that you were shown.", "Look again.")
    signed = ReviewSignedOff(
        review=facts.review.review,
        kept=found.kept,
        removed=found.removed,
        unanswered=found.unanswered,
        not_remediated=found.not_remediated,
        rubber_stamps=found.rubber_stamps,
        by=facts.actor.person,
        note=words,
    )
    return Decided((signed,), None)


def may_sign_off(facts: SigningFacts, now: Instant) -> Refused | None:
    """None where the actor may: whoever administers or audits, decided nothing in it, is not one hand with who did,
    and had nothing removed by it."""
    actor = facts.actor
    audits = bool(actor.roles_with(ConsoleRight.AUDIT))
    if (refused := authorised(actor, ConsoleRight.AUDIT if audits else ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.review is None:
        return Refused("review.unknown", "There is no such review.", "/reviews")
    if not facts.review.closed:
        return Refused("review.runs", "It is not over yet.")
    if facts.signed:
        return Refused("review.signed", "It was signed off already.")
    if actor.person in facts.took_part or actor.in_hand(facts.took_part):
        return Refused("review.took_part", "Nobody signs off what they, or one hand with them, decided in.", _OTHER)
    if facts.lost or any(each.person == actor.person and each.verdict is Verdict.REMOVE for each in facts.decisions):
        return Refused("review.lost_by_it", "Nobody signs off a review that took something from them.", _OTHER)
    return None


_OTHER = "Somebody else must who administers or audits."
