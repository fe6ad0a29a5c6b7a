"""What time has brought: receipts for grants, requests that nobody can approve any more, and those that escalate.

Access ends by predicate, whether this runs or not; the sweep only writes down what is already so.
"""

from dataclasses import dataclass

from onepam.domain.access.asked import PLAINLY
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.decision import AccessFacts, HeldGrant
from onepam.domain.access.model import permission_of
from onepam.domain.history.commit import Decided
from onepam.domain.requests.approval import standing
from onepam.domain.requests.asking import OpenRequest
from onepam.domain.requests.events import GrantEnded, GrantExpired, RequestEscalated, RequestStatus, RequestWithdrawn
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class OverdueFacts:
    """Grants past their end without a receipt, those `without` the binding they rest on, and some requests that wait,
    each with its requester's access.

    Of the requests in `escalated` it was said that others decide, too. `next` is where the following look at waiting
    requests begins; empty when this was the last of them.
    """

    grants: tuple[HeldGrant, ...]
    without: tuple[HeldGrant, ...]
    waiting: tuple[tuple[OpenRequest, AccessFacts], ...]
    next: str
    escalated: frozenset[str] = frozenset()


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
    void, escalated = list[RequestWithdrawn](), list[RequestEscalated]()
    for request, requester in facts.waiting:
        held = standing(request.substance, requester, now)
        if request.expires <= now or isinstance(held, Refused):
            why = held.code if isinstance(held, Refused) and request.expires > now else "expired"
            void.append(RequestWithdrawn(request.request, RequestStatus.VOID, why, None))
        elif request.request not in facts.escalated and (to := _escalates(request, held, now)):
            escalated.append(RequestEscalated(request.request, to))
    events = (*receipts, *fallen, *void, *escalated)
    return Decided(events, Swept(len(receipts) + len(fallen), len(void), facts.next))


def _escalates(request: OpenRequest, held: HeldRole, now: Instant) -> tuple[str, ...]:
    """The roles whose holders decide now, too; empty where nobody else does."""
    permission = permission_of(held.permissions, request.substance.permission)
    asks = permission.asks if permission is not None else PLAINLY
    return asks.then if asks.escalates and now >= request.made + asks.escalates else ()
