"""The installation's own events."""

from onepam.domain.history import system as events
from onepam.domain.host import announcing, continuing, nodes, recovery_key
from onepam.domain.recovery import recovering
from onepam.kernel.clock import FOREVER
from onepam.store.db import Db
from onepam.store.engine.projections import Place, nothing, projects, state
from onepam.store.engine.tables import StateTable

VERIFICATION = state(
    StateTable(
        "verification",
        ("kind",),
        {"kind": "TEXT NOT NULL", "size": "INTEGER NOT NULL", "root": "TEXT NOT NULL", "findings": "TEXT NOT NULL"},
    )
)

NODE = state(
    StateTable("node", ("node",), {"node": "TEXT NOT NULL", "key": "TEXT NOT NULL", "number": "INTEGER NOT NULL"})
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
    announcing.AccessRecoveryAnnounced,
    announcing.AccessRecoveryCancelled,
    recovering.AccessRecovered,
)


@projects(events.LedgerVerified)
def ledger_verified(db: Db, place: Place, event: events.LedgerVerified) -> None:
    VERIFICATION.put(db, place.time, kind=event.kind, size=event.size, root=event.root, findings=list(event.findings))


@projects(nodes.NodeCertified)
def node_certified(db: Db, place: Place, event: nodes.NodeCertified) -> None:
    NODE.put(db, place.time, node=event.node, key=event.key, number=event.number)


@projects(nodes.NodeRevoked)
def node_revoked(db: Db, place: Place, event: nodes.NodeRevoked) -> None:
    NODE.end(db, place.time, node=event.node)


@projects(continuing.LedgerContinued)
def ledger_continued(db: Db, place: Place, event: continuing.LedgerContinued) -> None:
    """Another signer certifies from here on: no key of before is in force."""
    for each in db.execute(f"SELECT node FROM node WHERE valid_until = {FOREVER}").fetchall():
        NODE.end(db, place.time, node=each[0])
