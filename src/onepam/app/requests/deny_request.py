"""Denying a request."""

from onepam.app.ports import Ledger
from onepam.app.requests.approve_request import ApprovalQuery
from onepam.domain.access.authority import Actor
from onepam.domain.requests.approval import deny
from onepam.kernel.errors import Refused


async def deny_request(ledger: Ledger, actor: Actor, request: str, comment: str = "") -> Refused | None:
    """None when the request is denied."""
    outcome = await ledger.commit(
        ApprovalQuery(actor, request), lambda facts, now: deny(facts, actor, request, comment, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
