"""When reviews fall due: one with each month, quarter, half-year or year, in UTC, that begins here.

By which schedule a period has a review, and on which day that opens, says the one in force as the period began: so
nothing that is set later skips a review. How long it lasts and what silence takes in it says the one in force as it
opens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from onepam.domain.access.review_schedule import BUILT_IN, WEEKDAYS, Every, ReviewSchedule
from onepam.kernel.clock import DAY, Instant, instant, moment

_SIGNS = {"Q": Every.QUARTER, "H": Every.HALF_YEAR}


@dataclass(frozen=True, slots=True)
class Version:
    """A schedule, and since when it is in force."""

    since: Instant
    schedule: ReviewSchedule


@dataclass(frozen=True, slots=True)
class Due:
    """A period for which a review fell due, and when that was to open."""

    period: str
    opens: Instant


def period_of(every: Every, at: Instant) -> str:
    """The period that an instant lies in: `2027-03`, `2027-Q1`, `2027-H1` or `2027`."""
    when = moment(at)
    number = (when.month - 1) // every.months + 1
    part = {Every.MONTH: f"-{number:02}", Every.QUARTER: f"-Q{number}", Every.HALF_YEAR: f"-H{number}"}
    return f"{when.year}{part.get(every, '')}"


def begins(period: str) -> Instant:
    """When a period begins. Raises `ValueError` for what is none."""
    year, _, part = period.partition("-")
    months = _SIGNS[part[0]].months if part[:1] in _SIGNS else 1
    number = int(part.lstrip("QH") or 1)
    return instant(datetime(int(year), months * (number - 1) + 1, 1, tzinfo=UTC))


def working(at: Instant, schedule: ReviewSchedule) -> Instant:
    """The same time of the first day from that one on that is no holiday."""
    while (when := moment(at)).date().isoformat() in schedule.holidays or WEEKDAYS[when.weekday()] in schedule.holidays:
        at = Instant(at + DAY)
    return at


def closes(opened: Instant, schedule: ReviewSchedule) -> Instant:
    """Until when a review that opens by itself may be decided on."""
    return working(Instant(opened + schedule.lasts), schedule)


def due_since(founded: Instant, versions: tuple[Version, ...], now: Instant) -> tuple[Due, ...]:
    """What has fallen due since the installation began, the oldest first. `versions` are those that were set, the
    oldest first."""
    return tuple(reversed([each for each in _newest_first(founded, versions, now) if each.opens <= now]))


def upcoming(schedule: ReviewSchedule, now: Instant) -> Due:
    """The next period by a schedule, and when its review is to open."""
    this = begins(period_of(schedule.every, now))
    first = begins(period_of(schedule.every, Instant(this + 31 * schedule.every.months * DAY)))
    return Due(period_of(schedule.every, first), working(first, schedule))


def _newest_first(founded: Instant, versions: tuple[Version, ...], now: Instant) -> Iterator[Due]:
    until = now
    for version in reversed((Version(founded, BUILT_IN), *versions)):
        at = until
        while True:
            period = period_of(version.schedule.every, at)
            first = begins(period)
            if first < version.since or first <= founded:
                break
            yield Due(period, working(first, version.schedule))
            at = Instant(first - 1)
        until = Instant(min(until, version.since - 1))
