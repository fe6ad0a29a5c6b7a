"""Handing out the newest signed checkpoint, so that somebody elsewhere keeps an anchor: each hour, and each day."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import AnchorHandedOut
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class HandedOutFacts:
    """When the newest checkpoint was handed out, and when the newest of a day; None for never."""

    last: Instant | None
    day: Instant | None


@dataclass(frozen=True, slots=True)
class HandedOutQuery:
    """What was handed out."""

    facts: ClassVar[type[HandedOutFacts]] = HandedOutFacts


async def hand_out_anchor(ledger: Ledger, origin: str, size: int, root: str, note: str) -> Refused | None:
    """None when it is handed out: whoever delivers follows the ledger. Refused while the last one is of this hour."""

    def decide(facts: HandedOutFacts, now: Instant) -> Decided[None] | Refused:
        if facts.last is not None and now < facts.last + HOUR:
            return Refused("anchor.not_due", "A checkpoint was handed out within the hour.")
        occasion = "day" if facts.day is None or now >= facts.day + DAY else "hour"
        return Decided((AnchorHandedOut(occasion, origin, size, root, note),), None)

    outcome = await ledger.commit(HandedOutQuery(), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result
