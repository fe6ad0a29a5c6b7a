from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.clock import DAY, FOREVER, Instant, instant, iso, later, moment, parse


@given(st.datetimes(datetime(1970, 1, 1), datetime(2255, 1, 1)))  # noqa: DTZ001 - Hypothesis wants naive bounds
def test_an_instant_is_exact(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    assert moment(instant(at)) == at
    assert parse(iso(instant(at))) == instant(at)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        instant(datetime(2026, 3, 3))  # noqa: DTZ001 - that it is naive is the point
    with pytest.raises(ValueError, match="zone"):
        parse("2026-03-03T14:00:00")
    with pytest.raises(ValueError, match="Invalid"):
        parse("yesterday")


def test_zones_meet_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))
    assert iso(instant(datetime(2026, 3, 3, 15, tzinfo=berlin))) == "2026-03-03T14:00:00.000000Z"
    assert parse("2026-03-03T15:00:00+01:00") == parse("2026-03-03T14:00:00Z")


def test_later_never_passes_forever() -> None:
    assert later(Instant(1), DAY) == 1 + DAY
    assert later(FOREVER, DAY) == FOREVER
