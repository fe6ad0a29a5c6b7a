"""Ending all access of a person, in one command."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.leaving.leaving import Ended, LeavingFacts, disable
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class LeavingQuery:
    """The actor, a person, and all that the person holds."""

    facts: ClassVar[type[LeavingFacts]] = LeavingFacts
    actor: Actor
    person: str


async def disable_person(ledger: Ledger, actor: Actor, person: str, because: str) -> Ended | Refused:
    """What ended with it. Live sessions follow the ledger and are cut within a second."""
    outcome = await ledger.commit(
        LeavingQuery(actor, person), lambda facts, now: disable(facts, actor, person, because, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
