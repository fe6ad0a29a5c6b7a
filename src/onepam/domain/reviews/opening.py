"""Opening a review: with its quarter, by itself, or when somebody who administers wants one."""

from dataclasses import dataclass

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.domain.reviews.calendar import LASTS, due_since, quarter_of
from onepam.domain.reviews.events import ReviewOpened, Scope, Suspends
from onepam.domain.reviews.population import digest, population
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused

SHORTEST, LONGEST = DAY, 90 * DAY
"""How long a review may be decided on (microseconds)."""

MOST_OPEN = 20
"""Reviews that are open at a time."""

MOST_NAMED = 200
"""Roles, people or resources that a scope names, of each: the entry has to hold them."""


@dataclass(frozen=True, slots=True)
class OpeningFacts:
    """Who opens it (None: time does), all that decides who reaches what, the quarters that had a review, how many are
    open, and when the installation began."""

    actor: ActorFacts | None
    matrix: Matrix
    people: tuple[Someone, ...]
    quarters: frozenset[str]
    open: int
    founded: Instant


@dataclass(frozen=True, slots=True)
class Opening:
    """A review as somebody wants it: of what, for how long (microseconds), what is withheld without an answer."""

    scope: Scope
    lasts: int
    suspends: Suspends = Suspends.PRIVILEGED
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A review began."""

    review: str
    items: int


def open_review(facts: OpeningFacts, wanted: Opening, review: str, now: Instant) -> Decided[Opened] | Refused:
    """Somebody who administers opens one beside those of the quarters."""
    assert facts.actor is not None  # the use case always names one
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if not SHORTEST <= wanted.lasts <= LONGEST:
        return Refused("review.lasts", f"A review lasts from {SHORTEST // DAY} to {LONGEST // DAY} days.")
    if facts.open >= MOST_OPEN:
        return Refused("review.many", f"{MOST_OPEN} reviews are open already.", "/reviews")
    here = {each.person for each in facts.people if each.present(now)}
    if wanted.fallback is not None and wanted.fallback not in here:
        return Refused("review.fallback", "Who is to decide where nobody else can is not here.", "Name somebody else.")
    if (refused := _named(facts, wanted.scope)) is not None:
        return refused
    opened = _opened(facts, wanted, review, "", now)
    if not opened.items:
        return Refused("review.empty", "Nobody holds anything of that, so there is nothing to review.")
    return Decided((opened,), Opened(review, opened.items))


def open_quarter(facts: OpeningFacts, review: str, now: Instant) -> Decided[Opened] | Refused:
    """The review of the quarter that runs, once, and none for the one in which the installation began."""
    quarter = quarter_of(now)
    if quarter in facts.quarters or quarter not in due_since(facts.founded, now):
        return Refused("review.not_due", f"No review is due for {quarter}.")
    opened = _opened(facts, Opening(Scope(), LASTS), review, quarter, now)
    return Decided((opened,), Opened(review, opened.items))


def _opened(facts: OpeningFacts, wanted: Opening, review: str, quarter: str, now: Instant) -> ReviewOpened:
    items = population(facts.matrix, facts.people, wanted.scope, now)
    return ReviewOpened(
        review=review,
        period=quarter,
        scope=wanted.scope,
        items=len(items),
        digest=digest(items, facts.matrix),
        closes=Instant(now + wanted.lasts),
        suspends=wanted.suspends,
        fallback=wanted.fallback,
        by=facts.actor.person if facts.actor is not None else None,
    )


def _named(facts: OpeningFacts, scope: Scope) -> Refused | None:
    """Why a scope names what there is not, or too much."""
    ways = (
        ("role", scope.roles, facts.matrix.roles.keys()),
        ("resource", scope.resources, facts.matrix.resources.keys()),
        ("person", scope.people, {each.person for each in facts.people}),
    )
    for word, named, known in ways:
        if len(named) > MOST_NAMED:
            return Refused("review.scope", f"A review names at most {MOST_NAMED} of each.", "Open several.")
        if unknown := sorted(set(named) - known):
            return Refused("review.scope", f"There is no {word} {unknown[0][:60]}.")
    return None
