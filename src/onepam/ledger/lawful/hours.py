"""Weekly hours of access that was asked for: what lies in them, by the offsets that the request itself holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepam.kernel.instant import DAY, FOREVER, MINUTE, SECOND

DAYS = ("thu", "fri", "sat", "sun", "mon", "tue", "wed")
"""Since the first of January 1970."""


def schedule_of(substance: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """When it was asked for; None: from the approval on, at every hour, and so of what was asked before one could."""
    found: Mapping[str, Any] | None = substance.get("schedule")
    return found


def begins_of(substance: Mapping[str, Any]) -> int | None:
    """The time before which it gives nothing, and from which on its duration counts."""
    schedule = schedule_of(substance)
    begins: int | None = None if schedule is None else schedule.get("begins")
    return begins


def weekly_of(substance: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The hours within which it may be used."""
    schedule = schedule_of(substance)
    hours: Mapping[str, Any] | None = None if schedule is None else schedule.get("weekly")
    return hours


def until_of(substance: Mapping[str, Any]) -> int | None:
    """The end of the window within which it lasts from its first use on; None where it lasts from its beginning on."""
    found: int | None = (schedule_of(substance) or {}).get("until")
    return found


def extends_of(substance: Mapping[str, Any]) -> str:
    """The access after whose end it goes on; empty where it stands alone."""
    found: str = (schedule_of(substance) or {}).get("extends", "")
    return found


def open_until(hours: Mapping[str, Any], at: int) -> int:
    """When the hours that `at` lies in are over; `at` itself where it lies in none."""
    offsets = hours["offsets"]
    still = at
    for number, offset in enumerate(offsets):
        until = offsets[number + 1]["since"] if number + 1 < len(offsets) else FOREVER
        while still < until and still < at + DAY:
            closes = _wall_closes(hours, still + offset["seconds"] * SECOND)
            if closes is None:
                return still
            still = min(closes - offset["seconds"] * SECOND, until)
    return still


def _wall_closes(hours: Mapping[str, Any], wall: int) -> int | None:
    """When the hours close that this time on the wall lies in."""
    for day in (wall // DAY, wall // DAY - 1):
        opens: int = day * DAY + hours["opens"] * MINUTE
        closes: int = day * DAY + hours["closes"] * MINUTE
        if hours["closes"] <= hours["opens"]:
            closes += DAY
        if DAYS[day % 7] in hours["days"] and opens <= wall < closes:
            return closes
    return None
