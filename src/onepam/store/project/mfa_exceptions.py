"""Exceptions from the second factor, proposed and accepted."""

from onepam.domain.signing_in import exception_events as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

MFA_EXCEPTION = state(
    StateTable(
        "mfa_exception",
        ("exception",),
        {
            "exception": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "ends": "INTEGER NOT NULL",
            "proposed_by": "TEXT NOT NULL",
            "proposed": "INTEGER NOT NULL",
            "accepted_by": "TEXT",
            "accepted": "INTEGER",
            "mfa_at": "INTEGER",
            "reason": "TEXT",
            "control": "TEXT",
        },
        (("person",),),
        personal=("reason", "control"),
    )
)


@projects(events.MfaExceptionProposed)
def mfa_exception_proposed(db: Db, place: Place, event: events.MfaExceptionProposed) -> None:
    MFA_EXCEPTION.put(
        db,
        place.time,
        exception=event.exception,
        person=event.person,
        ends=event.ends,
        proposed_by=event.by,
        proposed=place.time,
        reason=event.reason,
        control=event.control,
    )


@projects(events.MfaExceptionAccepted)
def mfa_exception_accepted(db: Db, place: Place, event: events.MfaExceptionAccepted) -> None:
    MFA_EXCEPTION.change(
        db,
        place.time,
        {"exception": event.exception},
        accepted_by=event.by,
        accepted=place.time,
        mfa_at=event.mfa_at,
    )


@projects(events.MfaExceptionEnded)
def mfa_exception_ended(db: Db, place: Place, event: events.MfaExceptionEnded) -> None:
    MFA_EXCEPTION.end(db, place.time, exception=event.exception)
