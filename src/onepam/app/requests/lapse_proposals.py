"""Ends the proposals that nobody can decide any more. No decision depends on its having run."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.lapsing.proposals import LapsingFacts, lapse
from onepam.kernel.errors import Refused

MOST_LAPSING = 200
"""Ended in one command, so that nobody else waits for it."""


@dataclass(frozen=True, slots=True)
class LapsingQuery:
    """Proposals of every kind that are over and still stand."""

    facts: ClassVar[type[LapsingFacts]] = LapsingFacts


async def lapse_proposals(ledger: Ledger) -> int:
    """How many ended; bounded commands until none is left. Raises `Unavailable`."""
    count = 0
    while True:
        outcome = await ledger.commit(LapsingQuery(), lapse)
        if isinstance(outcome, Refused):  # the ledger's clock is in doubt: nothing is decided until it is confirmed
            return count
        count += outcome.result
        if outcome.result < MOST_LAPSING:
            return count
