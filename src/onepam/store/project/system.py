"""The installation's own events."""

from onepam.domain import system as events
from onepam.store.database import Db
from onepam.store.project.registry import STATE_TABLES, Place, nothing, projects

nothing(
    events.SystemStarted,
    events.ClockJumped,
    events.ClockConfirmed,
    events.LedgerVerified,
    events.EvidencePacked,
)


@projects(events.PayloadsErased)
def payloads_erased(db: Db, place: Place, event: events.PayloadsErased) -> None:
    """Deletes the payloads, and empties what they wrote: in closed intervals too."""
    db.executemany("DELETE FROM payload WHERE idx = ?", [(index,) for index in event.indexes])
    for table in STATE_TABLES:
        table.erase(db, place.time, event.person)
