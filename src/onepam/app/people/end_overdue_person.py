"""The end that time brings: a last day that has passed, a vendor without a sponsor, what one command left over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.lapsing.people import OverdueFacts, end_overdue
from onepam.domain.leaving.leaving import Ended
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class OverduePersonQuery:
    """A person, all that they hold, and whether their sponsor is there."""

    facts: ClassVar[type[OverdueFacts]] = OverdueFacts
    person: str


async def end_overdue_person(ledger: Ledger, person: str, new_id: Callable[[str], str]) -> Ended | Refused:
    """What ended with it; a `Refused` where nothing is due. Nothing depends on its being on time: whoever is past
    their last day opens nothing, receipt or not."""
    hold = new_id("hld")
    outcome = await ledger.commit(OverduePersonQuery(person), lambda facts, now: end_overdue(facts, person, hold, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
