"""Incidents: the register, one with all that was written of it, and everything that is done with one."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field, StringConstraints

from onepam.api.errors import ApiError
from onepam.api.guard import SIGNED_IN, AsOf, Caller, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Happened, Id, MaybeMoment, Moment, Name, Text, told
from onepam.api.routes.route import Route
from onepam.app.incidents import keep_incident
from onepam.app.ports import Snapshot
from onepam.domain.controls.control import Severity
from onepam.domain.incidents.events import Link, LinkKind
from onepam.domain.incidents.handling import CLOSERS, KEEPERS, MOST_LINKS, UNKNOWN, Draft, State
from onepam.kernel.clock import Instant, parse
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import incidents as read
from onepam.store.read.paging import Window

KEEP = right(*KEEPERS)
Day = Annotated[str, StringConstraints(max_length=40)]


class IncidentOut(Answer):
    """An incident. No title: it was erased; `began` null: nobody knows."""

    incident: str
    title: str | None
    state: State
    severity: Severity
    began: MaybeMoment
    found: Moment
    owner: str
    owner_name: str
    due: Moment
    opened: Moment
    opened_by: str
    opened_by_name: str
    closed: MaybeMoment
    closed_by: str | None
    closed_by_name: str


class IncidentFiguresOut(Answer):
    """How many are open, of these past their day and of high severity, and how many were closed."""

    open: int
    overdue: int
    high: int
    closed: int


class IncidentsOut(Answer):
    """A page of the register, of `total`; `next` is the cursor of the page after it ("": none)."""

    figures: IncidentFiguresOut
    incidents: list[IncidentOut]
    total: int
    next: str


class LinkOut(Answer):
    """What belongs to an incident, as people call it; of a session and an entry from when to when it was."""

    kind: LinkKind
    ref: str
    words: str
    linked: Moment
    since: MaybeMoment
    until: MaybeMoment


class IncidentDetailOut(Answer):
    """An incident with its links and what was written of it, the oldest first."""

    incident: IncidentOut
    links: list[LinkOut]
    history: list[Happened]


class LinkIn(Body):
    """What belongs to it: its kind, and its id or name."""

    kind: Literal["person", "caused_by", "resource", "session", "entry", "control"]
    ref: Annotated[str, StringConstraints(min_length=1, max_length=200)]


Links = Annotated[list[LinkIn], Field(max_length=MOST_LINKS)]


class IncidentIn(Body):
    """What went wrong. Times are RFC 3339: `began` null where nobody knows, `found` null for now. `owner` is an id."""

    title: Name
    severity: Literal["high", "medium", "low"]
    owner: Id
    what: Text = ""
    began: Day | None = None
    found: Day | None = None
    links: Links = Field(default_factory=list)


class OpenedOut(Answer):
    """The id of the incident."""

    incident: str


class NoteIn(Body):
    """What was learned or done, when (RFC 3339; null: now), and what belongs to it."""

    note: Text = ""
    at: Day | None = None
    links: Links = Field(default_factory=list)


class AssignIn(Body):
    """How much it weighs, who answers for it and until when (RFC 3339; null: as its severity gives), and why."""

    severity: Literal["high", "medium", "low"]
    owner: Id
    because: Text
    due: Day | None = None


class ClosingIn(Body):
    """Why it came about, what was done, and what is done otherwise from now on."""

    cause: Text
    done: Text
    lessons: Text = ""


class BecauseIn(Body):
    """Why."""

    because: Text


async def list_incidents(
    services: Services,
    at: AsOf,
    state: Literal["", "overdue", "closed", "all"] = "",
    severity: Literal["", "high", "medium", "low"] = "",
    owner: Annotated[str, Query(max_length=64)] = "",
    after: Annotated[str, Query(max_length=100)] = "",
) -> IncidentsOut:
    """The register: what is open, overdue, closed, or all."""
    found = await services.reader(read.incidents, at, state, severity, owner, Window(after, 100))
    return IncidentsOut(
        figures=IncidentFiguresOut.model_validate(await services.reader(read.figures, at)),
        incidents=[IncidentOut.model_validate(each) for each in found.rows],
        total=found.total,
        next=found.next,
    )


async def read_incident(incident: Id, caller: Who, services: Services, at: AsOf) -> IncidentDetailOut:
    """One, for whoever sees all or answers for it."""
    found = await services.reader(_detail, at, incident, caller)
    if found is None:
        raise ApiError(UNKNOWN)
    return found


async def open_incident(body: IncidentIn, caller: Who, services: Services) -> OpenedOut:
    """Open one, with what belongs to it."""
    draft = Draft(
        incident=new_id("inc", services.random),
        title=body.title,
        what=body.what,
        severity=Severity(body.severity),
        began=_instant(body.began),
        found=_instant(body.found),
        owner=body.owner,
        links=_links(body.links),
    )
    return OpenedOut(incident=done(await keep_incident.open_incident(services.ledger, caller.actor, draft)))


async def note(incident: Id, body: NoteIn, caller: Who, services: Services) -> Done:
    """Add what was learned or done; whoever sees all or answers for it."""
    done(
        await keep_incident.note_to_incident(
            services.ledger, caller.actor, incident, _instant(body.at), body.note, _links(body.links)
        )
    )
    return Done()


async def assign(incident: Id, body: AssignIn, caller: Who, services: Services) -> Done:
    """Say how much it weighs, who answers for it and until when."""
    due = _instant(body.due)
    done(
        await keep_incident.assign_incident(
            services.ledger, caller.actor, incident, Severity(body.severity), body.owner, due, body.because
        )
    )
    return Done()


async def close(incident: Id, body: ClosingIn, caller: Who, services: Services) -> Done:
    """Close it; nobody who brought it about, and one that was of high severity nobody who answered for it."""
    done(
        await keep_incident.close_incident(services.ledger, caller.actor, incident, body.cause, body.done, body.lessons)
    )
    return Done()


async def reopen(incident: Id, body: BecauseIn, caller: Who, services: Services) -> Done:
    """Open it again."""
    done(await keep_incident.reopen_incident(services.ledger, caller.actor, incident, body.because))
    return Done()


def _detail(db: Snapshot, at: Instant, incident: str, caller: Caller) -> IncidentDetailOut | None:
    found = read.incident(db, at, incident)
    if found is None or not (caller.may(*KEEPERS) or found.row.owner == caller.actor.person):
        return None
    return IncidentDetailOut(
        incident=IncidentOut.model_validate(found.row),
        links=[LinkOut.model_validate(each) for each in found.links],
        history=told(db, at, found.history),
    )


def _links(found: list[LinkIn]) -> tuple[Link, ...]:
    return tuple(Link(LinkKind(each.kind), each.ref) for each in found)


def _instant(text: str | None) -> Instant | None:
    try:
        return parse(text) if text else None
    except ValueError:
        refused = Refused("input.time", "This is not a time with a zone.", "Such as 2026-03-03T14:00:00Z")
        raise ApiError(refused, 400) from None


ROUTES = (
    Route("GET", "/incidents", KEEP, list_incidents),
    Route("POST", "/incidents", KEEP, open_incident),
    Route("GET", "/incidents/{incident}", SIGNED_IN, read_incident),
    Route("POST", "/incidents/{incident}/notes", SIGNED_IN, note),
    Route("POST", "/incidents/{incident}/assign", KEEP, assign),
    Route("POST", "/incidents/{incident}/close", right(*CLOSERS), close),
    Route("POST", "/incidents/{incident}/reopen", KEEP, reopen),
)
