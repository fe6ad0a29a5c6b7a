"""A week's hours as a small picture: a row for each day, a bar where it is open."""

from onepam.console.frame.page import Context
from onepam.domain.access.hours import Schedule, Weekday
from onepam.kernel.clock import DAY, MINUTE

_MINUTES = DAY // MINUTE
_DAYS = tuple(Weekday)


def week_picture(schedule: Schedule | None) -> Context | None:
    """{words, rows: list of {day, bars: list of {x, width} in minutes}}; None where there are no weekly hours."""
    if schedule is None or schedule.weekly is None:
        return None
    hours = schedule.weekly.hours()
    late = hours.closes <= hours.opens
    rows = []
    for number, day in enumerate(_DAYS):
        bars = []
        if late and _DAYS[number - 1] in hours.days:
            bars.append({"x": 0, "width": hours.closes})
        if day in hours.days:
            bars.append({"x": hours.opens, "width": (_MINUTES if late else hours.closes) - hours.opens})
        rows.append({"day": day.capitalize(), "bars": bars})
    return {"words": hours.words(), "rows": rows}
