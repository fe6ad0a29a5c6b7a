"""Telling those who decide that something waits: with the opening, at half time, and shortly before the end.

Nobody is told of what is decided, and nobody of nothing. What silence will take is said each time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onepam.domain.history.commit import Decided
from onepam.domain.reviews.deciding import ReviewFacts
from onepam.domain.reviews.events import ReviewReminded, Stage
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused

SHORTLY = 3 * DAY
"""Before the end, unless a quarter of the time is less (microseconds)."""


STAGES = (Stage.OPENED, Stage.HALF, Stage.LAST)
"""One after another."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How many items wait for somebody, and how many of them silence takes."""

    items: int
    suspended: int


@dataclass(frozen=True, slots=True)
class RemindingFacts:
    """A review (None: there is none), the last stage at which somebody was told, and what waits for whom: for whoever
    administers also what nobody is left to decide on, so that they name somebody. `above` is
    what waits for others and comes to somebody next."""

    review: ReviewFacts | None
    told: Stage | None
    waits: Mapping[str, Waits]
    above: Mapping[str, Waits] = field(default_factory=dict)


def stage_of(opened: Instant, closes: Instant, now: Instant) -> Stage | None:
    """The stage that a review is in; None once its time is over."""
    lasts = closes - opened
    if now >= closes:
        return None
    if now >= closes - min(SHORTLY, lasts // 4):
        return Stage.LAST
    return Stage.HALF if now >= opened + lasts // 2 else Stage.OPENED


def is_due(stage: Stage | None, told: Stage | None) -> bool:
    """Whether those who decide are to be told at this stage, after that one."""
    order = STAGES
    return stage is not None and (told is None or order.index(told) < order.index(stage))


def remind(facts: RemindingFacts, now: Instant) -> Decided[int] | Refused:
    """Tells each for whom something waits, once at each stage; from the second on also whoever is next. How many."""
    review = facts.review
    stage = stage_of(review.opened, review.closes, now) if review is not None and not review.closed else None
    if review is None or stage is None or not is_due(stage, facts.told):
        return Refused("review.not_due", "Nobody is to be told of anything now.")
    events = tuple(
        ReviewReminded(review.review, person, stage, waits.items, waits.suspended, review.closes)
        for person, waits in sorted(facts.waits.items())
    )
    if stage is not Stage.OPENED:
        events += tuple(
            ReviewReminded(review.review, person, Stage.ESCALATED, waits.items, waits.suspended, review.closes)
            for person, waits in sorted(facts.above.items())
        )
    return Decided(events, len(events))
