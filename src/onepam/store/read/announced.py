"""The recovery key and what the host has announced: read from the entries, of which there are few."""

from onepam.app.ports import Snapshot
from onepam.domain.host.announcing import (
    AccessRecoveryAnnounced,
    AccessRecoveryCancelled,
    Announcement,
    ContinuationAnnounced,
    ContinuationCancelled,
    Deed,
    RenewalAnnounced,
    RenewalCancelled,
)
from onepam.domain.host.continuing import LedgerContinued
from onepam.domain.host.recovery_key import RecoveryKeyMade, RecoveryKeyRenewed
from onepam.domain.recovery.recovering import AccessRecovered
from onepam.kernel.clock import Instant
from onepam.store.engine.entries import entries_of

KINDS = (
    "access.recovered",
    "access.recovery_announced",
    "access.recovery_cancelled",
    "ledger.continuation_announced",
    "ledger.continuation_cancelled",
    "ledger.continued",
    "recovery_key.made",
    "recovery_key.renewal_announced",
    "recovery_key.renewal_cancelled",
    "recovery_key.renewed",
)


def host(db: Snapshot, at: Instant) -> tuple[str | None, dict[Deed, Announcement]]:
    """The recovery key's digest as the ledger has it at `at`, and each deed's announcement that was neither carried
    out nor cancelled."""
    digest: str | None = None
    announced: dict[Deed, Announcement] = {}
    for stored in entries_of(db, KINDS):
        if stored.header.time > at:
            break
        event: object = stored.event
        match event:
            case RecoveryKeyMade(digest=found):
                digest = found
            case RecoveryKeyRenewed(digest=found):
                digest = found
                announced.pop(Deed.RECOVERY_KEY, None)
            case RenewalAnnounced(announcement=name, due=due):
                announced[Deed.RECOVERY_KEY] = Announcement(name, Deed.RECOVERY_KEY, Instant(due))
            case RenewalCancelled():
                announced.pop(Deed.RECOVERY_KEY, None)
            case ContinuationAnnounced(announcement=name, due=due, origin=origin):
                announced[Deed.CONTINUATION] = Announcement(name, Deed.CONTINUATION, Instant(due), origin)
            case AccessRecoveryAnnounced(announcement=name, due=due, person=person):
                announced[Deed.ACCESS] = Announcement(name, Deed.ACCESS, Instant(due), person=person)
            case AccessRecoveryCancelled() | AccessRecovered():
                announced.pop(Deed.ACCESS, None)
            case ContinuationCancelled() | LedgerContinued():
                announced.pop(Deed.CONTINUATION, None)
            case _:
                pass
    return digest, announced


def open_announcements(db: Snapshot, at: Instant) -> list[Announcement]:
    """What may still be cancelled, the next one due first."""
    return sorted((each for each in host(db, at)[1].values() if each.open(at)), key=lambda each: each.due)
