"""The disk that holds the recordings: said before it is full, and again when there is space."""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.kernel.clock import Instant


class DiskStage(StrEnum):
    """How much is left. `alarm`: nobody is disturbed yet. `low`: whoever writes most is paused, then ended; new space
    lets all go on. What is below that, the reserve, is the ledger's."""

    ENOUGH = "enough"
    ALARM = "alarm"
    LOW = "low"


@event(
    "disk.low",
    klass="system",
    alarm=True,
    control="LOG-01 LOG-02",
    words="The recordings' disk of {node} runs low: {stage}",
)
@dataclass(frozen=True, slots=True)
class DiskLow:
    """The recordings' disk of a gateway process came to `stage`, with `free` of `total` bytes left."""

    node: str
    stage: DiskStage
    free: int
    total: int


@event(
    "disk.recovered",
    klass="system",
    control="LOG-01 LOG-02",
    words="The recordings' disk of {node} has enough space again",
)
@dataclass(frozen=True, slots=True)
class DiskRecovered:
    """There is enough space again: `free` of `total` bytes."""

    node: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class DiskFacts:
    """What the ledger says of a process's disk now."""

    stage: DiskStage


def report_disk(facts: DiskFacts, node: str, stage: DiskStage, free: int, total: int, now: Instant) -> Decided[None]:
    """The event, where the ledger does not say so already."""
    if facts.stage is stage:
        return Decided((), None)
    if stage is DiskStage.ENOUGH:
        return Decided((DiskRecovered(node, free, total),), None)
    return Decided((DiskLow(node, stage, free, total),), None)
