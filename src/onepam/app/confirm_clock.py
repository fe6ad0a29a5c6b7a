"""An operator confirms the clock of a node after it jumped forward."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.commit import Decided
from onepam.domain.system import ClockConfirmed
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """The newest jump of a node's clock that nobody has confirmed (microseconds); None: there is none."""

    jumped: int | None


@dataclass(frozen=True, slots=True)
class ClockQuery:
    """The clock of a node. Commands with this query run although the clock is in doubt."""

    facts: ClassVar[type[ClockFacts]] = ClockFacts
    node: str


async def confirm_clock(ledger: Ledger, node: str, by: str) -> Refused | None:
    """Records the word of `by`, who has a shell on the host: the node's writer takes commands again once it sees it.

    It does not ask for a sign-in, because a clock that is years ahead has ended them all.
    """

    def decide(facts: ClockFacts, now: Instant) -> Decided[None] | Refused:
        if facts.jumped is None:
            return Refused("clock.not_in_doubt", f"The clock of {node} has not jumped, or was confirmed already.")
        return Decided((ClockConfirmed(node, by),), None)

    outcome = await ledger.commit(ClockQuery(node), decide)
    return outcome if isinstance(outcome, Refused) else None
