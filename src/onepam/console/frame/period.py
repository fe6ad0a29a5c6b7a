"""Days and times as people type them: one format, and what pages show (docs/decisions/0051-days-are-typed.md)."""

from datetime import UTC, datetime, timedelta

from onepam.kernel.clock import Instant, instant, moment

DAYS = ("%Y-%m-%d", "%d %B %Y", "%d %b %Y")
"""`2026-11-29`, as fields have it, `29 November 2026`, as pages show it, and `29 Nov 2026`."""


def day_begins(text: str, days: int = 0) -> Instant | None:
    """The beginning of a day in UTC, as somebody typed it, and `days` on; None for whatever is no day."""
    try:
        found = _read(text.strip(), DAYS)
        return None if found is None else instant(found + timedelta(days=days))
    except OverflowError:
        return None


def day_text(at: Instant) -> str:
    """The day of an instant in UTC as fields have it: `2026-11-29`."""
    return moment(at).date().isoformat()


def typed_instant(text: str) -> Instant | None:
    """An instant as somebody typed it, `2026-11-29 14:00`, or as pages show it, in UTC; or with a zone, as in RFC 3339.
    A day is its beginning. None for whatever is no time."""
    text = text.strip()
    try:
        found = datetime.fromisoformat(text)
        return instant(found if found.tzinfo else found.replace(tzinfo=UTC))
    except ValueError:
        pass
    shown = text.removesuffix("UTC").rstrip()
    found_then = _read(shown, (*(f"{each} %H:%M" for each in DAYS), *DAYS))
    return None if found_then is None else instant(found_then)


def _read(text: str, formats: tuple[str, ...]) -> datetime | None:
    for each in formats:
        try:
            return datetime.strptime(text, each).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
