"""Leavers: how long the end of everybody's access took, and probes on order."""

from typing import Annotated

from fastapi import Query

from onepam.api.errors import ApiError
from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Done, Id, MaybeMoment, Moment
from onepam.api.routes.route import Route
from onepam.app.leaving.probe_access import order_probe
from onepam.domain.access.model import ConsoleRight
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import DAY, MILLISECOND, Instant, parse
from onepam.kernel.errors import Refused
from onepam.store.read import leavers as rows

OVERSEE = right(ConsoleRight.ADMINISTER, ConsoleRight.AUDIT, ConsoleRight.MONITOR)
ORDER = right(ConsoleRight.ADMINISTER, ConsoleRight.MONITOR)
DEFAULT_PERIOD = 90 * DAY

Bound = Annotated[str | None, Query(max_length=40, description="RFC 3339 with a zone")]


class SystemOut(Answer):
    """The end in one system: both stamps, and what its listener said to probes. `ended` is the last byte (null: it
    runs); not `known`: a process died, and it went at some time before. `sealed`: the recordings were verified."""

    system: str
    held: int
    removed: Moment
    ended: MaybeMoment
    probed: MaybeMoment
    refused: int
    would_open: int
    unanswered: int
    known: bool
    sealed: MaybeMoment


class LeaverOut(Answer):
    """Somebody whose access ended; `took_ms` is from the earliest news to the last byte, or until now."""

    person: str
    name: str
    kind: PersonKind
    origin: str
    because: str
    left_at: MaybeMoment
    notified: MaybeMoment
    removed: Moment
    ended: MaybeMoment
    took_ms: int
    findings: list[str]
    systems: list[SystemOut]


class LeaversOut(Answer):
    """Those of a period, the newest first, of `total`; percentiles in milliseconds by nearest rank."""

    leavers: list[LeaverOut]
    total: int
    p50_ms: int | None
    p95_ms: int | None
    longest_ms: int | None


async def list_leavers(services: Services, at: AsOf, begin: Bound = None, until: Bound = None) -> LeaversOut:
    """Whose access ended in a period (the last 90 days), with both stamps per system."""
    now = at if at is not None else services.clock()
    ends = _instant(until) or now
    starts = _instant(begin) or Instant(ends - DEFAULT_PERIOD)
    found = await services.reader(rows.leavers, at, starts, ends)
    return LeaversOut(
        leavers=[_out(each, now) for each in found.people],
        total=found.total,
        p50_ms=_ms(found.p50),
        p95_ms=_ms(found.p95),
        longest_ms=_ms(found.longest),
    )


async def probe(person: Id, caller: Who, services: Services) -> Done:
    """Probe every listener, within seconds, with this person's proofs: would they still open?"""
    done(await order_probe(services.ledger, caller.actor, person))
    return Done()


def _out(each: rows.Leaver, now: Instant) -> LeaverOut:
    return LeaverOut(
        person=each.person,
        name=each.name,
        kind=each.kind,
        origin=each.origin,
        because=each.because,
        left_at=each.left_at,
        notified=each.notified,
        removed=each.removed,
        ended=each.ended,
        took_ms=each.took(now) // MILLISECOND,
        findings=list(each.findings(now)),
        systems=[SystemOut.model_validate(system) for system in each.systems],
    )


def _ms(span: int | None) -> int | None:
    return None if span is None else span // MILLISECOND


def _instant(text: str | None) -> Instant | None:
    try:
        return parse(text) if text is not None else None
    except ValueError:
        refused = Refused("input.period", "This is not a time with a zone.", "Such as 2026-03-03T14:00:00Z")
        raise ApiError(refused, 400) from None


ROUTES = (
    Route("GET", "/leavers", OVERSEE, list_leavers),
    Route("POST", "/leavers/{person}/probe", ORDER, probe),
)
