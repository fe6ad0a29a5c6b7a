"""What the ledger is told of backups."""

from onepam.domain.host.backups import Backup, BackupFacts, BackupMade, BackupProven, tell_backup
from onepam.kernel.clock import Instant

MADE = Backup("bak_1", 9, Instant(50), "d1")
PROVEN = Backup("bak_1", 9, Instant(50), "d1", Instant(70))
TOLD_MADE, TOLD_PROVEN = BackupMade("nod_1", "bak_1", 9, 50, "d1"), BackupProven("nod_1", "bak_1", 9, 70, "d1")


def told(copied: int | None, proven: int | None, found: Backup) -> tuple[object, ...]:
    known = [None if each is None else Instant(each) for each in (copied, proven)]
    return tell_backup(BackupFacts(*known), "nod_1", found).events


def test_a_backup_is_told_once_and_none_that_is_older_than_the_newest() -> None:
    assert told(None, None, MADE) == (TOLD_MADE,)
    assert told(49, 60, MADE) == (TOLD_MADE,)
    assert told(50, None, MADE) == ()
    assert told(51, None, MADE) == ()


def test_a_proof_is_told_once_with_the_backup_where_nobody_knows_of_it() -> None:
    assert told(None, None, PROVEN) == (TOLD_MADE, TOLD_PROVEN)
    assert told(51, None, PROVEN) == (TOLD_PROVEN,), "of an older backup, too"
    assert told(50, 69, PROVEN) == (TOLD_PROVEN,)
    assert told(50, 70, PROVEN) == ()
    assert told(50, 71, PROVEN) == ()
