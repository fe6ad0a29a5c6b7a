"""What time does: it withholds what nobody decided on, ends reviews, and sees that a removal was carried out."""

from collections.abc import Iterable
from dataclasses import dataclass

from onepam.domain.access.review_schedule import Suspends
from onepam.domain.history.commit import Decided
from onepam.domain.reviews.deciding import ReviewFacts
from onepam.domain.reviews.events import (
    Returned,
    ReviewClosed,
    RoleReturned,
    RoleWithheld,
    Verdict,
    Withheld,
)
from onepam.domain.reviews.population import Item, is_beyond
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

MOST_AT_ONCE = 1_000
"""Roles that one command withholds, or returns: nobody else waits long for it."""


@dataclass(frozen=True, slots=True)
class ClosingFacts:
    """A review (None: there is none) with its items, what was decided of each, and what somebody still holds: nothing
    that is withheld from them. `administer` are the roles that administer, `administrators` who could sign in and
    does."""

    review: ReviewFacts | None
    items: tuple[Item, ...]
    decided: frozenset[tuple[str, str, Verdict]]
    held: frozenset[tuple[str, str]]
    administer: frozenset[str]
    administrators: frozenset[str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many roles were withheld, and whether the review is over."""

    withheld: int
    over: bool


def close_review(facts: ClosingFacts, now: Instant) -> Decided[Progress] | Refused:
    """One bounded step to the end of a review of which everything is decided, or whose time is over. Where nobody could
    administer any more, what the last ones administer by is spared, and stays unanswered."""
    review = facts.review
    if review is None or review.closed:
        return Refused("review.unknown", "There is no such review that is open.", "/reviews")
    said = {(person, role): verdict for person, role, verdict in facts.decided}
    silent = [each for each in facts.items if (each.person, each.role) not in said]
    if silent and now < review.closes:
        return Refused("review.runs", "Not everything is decided yet.")
    due = _due(facts, review.suspends, silent)
    taken = tuple(
        RoleWithheld(each.person, each.role, review.review, Withheld.SILENCE, None) for each in due[:MOST_AT_ONCE]
    )
    if len(due) > MOST_AT_ONCE:
        return Decided(taken, Progress(len(taken), False))
    kept = sum(verdict is Verdict.KEEP for verdict in said.values())
    over = ReviewClosed(review.review, kept, len(said) - kept, len(silent))
    return Decided((*taken, over), Progress(len(taken), True))


def takes(suspends: Suspends, item: Item) -> bool:
    """Whether silence takes an item, if it is held then: nothing of what is held in another system."""
    return not is_beyond(item.role) and (
        suspends is Suspends.EVERYTHING or (suspends is Suspends.PRIVILEGED and item.privileged)
    )


def _due(facts: ClosingFacts, suspends: Suspends, silent: Iterable[Item]) -> list[Item]:
    """What silence takes."""
    due = [each for each in silent if takes(suspends, each) and (each.person, each.role) in facts.held]
    if facts.administrators <= {each.person for each in due if each.role in facts.administer}:
        due = [each for each in due if each.role not in facts.administer]
    return due


@dataclass(frozen=True, slots=True)
class ReducedFacts:
    """What was kept until a day that is over, and was given since without a break: person, role, and in which review.
    `administer` and `administrators` as in `ClosingFacts`."""

    due: tuple[tuple[str, str, str], ...]
    administer: frozenset[str]
    administrators: frozenset[str]


def end_reduced(facts: ReducedFacts, now: Instant) -> Decided[int]:
    """What was kept until a day gives nothing once that is over; but for what the last ones administer by. How many."""
    due = facts.due
    if facts.administrators <= {person for person, role, _ in due if role in facts.administer}:
        due = tuple(each for each in due if each[1] not in facts.administer)
    events = tuple(RoleWithheld(person, role, review, Withheld.REDUCED, None) for person, role, review in due)
    return Decided(events, len(events))


@dataclass(frozen=True, slots=True)
class GivenUpFacts:
    """What is withheld although no binding gives it any more: person, role, and after which review."""

    given_up: tuple[tuple[str, str, str], ...]


def carry_out(facts: GivenUpFacts, now: Instant) -> Decided[int]:
    """The file and the groups agree with what was decided: nothing is to be withheld any more. How many."""
    events = tuple(
        RoleReturned(person, role, review, Returned.GIVEN_UP, None) for person, role, review in facts.given_up
    )
    return Decided(events, len(events))
