"""When reviews fall due: one with each quarter of the year, in UTC, that begins after the installation did."""

from datetime import UTC, datetime

from onepam.kernel.clock import DAY, Instant, instant, moment

LASTS = 21 * DAY
"""How long a quarter's review may be decided on (microseconds)."""


def quarter_of(at: Instant) -> str:
    """The quarter that an instant lies in: `2027-Q1`."""
    when = moment(at)
    return f"{when.year}-Q{(when.month - 1) // 3 + 1}"


def begins(quarter: str) -> Instant:
    """When a quarter begins. Raises `ValueError` for what is none."""
    year, _, number = quarter.partition("-Q")
    return instant(datetime(int(year), 3 * int(number) - 2, 1, tzinfo=UTC))


def due_since(founded: Instant, now: Instant) -> tuple[str, ...]:
    """The quarters for which a review has fallen due since the installation began, the oldest first."""
    found, at = [], now
    while begins(quarter_of(at)) > founded:
        found.append(quarter_of(at))
        at = Instant(begins(quarter_of(at)) - 1)
    return tuple(reversed(found))
