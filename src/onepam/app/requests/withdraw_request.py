"""Taking one's own request back."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.requests.asking import WithdrawFacts, withdraw
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class WithdrawQuery:
    """The actor and the request."""

    facts: ClassVar[type[WithdrawFacts]] = WithdrawFacts
    actor: Actor
    request: str


async def withdraw_request(ledger: Ledger, actor: Actor, request: str) -> Refused | None:
    """None when the request is withdrawn."""
    outcome = await ledger.commit(
        WithdrawQuery(actor, request), lambda facts, now: withdraw(facts, actor, request, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
