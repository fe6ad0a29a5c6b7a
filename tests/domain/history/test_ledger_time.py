"""The ledger's time after a clock that was ahead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.domain.history.ledger_time import AGREED, Offset
from onepam.kernel.clock import DAY, HOUR, MINUTE, Instant

WALL = Instant(1_800_000_000_000_000)
AHEAD = Offset(WALL, 2 * HOUR)

offsets = st.builds(Offset, st.just(WALL), st.integers(0, DAY))
passing = st.integers(-DAY, 30 * DAY)


def test_without_an_offset_it_is_the_clocks() -> None:
    assert AGREED.ledger(WALL) == WALL
    assert AGREED.until(Instant(WALL + MINUTE), WALL) == MINUTE


@pytest.mark.parametrize(
    ("passed", "ahead"), [(-HOUR, 2 * HOUR), (0, 2 * HOUR), (10 * HOUR, HOUR), (20 * HOUR, 0), (21 * HOUR, 0)]
)
def test_it_passes_at_nine_tenths_of_the_pace_until_both_agree(passed: int, ahead: int) -> None:
    now = Instant(WALL + passed)
    assert AHEAD.ledger(now) - now == AHEAD.left(now) == ahead


def test_an_hour_lasts_ten_ninths_of_one() -> None:
    ends = Instant(AHEAD.ledger(WALL) + 9 * HOUR)
    assert AHEAD.until(ends, WALL) == 10 * HOUR
    assert AHEAD.until(ends, Instant(WALL + 10 * HOUR)) == 0
    assert AHEAD.until(ends, Instant(WALL + 11 * HOUR)) == 0


@given(offsets, passing, st.integers(0, DAY))
def test_it_never_goes_back(offset: Offset, passed: int, more: int) -> None:
    assert offset.ledger(Instant(WALL + passed)) <= offset.ledger(Instant(WALL + passed + more))


@given(offsets, st.integers(0, 30 * DAY), st.integers(0, 30 * DAY))
def test_what_has_an_end_ends_when_it_is_said_to(offset: Offset, passed: int, lasts: int) -> None:
    now = Instant(WALL + passed)
    ends = Instant(offset.ledger(now) + lasts)
    waited = offset.until(ends, now)
    assert offset.ledger(Instant(now + waited)) >= ends
    assert waited == 0 or offset.ledger(Instant(now + waited - 2)) < ends
