"""Approving a request: its grant starts in the same command.

The console holds a decision for ten seconds before it sends it, so that it can be undone; here it is final, and what
was granted is ended with `end_grant`.
"""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.approval import ApprovalFacts, Approve, Granted, approve
from onepam.domain.authority import Actor
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ApprovalQuery:
    """The one who decides, and the request."""

    facts: ClassVar[type[ApprovalFacts]] = ApprovalFacts
    actor: Actor
    request: str


async def approve_request(
    ledger: Ledger, actor: Actor, request: str, digest: str, grant: str, comment: str = ""
) -> Granted | Refused:
    """Approves exactly `digest`; the access begins now, as the new grant `grant`."""
    command = Approve(request, digest, grant, comment)
    outcome = await ledger.commit(ApprovalQuery(actor, request), lambda facts, now: approve(facts, actor, command, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
