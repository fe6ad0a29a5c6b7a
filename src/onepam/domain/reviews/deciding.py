"""Deciding on an item of a review, and passing it on: by exactly the one person whose it is at that moment.

What is removed is withheld in the same command, and gives nothing from then on. A decision may be changed until the
review is over; what was withheld because nobody answered may be decided on later, too: that is the way back.
"""

from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, present, shown_within
from onepam.domain.access.mfa_rule import FRESH_FACTOR
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import REQUEST
from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.commit import Decided
from onepam.domain.reviews.advice import Odd
from onepam.domain.reviews.answering import Chain
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
from onepam.domain.reviews.population import is_beyond
from onepam.kernel import limits
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

NOBODY = Refused("review.to", "Nobody here, or several, are called that.")
"""Whom an item is to be passed on to cannot be told from what was written."""


LONGEST_KEPT = 366 * DAY
"""How far ahead the day may be until which something is kept: there is a review before (microseconds)."""


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """A review as of the decision; `closed` once it was ended."""

    review: str
    opened: Instant
    closes: Instant
    suspends: Suspends
    closed: bool

    def runs(self, now: Instant) -> bool:
        """Whether its items may be decided on."""
        return not self.closed and now < self.closes


@dataclass(frozen=True, slots=True)
class Withholding:
    """Why a role is withheld from somebody, and after which review."""

    review: str
    because: Withheld


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An item as of the decision. `review` is None where there is none, `chain` where it has no such item.

    `held`: a binding gives the role now. `last`: the role administers, and nobody else who could sign in does.
    `elsewhere`: it is withheld after this review, and another's removal stands meanwhile, too. `named_may`: whom it is
    to be passed on to could decide on it. `alone`: it is the actor's own, and nobody else administers.
    `administers`: the role does. `against`: why it is recommended to remove it. `ends`: when all that gives it now has
    ended by itself; None where something has no end, or nothing gives it. `reduced`: it is kept until a day.
    """

    actor: ActorFacts
    review: ReviewFacts | None
    chain: Chain | None
    verdict: Verdict | None
    held: bool
    withheld: Withholding | None
    last: bool
    named_may: bool = False
    elsewhere: bool = False
    alone: bool = False
    administers: bool = False
    against: tuple[Odd, ...] = ()
    ends: Instant | None = None
    reduced: bool = False


def decide_item(
    facts: ItemFacts, person: str, role: str, verdict: Verdict, note: str, now: Instant, until: Instant | None = None
) -> Decided[None] | Refused:
    """Keeps or removes; with `until` it is kept until then and no longer. A keep takes a second factor of the last
    hour, a removal only a sign-in; of what administers a fresh one. What is recommended to be removed is kept with a
    note."""
    words = plain_text(note, limits.MAX_TEXT_CHARACTERS, what="note", required=False)
    if isinstance(words, Refused):
        return words
    found = _mine(facts, now)
    if isinstance(found, Refused):
        return found
    review, answers = found
    late = _silent(facts, review)
    if not review.runs(now) and not late:
        return Refused("review.over", "This review is over.", "An administrator opens another: /reviews")
    if facts.verdict is verdict and not late and until is None and not facts.reduced:
        return Refused("review.decided", "You have said so already.")
    if until is not None and (refused := _not_until(facts, role, verdict, until, now)) is not None:
        return refused
    if verdict is Verdict.KEEP:
        refused = shown_within(facts.actor, REQUEST.factor_to_decide, now)
        if refused is not None:
            return refused
        if facts.elsewhere:
            hint = "Whoever removed it there may change their mind first, while that review runs."
            return Refused("review.removed_elsewhere", "Another review removed it, too.", hint)
        if facts.against and not words:
            why = "; ".join(each.words for each in facts.against)
            return Refused(
                "review.say_why", f"It is recommended to remove this: {why}.", "Say in a note why it is kept."
            )
    elif facts.last:
        hint = "Give somebody else a role that administers first."
        return Refused("review.last_administrator", "Nobody else could administer after that.", hint)
    elif facts.administers and (refused := shown_within(facts.actor, FRESH_FACTOR, now)) is not None:
        return refused
    by = facts.actor.person
    decided = ReviewDecided(review.review, person, role, verdict, by, answers, words or None)
    reduced = (RoleReduced(person, role, review.review, until, by),) if until is not None else ()
    return Decided((decided, *_follows(facts, decided), *reduced), None)


def _not_until(facts: ItemFacts, role: str, verdict: Verdict, until: Instant, now: Instant) -> Refused | None:
    """Why it is not kept until then."""
    if verdict is not Verdict.KEEP or is_beyond(role) or not facts.held:
        return Refused(
            "review.not_until", "Only a role that somebody holds here is kept until a day.", "Keep or remove."
        )
    if not now < until <= now + LONGEST_KEPT:
        days = LONGEST_KEPT // DAY
        return Refused("review.until", f"It is kept until a time within the next {days} days.", "Say an earlier day.")
    if facts.ends is not None and facts.ends <= until:
        return Refused("review.ends_before", "All that gives it ends before that by itself.", "Keep it as it is.")
    return shown_within(facts.actor, FRESH_FACTOR, now) if facts.administers else None


@dataclass(frozen=True, slots=True)
class Usual:
    """An item that somebody wants to keep together with others; `odd` where anything is unusual about it."""

    person: str
    role: str
    facts: ItemFacts
    odd: bool


@dataclass(frozen=True, slots=True)
class UsualFacts:
    """The items, each as of the decision."""

    items: tuple[Usual, ...]


def keep_usual(facts: UsualFacts, now: Instant) -> Decided[int] | Refused:
    """Keeps those about which nothing is unusual, one decision each, and leaves the others. How many."""
    events: list[object] = []
    kept, last = 0, Refused("review.unusual", "Each of these is to be decided on by itself.")
    for each in facts.items:
        outcome = decide_item(each.facts, each.person, each.role, Verdict.KEEP, "", now)
        if isinstance(outcome, Refused):
            last = outcome
        elif not each.odd:
            events += outcome.events
            kept += 1
    return Decided(tuple(events), kept) if kept else last


def _follows(facts: ItemFacts, decided: ReviewDecided) -> tuple[object, ...]:
    """What a decision changes of what is withheld."""
    of, by = (decided.person, decided.role, decided.review), decided.by
    withheld = facts.withheld
    if decided.verdict is Verdict.KEEP:
        mine = withheld is not None and withheld.review == decided.review
        return (RoleReturned(*of, Returned.KEPT, by),) if mine else ()
    already = withheld is not None and withheld.because is not Withheld.SILENCE
    return (RoleWithheld(*of, Withheld.REMOVED, by),) if facts.held and not already else ()


def pass_on(
    facts: ItemFacts, person: str, role: str, to: str | None, note: str, now: Instant
) -> Decided[str] | Refused:
    """Hands an item to `to`, or says that it is not one's own (None). Whoever administers may name somebody for any
    that waits, for their own access only where nobody else administers, themselves only where nobody is left to decide.
    The result is who decides now."""
    words = plain_text(note, limits.MAX_TEXT_CHARACTERS, what="note", required=False)
    if isinstance(words, Refused):
        return words
    found = _mine(facts, now)
    assigns = bool(facts.actor.roles_with(ConsoleRight.ADMINISTER)) and to is not None
    if isinstance(found, Refused) and not (assigns and (found.code == "review.not_yours" or facts.alone)):
        return found
    assert facts.review is not None  # _mine refuses otherwise, for other reasons than whose it is
    assert facts.chain is not None
    if not facts.review.runs(now) and not _silent(facts, facts.review):
        return Refused("review.over", "This review is over.", "An administrator opens another: /reviews")
    if facts.verdict is not None:
        return Refused("review.decided", "It was decided on already.")
    because = Passed.ASSIGNED if isinstance(found, Refused) else Passed.DELEGATED
    if to is None:
        because, to = Passed.NOT_MINE, facts.chain.after(facts.actor.person)
        if to is None:
            return Refused("review.nobody_else", "Nobody else is there to decide on it.", "Name somebody.")
    elif because is Passed.ASSIGNED and to == facts.actor.person and facts.chain.decides is not None:
        return Refused(
            "review.takes_it", "Somebody is there to decide on it: nobody takes it for themselves.", "Ask them."
        )
    elif not facts.named_may or (to == facts.actor.person and because is Passed.DELEGATED):
        hint = "Name somebody who is here, is not the person, and is not one hand with them."
        return Refused("review.cannot_decide", "They cannot decide on it.", hint)
    passed = ReviewPassed(facts.review.review, person, role, to, because, facts.actor.person, words or None)
    return Decided((passed,), to)


def _mine(facts: ItemFacts, now: Instant) -> tuple[ReviewFacts, Answers] | Refused:
    """The review, and as what the actor decides on the item; else why they do not. Of their own access, and of who may
    be one hand with them, nobody says who decides either."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if facts.review is None or facts.chain is None:
        return Refused("review.unknown", "There is no such item in a review.", "/reviews")
    if facts.actor.person == facts.chain.person or facts.actor.person in facts.chain.hands:
        return Refused("review.own", "Nobody decides on their own access.", "Somebody else must.")
    decides = facts.chain.decides
    if decides is None or decides[0] != facts.actor.person:
        return Refused("review.not_yours", "Somebody else decides on this.", "/reviews")
    return facts.review, decides[1]


def _silent(facts: ItemFacts, review: ReviewFacts) -> bool:
    """Whether the role is withheld because nobody answered in this review."""
    return facts.withheld == Withholding(review.review, Withheld.SILENCE)
