"""Weekly hours by the clock on the wall, on ordinary days and on both days on which clocks change."""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.hours import (
    Hours,
    Offset,
    Schedule,
    Weekday,
    Weekly,
    given_until,
    next_opening,
    open_until,
    read_hours,
    schedule_words,
    weekly,
)
from onepam.kernel.clock import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant, moment, parse
from onepam.kernel.errors import Refused

BERLIN = ZoneInfo("Europe/Berlin")
SINCE, UNTIL = parse("2026-10-01T00:00:00+02:00"), parse("2027-04-10T00:00:00+02:00")


def hours(text: str, zone: tzinfo = BERLIN) -> Weekly:
    """Over half a year that clocks change twice in."""
    found = read_hours(text)
    assert isinstance(found, Hours), found
    return weekly(found, zone, SINCE, UNTIL)


WORK = hours("Mon-Fri 09:00-17:00 Europe/Berlin")
NIGHT = hours("Sat,Sun 22:00-06:00 Europe/Berlin")
SMALL = hours("Sun 01:30-02:30 Europe/Berlin")
ALWAYS = hours("Mon-Sun 00:00-24:00 Europe/Berlin")


@pytest.mark.parametrize(
    "text",
    [
        "Mon-Fri 09:00-17:00 Europe/Berlin",
        "Sat,Sun 22:00-06:00 UTC",
        "Mon,Wed 00:00-24:00 America/Argentina/Buenos_Aires",
        "Mon-Wed,Fri 10:15-10:16 Etc/GMT+3",
    ],
)
def test_hours_read_as_they_are_written(text: str) -> None:
    found = read_hours(f"  {text.lower().replace(text.split()[-1].lower(), text.split()[-1])}  ")
    assert isinstance(found, Hours)
    assert found.words() == text


def test_a_row_of_days_may_go_over_the_weeks_end() -> None:
    found = read_hours("fri-mon 10:00-11:00 UTC")
    assert isinstance(found, Hours)
    assert found.days == (Weekday.MON, Weekday.FRI, Weekday.SAT, Weekday.SUN)
    assert found.words() == "Mon,Fri-Sun 10:00-11:00 UTC"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "hours.unreadable"),
        ("Mon-Fri 09:00-17:00", "hours.unreadable"),
        ("Foo 09:00-17:00 UTC", "hours.unreadable"),
        ("Mon-Tue-Wed 09:00-17:00 UTC", "hours.unreadable"),
        ("Mon,Foo 09:00-17:00 UTC", "hours.unreadable"),
        ("Mon 09:60-17:00 UTC", "hours.unreadable"),
        ("Mon 09:00-24:01 UTC", "hours.unreadable"),
        (f"Mon 09:00-17:00 {'x' * 65}", "hours.unreadable"),
        ("Mon 09:00-09:00 UTC", "hours.none"),
        ("Mon 24:00-01:00 UTC", "hours.none"),
    ],
)
def test_what_are_no_hours(text: str, code: str) -> None:
    found = read_hours(text)
    assert isinstance(found, Refused)
    assert found.code == code


def test_the_offsets_of_a_zone_are_kept_to_the_second() -> None:
    assert WORK.offsets == (
        Offset(SINCE, 7200),
        Offset(parse("2026-10-25T01:00:00Z"), 3600),
        Offset(parse("2027-03-28T01:00:00Z"), 7200),
    )


@pytest.mark.parametrize(
    ("when", "at", "until", "opens"),
    [
        (WORK, "2026-10-23T08:59:59+02:00", None, "2026-10-23T09:00:00+02:00"),
        (WORK, "2026-10-23T09:00:00+02:00", "2026-10-23T17:00:00+02:00", "2026-10-26T09:00:00+01:00"),
        (WORK, "2026-10-23T16:59:59+02:00", "2026-10-23T17:00:00+02:00", "2026-10-26T09:00:00+01:00"),
        (WORK, "2026-10-23T17:00:00+02:00", None, "2026-10-26T09:00:00+01:00"),
        (WORK, "2026-10-26T08:00:00+01:00", None, "2026-10-26T09:00:00+01:00"),
        (WORK, "2027-03-26T16:30:00+01:00", "2027-03-26T17:00:00+01:00", "2027-03-29T09:00:00+02:00"),
        (WORK, "2027-03-29T09:00:00+02:00", "2027-03-29T17:00:00+02:00", "2027-03-30T09:00:00+02:00"),
        # over midnight, and over both changes: 22:00 to 06:00 is nine hours in October, and seven in March
        (NIGHT, "2026-10-24T22:00:00+02:00", "2026-10-25T06:00:00+01:00", "2026-10-25T22:00:00+01:00"),
        (NIGHT, "2027-03-27T22:00:00+01:00", "2027-03-28T06:00:00+02:00", "2027-03-28T22:00:00+02:00"),
        (NIGHT, "2026-10-26T05:59:00+01:00", "2026-10-26T06:00:00+01:00", "2026-10-31T22:00:00+01:00"),
        # 02:00 to 03:00 comes twice in October, and not at all in March
        (SMALL, "2026-10-25T02:10:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00"),
        (SMALL, "2026-10-25T02:40:00+02:00", None, "2026-10-25T02:00:00+01:00"),
        (SMALL, "2026-10-25T02:10:00+01:00", "2026-10-25T02:30:00+01:00", "2026-11-01T01:30:00+01:00"),
        (SMALL, "2027-03-28T01:45:00+01:00", "2027-03-28T03:00:00+02:00", "2027-04-04T01:30:00+02:00"),
        (SMALL, "2027-03-28T03:10:00+02:00", None, "2027-04-04T01:30:00+02:00"),
    ],
)
def test_when_hours_end_and_begin(when: Weekly, at: str, until: str | None, opens: str) -> None:
    assert open_until(when, parse(at)) == (None if until is None else parse(until))
    assert next_opening(when, parse(at)) == parse(opens)


