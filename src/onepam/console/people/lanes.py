"""A person's time in lanes: the span, its ticks, and bars that overlap in rows of their own."""

from datetime import datetime, timedelta

from onepam.console.frame.page import Context
from onepam.console.frame.view import View
from onepam.console.frame.wording import FACTORS
from onepam.kernel.clock import DAY, FOREVER, MINUTE, Instant, instant, moment, utc
from onepam.store.read.people import Bar, Lane

MOST_BARS = 400
_STEPS = tuple(MINUTE * each for each in (1, 2, 5, 10, 30, 60, 180, 360, 720, 1440, 2880, 10080, 20160))
_WORDS = {
    "roster": "Staff roster",
    "account": "Account",
    "identities": "Identities",
    "roles": "Roles",
    "grants": "Grants",
    "sessions": "Sessions",
    "factors": "Factors",
    "leaving": "Left",
}
_RARE = {"roster", "identities", "leaving"}
"""Lanes that are drawn only where there is something in them."""

_STATES = {
    "roster": "plain", "account": "plain", "roles": "plain", "grants": "due", "factors": "proven",
    "identities": "proven", "leaving": "finding",
}  # fmt: skip


def lanes(told: tuple[Lane, ...], joined: Instant, now: Instant, view: View) -> Context:
    """`start`, `end`, `ticks` and `lanes` of person.html. Sessions are points, all else bars."""
    span = max(2 * MINUTE, now - joined)
    start, end = Instant(joined - span // 30), Instant(joined + span + span // 20)
    return {
        "start": start,
        "end": end,
        "ticks": ticks(start, end),
        "lanes": [
            _lane(each, (start, end), now, view)
            for each in told
            if each.name in _WORDS and (each.bars or each.name not in _RARE)
        ],
    }


def ticks(start: Instant, end: Instant) -> list[Context]:
    """About six marks at round times: hours, days, or months from three on."""
    wanted = (end - start) // 7
    step = next((each for each in _STEPS if each >= wanted), None)
    if step is None:
        return _months(start, end, max(1, round(wanted / (30 * DAY))))
    first, last = Instant(-(-start // step) * step), Instant(end - (end - start) // 20)
    words = "%H:%M" if step < DAY else "%-d %b"
    return [{"at": Instant(at), "word": moment(Instant(at)).strftime(words)} for at in range(first, last, step)]


def _months(start: Instant, end: Instant, step: int) -> list[Context]:
    at = (moment(start).replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    found: list[Context] = []
    while instant(at) < end:
        words = "%b %Y" if at.month <= step or not found else "%b"
        found.append({"at": instant(at), "word": at.strftime(words)})
        at = _later(at, step)
    return found


def _later(at: datetime, months: int) -> datetime:
    number = at.year * 12 + at.month - 1 + months
    return at.replace(year=number // 12, month=number % 12 + 1)


def _lane(lane: Lane, span: tuple[Instant, Instant], now: Instant, view: View) -> Context:
    """What began before the span, as an entry of the roster may, is drawn from its left edge."""
    start, end = span
    bars = sorted(lane.bars[-MOST_BARS:], key=lambda each: each.starts)
    word = _WORDS[lane.name]
    if lane.name == "sessions":
        points = [
            {"at": each.starts, "says": _says(each), "href": view.link(f"/sessions/{each.reference}"), "state": "plain"}
            for each in bars
        ]
        return {"word": word, "bars": [], "points": points}
    free: list[Instant] = []
    drawn = []
    for each in bars:
        until = min(each.ends or end, end)
        row = next((number for number, at in enumerate(free) if at <= each.starts), len(free))
        free[row : row + 1] = [until]
        state = _STATES[lane.name] if each.ends is None or lane.name != "grants" else "plain"
        drawn.append(
            {
                "row": row,
                "since": max(each.starts, start),
                "until": until if each.ends is not None else now,
                "says": _says(each),
                "href": None,
                "state": state,
                "label": FACTORS.get(each.words, each.words),
            }
        )
    return {"word": word, "bars": drawn, "points": []}


def _says(bar: Bar) -> str:
    words = FACTORS.get(bar.words, bar.words)
    until = f"until {utc(bar.ends)}" if bar.ends is not None and bar.ends < FOREVER else "and still so"
    return f"{words[:1].upper()}{words[1:]}, from {utc(bar.starts)} {until}"
