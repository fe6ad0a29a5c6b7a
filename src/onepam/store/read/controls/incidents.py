"""Populations of what is watched: that what was drawn is inspected, and incidents are dealt with, in time."""

import json

from onepam.app.ports import Snapshot
from onepam.domain.controls.control import Population, Severity, Test, judged
from onepam.domain.incidents.handling import State
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.incidents import culprits

_ENDED = f"SELECT 1 FROM session WHERE status = 'closed' AND closed >= :begin AND {AT} LIMIT 1"


def inspected(db: Snapshot, at: Instant, test: Test) -> Population:
    """MON-03."""
    of = {"begin": test.begin(at) or 0, "at": at}
    made = []
    for each in rows(db, f"SELECT session, due, inspected FROM drawn_session WHERE drawn >= :begin AND {AT}", of):
        late = each["due"] <= at if each["inspected"] is None else each["inspected"] > each["due"]
        finding = "" if not late else "nobody inspected it" if each["inspected"] is None else "inspected late"
        made.append(judged("session", each["session"], finding))
    ended = row(db, _ENDED, of) is not None
    return Population(tuple(made), "" if made or not ended else "of the sessions that ended none was drawn")


def dealt_with(db: Snapshot, at: Instant, test: Test) -> Population:
    """MON-05."""
    found = rows(
        db,
        f"SELECT * FROM incident WHERE (state = 'open' OR closed >= :begin) AND {AT} ORDER BY incident",
        {"begin": test.begin(at) or 0, "at": at},
    )
    return Population(tuple(judged("incident", each["incident"], _finding(db, at, each)) for each in found))


def _finding(db: Snapshot, at: Instant, each: Row) -> str:
    if each["state"] == State.OPEN:
        return "open past its day" if each["due"] <= at else ""
    if each["closed"] > each["due"]:
        return "closed late"
    if each["closed_by"] in culprits(db, each["incident"], at):
        return "closed by who brought it about"
    if each["highest"] == Severity.HIGH and each["closed_by"] in json.loads(each["owners"]):
        return "of high severity, and closed by who answered for it"
    return "" if each["noted"] or _is_linked(db, at, each["incident"]) else "closed, and nothing was noted or linked"


def _is_linked(db: Snapshot, at: Instant, incident: str) -> bool:
    """Whether anything belongs to it."""
    of = {"incident": incident, "at": at}
    return row(db, f"SELECT 1 FROM incident_link WHERE incident = :incident AND {AT} LIMIT 1", of) is not None
