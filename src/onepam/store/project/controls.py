"""Runs of the tests of controls, and who answers for each control."""

from onepam.domain.controls import events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

CONTROL_RUN = state(
    StateTable(
        "control_run",
        ("control",),
        {
            "control": "TEXT NOT NULL",
            "version": "INTEGER NOT NULL",
            "begun": "INTEGER",
            "until": "INTEGER NOT NULL",
            "population": "INTEGER NOT NULL",
            "failed": "INTEGER NOT NULL",
            "untested": "INTEGER NOT NULL",
            "excluded": "INTEGER NOT NULL",
            "digest": "TEXT NOT NULL",
            "cause": "TEXT NOT NULL",
            "verdict": "TEXT NOT NULL",
            "run_by": "TEXT",
        },
        (("valid_from",), ("control", "valid_from")),
    )
)
"""A run holds until the next one of its control."""

CONTROL_OWNER = state(
    StateTable(
        "control_owner",
        ("control",),
        {"control": "TEXT NOT NULL", "owner": "TEXT NOT NULL", "due": "INTEGER", "assigned_by": "TEXT NOT NULL"},
        (("owner",),),
    )
)


CONTROL_TOLD = state(
    StateTable(
        "control_told",
        ("control",),
        {"control": "TEXT NOT NULL", "person": "TEXT NOT NULL", "since": "INTEGER NOT NULL"},
    )
)
"""Whom and of which failure somebody was told last."""


@projects(events.ControlReminded)
def control_reminded(db: Db, place: Place, event: events.ControlReminded) -> None:
    CONTROL_TOLD.put(db, place.time, control=event.control, person=event.person, since=event.since)


@projects(events.ControlTested)
def control_tested(db: Db, place: Place, event: events.ControlTested) -> None:
    CONTROL_RUN.put(
        db,
        place.time,
        control=event.control,
        version=event.version,
        begun=event.begin,
        until=event.until,
        population=event.population,
        failed=event.failed,
        untested=event.untested,
        excluded=event.excluded,
        digest=event.digest,
        cause=event.cause,
        verdict=event.verdict,
        run_by=event.by,
    )


@projects(events.ControlAssigned)
def control_assigned(db: Db, place: Place, event: events.ControlAssigned) -> None:
    CONTROL_OWNER.put(db, place.time, control=event.control, owner=event.owner, due=event.due, assigned_by=event.by)
