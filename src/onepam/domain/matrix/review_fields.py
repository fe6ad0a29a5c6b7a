"""The section `reviews` of `access.yaml`."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from onepam.domain.access.review_schedule import BUILT_IN, SHORTEST, WEEKDAYS, Every, ReviewSchedule, Suspends, Trigger
from onepam.domain.matrix import fields
from onepam.domain.matrix.parse import Findings, Node, Scalar
from onepam.kernel.clock import DAY

MOST_IN_A_ROW = 14
"""Days one after another that may be holidays: by no more is a review put off."""

_OPTIONAL = ("every", "lasts", "suspends", "fallback", "holidays", "on")
_DAYS = re.compile(r"([0-9]{1,2})d", re.ASCII)


def schedule(node: Node | None, findings: Findings, person: Callable[[Node | None, str], str | None]) -> ReviewSchedule:
    """What the section says, `fallback` as `person` reads it; what it leaves out is as built in."""
    if node is None:
        return BUILT_IN
    given = fields.record(node, node.spot, "section of reviews", (), _OPTIONAL, findings)
    every = (fields.choice(given["every"], "interval", Every, findings) if "every" in given else None) or BUILT_IN.every
    suspends = (
        fields.choice(given["suspends"], "answer to silence", Suspends, findings) if "suspends" in given else None
    )
    lasts = _lasts(given["lasts"], every, findings) if "lasts" in given else None
    return ReviewSchedule(
        every=every,
        lasts=lasts or BUILT_IN.lasts,
        suspends=suspends or BUILT_IN.suspends,
        fallback=person(given.get("fallback"), "fallback"),
        holidays=_holidays(given, findings),
        on=fields.choices(given["on"], "trigger", Trigger, findings) if "on" in given else (),
    )


def _lasts(node: Node, every: Every, findings: Findings) -> int | None:
    """Whole days."""
    match = _DAYS.fullmatch(node.text) if isinstance(node, Scalar) else None
    lasts = int(match[1]) * DAY if match else 0
    if SHORTEST <= lasts <= every.longest:
        return lasts
    findings.add(node.spot, "A review lasts whole days.", f"From 1d to {every.longest // DAY}d with this interval.")
    return None


def _holidays(given: Mapping[str, Node], findings: Findings) -> tuple[str, ...]:
    """Days and weekdays, in order; refused where a review could be put off by more than two weeks."""
    if "holidays" not in given:
        return ()
    found: set[str] = set()
    for each in fields.items(given["holidays"], "holidays", findings):
        text = each.text.strip() if isinstance(each, Scalar) else ""
        if text in found:
            findings.add(each.spot, f"{fields.shown(text)} stands here twice.", "Keep one of them.")
        elif text in WEEKDAYS or _day(text) is not None:
            found.add(text)
        else:
            hint = "Such as 2027-01-01, or saturday for each Saturday."
            findings.add(each.spot, f"{fields.shown(text)} is neither a day nor a weekday.", hint)
    if any(_in_a_row(each, found) > MOST_IN_A_ROW for each in ("2000-01-01", *found) if each not in WEEKDAYS):
        findings.add(
            given["holidays"].spot, f"More than {MOST_IN_A_ROW} days in a row are holidays.", "Leave some out."
        )
    return tuple(sorted(found))


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text) if re.fullmatch(r"2[01]\d\d-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        return None
    return found


def _in_a_row(first: str, holidays: set[str]) -> int:
    """How many days from this one on are holidays, as far as it matters."""
    day, number = date.fromisoformat(first), 0
    while number <= MOST_IN_A_ROW and (day.isoformat() in holidays or WEEKDAYS[day.weekday()] in holidays):
        day, number = day + timedelta(days=1), number + 1
    return number
