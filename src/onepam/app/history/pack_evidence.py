"""Drawing an evidence pack: for those who may audit or administer, and itself an event."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor, ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.system import EvidencePacked
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

PACKERS = (ConsoleRight.AUDIT, ConsoleRight.ADMINISTER)


@dataclass(frozen=True, slots=True)
class PackQuery:
    """The actor."""

    facts: ClassVar[type[ActorFacts]] = ActorFacts
    actor: Actor


def packer(actor: ActorFacts, now: Instant) -> str | Refused:
    """The role under which the actor may draw evidence."""
    refusals = {right: authorised(actor, right, now) for right in PACKERS}
    for right, refused in refusals.items():
        if refused is None:
            return actor.roles_with(right)[0]
    return refusals[ConsoleRight.AUDIT] or Refused("right.missing", "You may not draw evidence.")


async def pack_evidence(
    ledger: Ledger, actor: Actor, starts: Instant, ends: Instant, size: int, digest: str
) -> Refused | None:
    """None when the pack of [starts, ends), SHA-256 `digest`, may be handed out: that it is has been recorded."""

    def decide(facts: ActorFacts, now: Instant) -> Decided[None] | Refused:
        role = packer(facts, now)
        if isinstance(role, Refused):
            return role
        return Decided((EvidencePacked(actor.person, starts, ends, size, digest),), None)

    outcome = await ledger.commit(PackQuery(actor), decide)
    return outcome if isinstance(outcome, Refused) else None
