"""What somebody on the host made or proved of backups is told to the ledger, once."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.host import backups
from onepam.domain.host.backups import Backup, WordFacts
from onepam.kernel.errors import Refused, Unavailable


@dataclass(frozen=True, slots=True)
class BackupQuery:
    """What the ledger says of backups, and how long it is."""

    facts: ClassVar[type[WordFacts]] = WordFacts


async def tell_backup(ledger: Ledger, node: str, found: Backup) -> bool:
    """Records what is news of it; False where it is of no backup of this history. Raises `Unavailable`."""
    outcome = await ledger.commit(BackupQuery(), lambda facts, now: backups.tell_backup(facts, node, found, now))
    if isinstance(outcome, Refused):
        raise Unavailable(outcome.message)
    return outcome.result
