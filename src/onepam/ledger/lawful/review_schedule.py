"""Rules of when reviews of access fall due: the schedule that a change of the roles sets, and what is due by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.access import alone, by_change
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.gains import NOBODY_ELSE
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.state import State

schedule_rules = Rules()

BUILT_IN: Mapping[str, Any] = {
    "every": "quarter",
    "lasts": 21 * DAY,
    "suspends": "privileged",
    "fallback": None,
    "holidays": [],
    "on": [],
}
"""What holds until a change sets another."""

MONTHS = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}
TAKES = ("nothing", "privileged", "everything")
"""What silence takes, the least first."""

MOST_HOLIDAYS = 400
"""Days one after another that are looked at for one that is none."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EPOCH = date(1970, 1, 1)


@schedule_rules.of("reviews.set", "setting when reviews fall due", Authority.CAUSE)
def reviews_set(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command; what lets access stand for longer somebody else had
    approved."""
    body = entry.body
    yield by_change(entry)
    if alone(state, body):
        yield from (f"reviews {what}, {NOBODY_ELSE}" for what in _laxer(schedule_in_force(state), body))
    state.schedules.append((entry.time, body))
    for trigger, those in (("mover", state.moved), ("widened", state.widened)):
        if trigger not in body["on"]:
            those.clear()


def schedule_in_force(state: State) -> Mapping[str, Any]:
    """The schedule that was set last."""
    return state.schedules[-1][1] if state.schedules else BUILT_IN


def period_due(state: State, at: int) -> str:
    """The last period that began under the schedule in force then, and whose review is to have opened; empty where
    there is none."""
    return next((name for name, opens in _newest_first(state, at) if opens <= at), "")


def next_working(at: int, holidays: list[str]) -> int:
    """The same time of the first day from that one on that is no holiday."""
    days = ((number, _EPOCH + timedelta(days=at // DAY + number)) for number in range(MOST_HOLIDAYS))
    free = (n for n, day in days if day.isoformat() not in holidays and _WEEKDAYS[day.weekday()] not in holidays)
    return at + next(free, 0) * DAY


def _newest_first(state: State, at: int) -> Iterator[tuple[str, int]]:
    """Each period, and when its review opens, by the schedule in force as it began."""
    until = at
    for since, schedule in reversed([(Instant(0), BUILT_IN), *state.schedules]):
        while True:
            name, first = _period(schedule["every"], until)
            if first < since:
                break
            yield name, next_working(first, schedule["holidays"])
            until = first - 1
        until = min(until, since - 1)


def _period(every: str, at: int) -> tuple[str, int]:
    """The period that an instant lies in, and its beginning."""
    day = _EPOCH + timedelta(days=at // DAY)
    number = (day.month - 1) // MONTHS[every]
    part = {"month": f"-{number + 1:02}", "quarter": f"-Q{number + 1}", "half-year": f"-H{number + 1}", "year": ""}
    first = date(day.year, number * MONTHS[every] + 1, 1)
    return f"{day.year}{part[every]}", (first - _EPOCH).days * DAY


def _laxer(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if MONTHS[now["every"]] > MONTHS[was["every"]]:
        yield "fall due less often"
    if now["lasts"] > was["lasts"]:
        yield "may be decided on for longer"
    if TAKES.index(now["suspends"]) < TAKES.index(was["suspends"]):
        yield "take less without an answer"
    if now["fallback"] != was["fallback"]:
        yield "are decided on by somebody else where nobody else can"
    if not set(was["on"]) <= set(now["on"]):
        yield "open on less"
