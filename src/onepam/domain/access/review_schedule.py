"""When reviews of access fall due, and what silence takes in them: the section `reviews` of `access.yaml`."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.event import event
from onepam.kernel.clock import DAY

SHORTEST, LONGEST = DAY, 90 * DAY
"""How long a review may be decided on (microseconds)."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Suspends(StrEnum):
    """What a review withholds of what nobody decided on in time."""

    NOTHING = "nothing"
    PRIVILEGED = "privileged"
    EVERYTHING = "everything"


class Every(StrEnum):
    """How often a review falls due: with the first day of each of these, in UTC."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"

    @property
    def months(self) -> int:
        """How many months it has."""
        return {Every.MONTH: 1, Every.QUARTER: 3, Every.HALF_YEAR: 6, Every.YEAR: 12}[self]

    @property
    def longest(self) -> int:
        """How long its review may be decided on: that of a month is over before the next one's begins
        (microseconds)."""
        return 28 * DAY if self is Every.MONTH else LONGEST


class Trigger(StrEnum):
    """What opens a review of just that, beside the calendar: somebody came to another manager, or a
    role began to give more."""

    MOVER = "mover"
    WIDENED = "widened"


@dataclass(frozen=True, slots=True)
class ReviewSchedule:
    """How often, for how long (microseconds), what silence takes, and who decides where nobody else can (a person's
    identifier). On `holidays`, days such as `2027-01-01` and names of weekdays, none opens or ends by itself. `on` is
    what opens one between."""

    every: Every = Every.QUARTER
    lasts: int = 21 * DAY
    suspends: Suspends = Suspends.PRIVILEGED
    fallback: str | None = None
    holidays: tuple[str, ...] = ()
    on: tuple[Trigger, ...] = ()


BUILT_IN = ReviewSchedule()
"""What holds where `access.yaml` says nothing of reviews."""


@event(
    "reviews.set",
    klass="access",
    control="REV-01 CHG-01",
    words="{by} set by the change {change} that a review falls due each {every}, and that without an answer "
    "{suspends} is withheld[; on these days none opens or ends: {holidays}][; and that one opens on: {on}]",
)
@dataclass(frozen=True, slots=True)
class ReviewsSet:
    """Reviews fall due by this from now on; how long one `lasts` is in microseconds. Periods that began before keep
    the day on which their review opens."""

    every: Every
    lasts: int
    suspends: Suspends
    fallback: str | None
    holidays: tuple[str, ...]
    on: tuple[Trigger, ...]
    change: str
    by: str | None


def laxer(was: ReviewSchedule, now: ReviewSchedule) -> Iterator[str]:
    """By what access may stand for longer, or with less of an answer, than it could."""
    order = list(Suspends)
    if now.every.months > was.every.months:
        yield "fall due less often"
    if now.lasts > was.lasts:
        yield "may be decided on for longer"
    if order.index(now.suspends) < order.index(was.suspends):
        yield "take less without an answer"
    if now.fallback != was.fallback:
        yield "are decided on by somebody else where nobody else can"
    if gone := [each.value for each in was.on if each not in now.on]:
        yield f"no longer open on {', '.join(gone)}"
