"""Leavers: how long everybody's end took, per system, from the roster's time to the last byte and the probes."""

from math import log

from starlette.responses import Response

from onepam.app.leaving.probe_access import order_probe
from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.period import day_begins
from onepam.console.frame.places import SEES_ALL, Needs, Place, Shown
from onepam.console.frame.rendering import Flash, duration
from onepam.console.frame.visit import Visit
from onepam.console.leaving.leavers_page import LeaversPage
from onepam.console.people.person_words import origin_words
from onepam.domain.access.model import ConsoleRight
from onepam.kernel.clock import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.store.read.leavers import ALLOWED, Leaver, Leavers, SystemEnd, leavers

ORDERS = Needs(rights=(ConsoleRight.ADMINISTER, ConsoleRight.MONITOR))
DEFAULT_DAYS = 90
TICKS = ((SECOND, "1 s"), (MINUTE, "1 min"), (HOUR, "1 h"), (ALLOWED, "24 h"))


async def leavers_page(visit: Visit) -> Response:
    """Everybody who left in a period."""
    query, now = visit.request.query_params, visit.as_of if visit.as_of is not None else visit.now
    until = min(day_begins(query.get("to", ""), 1) or now, now)
    begin = day_begins(query.get("from", "")) or Instant(until - DEFAULT_DAYS * DAY)
    may_probe = visit.at is None and visit.me.has(*ORDERS.rights)
    return visit.page(await visit.services.reader(_listed, visit.at, begin, until, may_probe))


async def probe(visit: Visit) -> Response:
    """Has the listeners probed again for somebody."""
    person = visit.path("person")
    refused = await order_probe(visit.services.ledger, visit.me.actor, person)
    if refused is not None:
        return visit.outcome(refused, "/leavers", "")
    return visit.go("/leavers", Flash("done", "The listeners are probed now.", "Their answers are here in a moment."))


def _listed(db: Snapshot, at: Instant, begin: Instant, until: Instant, may_probe: bool) -> LeaversPage:
    found = leavers(db, at, begin, until)
    return LeaversPage(
        begin=begin,
        until=until,
        may_probe=may_probe,
        people=[_row(each, at) for each in found.people],
        total=found.total,
        figures=_figures(found, at),
        ticks=[{"x": percent(after), "word": word} for after, word in TICKS],
    )


def _figures(found: Leavers, at: Instant) -> list[Context]:
    late = sum(bool(each.findings(at)) for each in found.people)
    spans = (("Half of them within", found.p50), ("95 of 100 within", found.p95), ("The longest", found.longest))
    return [
        *({"word": word, "value": "" if took is None else short(took), "state": "plain"} for word, took in spans),
        {"word": "Findings", "value": str(late), "state": "finding" if late else "proven"},
    ]


def _row(each: Leaver, at: Instant) -> Context:
    findings, took = each.findings(at), each.took(at)
    stamps = (
        ("Left, by roster or directory", each.left_at),
        ("We were notified", each.notified),
        ("Access removed", each.removed),
        ("Last byte" if each.known else "Last byte: unknown, before", each.ended),
    )
    sealed = () if each.sealed is None else ({"word": "Recordings sealed and verified", "at": each.sealed},)
    probed = [system.probed for system in each.systems if system.probed is not None]
    return {
        "id": each.person,
        "name": each.name,
        "kind": each.kind.value,
        "because": each.because,
        "origin": origin_words(each.origin, "") if ":" in each.origin else each.origin,
        "took": short(took),
        "width": max(percent(took), 0.6),
        "state": "finding" if findings else "proven",
        "findings": list(findings),
        "removed": each.removed,
        "stamps": [*({"word": word, "at": stamp} for word, stamp in stamps if stamp is not None), *sealed],
        "points": [
            {"word": word, "at": stamp, "x": percent(stamp - each.began)}
            for word, stamp in (*stamps[1:], *(("Last probe", max(probed)) for _ in probed[:1]))
            if stamp is not None
        ],
        "systems": [_system(system) for system in each.systems],
    }


def _system(each: SystemEnd) -> Context:
    if each.would_open:
        state, word = "finding", f"{each.would_open} would open"
    elif each.refused:
        state, word = "proven", f"{each.refused} refused"
    else:
        state, word = "untested", "not probed" if not each.unanswered else "no answer"
    return {
        "name": each.system,
        "held": each.held,
        "removed": each.removed,
        "ended": each.ended,
        "known": each.known,
        "sealed": each.sealed,
        "probed": each.probed,
        "state": state,
        "word": word,
    }


def percent(after: int) -> float:
    """Where a span ends on the board's scale, which has 24 hours far to the right: it grows with the logarithm, so that
    seconds can be seen beside hours."""
    return round(min(100.0, 92 * log(1 + max(0, after) / SECOND) / log(1 + ALLOWED / SECOND)), 2)


def short(span: int) -> str:
    """A duration as the board says it: below a second in milliseconds."""
    if span < SECOND:
        return f"{span // 1000} ms"
    return f"{span / SECOND:.1f} s" if span < MINUTE else duration(span)


PLACES = (
    Place("GET", "/leavers", SEES_ALL, leavers_page, Shown("Leavers", "logout", "Identity")),
    Place("POST", "/leavers/{person}/probe", ORDERS, probe),
)
