"""Days, as date fields send them."""

from datetime import UTC, datetime, timedelta

from onepam.kernel.clock import Instant, instant


def day_begins(text: str, days: int = 0) -> Instant | None:
    """The beginning of a day in UTC, as a date field sends it, and `days` on; None for whatever is no date."""
    try:
        return instant(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=days))
    except (ValueError, OverflowError):
        return None
