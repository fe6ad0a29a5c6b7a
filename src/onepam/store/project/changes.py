"""Proposed and applied changes of the role matrix."""

from onepam.domain.access.proposal import ProposalRefused
from onepam.domain.matrix import events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, nothing, projects, state
from onepam.store.engine.tables import StateTable

CHANGE = state(
    StateTable(
        "change",
        ("change",),
        {
            "change": "TEXT NOT NULL",
            "document": "TEXT NOT NULL",
            "digest": "TEXT NOT NULL",
            "widens": "INTEGER NOT NULL",
            "status": "TEXT NOT NULL",
            "summary": "TEXT NOT NULL",
            "text": "TEXT",
            "title": "TEXT",
            "why": "TEXT",
            "ticket": "TEXT",
            "proposed": "INTEGER NOT NULL",
            "proposer": "TEXT",
            "decider": "TEXT",
            "because": "TEXT",
            "reason": "TEXT",
            "idx": "INTEGER NOT NULL",
        },
        (("status",),),
        naming=("text", "title", "why", "ticket"),
    )
)

nothing(events.ChangeRefused)
nothing(ProposalRefused)


@projects(events.ChangeProposed)
def change_proposed(db: Db, place: Place, event: events.ChangeProposed) -> None:
    CHANGE.put(
        db,
        place.time,
        change=event.change,
        document=event.document,
        digest=event.digest,
        widens=event.widens,
        status="proposed",
        summary=event.summary,
        text=event.text,
        title=event.title,
        why=event.reason,
        ticket=event.ticket,
        proposed=place.time,
        proposer=event.by,
        idx=place.index,
    )


@projects(events.ChangeApproved)
def change_approved(db: Db, place: Place, event: events.ChangeApproved) -> None:
    CHANGE.change(db, place.time, {"change": event.change}, status="approved", decider=event.by)


@projects(events.ChangeRejected)
def change_rejected(db: Db, place: Place, event: events.ChangeRejected) -> None:
    CHANGE.change(
        db,
        place.time,
        {"change": event.change},
        status="rejected",
        decider=event.by,
        because=event.because,
        reason=event.reason,
    )


@projects(events.ChangeApplied)
def change_applied(db: Db, place: Place, event: events.ChangeApplied) -> None:
    CHANGE.change(db, place.time, {"change": event.change}, status="applied")
