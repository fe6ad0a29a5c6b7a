"""The disks that hold recordings, by the process that writes to them."""

from onepam.domain.host import disk as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

DISK = state(
    StateTable(
        "disk",
        ("node",),
        {"node": "TEXT NOT NULL", "stage": "TEXT NOT NULL", "free": "INTEGER NOT NULL", "total": "INTEGER NOT NULL"},
    )
)


@projects(events.DiskLow)
def disk_low(db: Db, place: Place, event: events.DiskLow) -> None:
    DISK.put(db, place.time, node=event.node, stage=event.stage, free=event.free, total=event.total)


@projects(events.DiskRecovered)
def disk_recovered(db: Db, place: Place, event: events.DiskRecovered) -> None:
    stage = events.DiskStage.ENOUGH
    DISK.put(db, place.time, node=event.node, stage=stage, free=event.free, total=event.total)
