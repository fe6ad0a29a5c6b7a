"""Incidents: the register, opening one from what was seen, one by time, and everything that is done with it."""

from starlette.responses import Response

from onepam.app.incidents import keep_incident
from onepam.app.ports import Snapshot
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.period import day_begins, typed_instant
from onepam.console.frame.places import MEMBER, Needs, Place, Shown
from onepam.console.frame.rendering import Flash, field_time
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.view import View
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import happened, visible
from onepam.console.incidents.incidents_page import IncidentPage, IncidentsPage, NewIncidentPage
from onepam.console.incidents.timeline import timeline
from onepam.domain.controls.control import Severity
from onepam.domain.incidents.events import Link, LinkKind
from onepam.domain.incidents.handling import CLOSERS, KEEPERS, MOST_LINKS, NO_LINKS, UNKNOWN, Draft, State
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.store.read import incidents as read
from onepam.store.read.concerned import meant
from onepam.store.read.names import Called
from onepam.store.read.paging import Window

HERE = "/incidents"
KEEPS = Needs(rights=KEEPERS)
SEVERITIES = {Severity.HIGH.value: "High", Severity.MEDIUM.value: "Medium", Severity.LOW.value: "Low"}
KINDS = {
    LinkKind.PERSON.value: "Person",
    LinkKind.CAUSED_BY.value: "Caused by",
    LinkKind.RESOURCE.value: "Resource",
    LinkKind.SESSION.value: "Session",
    LinkKind.ENTRY.value: "Entry",
    LinkKind.CONTROL.value: "Control",
}
_PAGES = {
    LinkKind.PERSON: "/people/{}", LinkKind.CAUSED_BY: "/people/{}", LinkKind.RESOURCE: "/resources/{}",
    LinkKind.SESSION: "/sessions/{}", LinkKind.ENTRY: "/ledger?entry={}", LinkKind.CONTROL: "/controls/{}",
}  # fmt: skip
_HEAD = ("incident", "title", "severity", "state", "began (UTC)", "found (UTC)", "opened by", "answers for it",
         "due (UTC)", "closed (UTC)", "closed by")  # fmt: skip
_NO_TIME = Refused("incident.time", "That is no time.", "Write it as 2026-11-29 14:00, in UTC.")
_NO_OWNER = Refused("incident.owner", "Nobody, or more than one person, is called that.", "Give an address.")


async def incidents_page(visit: Visit) -> Response:
    """The register, or all of it as a sheet."""
    asked = visit.request.query_params
    state, severity = asked.get("state", ""), asked.get("severity", "")
    state = state if state in read.STATES else ""
    severity = severity if severity in SEVERITIES else ""
    if visit.wants_sheet():
        at, reader = visit.moment, visit.services.reader
        parts = every(lambda window: reader(read.incidents, at, "all", severity, "", window), _line)
        return sheet(f"incidents-{field_time(at).replace(':', '')}.csv", _HEAD, parts)
    return visit.page(await visit.services.reader(_listed, visit.at, state, severity, paged(visit)))


async def new_page(visit: Visit) -> Response:
    """The form, with what `?link=kind:ref` carries over, as often as it says."""
    typed = visit.request.query_params.getlist("link")[:MOST_LINKS]
    links = [found for each in typed if (found := _link(each)) is not None]
    return visit.page(await visit.services.reader(_new, visit.at, links, visit.me.name))


async def open_incident(visit: Visit) -> Response:
    """Opens one; its page is the answer."""
    draft = await visit.services.reader(_draft, None, visit)
    if isinstance(draft, Refused):
        return visit.outcome(draft, f"{HERE}/new", "")
    done = await keep_incident.open_incident(visit.services.ledger, visit.me.actor, draft)
    if isinstance(done, Refused):
        return visit.outcome(done, f"{HERE}/new", "")
    return visit.go(f"{HERE}/{done}", Flash("done", "Opened.", "Whoever answers for it is told."))


async def incident_page(visit: Visit) -> Response:
    """One, for whoever sees all or answers for it."""
    page = await visit.services.reader(_one, visit.at, visit, View.of(visit))
    return visit.refusal(UNKNOWN, 404) if page is None else visit.page(page)


