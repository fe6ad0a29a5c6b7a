"""Delegations: who decides for whom on requests."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT
from onepam.store.read.names import name


@dataclass(frozen=True, slots=True)
class DelegationRow:
    """Who decides for whom, from when until when; `reason` is None once it was erased, or where none was given."""

    delegation: str
    person: str
    person_name: str
    to: str
    to_name: str
    begins: Instant
    ends: Instant
    reason: str | None


def delegations(db: Snapshot, at: Instant, person: str | None = None) -> tuple[DelegationRow, ...]:
    """Those that are not over, of one person (given or taken) or of everybody; the first to begin first."""
    whose = "" if person is None else "AND (person = :person OR delegate = :person)"
    found = rows(
        db,
        f"SELECT * FROM delegation WHERE {AT} AND ends > :at {whose} ORDER BY begins, delegation LIMIT 500",
        {"at": at, "person": person},
    )
    return tuple(
        DelegationRow(
            delegation=each["delegation"],
            person=each["person"],
            person_name=name(db, at, each["person"]),
            to=each["delegate"],
            to_name=name(db, at, each["delegate"]),
            begins=each["begins"],
            ends=each["ends"],
            reason=each["reason"],
        )
        for each in found
    )
