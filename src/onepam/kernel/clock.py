"""Time as the pure floors see it: one integer, microseconds since 1970-01-01 in UTC.

An `Instant` is aware by construction (there is no zone to forget), is exact in RFC 8785 JSON (< 2^53 until the year
2255) and compares at the speed of an integer. People see `iso()`; `datetime` appears only at the edges.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from onepam.kernel.instant import DAY, FOREVER, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, Instant

__all__ = [
    "DAY", "FOREVER", "HOUR", "MICROSECOND", "MILLISECOND", "MINUTE", "SECOND", "Clock", "Instant", "instant", "iso",
    "later", "moment", "parse", "utc",
]  # fmt: skip

Clock = Callable[[], Instant]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(moment: datetime) -> Instant:
    """The instant of an aware `datetime`. Raises `ValueError` for a naive one: a guess of zone would be a lie."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is not a time")
    return Instant((moment - _EPOCH) // timedelta(microseconds=1))


def moment(at: Instant) -> datetime:
    """The aware UTC `datetime` of an instant."""
    return _EPOCH + timedelta(microseconds=at)


def iso(at: Instant) -> str:
    """RFC 3339 in UTC to the microsecond, as exports and the API write it: `2026-03-03T14:00:00.000000Z`."""
    return moment(at).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc(at: Instant) -> str:
    """To the minute, as people read it: `3 March 2026 14:00 UTC`; `no end` for what has none."""
    when = moment(at)
    return "no end" if at >= FOREVER else f"{when.day} {when:%B %Y %H:%M} UTC"


def parse(text: str) -> Instant:
    """An RFC 3339 date-time with a zone. Raises `ValueError` when it is malformed or carries no zone."""
    return instant(datetime.fromisoformat(text))


def later(at: Instant, by: int) -> Instant:
    """`at` plus `by` microseconds, never past `FOREVER`."""
    return Instant(min(at + by, FOREVER))