async def note(visit: Visit) -> Response:
    """What was learned or done, or what belongs to it."""
    incident, form = visit.path("incident"), visit.form
    typed, kind, ref = form.get("at", "").strip(), form.get("kind", ""), form.get("ref", "").strip()
    at = typed_instant(typed) if typed else None
    if typed and at is None:
        return visit.outcome(_NO_TIME, f"{HERE}/{incident}", "")
    if ref and not visit.me.has(*KEEPERS):
        return visit.outcome(NO_LINKS, f"{HERE}/{incident}", "")
    links = await visit.services.reader(_meant, None, kind, ref) if ref else ()
    if isinstance(links, Refused):
        return visit.outcome(links, f"{HERE}/{incident}", "")
    refused = await keep_incident.note_to_incident(
        visit.services.ledger, visit.me.actor, incident, at, form.get("note", ""), links
    )
    return visit.outcome(refused, f"{HERE}/{incident}", "Noted.")


async def assign(visit: Visit) -> Response:
    """How much it weighs, who answers, until when."""
    incident, form = visit.path("incident"), visit.form
    back, typed = f"{HERE}/{incident}", form.get("due", "").strip()
    owner = await visit.services.reader(meant, None, form.get("owner", "").strip())
    due = day_begins(typed, 1) if typed else None
    if len(owner) != 1:
        return visit.outcome(_NO_OWNER, back, "")
    if (typed and due is None) or form.get("severity", "") not in SEVERITIES:
        return visit.outcome(Refused("incident.due", "That is no day.", "Write it as 2027-03-31."), back, "")
    refused = await keep_incident.assign_incident(
        visit.services.ledger, visit.me.actor, incident, Severity(form["severity"]), owner[0], due,
        form.get("because", ""),
    )  # fmt: skip
    return visit.outcome(refused, back, "Said who answers for it.")


async def close(visit: Visit) -> Response:
    """It is over."""
    incident, form = visit.path("incident"), visit.form
    refused = await keep_incident.close_incident(
        visit.services.ledger, visit.me.actor, incident, form.get("cause", ""), form.get("done", ""),
        form.get("lessons", ""),
    )  # fmt: skip
    return visit.outcome(refused, f"{HERE}/{incident}", "Closed. It stays, with everything that was written of it.")


async def reopen(visit: Visit) -> Response:
    """It was not over."""
    incident = visit.path("incident")
    refused = await keep_incident.reopen_incident(
        visit.services.ledger, visit.me.actor, incident, visit.form.get("reason", "")
    )
    return visit.outcome(refused, f"{HERE}/{incident}", "Open again.")


def _listed(db: Snapshot, at: Instant, state: str, severity: str, window: Window) -> IncidentsPage:
    found, known = read.incidents(db, at, state, severity, "", window), read.figures(db, at)
    kept = {"state": state, "severity": severity}
    return IncidentsPage(
        filter=kept,
        choices={"state": dict(read.STATES), "severity": {"": "Any severity", **SEVERITIES}},
        figures={"open": known.open, "overdue": known.overdue, "high": known.high, "closed": known.closed},
        incidents=[shown(each, at) for each in found.rows],
        pager=pager(found, window, kept),
    )


def shown(each: read.IncidentRow, at: Instant) -> Context:
    """An incident in a list."""
    late = each.state is State.OPEN and each.due <= at
    state, word = ("finding", "Overdue") if late else ("due", "Open")
    if each.state is State.CLOSED:
        state, word = "proven", "Closed"
    return {
        "id": each.incident,
        "title": visible(each.title) if each.title is not None else "(erased)",
        "state": state,
        "word": word,
        "severity": SEVERITIES[each.severity.value],
        "found": each.found,
        "owner": each.owner_name,
        "due": each.due,
        "late": late,
        "closed": each.closed,
    }


def _new(db: Snapshot, at: Instant, links: list[Link], me: str) -> NewIncidentPage:
    called = Called(db, at)
    return NewIncidentPage(
        links=[
            {"kind": KINDS[each.kind.value], "words": visible(called.get(each.ref, each.ref)), "value": _said(each)}
            for each in links
        ],
        value=" ".join(_said(each) for each in links),
        severities=SEVERITIES,
        me=me,
    )


