"""Naming who decides on requests for oneself, and ending that."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.requests import delegating
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class DelegatingQuery:
    """Who delegates, and to whom."""

    facts: ClassVar[type[delegating.DelegatingFacts]] = delegating.DelegatingFacts
    actor: Actor
    to: str


@dataclass(frozen=True, slots=True)
class DelegationQuery:
    """Who ends a delegation."""

    facts: ClassVar[type[delegating.DelegationFacts]] = delegating.DelegationFacts
    actor: Actor
    delegation: str


async def delegate(
    ledger: Ledger, actor: Actor, delegation: str, to: str, begins: Instant, ends: Instant, reason: str = ""
) -> delegating.Delegation | Refused:
    """`to` decides for the actor from `begins` (or now) until `ends`, under the new id `delegation`."""
    wanted = delegating.Delegation(delegation, actor.person, to, begins, ends)
    outcome = await ledger.commit(
        DelegatingQuery(actor, to), lambda facts, now: delegating.delegate(facts, wanted, reason, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def end_delegation(ledger: Ledger, actor: Actor, delegation: str) -> Refused | None:
    """None when it is over."""
    outcome = await ledger.commit(
        DelegationQuery(actor, delegation), lambda facts, now: delegating.end_delegation(facts, actor, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
