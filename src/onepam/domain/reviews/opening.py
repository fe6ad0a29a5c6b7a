"""Opening a review: with its period, by itself, or when somebody who administers wants one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.review_schedule import LONGEST, SHORTEST, Suspends, Trigger
from onepam.domain.history.commit import Decided
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.domain.reviews.calendar import Version, closes, due_since, working
from onepam.domain.reviews.events import ReviewOpened, Scope
from onepam.domain.reviews.population import Beyond, digest, is_beyond, population
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused

MOST_OPEN = 20
"""Reviews that are open at a time."""

MOST_NAMED = 200
"""Roles, people, resources or systems that a scope names, of each: the entry has to hold them."""


@dataclass(frozen=True, slots=True)
class OpeningFacts:
    """Who opens it (None: time does), all that decides who reaches what, the periods that had a review, how many are
    open, when the installation began, the schedules that were set since, the oldest first, what of `on` happened since
    it was reviewed: people who moved, roles that give more; and what is held in other systems."""

    actor: ActorFacts | None
    matrix: Matrix
    people: tuple[Someone, ...]
    periods: frozenset[str]
    open: int
    founded: Instant
    schedules: tuple[Version, ...] = ()
    triggered: Mapping[Trigger, frozenset[str]] = field(default_factory=dict)
    beyond: Beyond = field(default_factory=dict)


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
    """Somebody who administers opens one beside those of the calendar."""
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


def open_period(facts: OpeningFacts, review: str, now: Instant) -> Decided[Opened] | Refused:
    """The review of the period that runs, once, and none for the one in which the installation began."""
    due = due_since(facts.founded, facts.schedules, now)
    if not due or due[-1].period in facts.periods:
        return Refused("review.not_due", "No review is due.")
    opened = _opened(facts, _by_schedule(facts, Scope(), now), review, due[-1].period, now)
    return Decided((opened,), Opened(review, opened.items))


def open_triggered(facts: OpeningFacts, trigger: Trigger, review: str, now: Instant) -> Decided[Opened] | Refused:
    """A review of just those people who moved, or of the roles that give more, as the schedule says; of at most so
    many as an entry holds, the others are next. On a holiday none opens."""
    schedule, those = facts.matrix.reviews, tuple(sorted(facts.triggered.get(trigger, ())))
    if trigger not in schedule.on or not those or working(now, schedule) != now:
        return Refused("review.not_due", "No review is due.")
    if facts.open >= MOST_OPEN:
        return Refused("review.many", f"{MOST_OPEN} reviews are open already.", "/reviews")
    moved = trigger is Trigger.MOVER
    items = population(facts.matrix, facts.people, Scope(people=those) if moved else Scope(roles=those), now)
    held = {each.person if moved else each.role for each in items}
    named = tuple([each for each in those if each in held][:MOST_NAMED])
    if not named:
        return Refused("review.empty", "Nobody holds anything of that, so there is nothing to review.")
    opened = _opened(
        facts, _by_schedule(facts, Scope(people=named) if moved else Scope(roles=named), now), review, "", now
    )
    return Decided((opened,), Opened(review, opened.items))


def _by_schedule(facts: OpeningFacts, scope: Scope, now: Instant) -> Opening:
    """One that opens by itself."""
    schedule = facts.matrix.reviews
    here = any(each.person == schedule.fallback and each.present(now) for each in facts.people)
    return Opening(scope, closes(now, schedule) - now, schedule.suspends, schedule.fallback if here else None)


def _opened(facts: OpeningFacts, wanted: Opening, review: str, period: str, now: Instant) -> ReviewOpened:
    items = population(facts.matrix, facts.people, wanted.scope, now, facts.beyond)
    return ReviewOpened(
        review=review,
        period=period,
        scope=wanted.scope,
        items=len(items),
        digest=digest(items, facts.matrix),
        closes=Instant(now + wanted.lasts),
        suspends=wanted.suspends,
        fallback=wanted.fallback,
        by=facts.actor.person if facts.actor is not None else None,
        beyond=sum(is_beyond(each.role) for each in items),
    )


def _named(facts: OpeningFacts, scope: Scope) -> Refused | None:
    """Why a scope names what there is not, or too much."""
    ways = (
        ("role", scope.roles, facts.matrix.roles.keys()),
        ("resource", scope.resources, facts.matrix.resources.keys()),
        ("person", scope.people, {each.person for each in facts.people}),
        ("system", scope.systems, {system for _, system in facts.beyond}),
    )
    for word, named, known in ways:
        if len(named) > MOST_NAMED:
            return Refused("review.scope", f"A review names at most {MOST_NAMED} of each.", "Open several.")
        if unknown := sorted(set(named) - known):
            return Refused("review.scope", f"There is no {word} {unknown[0][:60]}.")
    return None
