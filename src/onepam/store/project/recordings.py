"""Checks of recordings, and the recordings that are bad."""

from onepam.domain.sessions import recordings as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable
from onepam.store.project.inspections import found_bad as to_inspect

CHECK = state(
    StateTable(
        "recording_check",
        ("turn", "begin"),
        {
            "turn": "INTEGER NOT NULL",
            "begin": "INTEGER NOT NULL",
            "until": "INTEGER NOT NULL",
            "number": "INTEGER NOT NULL",
            "conditions": "TEXT NOT NULL",
            "root": "TEXT NOT NULL",
            "entry": "INTEGER NOT NULL",
        },
        (("valid_from",),),
    )
)
"""Rows are never ended: the newest whose range holds the index of a closing entry says when it was checked last."""

BAD = state(
    StateTable(
        "bad_recording",
        ("session",),
        {"session": "TEXT NOT NULL", "condition": "TEXT NOT NULL", "found": "TEXT NOT NULL"},
    )
)


@projects(events.RecordingsChecked)
def recordings_checked(db: Db, place: Place, event: events.RecordingsChecked) -> None:
    CHECK.put(
        db,
        place.time,
        turn=event.turn,
        begin=event.begin,
        until=event.until,
        number=event.number,
        conditions=event.conditions,
        root=event.root,
        entry=place.index,
    )


@projects(events.RecordingFoundBad)
def found_bad(db: Db, place: Place, event: events.RecordingFoundBad) -> None:
    BAD.put(db, place.time, session=event.session, condition=event.condition, found=event.found)
    to_inspect(db, place, event.session)


@projects(events.RecordingFoundGood)
def found_good(db: Db, place: Place, event: events.RecordingFoundGood) -> None:
    BAD.end(db, place.time, session=event.session)