def test_hours_of_every_day_never_end() -> None:
    assert open_until(ALWAYS, SINCE) == FOREVER
    assert open_until(ALWAYS, parse("2026-10-24T12:00:00+02:00")) == FOREVER
    assert next_opening(ALWAYS, SINCE) == parse("2026-10-02T00:00:00+02:00")


def test_hours_whose_days_are_none_do_not_begin() -> None:
    assert next_opening(Weekly((), 0, 60, "UTC", (Offset(SINCE, 0),)), SINCE) is None


def test_before_the_first_offset_it_holds_too() -> None:
    assert open_until(WORK, parse("2026-09-30T10:00:00+02:00")) == parse("2026-09-30T17:00:00+02:00")


@given(st.integers(0, (UNTIL - SINCE) // MINUTE - 1), st.sampled_from([WORK, NIGHT, SMALL]))
def test_the_clock_on_the_wall_decides(minute: int, when: Weekly) -> None:
    """Held against what a calendar says of the same minute."""
    at = Instant(SINCE + minute * MINUTE)
    wall = moment(at).astimezone(BERLIN)
    now, late = wall.hour * 60 + wall.minute, when.closes <= when.opens
    today, before = list(Weekday)[wall.weekday()], list(Weekday)[wall.weekday() - 1]
    opened = today in when.days and when.opens <= now and (late or now < when.closes)
    still = late and before in when.days and now < when.closes
    assert (open_until(when, at) is not None) == (opened or still)


@given(st.integers(0, 180 * DAY // SECOND), st.sampled_from([WORK, NIGHT, SMALL]))
def test_hours_are_open_to_their_end_and_not_at_it(second: int, when: Weekly) -> None:
    at = Instant(SINCE + second * SECOND)
    until = open_until(when, at)
    opens = next_opening(when, at)
    assert opens is not None
    assert open_until(when, opens) is not None
    if until is not None:
        assert open_until(when, Instant(until - 1)) == until
        assert open_until(when, until) is None
    else:
        assert open_until(when, Instant(opens - 1)) is None


def test_what_has_no_hours_may_always_be_used() -> None:
    inside, outside = parse("2026-10-23T09:00:00+02:00"), parse("2026-10-23T08:00:00+02:00")
    assert given_until(None, outside) == given_until(Schedule(SINCE), outside) == FOREVER
    assert given_until(Schedule(None, WORK), outside) is None
    assert given_until(Schedule(None, WORK), inside) == Instant(inside + 8 * HOUR)


def test_a_schedule_in_words() -> None:
    assert schedule_words(None) == schedule_words(Schedule()) == ""
    assert schedule_words(Schedule(parse("2026-10-01T10:00:00Z"))) == "from 1 October 2026 10:00 UTC"
    both = Schedule(parse("2026-10-01T10:00:00Z"), WORK)
    assert schedule_words(both) == "from 1 October 2026 10:00 UTC, within Mon-Fri 09:00-17:00 Europe/Berlin"


class Odd(tzinfo):
    """A zone that says nothing of its offset."""

    def utcoffset(self, dt: object) -> None:
        return None

    dst = tzname = utcoffset

    def fromutc(self, dt: datetime) -> datetime:
        return dt.replace(tzinfo=self)


def test_a_zone_that_says_nothing_is_utc() -> None:
    assert hours("Mon 09:00-17:00 UTC", Odd()).offsets == (Offset(SINCE, 0),)
