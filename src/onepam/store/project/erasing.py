"""Erasures: what was proposed and agreed to, and the payloads that went."""

import json

from onepam.domain.history.system import PayloadsErased
from onepam.domain.leaving import erasure_events as events
from onepam.domain.leaving.erasing import ErasureStatus
from onepam.store.db import Db, row
from onepam.store.engine.projections import STATE_TABLES, Place, projects, state
from onepam.store.engine.tables import StateTable

ERASURE = state(
    StateTable(
        "erasure",
        ("erasure",),
        {
            "erasure": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "status": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "keep_days": "INTEGER NOT NULL",
            "proposed_by": "TEXT NOT NULL",
            "proposed": "INTEGER NOT NULL",
            "approved_by": "TEXT",
            "approved": "INTEGER",
            "payloads": "INTEGER NOT NULL",
            "documents": "TEXT NOT NULL",
            "counts": "TEXT NOT NULL",
        },
        (("person",), ("status",)),
    )
)


@projects(events.ErasureProposed)
def erasure_proposed(db: Db, place: Place, event: events.ErasureProposed) -> None:
    ERASURE.put(
        db,
        place.time,
        erasure=event.erasure,
        person=event.person,
        status=ErasureStatus.PROPOSED,
        because=event.because,
        keep_days=event.keep_days,
        proposed_by=event.by,
        proposed=place.time,
        payloads=0,
        documents=event.documents,
        counts=event.counts,
    )


@projects(events.ErasureApproved)
def erasure_approved(db: Db, place: Place, event: events.ErasureApproved) -> None:
    changes = {"status": ErasureStatus.APPROVED, "approved_by": event.by, "approved": place.time}
    ERASURE.change(db, place.time, {"erasure": event.erasure}, **changes)


@projects(events.ErasureEnded)
def erasure_ended(db: Db, place: Place, event: events.ErasureEnded) -> None:
    ERASURE.end(db, place.time, erasure=event.erasure)


@projects(events.ErasureFinished)
def erasure_finished(db: Db, place: Place, event: events.ErasureFinished) -> None:
    ERASURE.change(db, place.time, {"erasure": event.erasure}, status=ErasureStatus.FINISHED, payloads=event.payloads)


@projects(PayloadsErased)
def payloads_erased(db: Db, place: Place, event: PayloadsErased) -> None:
    """Deletes the payloads, and empties what they wrote: in closed intervals too."""
    indexes = json.dumps(event.indexes)
    db.execute(
        "DELETE FROM payload WHERE idx IN (SELECT CAST(value AS BIGINT) FROM json_each(:indexes))", {"indexes": indexes}
    )
    for table in STATE_TABLES:
        if event.naming:
            table.unsay(db, indexes)
        else:
            table.erase(db, place.time, event.person)
    found = row(db, "SELECT payloads FROM erasure WHERE erasure = ? ORDER BY valid_from DESC LIMIT 1", (event.erasure,))
    if found is not None:
        ERASURE.change(db, place.time, {"erasure": event.erasure}, payloads=found[0] + len(event.indexes))
