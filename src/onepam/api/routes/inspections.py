"""Inspections: which recordings were drawn, and what somebody saw in one."""

from typing import Annotated, Literal

from fastapi import Query

from onepam.api.guard import AsOf, Services, Who, done, right
from onepam.api.models import Answer, Body, Done, Id, MaybeMoment, Moment, Text
from onepam.api.routes.route import Route
from onepam.app.sessions.inspect_recording import inspect_recording
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.inspecting import INSPECTORS, Risk, Verdict
from onepam.store.read import inspections as rows
from onepam.store.read.paging import Window


class SaidOut(Answer):
    """What somebody said of a recording; no note where there was none, or it was erased."""

    inspector: str
    inspector_name: str
    verdict: Verdict
    note: str | None
    at: Moment


class DrawnOut(Answer):
    """A session that was drawn when it ended: why it is one to look at, until when somebody should have (`due`), when
    somebody did (`inspected`), and what was said."""

    session: str
    person: str
    person_name: str
    resource: str
    login: str
    entry: EntryPoint
    opened: Moment
    closed: Moment
    risks: list[Risk]
    drawn: Moment
    due: Moment
    inspected: MaybeMoment
    said: list[SaidOut]


class FiguresOut(Answer):
    """Of the sessions that ended within 90 days, how many were drawn, and of these inspected in time, late, or not yet;
    and how many inspections said that there is a concern."""

    ended: int
    drawn: int
    inspected: int
    late: int
    waiting: int
    overdue: int
    concerns: int


class InspectionsOut(Answer):
    """A page of what was drawn, of `total`; `next` is the cursor of the page after it ("": none)."""

    figures: FiguresOut
    sessions: list[DrawnOut]
    total: int
    next: str


class InspectionIn(Body):
    """What I saw; a concern needs a note."""

    verdict: Literal["as_expected", "concern"]
    note: Text = ""


async def list_inspections(
    caller: Who,
    services: Services,
    at: AsOf,
    state: Literal["", "waiting", "overdue", "done"] = "",
    after: Annotated[str, Query(max_length=100)] = "",
) -> InspectionsOut:
    """Recordings to inspect, what is due first at the top; or those that were inspected."""
    found = await services.reader(rows.drawn_sessions, at, state, Window(after, 100))
    return InspectionsOut(
        figures=FiguresOut.model_validate(await services.reader(rows.figures, at)),
        sessions=[DrawnOut.model_validate(each) for each in found.rows],
        total=found.total,
        next=found.next,
    )


async def inspect(session: Id, body: InspectionIn, caller: Who, services: Services) -> Done:
    """Say what I saw in a recording that I was shown after its session had ended, and that is not my own."""
    done(await inspect_recording(services.ledger, caller.actor, session, Verdict(body.verdict), body.note))
    return Done()


ROUTES = (
    Route("GET", "/inspections", right(*INSPECTORS), list_inspections),
    Route("POST", "/sessions/{session}/inspect", right(*INSPECTORS), inspect),
)
