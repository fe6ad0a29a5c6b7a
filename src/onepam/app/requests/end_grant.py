"""Ending a grant before its time; sessions that rest on it end with it."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.requests import approval
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class GrantQuery:
    """The actor, and a grant that has not been ended."""

    facts: ClassVar[type[approval.GrantFacts]] = approval.GrantFacts
    actor: Actor
    grant: str


async def end_grant(ledger: Ledger, actor: Actor, grant: str, reason: str = "") -> Refused | None:
    """None when the grant is ended. Anybody but its holder gives a reason."""
    command = approval.EndGrant(grant, reason)
    outcome = await ledger.commit(
        GrantQuery(actor, grant), lambda facts, now: approval.end_grant(facts, actor, command, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
