"""Of when the newest backup is, and when one was proven last."""

from onepam.app.ports import Snapshot
from onepam.domain.host.backups import BackupFacts
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT


def backups(db: Snapshot, at: Instant) -> BackupFacts:
    """As the ledger knew it at `at`."""
    found = rows(db, f"SELECT what, happened FROM backup WHERE what IN ('made', 'proven') AND {AT}", {"at": at})
    known = {each["what"]: Instant(each["happened"]) for each in found}
    return BackupFacts(known.get("made"), known.get("proven"))
