"""The two numbers that stand on every page."""

from onepam.kernel.clock import Instant
from onepam.store.database import Db, row
from onepam.store.tables import AT


def counts(db: Db, at: Instant, person: str) -> tuple[int, int]:
    """How many requests of others are open, and how many sessions are live."""
    waiting = row(
        db,
        f"SELECT count(*) FROM request WHERE status = 'open' AND person <> :person AND expires > :at AND {AT}",
        {"person": person, "at": at},
    )
    live = row(db, f"SELECT count(*) FROM session WHERE status = 'open' AND {AT}", {"at": at})
    return (waiting[0] if waiting else 0), (live[0] if live else 0)
