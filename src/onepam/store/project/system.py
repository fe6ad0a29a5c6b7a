"""The installation's own events."""

from onepam.domain.history import system as events
from onepam.domain.host import announcing, continuing, recovery_key
from onepam.domain.recovery import recovering
from onepam.store.db import Db
from onepam.store.engine.projections import STATE_TABLES, Place, nothing, projects, state
from onepam.store.engine.tables import StateTable

VERIFICATION = state(
    StateTable(
        "verification",
        ("kind",),
        {"kind": "TEXT NOT NULL", "size": "INTEGER NOT NULL", "root": "TEXT NOT NULL", "findings": "TEXT NOT NULL"},
    )
)

nothing(
    events.SystemStarted,
    events.ClockJumped,
    events.ClockConfirmed,
    events.EvidencePacked,
    events.AnchorHandedOut,
    recovery_key.RecoveryKeyMade,
    recovery_key.RecoveryKeyRenewed,
    announcing.RenewalAnnounced,
    announcing.RenewalCancelled,
    announcing.ContinuationAnnounced,
    announcing.ContinuationCancelled,
    continuing.LedgerContinued,
    announcing.AccessRecoveryAnnounced,
    announcing.AccessRecoveryCancelled,
    recovering.AccessRecovered,
)


@projects(events.LedgerVerified)
def ledger_verified(db: Db, place: Place, event: events.LedgerVerified) -> None:
    VERIFICATION.put(db, place.time, kind=event.kind, size=event.size, root=event.root, findings=list(event.findings))


@projects(events.PayloadsErased)
def payloads_erased(db: Db, place: Place, event: events.PayloadsErased) -> None:
    """Deletes the payloads, and empties what they wrote: in closed intervals too."""
    for index in event.indexes:
        db.execute("DELETE FROM payload WHERE idx = ?", (index,))
    for table in STATE_TABLES:
        table.erase(db, place.time, event.person)
