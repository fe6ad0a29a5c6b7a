"""Whose account waits for an administrator's word after a directory ended them, or reported that they left."""

from onepam.domain.leaving import brake as events
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import Db, rows
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

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
REPORTED_LEAVER = state(
    StateTable(
        "reported_leaver",
        ("person", "origin"),
        {
            "person": "TEXT NOT NULL",
            "origin": "TEXT NOT NULL",
            "scim_user": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "began": "INTEGER NOT NULL",
            "notified": "INTEGER NOT NULL",
        },
        (("origin", "scim_user"), ("began",)),
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


@projects(events.DirectoryLeaverReported)
def directory_leaver_reported(db: Db, place: Place, event: events.DirectoryLeaverReported) -> None:
    REPORTED_LEAVER.put(
        db,
        place.time,
        person=event.person,
        origin=event.origin,
        scim_user=event.user,
        because=event.because,
        began=place.time,
        notified=event.notified,
    )


@projects(events.DirectoryReportDecided)
def directory_report_decided(db: Db, place: Place, event: events.DirectoryReportDecided) -> None:
    REPORTED_LEAVER.end(db, place.time, person=event.person, origin=event.origin)


@projects(events.DirectoryHoldReminded)
def directory_hold_reminded(db: Db, place: Place, event: events.DirectoryHoldReminded) -> None:
    HOLD.change(db, place.time, {"hold": event.hold}, reminded=1)


@projects(events.DirectoryPersonDecided)
def directory_person_decided(db: Db, place: Place, event: events.DirectoryPersonDecided) -> None:
    PERSON_HOLD.end(db, place.time, person=event.person)
    if event.by == event.person:
        OWN_WORD.put(db, place.time, person=event.person, hold=event.hold, decided=place.time)


def answered(db: Db, at: Instant, person: str) -> None:
    """The account ended: nothing waits for a word on it any more."""
    PERSON_HOLD.end(db, at, person=person)
    for origin in _reporting(db, person):
        REPORTED_LEAVER.end(db, at, person=person, origin=origin)


def _reporting(db: Db, person: str) -> list[str]:
    found = rows(
        db,
        f"SELECT origin FROM reported_leaver WHERE person = :person AND valid_until = {FOREVER} ORDER BY 1",
        {"person": person},
    )
    return [each["origin"] for each in found]
