"""What is locked."""

from onepam.domain.access import locking as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

ACCESS_LOCK = state(
    StateTable(
        "access_lock",
        ("lock_id",),
        {
            "lock_id": "TEXT NOT NULL",
            "scope": "TEXT NOT NULL",
            "person": "TEXT",
            "resource": "TEXT",
            "set_by": "TEXT NOT NULL",
            "since": "INTEGER NOT NULL",
            "entry": "INTEGER NOT NULL",
        },
    )
)


@projects(events.LockSet)
def lock_set(db: Db, place: Place, event: events.LockSet) -> None:
    ACCESS_LOCK.put(
        db,
        place.time,
        lock_id=event.lock,
        scope=event.scope,
        person=event.person,
        resource=event.resource,
        set_by=event.by,
        since=place.time,
        entry=place.index,
    )


@projects(events.LockLifted)
def lock_lifted(db: Db, place: Place, event: events.LockLifted) -> None:
    ACCESS_LOCK.end(db, place.time, lock_id=event.lock)
