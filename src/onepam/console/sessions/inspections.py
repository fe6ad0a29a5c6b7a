"""Recordings to inspect: a share of all sessions, the larger the riskier, each looked at by somebody else."""

from starlette.responses import Response

from onepam.app.ports import Snapshot
from onepam.app.sessions.inspect_recording import inspect_recording
from onepam.console.frame.page import Context
from onepam.console.frame.paging import paged, pager
from onepam.console.frame.places import Needs, Place, Shown
from onepam.console.frame.rendering import field_time
from onepam.console.frame.sheet import every, sheet
from onepam.console.frame.visit import Visit
from onepam.console.frame.wording import ENTRY, visible
from onepam.console.sessions.inspections_page import InspectionsPage
from onepam.domain.sessions.inspecting import INSPECTORS, Verdict
from onepam.kernel.clock import Instant, iso
from onepam.kernel.errors import Refused
from onepam.store.read import inspections as read
from onepam.store.read.paging import Window
from onepam.store.read.sessions import SessionRow

HERE = "/inspections"
INSPECTS = Needs(rights=INSPECTORS)
WORDS = {Verdict.EXPECTED: "As expected", Verdict.CONCERN: "Concern"}
_HEAD = (
    "ended (UTC)", "person", "resource", "login", "way in", "drawn because", "due (UTC)", "verdict", "inspected by",
    "inspected (UTC)", "note", "session",
)  # fmt: skip


async def inspections_page(visit: Visit) -> Response:
    """What waits to be inspected, or what was; or all of it as a sheet."""
    state = visit.request.query_params.get("state", "")
    state = state if state in read.STATES else ""
    if visit.wants_sheet():
        return _sheet(visit, state)
    reader = visit.me.actor.person
    return visit.page(await visit.services.reader(_listed, visit.at, state, paged(visit), reader))


async def inspection(visit: Visit, row: SessionRow) -> Context | None:
    """Why it was drawn, and what was said of it; its own person says nothing of it."""
    if row.status == "open":
        return None
    found = await visit.services.reader(read.drawn, visit.at, row.session)
    words = await visit.services.reader(read.said_of, visit.at, row.session)
    state, word = standing(found, visit.moment) if found else ("plain", "Not drawn")
    return {
        "drawn": [risk.words for risk in found.risks] if found else [],
        "state": state,
        "word": word,
        "due": found.due if found else None,
        "said": [said(one) for one in words],
        "may": row.person != visit.me.actor.person and visit.me.has(*INSPECTORS),
    }


async def inspect(visit: Visit) -> Response:
    """What somebody says who has looked at the recording."""
    session, said = visit.path("session"), visit.form.get("verdict", "")
    if said not in set(Verdict):
        return visit.refusal(Refused("form.malformed", "Say that it is as expected, or a concern.", HERE), 409)
    outcome = await inspect_recording(
        visit.services.ledger, visit.me.actor, session, Verdict(said), visit.form.get("note", "")
    )
    done = "Kept: a concern." if said == Verdict.CONCERN else "Kept: as expected."
    return visit.outcome(outcome, visit.back(f"/sessions/{session}"), done)


def _listed(db: Snapshot, at: Instant, state: str, window: Window, reader: str) -> InspectionsPage:
    found, known = read.drawn_sessions(db, at, state, window), read.figures(db, at)
    done = known.inspected + known.late
    return InspectionsPage(
        filter={"state": state},
        choices={"state": {"": "All that wait", **read.STATES}},
        figures={
            "ended": known.ended,
            "drawn": known.drawn,
            "share": 100 * known.drawn // known.ended if known.ended else 0,
            "inspected": known.inspected,
            "late": known.late,
            "waiting": known.waiting,
            "overdue": known.overdue,
            "concerns": known.concerns,
            "done": 100 * done // known.drawn if known.drawn else 0,
        },
        sessions=[_row(each, at, reader) for each in found.rows],
        pager=pager(found, window, {"state": state}),
    )


def _row(each: read.DrawnRow, at: Instant, reader: str) -> Context:
    state, word = standing(each, at)
    return {
        "id": each.session,
        "state": state,
        "word": word,
        "person": {"id": each.person, "name": each.person_name},
        "resource": each.resource,
        "login": each.login,
        "entry": ENTRY[each.entry],
        "opened": each.opened,
        "ended": each.closed,
        "risks": [risk.words for risk in each.risks],
        "due": each.due,
        "own": each.person == reader,
        "said": [said(one) for one in each.said],
    }


def standing(each: read.DrawnRow, at: Instant) -> tuple[str, str]:
    """Whether somebody has looked at it, as a state and its word (parts/ui.html)."""
    if each.inspected is not None:
        concern = any(one.verdict is Verdict.CONCERN for one in each.said)
        return ("finding", "Concern") if concern else ("proven", "Inspected")
    return ("finding", "Overdue") if each.due <= at else ("due", "To inspect")


def said(one: read.Said) -> Context:
    """What somebody said, as pages show it."""
    return {
        "by": one.inspector_name,
        "verdict": WORDS[one.verdict],
        "concern": one.verdict is Verdict.CONCERN,
        "note": visible(one.note or ""),
        "at": one.at,
    }


def _sheet(visit: Visit, state: str) -> Response:
    at, reader = visit.moment, visit.services.reader
    parts = every(lambda window: reader(read.drawn_sessions, at, state, window), _lines)
    return sheet(f"inspections-{field_time(at).replace(':', '')}.csv", _HEAD, parts)


def _lines(row: read.DrawnRow) -> list[tuple[object, ...]]:
    """One for each who said something of it, or one without."""
    about = (
        iso(row.closed), row.person_name, row.resource, row.login, ENTRY[row.entry],
        ", ".join(risk.words for risk in row.risks), iso(row.due),
    )  # fmt: skip
    words = [(WORDS[one.verdict], one.inspector_name, iso(one.at), visible(one.note or "")) for one in row.said] or [
        ("", "", "", "")
    ]
    return [(*about, *each, row.session) for each in words]


PLACES = (
    Place("GET", HERE, INSPECTS, inspections_page, Shown("Inspections", "eye", "Activity")),
    Place("POST", "/sessions/{session}/inspect", INSPECTS, inspect),
)
