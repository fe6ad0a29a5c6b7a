"""When reviews fall due."""

from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.access.review_schedule import WEEKDAYS, Every, ReviewSchedule
from onepam.domain.reviews.calendar import Due, Version, begins, closes, due_since, period_of, upcoming, working
from onepam.kernel.clock import DAY, Instant, iso, parse

FOUNDED = parse("2026-11-30T12:00:00Z")
MONTHLY, YEARLY = ReviewSchedule(Every.MONTH), ReviewSchedule(Every.YEAR)


def due(now: str, *versions: Version, founded: Instant = FOUNDED) -> list[str]:
    return [each.period for each in due_since(founded, versions, parse(now))]


def test_periods_are_those_of_the_year_in_utc() -> None:
    for at, every, period in (
        ("2026-01-01T00:00:00Z", Every.QUARTER, "2026-Q1"),
        ("2026-03-31T23:59:59Z", Every.QUARTER, "2026-Q1"),
        ("2026-04-01T01:00:00+02:00", Every.QUARTER, "2026-Q1"),
        ("2026-07-01T00:00:00Z", Every.QUARTER, "2026-Q3"),
        ("2026-12-31T23:59:59Z", Every.QUARTER, "2026-Q4"),
        ("2026-12-31T23:59:59Z", Every.MONTH, "2026-12"),
        ("2026-01-31T23:59:59Z", Every.MONTH, "2026-01"),
        ("2026-06-30T23:59:59Z", Every.HALF_YEAR, "2026-H1"),
        ("2026-07-01T00:00:00Z", Every.HALF_YEAR, "2026-H2"),
        ("2026-07-01T00:00:00Z", Every.YEAR, "2026"),
    ):
        assert period_of(every, parse(at)) == period
    for period, first in (("2027-Q2", "2027-04-01"), ("2027-11", "2027-11-01"), ("2027-H2", "2027-07-01"),
                          ("2027", "2027-01-01")):  # fmt: skip
        assert iso(begins(period)) == f"{first}T00:00:00.000000Z"


def test_the_first_is_due_with_the_first_period_that_begins_here() -> None:
    assert due("2026-12-31T23:00:00Z") == []
    assert due("2027-01-01T00:00:00Z") == ["2027-Q1"]
    assert due("2027-08-01T00:00:00Z") == ["2027-Q1", "2027-Q2", "2027-Q3"]
    assert due("2027-04-01T00:00:00Z", founded=begins("2027-Q1")) == ["2027-Q2"]


def test_each_period_is_due_by_the_schedule_that_was_in_force_as_it_began() -> None:
    monthly = Version(parse("2027-02-10T00:00:00Z"), MONTHLY)
    yearly = Version(parse("2027-04-01T00:00:00Z"), YEARLY)
    quarters = Version(parse("2028-01-15T00:00:00Z"), ReviewSchedule())
    assert due("2027-02-20T00:00:00Z", monthly) == ["2027-Q1"]
    assert due("2027-04-02T00:00:00Z", monthly, yearly) == ["2027-Q1", "2027-03"]
    assert due("2028-04-02T00:00:00Z", monthly, yearly, quarters) == ["2027-Q1", "2027-03", "2028", "2028-Q2"]
    late = Version(parse("2027-04-01T00:00:01Z"), YEARLY)
    assert due("2027-05-02T00:00:00Z", monthly, late) == ["2027-Q1", "2027-03", "2027-04"]


def test_on_a_holiday_none_opens_or_ends() -> None:
    schedule = ReviewSchedule(lasts=7 * DAY, holidays=("2027-01-01", "2027-01-04", "2027-01-12", "saturday", "sunday"))
    version = Version(parse("2026-12-01T00:00:00Z"), schedule)
    assert due("2027-01-04T23:59:59Z", version) == []
    assert due("2027-01-05T00:00:00Z", version) == ["2027-Q1"]
    assert iso(closes(parse("2027-01-05T09:30:00Z"), schedule))[:19] == "2027-01-13T09:30:00"
    later = Version(parse("2027-01-02T00:00:00Z"), ReviewSchedule(holidays=("monday", "tuesday", "wednesday")))
    assert due("2027-01-04T23:59:59Z", version, later) == []  # what is set later neither skips a review nor hurries it
    assert due("2027-01-05T00:00:00Z", version, later) == ["2027-Q1"]


def test_the_next_one_is_told() -> None:
    assert upcoming(MONTHLY, parse("2027-01-01T00:00:00Z")) == Due("2027-02", begins("2027-02"))
    holiday = ReviewSchedule(Every.HALF_YEAR, holidays=("2027-07-01",))
    assert upcoming(holiday, parse("2027-06-30T23:00:00Z")) == Due("2027-H2", Instant(begins("2027-H2") + DAY))
    assert upcoming(YEARLY, parse("2027-06-30T23:00:00Z")).period == "2028"


@given(st.integers(0, 60 * 365), st.sampled_from(Every))
def test_the_next_period_follows_on_this_one(days: int, every: Every) -> None:
    at = Instant(days * DAY)
    following = begins(upcoming(ReviewSchedule(every), at).period)
    assert following > at
    assert period_of(every, Instant(following - 1)) == period_of(every, at)


@given(st.integers(0, 60 * 365), st.sampled_from(Every))
def test_an_instant_lies_in_its_period(days: int, every: Every) -> None:
    at = Instant(days * DAY)
    first = begins(period_of(every, at))
    assert first <= at < first + (every.months * 31 + 1) * DAY
    assert period_of(every, Instant(first - 1)) != period_of(every, at)


@given(st.integers(0, 3_000), st.sets(st.sampled_from(WEEKDAYS), max_size=6), st.sets(st.integers(0, 3_020)))
def test_a_working_day_is_the_next_that_is_no_holiday(day: int, weekdays: set[str], days: set[int]) -> None:
    named = {iso(Instant(each * DAY))[:10] for each in days}
    holidays = ReviewSchedule(holidays=tuple(sorted(weekdays | named)))
    at = Instant(day * DAY + 5)
    found = working(at, holidays)
    assert found % DAY == 5
    assert found >= at
    assert working(found, holidays) == found
    assert all(working(Instant(each), holidays) == found for each in range(at, found, DAY))
