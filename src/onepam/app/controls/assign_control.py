"""Saying who answers for a control, and until when what fails of it is to be mended."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.controls import testing
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class AssigningQuery:
    """Who assigns, and who is to answer."""

    facts: ClassVar[type[testing.AssigningFacts]] = testing.AssigningFacts
    actor: Actor
    owner: str


async def assign_control(ledger: Ledger, actor: Actor, control: str, owner: str, due: Instant | None) -> Refused | None:
    """None when it is said."""
    outcome = await ledger.commit(
        AssigningQuery(actor, owner), lambda facts, now: testing.assign(facts, control, owner, due, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
