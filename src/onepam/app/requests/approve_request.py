"""Approving a request, and undoing that before it takes effect (`domain.requests.UNDO`); later the grant is ended."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.requests.approval import Agreed, ApprovalFacts, Approve, Granted, approve, undo
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ApprovalQuery:
    """The one who decides, and the request."""

    facts: ClassVar[type[ApprovalFacts]] = ApprovalFacts
    actor: Actor
    request: str


async def approve_request(
    ledger: Ledger, actor: Actor, request: str, digest: str, grant: str, comment: str = ""
) -> Granted | Agreed | Refused:
    """Approves exactly `digest`; the access begins at `Granted.starts`, as the new grant `grant`. `Agreed` where it
    takes the yes of others, too."""
    command = Approve(request, digest, grant, comment)
    outcome = await ledger.commit(ApprovalQuery(actor, request), lambda facts, now: approve(facts, actor, command, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def undo_approval(ledger: Ledger, actor: Actor, request: str) -> Refused | None:
    """None when the actor's approval is undone and the request waits again."""
    outcome = await ledger.commit(ApprovalQuery(actor, request), lambda facts, now: undo(facts, actor, request, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
