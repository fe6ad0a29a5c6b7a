"""An operator confirms the clock after it jumped forward, or was found behind the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.history.commit import Decided
from onepam.domain.history.ledger_time import Offset
from onepam.domain.history.system import ClockConfirmed
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The newest jump of each node that stands still since (microseconds), and the newest offset that was confirmed."""

    doubted: Mapping[str, int]
    offset: Offset


@dataclass(frozen=True, slots=True)
class ClockQuery:
    """The clocks of all nodes. Commands with this query run although a clock is in doubt."""

    facts: ClassVar[type[ClockFacts]] = ClockFacts


async def confirm_clock(ledger: Ledger, by: str, wall: Instant, node: str | None = None) -> Refused | tuple[str, ...]:
    """Records the word of `by`, who has a shell on the host where the clock says `wall`: the writers of all doubted
    nodes (or of `node` alone) take commands again once they see it. The answer names the nodes.

    It does not ask for a sign-in, because a clock that is years ahead has ended them all.
    """

    def decide(facts: ClockFacts, now: Instant) -> Decided[tuple[str, ...]] | Refused:
        nodes = tuple(each for each in sorted(facts.doubted) if node in (None, each))
        if not nodes:
            whose = "No clock" if node is None else f"The clock of {node} is not one that"
            return Refused("clock.not_in_doubt", f"{whose} has jumped, or it was confirmed already.")
        ahead = max(0, now - wall)
        return Decided(tuple(ClockConfirmed(each, by, wall, ahead) for each in nodes), nodes)

    outcome = await ledger.commit(ClockQuery(), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result
