"""What the recordings' disk came to, told once by each process."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.host import disk
from onepam.domain.host.disk import DiskFacts, DiskStage
from onepam.kernel.errors import Refused, Unavailable


@dataclass(frozen=True, slots=True)
class DiskQuery:
    """What the ledger says of the disk of `node`."""

    facts: ClassVar[type[DiskFacts]] = DiskFacts
    node: str


async def report_disk(ledger: Ledger, node: str, stage: DiskStage, free: int, total: int) -> None:
    """Records the stage if it is news. Raises `Unavailable`."""
    outcome = await ledger.commit(
        DiskQuery(node), lambda facts, now: disk.report_disk(facts, node, stage, free, total, now)
    )
    if isinstance(outcome, Refused):
        raise Unavailable(outcome.message)
