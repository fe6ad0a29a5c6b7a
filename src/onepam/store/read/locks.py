"""Locks to read."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.locking import LockScope
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT
from onepam.store.read.names import name


@dataclass(frozen=True, slots=True)
class LockRow:
    """A lock that stands: on whom or what (of everything neither), by whom, since when, and the entry with its
    reason."""

    lock: str
    scope: LockScope
    person: str | None
    person_name: str
    resource: str | None
    by: str
    by_name: str
    since: Instant
    entry: int


def locks(db: Snapshot, at: Instant) -> tuple[LockRow, ...]:
    """All that stand, the newest first."""
    found = rows(db, f"SELECT * FROM access_lock WHERE {AT} ORDER BY since DESC", {"at": at})
    return tuple(
        LockRow(
            each["lock_id"],
            LockScope(each["scope"]),
            each["person"],
            name(db, at, each["person"]),
            each["resource"],
            each["set_by"],
            name(db, at, each["set_by"]),
            each["since"],
            each["entry"],
        )
        for each in found
    )