def _one(db: Snapshot, at: Instant, visit: Visit, view: View) -> IncidentPage | None:
    found, me = read.incident(db, at, visit.path("incident")), visit.me
    keeps = me.has(*KEEPERS)
    if found is None or not (keeps or found.row.owner == me.actor.person):
        return None
    called, now, row = Called(db, at), visit.as_of is None, found.row
    is_open = row.state is State.OPEN
    why_not = _why_not(found, me.actor.person) if is_open and me.has(*CLOSERS) else ""
    drawn = timeline(found, called, at, view)
    return IncidentPage(
        incident={
            **shown(row, at),
            "began": row.began,
            "opened": row.opened,
            "opened_by": row.opened_by_name,
            "closed_by": row.closed_by_name,
            "owner_id": row.owner,
        },
        **drawn,
        links=[_linked(each) for each in found.links],
        history=[
            {"at": each.time, "words": happened(each.event, called), "entry": each.index} for each in found.history
        ],
        keeps=keeps and now,
        may_note=is_open and now,
        may_close=is_open and now and me.has(*CLOSERS) and not why_not,
        why_not=why_not,
        severities=SEVERITIES,
        kinds=KINDS,
    )


def _why_not(found: read.IncidentDetail, person: str) -> str:
    """Why they do not close it, whatever their roles; the command judges."""
    if person in found.culprits:
        return "You do not close it: you brought it about, or your session is part of it."
    if found.two and person in found.owners:
        return "Somebody else closes it: one of high severity takes two, and you answered for it."
    return ""


def _linked(each: read.LinkRow) -> Context:
    return {
        "kind": KINDS[each.kind.value],
        "words": visible(each.words),
        "href": _PAGES[each.kind].format(each.ref),
        "since": each.since,
        "until": each.until if each.kind is LinkKind.SESSION else None,
    }


def _line(each: read.IncidentRow) -> list[tuple[object, ...]]:
    return [
        (each.incident, visible(each.title or ""), each.severity.value, each.state.value,
         iso(each.began) if each.began is not None else "", iso(each.found), each.opened_by_name, each.owner_name,
         iso(each.due), iso(each.closed) if each.closed is not None else "", each.closed_by_name)
    ]  # fmt: skip


def _said(link: Link) -> str:
    return f"{link.kind.value}:{link.ref}"


def _link(text: str) -> Link | None:
    kind, _, ref = text.partition(":")
    return Link(LinkKind(kind), ref) if kind in KINDS and 0 < len(ref) <= 200 else None


def _meant(db: Snapshot, at: Instant, kind: str, ref: str) -> tuple[Link, ...] | Refused:
    """The link that somebody typed: of people by id, address or whole name."""
    if kind in (LinkKind.PERSON, LinkKind.CAUSED_BY):
        found = meant(db, at, ref)
        return (Link(LinkKind(kind), found[0]),) if len(found) == 1 else _NO_OWNER
    link = _link(f"{kind}:{ref}")
    return (link,) if link is not None else Refused("form.malformed", "Say what kind of thing it is.", HERE)


def _draft(db: Snapshot, at: Instant, visit: Visit) -> Draft | Refused:
    """What the form says."""
    form = visit.form
    owner = meant(db, at, form.get("owner", "").strip())
    if len(owner) != 1:
        return _NO_OWNER
    if form.get("severity", "") not in SEVERITIES:
        return Refused("form.malformed", "Say how much it weighs.", f"{HERE}/new")
    times = [
        (text, typed_instant(text) if text else None)
        for text in (form.get(each, "").strip() for each in ("began", "found"))
    ]
    if any(text and found is None for text, found in times):
        return _NO_TIME
    links = [link for each in form.get("links", "").split() if (link := _link(each)) is not None]
    return Draft(
        incident=new_id("inc", visit.services.random),
        title=form.get("title", ""),
        what=form.get("what", ""),
        severity=Severity(form["severity"]),
        began=times[0][1],
        found=times[1][1],
        owner=owner[0],
        links=tuple(links),
    )


PLACES = (
    Place("GET", HERE, KEEPS, incidents_page, Shown("Incidents", "alert-triangle", "Activity")),
    Place("POST", HERE, KEEPS, open_incident),
    Place("GET", f"{HERE}/new", KEEPS, new_page),
    Place("GET", f"{HERE}/{{incident}}", MEMBER, incident_page),
    Place("POST", f"{HERE}/{{incident}}/note", MEMBER, note),
    Place("POST", f"{HERE}/{{incident}}/assign", KEEPS, assign),
    Place("POST", f"{HERE}/{{incident}}/close", Needs(rights=CLOSERS), close),
    Place("POST", f"{HERE}/{{incident}}/reopen", KEEPS, reopen),
)
