"""When access is asked for: now, from a time on, or within weekly hours in a time zone.

Weekly hours are told by the clock on the wall. A zone's rules change from release to release of its table, so what is
asked for holds them as they were read then: by which offset from UTC that clock goes, and since when. From there on it
is arithmetic, and whoever verifies it needs no table. Where clocks are put forward or back, the clock on the wall
decides: an hour that is left out does not count, and one that comes twice counts twice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant, moment, utc
from onepam.kernel.errors import Refused

MAX_ZONE_CHARACTERS = 64
_FIRST = 3
"""The first of January 1970 was a Thursday."""
_TEXT = re.compile(
    r"(?P<days>[a-z]{3}(?:[-,][a-z]{3})*) (?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d) (?P<zone>[A-Za-z0-9_+/-]+)",
    re.ASCII | re.IGNORECASE,
)
_HINT = "Such as: Mon-Fri 09:00-17:00 Europe/Berlin"


class Weekday(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_DAYS = tuple(Weekday)


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours as people write them. `opens` and `closes` are minutes after midnight by the clock on the wall; what
    closes no later than it opens, closes on the day after."""

    days: tuple[Weekday, ...]
    opens: int
    closes: int
    zone: str

    def words(self) -> str:
        """`Mon-Fri 09:00-17:00 Europe/Berlin`, as it is read back."""
        return f"{_days(self.days)} {_clock(self.opens)}-{_clock(self.closes)} {self.zone}"


@dataclass(frozen=True, slots=True)
class Offset:
    """By how many seconds the clock on the wall is ahead of UTC, from `since` on."""

    since: Instant
    seconds: int


