"""What the ledger has to tell others: whose sessions are over, and whose credential proves nothing any more."""

from onepam.app.ports import Snapshot
from onepam.domain.leaving.brake import DirectoryPersonHeld
from onepam.domain.leaving.leaving import ENDED
from onepam.domain.people.events import PersonDisabled
from onepam.domain.providers.signals import Outgoing, SignalKind
from onepam.domain.signing_in.events import FactorKind, FactorRemoved
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.entries import Stored, entries_of, size_of

WINDOW = 5_000
"""Entries looked through at once."""

_KINDS = ("directory.person_held", "factor.removed", "person.disabled")
_CREDENTIALS = {
    FactorKind.PASSWORD.value: "password",
    FactorKind.TOTP.value: "app",
    FactorKind.PASSKEY.value: "fido2-roaming",
}
_CHANGES = {"replaced": "update", "renewed": "update"}


def outgoing(db: Snapshot, at: Instant, after: int) -> tuple[list[Outgoing], int]:
    """The signals of the entries with index >= `after`, in order, and the first index that was not looked at."""
    end = min(after + WINDOW, size_of(db))
    found = (_told(db, each) for each in entries_of(db, _KINDS, after, end))
    return [each for each in found if each is not None], max(after, end)


def _told(db: Snapshot, stored: Stored) -> Outgoing | None:
    event, index, at = stored.event, stored.header.index, stored.header.time
    if isinstance(event, PersonDisabled | DirectoryPersonHeld):
        email = _email(db, event.person, at)
        return Outgoing(index, at, SignalKind.SESSION_REVOKED, email) if email else None
    assert isinstance(event, FactorRemoved)  # the kinds that are asked for
    factor = row(db, "SELECT kind FROM factor WHERE factor = :factor LIMIT 1", {"factor": event.factor})
    credential = _CREDENTIALS.get(factor["kind"]) if factor else None
    email = _email(db, event.person, at)
    if event.because == ENDED or credential is None or not email:
        return None
    return Outgoing(index, at, SignalKind.CREDENTIAL_CHANGE, email, _CHANGES.get(event.because, "delete"), credential)


def _email(db: Snapshot, person: str, at: Instant) -> str:
    """As it was then; "" where there was none, or it has been erased."""
    found = row(
        db,
        "SELECT email FROM person WHERE person = :person AND valid_from <= :at AND :at < valid_until",
        {"person": person, "at": at},
    )
    return (found["email"] or "") if found else ""
