"""Incidents as they stand, and their links. What people wrote is in the entries alone; but for the title."""

import json
from collections.abc import Iterable
from typing import Any

from onepam.domain.controls.control import Severity
from onepam.domain.incidents import events
from onepam.domain.incidents.events import Link
from onepam.domain.incidents.handling import State
from onepam.kernel.clock import FOREVER
from onepam.store.db import Db, row
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

INCIDENT = state(
    StateTable(
        "incident",
        ("incident",),
        {
            "incident": "TEXT NOT NULL",
            "title": "TEXT",
            "idx": "INTEGER NOT NULL",
            "severity": "TEXT NOT NULL",
            "highest": "TEXT NOT NULL",
            "began": "INTEGER",
            "found": "INTEGER NOT NULL",
            "owner": "TEXT NOT NULL",
            "owners": "TEXT NOT NULL",
            "due": "INTEGER NOT NULL",
            "state": "TEXT NOT NULL",
            "opened": "INTEGER NOT NULL",
            "opened_by": "TEXT NOT NULL",
            "closed": "INTEGER",
            "closed_by": "TEXT",
            "times": "INTEGER NOT NULL",
            "told": "INTEGER",
            "noted": "INTEGER NOT NULL",
            "last": "INTEGER NOT NULL",
        },
        (("state", "due"), ("owner",), ("idx",)),
        naming=("title",),
    )
)
"""`idx` is the entry that opened it, `last` the newest about it, `noted` the time of the newest note. `owners` are all
who ever answered for it, `highest` is the most that it ever weighed; `times` and `told` are of whoever answers now."""

INCIDENT_LINK = state(
    StateTable(
        "incident_link",
        ("incident", "kind", "ref"),
        {"incident": "TEXT NOT NULL", "kind": "TEXT NOT NULL", "ref": "TEXT NOT NULL"},
        (("kind", "ref"),),
    )
)

_WEIGHT = {each: place for place, each in enumerate((Severity.LOW, Severity.MEDIUM, Severity.HIGH))}


@projects(events.IncidentOpened)
def incident_opened(db: Db, place: Place, event: events.IncidentOpened) -> None:
    INCIDENT.put(
        db,
        place.time,
        incident=event.incident,
        title=event.title,
        idx=place.index,
        severity=event.severity,
        highest=event.severity,
        began=event.began,
        found=event.found,
        owner=event.owner,
        owners=(event.owner,),
        due=event.due,
        state=State.OPEN,
        opened=place.time,
        opened_by=event.by,
        times=0,
        noted=0,
        last=place.index,
    )
    _link(db, place, event.incident, event.links)


@projects(events.IncidentNoted)
def incident_noted(db: Db, place: Place, event: events.IncidentNoted) -> None:
    _change(db, place, event.incident, noted=place.time)
    _link(db, place, event.incident, event.links)


@projects(events.IncidentAssigned)
def incident_assigned(db: Db, place: Place, event: events.IncidentAssigned) -> None:
    found = row(
        db, f"SELECT owner, owners, highest, times, told FROM incident WHERE incident = ? AND valid_until = {FOREVER}",
        (event.incident,),
    )  # fmt: skip
    if found is None:
        return
    same = found["owner"] == event.owner
    _change(
        db,
        place,
        event.incident,
        severity=event.severity,
        highest=max(Severity(found["highest"]), event.severity, key=_WEIGHT.__getitem__),
        owner=event.owner,
        owners=tuple(dict.fromkeys((*json.loads(found["owners"]), event.owner))),
        due=event.due,
        times=found["times"] if same else 0,
        told=found["told"] if same else None,
    )


@projects(events.IncidentReminded)
def incident_reminded(db: Db, place: Place, event: events.IncidentReminded) -> None:
    _change(db, place, event.incident, times=event.times, told=place.time)


@projects(events.IncidentClosed)
def incident_closed(db: Db, place: Place, event: events.IncidentClosed) -> None:
    _change(db, place, event.incident, state=State.CLOSED, closed=place.time, closed_by=event.by)


@projects(events.IncidentReopened)
def incident_reopened(db: Db, place: Place, event: events.IncidentReopened) -> None:
    _change(db, place, event.incident, state=State.OPEN, due=event.due, closed=None, closed_by=None, times=0, told=None)


def _change(db: Db, place: Place, incident: str, **changes: Any) -> None:
    INCIDENT.change(db, place.time, {"incident": incident}, last=place.index, **changes)


def _link(db: Db, place: Place, incident: str, links: Iterable[Link]) -> None:
    for each in links:
        INCIDENT_LINK.put(db, place.time, incident=incident, kind=each.kind, ref=each.ref)
