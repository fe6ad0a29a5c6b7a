"""What the ledger is told of backups."""

from dataclasses import replace

from onepam.domain.history.commit import Decided
from onepam.domain.host.backups import Backup, BackupFacts, BackupMade, BackupProven, WordFacts, tell_backup
from onepam.kernel.clock import DAY, Instant

MADE = Backup("bak_1", 9, Instant(50), "d1")
PROVEN = Backup("bak_1", 9, Instant(50), "d1", Instant(70))
TOLD_MADE, TOLD_PROVEN = BackupMade("nod_1", "bak_1", 9, 50, "d1"), BackupProven("nod_1", "bak_1", 9, 70, "d1")


def told(copied: int | None, proven: int | None, found: Backup) -> tuple[object, ...]:
    known = [None if each is None else Instant(each) for each in (copied, proven)]
    decided = tell_backup(WordFacts(BackupFacts(*known), 9), "nod_1", found, Instant(80))
    assert decided.result
    return decided.events


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


def test_nothing_is_told_of_entries_that_are_not_there_or_of_a_day_to_come() -> None:
    facts, now, late = WordFacts(BackupFacts(None, None), 9), Instant(80), Instant(80 + DAY)
    for sound in (replace(PROVEN, copied=late), replace(PROVEN, proven=late)):
        assert tell_backup(facts, "nod_1", sound, now).result
    for entries, copied, proven in ((10, 50, None), (9, late + 1, None), (9, 50, late + 1)):
        found = Backup("bak_1", entries, Instant(copied), "d1", None if proven is None else Instant(proven))
        assert tell_backup(facts, "nod_1", found, now) == Decided((), False)
