"""What time has ended: receipts for grants, and requests that nobody can approve any more.

Access ends by predicate, whether this runs or not; the sweep only writes down what is already so.
"""

from dataclasses import dataclass

from onepam.domain.access.decision import AccessFacts, HeldGrant
from onepam.domain.history.commit import Decided
from onepam.domain.requests.approval import standing
from onepam.domain.requests.asking import OpenRequest
from onepam.domain.requests.events import GrantEnded, GrantExpired, RequestStatus, RequestWithdrawn
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class OverdueFacts:
    """Grants past their end without a receipt, those `without` the binding they rest on, and some requests that wait,
    each with its requester's access.

    `next` is where the following look at waiting requests begins; empty when this was the last of them.
    """

    grants: tuple[HeldGrant, ...]
    without: tuple[HeldGrant, ...]
    waiting: tuple[tuple[OpenRequest, AccessFacts], ...]
    next: str


@dataclass(frozen=True, slots=True)
class Swept:
    """How many grants got their receipt and how many requests became void; `next` continues, empty when done."""

    grants: int
    requests: int
    next: str


def sweep(facts: OverdueFacts, now: Instant) -> Decided[Swept]:
    """One bounded step."""
    receipts = tuple(GrantExpired(each.grant, each.request, each.ends) for each in facts.grants if each.ends <= now)
    fallen = tuple(GrantEnded(each.grant, each.request, "binding.ended", None) for each in facts.without)
    void = tuple(
        RequestWithdrawn(request.request, RequestStatus.VOID, why, None)
        for request, requester in facts.waiting
        if (why := _void(request, requester, now)) is not None
    )
    return Decided((*receipts, *fallen, *void), Swept(len(receipts) + len(fallen), len(void), facts.next))


def _void(request: OpenRequest, requester: AccessFacts, now: Instant) -> str | None:
    if request.expires <= now:
        return "expired"
    held = standing(request.substance, requester, now)
    return held.code if isinstance(held, Refused) else None
