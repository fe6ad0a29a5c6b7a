"""What time does with reviews: what nobody decided on is withheld, they end, and what was carried out is noted."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.reviews import closing, reminding
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ClosingQuery:
    """A review with all that was decided in it."""

    facts: ClassVar[type[closing.ClosingFacts]] = closing.ClosingFacts
    review: str


@dataclass(frozen=True, slots=True)
class GivenUpQuery:
    """Roles that are withheld, and that nothing gives any more."""

    facts: ClassVar[type[closing.GivenUpFacts]] = closing.GivenUpFacts


@dataclass(frozen=True, slots=True)
class ReducedQuery:
    """Roles that were kept until a day that is over."""

    facts: ClassVar[type[closing.ReducedFacts]] = closing.ReducedFacts


@dataclass(frozen=True, slots=True)
class RemindingQuery:
    """A review, and what waits for whom."""

    facts: ClassVar[type[reminding.RemindingFacts]] = reminding.RemindingFacts
    review: str


async def remind(ledger: Ledger, review: str) -> int | Refused:
    """How many were told that something waits for them; a `Refused` where nothing is due. Raises `Unavailable`."""
    outcome = await ledger.commit(RemindingQuery(review), reminding.remind)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def close_review(ledger: Ledger, review: str) -> Refused | None:
    """None when it is over; a `Refused` where it is not due. Raises `Unavailable`."""
    while True:
        outcome = await ledger.commit(ClosingQuery(review), closing.close_review)
        if isinstance(outcome, Refused):
            return outcome
        if outcome.result.over:
            return None


async def end_reduced(ledger: Ledger) -> int:
    """How many roles give nothing any more that were kept until a day. Raises `Unavailable`."""
    outcome = await ledger.commit(ReducedQuery(), closing.end_reduced)
    return 0 if isinstance(outcome, Refused) else outcome.result


async def carry_out(ledger: Ledger) -> int:
    """How many removals the file and the groups agree with by now. Raises `Unavailable`."""
    count = 0
    while True:
        outcome = await ledger.commit(GivenUpQuery(), closing.carry_out)
        if isinstance(outcome, Refused):  # the ledger's clock is in doubt: nothing is decided until it is confirmed
            return count
        count += outcome.result
        if outcome.result < closing.MOST_AT_ONCE:
            return count
