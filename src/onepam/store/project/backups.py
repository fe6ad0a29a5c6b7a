"""The newest backup, and the newest proof of one."""

from onepam.domain.host import backups as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

BACKUP = state(
    StateTable(
        "backup",
        ("what",),
        {"what": "TEXT NOT NULL", "backup": "TEXT NOT NULL", "happened": "INTEGER NOT NULL", "digest": "TEXT NOT NULL"},
    )
)


@projects(events.BackupMade)
def backup_made(db: Db, place: Place, event: events.BackupMade) -> None:
    BACKUP.put(db, place.time, what="made", backup=event.backup, happened=event.copied, digest=event.digest)


@projects(events.BackupProven)
def backup_proven(db: Db, place: Place, event: events.BackupProven) -> None:
    BACKUP.put(db, place.time, what="proven", backup=event.backup, happened=event.proven, digest=event.digest)