@dataclass(frozen=True, slots=True)
class Weekly:
    """Weekly hours, with the zone's offsets over the time that they are for; the first holds before it, too."""

    days: tuple[Weekday, ...]
    opens: int
    closes: int
    zone: str
    offsets: tuple[Offset, ...]

    def hours(self) -> Hours:
        """As people write them."""
        return Hours(self.days, self.opens, self.closes, self.zone)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When access is asked for. `begins`: nothing before, and its duration counts from then (None: from the approval
    on). `weekly`: within these hours only. `extends`: the grant after whose end it goes on; "" where it stands alone.
    `until`: its duration counts from its first use, at most until then (None: as `begins` says).
    """

    begins: Instant | None = None
    weekly: Weekly | None = None
    extends: str = ""
    until: Instant | None = None


def read_hours(text: str) -> Hours | Refused:
    """The hours that `Mon-Fri 09:00-17:00 Europe/Berlin` or `Sat,Sun 22:00-06:00 UTC` says; of a zone only its name."""
    found = _TEXT.fullmatch(" ".join(text.split()))
    days = _read_days(found["days"].lower()) if found else ()
    opens, closes = (_minutes(found[each]) if found else None for each in ("opens", "closes"))
    if found is None or not days or opens is None or closes is None or len(found["zone"]) > MAX_ZONE_CHARACTERS:
        return Refused("hours.unreadable", "These are no weekly hours.", _HINT)
    if opens == closes or opens == DAY // MINUTE:
        return Refused("hours.none", "These hours are none at all.", f"All of a day is 00:00-24:00. {_HINT}")
    return Hours(days, opens, closes, found["zone"])


def weekly(hours: Hours, zone: tzinfo, since: Instant, until: Instant) -> Weekly:
    """The hours with the offsets of `zone` from `since` to `until`, to the second."""
    found = [Offset(since, _ahead(zone, since))]
    at = since
    while at < until:
        later = Instant(min(at + DAY, until))
        if _ahead(zone, later) != found[-1].seconds:
            found.append(_change(zone, at, later))
        at = later
    return Weekly(hours.days, hours.opens, hours.closes, hours.zone, tuple(found))


def open_until(hours: Weekly, at: Instant) -> Instant | None:
    """When the hours that `at` lies in are over; None where it lies in none. `FOREVER` where they never are."""
    still: Instant | None = None
    for offset, since, until in _stretches(hours):
        if until <= at:
            continue
        now = max(at, since) if still is None else since
        while now < min(until, at + 8 * DAY):
            closes = _closes(hours, now + offset * SECOND)
            if closes is None:
                return still
            still = now = Instant(min(closes - offset * SECOND, until))
    return FOREVER


def next_opening(hours: Weekly, at: Instant) -> Instant | None:
    """When the hours begin next, later than `at`; None where that is not within ten days."""
    for offset, since, until in _stretches(hours):
        ahead = offset * SECOND
        if until <= at:
            continue
        if since > at and _closes(hours, since + ahead) is not None and open_until(hours, Instant(since - 1)) is None:
            return since
        first = max(at, since)
        for day in range((first + ahead) // DAY, (first + ahead) // DAY + 11):
            opens = Instant(day * DAY + hours.opens * MINUTE - ahead)
            if _DAYS[(day + _FIRST) % 7] in hours.days and opens > at and since <= opens < until:
                return opens
    return None


def given_until(schedule: Schedule | None, at: Instant) -> Instant | None:
    """Until when what was asked for so may be used from `at` on, beginning and end left aside; None: not now."""
    return FOREVER if schedule is None or schedule.weekly is None else open_until(schedule.weekly, at)


def schedule_words(schedule: Schedule | None) -> str:
    """`from 3 March 2026 14:00 UTC, within Mon-Fri 09:00-17:00 Europe/Berlin`; empty where there is nothing to say."""
    if schedule is None:
        return ""
    begins = "" if schedule.begins is None else f"from {utc(schedule.begins)}"
    if schedule.until is not None:
        until = utc(schedule.until)
        window = f"until {until}" if schedule.begins is None else f"between {utc(schedule.begins)} and {until}"
        begins = f"from its first use {window}"
    hours = "" if schedule.weekly is None else f"within {schedule.weekly.hours().words()}"
    return ", ".join(filter(None, (begins, hours)))


def _stretches(hours: Weekly) -> Iterator[tuple[int, Instant, Instant]]:
    """The offset in seconds, from when, until when."""
    for number, each in enumerate(hours.offsets):
        until = hours.offsets[number + 1].since if number + 1 < len(hours.offsets) else FOREVER
        yield each.seconds, each.since if number else Instant(0), until


def _closes(hours: Weekly, wall: int) -> int | None:
    """When by the clock on the wall the hours close that this time of it lies in; None where it lies in none."""
    for day in (wall // DAY, wall // DAY - 1):
        opens, closes = day * DAY + hours.opens * MINUTE, day * DAY + hours.closes * MINUTE
        closes += DAY if hours.closes <= hours.opens else 0
        if _DAYS[(day + _FIRST) % 7] in hours.days and opens <= wall < closes:
            return closes
    return None


def _ahead(zone: tzinfo, at: Instant) -> int:
    offset = moment(at).astimezone(zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _change(zone: tzinfo, before: Instant, after: Instant) -> Offset:
    """The offset that holds at `after`, since when it does: sought by halves, to the second."""
    new = _ahead(zone, after)
    low, high = before // SECOND, -(-after // SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _ahead(zone, Instant(middle * SECOND)) == new else (middle, high)
    return Offset(Instant(high * SECOND), new)


def _read_days(text: str) -> tuple[Weekday, ...]:
    """`mon-fri`, `sat,sun`, `fri-mon`: the days in the week's order; none for what is not so."""
    found: set[Weekday] = set()
    for part in text.split(","):
        ends = [each for each in part.split("-") if each in _DAYS]
        if len(ends) != part.count("-") + 1 or len(ends) > 2:
            return ()
        first, last = _DAYS.index(Weekday(ends[0])), _DAYS.index(Weekday(ends[-1]))
        found |= {_DAYS[(first + each) % 7] for each in range((last - first) % 7 + 1)}
    return tuple([each for each in _DAYS if each in found])


def _minutes(text: str) -> int | None:
    hours, _, minutes = text.partition(":")
    found = int(hours) * (HOUR // MINUTE) + int(minutes)
    return found if int(minutes) < HOUR // MINUTE and found <= DAY // MINUTE else None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _days(days: tuple[Weekday, ...]) -> str:
    """`Mon-Fri`, `Mon,Wed`, `Sat,Sun`."""
    runs: list[list[Weekday]] = []
    for each in days:
        if runs and _DAYS.index(each) == _DAYS.index(runs[-1][-1]) + 1:
            runs[-1].append(each)
        else:
            runs.append([each])
    said = (
        f"{run[0].capitalize()}-{run[-1].capitalize()}" if len(run) > 2 else ",".join(map(str.capitalize, run))
        for run in runs
    )
    return ",".join(said)
