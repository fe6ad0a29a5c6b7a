"""When reviews fall due."""

from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.reviews.calendar import begins, due_since, quarter_of
from onepam.kernel.clock import DAY, Instant, iso, parse


def test_quarters_are_those_of_the_year_in_utc() -> None:
    for at, quarter in (
        ("2026-01-01T00:00:00Z", "2026-Q1"),
        ("2026-03-31T23:59:59Z", "2026-Q1"),
        ("2026-04-01T01:00:00+02:00", "2026-Q1"),
        ("2026-07-01T00:00:00Z", "2026-Q3"),
        ("2026-12-31T23:59:59Z", "2026-Q4"),
    ):
        assert quarter_of(parse(at)) == quarter
    assert iso(begins("2027-Q2")) == "2027-04-01T00:00:00.000000Z"


def test_the_first_is_due_with_the_first_quarter_that_begins_here() -> None:
    founded = parse("2026-11-30T12:00:00Z")
    assert due_since(founded, parse("2026-12-31T23:00:00Z")) == ()
    assert due_since(founded, parse("2027-01-01T00:00:00Z")) == ("2027-Q1",)
    assert due_since(founded, parse("2027-08-01T00:00:00Z")) == ("2027-Q1", "2027-Q2", "2027-Q3")
    assert due_since(begins("2027-Q1"), begins("2027-Q2")) == ("2027-Q2",)


@given(st.integers(0, 60 * 365))
def test_an_instant_lies_in_its_quarter(days: int) -> None:
    at = Instant(days * DAY)
    first = begins(quarter_of(at))
    assert first <= at < first + 92 * DAY
    assert quarter_of(Instant(first - 1)) != quarter_of(at)
