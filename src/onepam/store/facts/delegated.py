"""Who decides for whom on requests now."""

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import Row, rows
from onepam.store.engine.tables import AT


def delegated_by(db: Snapshot, person: str, at: Instant) -> list[Row]:
    """The delegations by which others decide for somebody now."""
    of = {"person": person, "at": at}
    return rows(db, f"SELECT * FROM delegation WHERE person = :person AND {AT} AND begins <= :at AND ends > :at", of)


def delegated_to(db: Snapshot, person: str, at: Instant) -> list[Row]:
    """The delegations by which somebody decides for others now."""
    of = {"person": person, "at": at}
    return rows(db, f"SELECT * FROM delegation WHERE delegate = :person AND {AT} AND begins <= :at AND ends > :at", of)
