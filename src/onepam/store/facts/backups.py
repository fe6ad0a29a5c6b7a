"""Facts of backups."""

from onepam.app.host.tell_backup import BackupQuery
from onepam.app.ports import Snapshot
from onepam.domain.host.backups import BackupFacts
from onepam.kernel.clock import Instant
from onepam.store.engine.facts import loads
from onepam.store.read.backups import backups


@loads(BackupQuery)
def known_backups(db: Snapshot, query: BackupQuery, at: Instant) -> BackupFacts:
    return backups(db, at)
