"""Facts of backups."""

from onepam.app.host.tell_backup import BackupQuery
from onepam.app.ports import Snapshot
from onepam.domain.host.backups import WordFacts
from onepam.kernel.clock import Instant
from onepam.store.engine.append import read_head
from onepam.store.engine.facts import loads
from onepam.store.read.backups import backups


@loads(BackupQuery)
def known_backups(db: Snapshot, query: BackupQuery, at: Instant) -> WordFacts:
    return WordFacts(backups(db, at), read_head(db).size)
