"""Locking a person, a resource or everything, and lifting a lock; gateways follow the ledger."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access import locking
from onepam.domain.access.authority import Actor
from onepam.domain.access.locking import LockScope
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class LockQuery:
    """The actor, and what is to be locked: a person's or a resource's id, "" for everything."""

    facts: ClassVar[type[locking.LockFacts]] = locking.LockFacts
    actor: Actor
    scope: LockScope
    about: str


@dataclass(frozen=True, slots=True)
class LiftQuery:
    """The actor and a lock."""

    facts: ClassVar[type[locking.LiftFacts]] = locking.LiftFacts
    actor: Actor
    lock: str


async def lock_access(
    ledger: Ledger, actor: Actor, name: str, scope: LockScope, about: str, reason: str
) -> str | Refused:
    """The lock, under the id `name`. Raises `Unavailable`."""
    outcome = await ledger.commit(
        LockQuery(actor, scope, about),
        lambda facts, now: locking.lock(facts, actor, name, scope, about, reason, now),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def lift_lock(ledger: Ledger, actor: Actor, name: str) -> Refused | None:
    """None when it is lifted. Raises `Unavailable`."""
    outcome = await ledger.commit(LiftQuery(actor, name), lambda facts, now: locking.lift(facts, actor, name, now))
    return outcome if isinstance(outcome, Refused) else None
