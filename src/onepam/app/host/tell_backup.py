"""What somebody on the host made or proved of backups is told to the ledger, once."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.host import backups
from onepam.domain.host.backups import Backup, BackupFacts
from onepam.kernel.errors import Refused, Unavailable


@dataclass(frozen=True, slots=True)
class BackupQuery:
    """What the ledger says of backups."""

    facts: ClassVar[type[BackupFacts]] = BackupFacts


async def tell_backup(ledger: Ledger, node: str, found: Backup) -> None:
    """Records what is news of it. Raises `Unavailable`."""
    outcome = await ledger.commit(BackupQuery(), lambda facts, now: backups.tell_backup(facts, node, found))
    if isinstance(outcome, Refused):
        raise Unavailable(outcome.message)
