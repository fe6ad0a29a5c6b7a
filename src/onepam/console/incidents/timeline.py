"""An incident drawn by time: how long it lasted, the sessions that are part of it, entries, and what was written."""

from collections.abc import Mapping

from onepam.console.frame.page import Context
from onepam.console.frame.view import View
from onepam.console.frame.wording import happened, visible
from onepam.console.people.lanes import ticks
from onepam.domain.incidents.events import IncidentNoted, LinkKind
from onepam.kernel.clock import MINUTE, Instant, utc
from onepam.store.read.incidents import IncidentDetail, LinkRow

MOST_BARS = 200


def timeline(found: IncidentDetail, called: Mapping[str, str], now: Instant, view: View) -> Context:
    """`start`, `end`, `ticks` and `lanes` of parts/lanes.html."""
    row = found.row
    began = row.began if row.began is not None else row.found
    times = [began, row.opened, row.closed or now]
    times += [each for link in found.links for each in (link.since, link.until) if each is not None]
    noted = [(_when(each.event, each.time), each) for each in found.history]
    times += [at for at, _ in noted]
    first, last = min(times), max(times)
    span = max(2 * MINUTE, last - first)
    start, end = Instant(first - span // 30), Instant(last + span // 20)
    points = [
        {
            "at": at,
            "says": f"{utc(at)}: {happened(each.event, called)}",
            "href": view.link(f"/ledger?entry={each.index}"),
            "state": "finding" if each.kind == "incident.reopened" else "plain",
        }
        for at, each in noted[-MOST_BARS:]
    ]
    lanes = [
        {"word": "Incident", "bars": [_whole(found, began, now)], "points": []},
        {"word": "Sessions", "bars": _sessions(found.links, view), "points": []},
        {"word": "Entries", "bars": [], "points": _entries(found.links, called, view)},
        {"word": "Written", "bars": [], "points": points},
    ]
    return {
        "start": start,
        "end": end,
        "ticks": ticks(start, end),
        "lanes": [each for each in lanes if each["bars"] or each["points"]],
    }


def _when(event: object, written: Instant) -> Instant:
    """What is noted stands where it happened."""
    return event.at if isinstance(event, IncidentNoted) else written


def _whole(found: IncidentDetail, began: Instant, now: Instant) -> Context:
    row = found.row
    until = f"until {utc(row.closed)}" if row.closed is not None else "and still open"
    state = "finding" if row.closed is None and row.due <= now else "due" if row.closed is None else "proven"
    return {
        "row": 0,
        "since": began,
        "until": row.closed or now,
        "says": f"{'Began' if row.began is not None else 'Found'} {utc(began)}, {until}",
        "href": None,
        "state": state,
        "label": visible(row.title or row.incident),
    }


def _sessions(links: tuple[LinkRow, ...], view: View) -> list[Context]:
    """Those that overlap in rows of their own."""
    sessions = sorted(
        ((each.since, each.until, each) for each in links
         if each.kind is LinkKind.SESSION and each.since is not None and each.until is not None),
        key=lambda each: each[0],
    )  # fmt: skip
    free, drawn = list[Instant](), list[Context]()
    for since, until, each in sessions[:MOST_BARS]:
        place = next((number for number, at in enumerate(free) if at <= since), len(free))
        free[place : place + 1] = [until]
        drawn.append(
            {
                "row": place,
                "since": since,
                "until": until,
                "says": f"{visible(each.words)}, from {utc(since)} until {utc(until)}",
                "href": view.link(f"/sessions/{each.ref}"),
                "state": "plain",
                "label": visible(each.words),
            }
        )
    return drawn


def _entries(links: tuple[LinkRow, ...], called: Mapping[str, str], view: View) -> list[Context]:
    return [
        {
            "at": each.entry.time,
            "says": f"{utc(each.entry.time)}: {happened(each.entry.event, called)}",
            "href": view.link(f"/ledger?entry={each.ref}"),
            "state": "due",
        }
        for each in links
        if each.entry is not None
    ][:MOST_BARS]
