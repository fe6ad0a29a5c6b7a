"""Whose account waits for an administrator's word after a directory ended them."""

from onepam.domain import directory_brake as events
from onepam.store.database import Db
from onepam.store.project.registry import Place, projects, state
from onepam.store.tables import StateTable

HOLD = state(
    StateTable(
        "directory_hold",
        ("hold",),
        {
            "hold": "TEXT NOT NULL",
            "origin": "TEXT NOT NULL",
            "reason": "TEXT NOT NULL",
            "began": "INTEGER NOT NULL",
            "decide_by": "INTEGER",
            "reminded": "INTEGER NOT NULL",
        },
        (("began",), ("decide_by",)),
    )
)
PERSON_HOLD = state(
    StateTable(
        "person_hold",
        ("person",),
        {
            "person": "TEXT NOT NULL",
            "hold": "TEXT NOT NULL",
            "origin": "TEXT NOT NULL",
            "reason": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "began": "INTEGER NOT NULL",
            "decide_by": "INTEGER",
            "left_at": "INTEGER",
            "notified": "INTEGER",
        },
        (("hold",), ("began",)),
    )
)
OWN_WORD = state(
    StateTable(
        "own_word",
        ("person", "hold"),
        {"person": "TEXT NOT NULL", "hold": "TEXT NOT NULL", "decided": "INTEGER NOT NULL"},
    )
)
"""Who decided on their own account, as the last administrator may: a finding."""


@projects(events.DirectoryHeld)
def directory_held(db: Db, place: Place, event: events.DirectoryHeld) -> None:
    HOLD.put(
        db,
        place.time,
        hold=event.hold,
        origin=event.origin,
        reason=event.reason,
        began=place.time,
        decide_by=event.decide_by,
        reminded=0,
    )


@projects(events.DirectoryPersonHeld)
def directory_person_held(db: Db, place: Place, event: events.DirectoryPersonHeld) -> None:
    PERSON_HOLD.put(
        db,
        place.time,
        person=event.person,
        hold=event.hold,
        origin=event.origin,
        reason=event.reason,
        because=event.because,
        began=place.time,
        decide_by=event.decide_by,
        left_at=event.left_at,
        notified=event.notified,
    )


@projects(events.DirectoryHoldReminded)
def directory_hold_reminded(db: Db, place: Place, event: events.DirectoryHoldReminded) -> None:
    HOLD.change(db, place.time, {"hold": event.hold}, reminded=1)


@projects(events.DirectoryPersonDecided)
def directory_person_decided(db: Db, place: Place, event: events.DirectoryPersonDecided) -> None:
    PERSON_HOLD.end(db, place.time, person=event.person)
    if event.by == event.person:
        OWN_WORD.put(db, place.time, person=event.person, hold=event.hold, decided=place.time)
