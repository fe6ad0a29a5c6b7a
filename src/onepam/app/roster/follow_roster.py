"""What follows from the staff roster for accounts, until nothing is left to do."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.app.roster.take_roster import NewId
from onepam.domain.history.commit import Decided
from onepam.domain.roster.following import FollowFacts, Steps, follow
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

MOST_JOINERS = 200
MOST_STEPS = 10_000
"""Commands in one run: a bound, not a limit that a company reaches."""


@dataclass(frozen=True, slots=True)
class FollowQuery:
    """Some of what is to do, with at most so many joiners."""

    facts: ClassVar[type[FollowFacts]] = FollowFacts
    joiners: int = MOST_JOINERS


async def follow_roster(ledger: Ledger, new_id: NewId) -> Steps:
    """Runs bounded commands until accounts are as the roster says; running it again does nothing."""
    linked = changed = left = added = 0
    for _ in range(MOST_STEPS):
        fresh = tuple(new_id("per") for _ in range(MOST_JOINERS))
        outcome = await ledger.commit(FollowQuery(), partial(_step, fresh, new_id("hld")))
        if isinstance(outcome, Refused) or not outcome.result.any():
            break
        step = outcome.result
        linked, changed, left, added = (
            linked + step.linked,
            changed + step.changed,
            left + step.left,
            added + step.added,
        )
    return Steps(linked, changed, left, added)


def _step(fresh: tuple[str, ...], hold: str, facts: FollowFacts, now: Instant) -> Decided[Steps]:
    return follow(facts, fresh, hold, now)
