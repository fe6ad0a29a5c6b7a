"""Asking for access that a role gives on request."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.requests.asking import Ask, Asked, AskFacts, ask
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class AskQuery:
    """The actor, a resource, and the actor's requests that wait."""

    facts: ClassVar[type[AskFacts]] = AskFacts
    actor: Actor
    resource: str


async def make_request(
    ledger: Ledger,
    actor: Actor,
    request: str,
    resource: str,
    login: str,
    duration: int,
    reason: str,
    ticket: str = "",
    role: str | None = None,
) -> Asked | Refused:
    """A request under the new id `request`, for `duration` microseconds; `role` chooses where several would do."""
    command = Ask(request, resource, login, duration, reason, ticket, role)
    outcome = await ledger.commit(AskQuery(actor, resource), lambda facts, now: ask(facts, command, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
