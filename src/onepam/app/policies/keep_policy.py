"""Policy documents: published, looked through, confirmed, retired; and whoever has not confirmed one is reminded."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import ClassVar

from onepam.app.ports import Documents, Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.policies import publishing
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class PolicyQuery:
    """Who acts, on which policy; who is to answer for it, and the roles whose holders are to read it."""

    facts: ClassVar[type[publishing.PolicyFacts]] = publishing.PolicyFacts
    actor: Actor
    policy: str
    owner: str = ""
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnreadQuery:
    """Some of those who are to be told that a policy waits for them."""

    facts: ClassVar[type[tuple[publishing.Unread, ...]]] = tuple[publishing.Unread, ...]


async def publish_policy(
    ledger: Ledger, documents: Documents, actor: Actor, draft: publishing.Draft, document: bytes
) -> int | Refused:
    """The number of the version that is in force now; `draft` gets its digest and size here. The document is kept
    before the entry is written: one that nothing names does no harm."""
    if not 0 < len(document) <= publishing.MOST_BYTES:
        return Refused("policy.size", f"A document has at most {publishing.MOST_BYTES >> 20} MiB, and is not empty.")
    judged = replace(draft, digest=sha256(document).hexdigest(), size=len(document))
    query = PolicyQuery(actor, draft.policy, draft.owner, draft.readers)
    tried = await ledger.commit(query, lambda facts, now: _only_judged(publishing.publish(facts, judged, now)))
    if isinstance(tried, Refused):
        return tried
    await asyncio.to_thread(documents.keep, judged.digest, document)
    outcome = await ledger.commit(query, lambda facts, now: publishing.publish(facts, judged, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


def _only_judged(decided: Decided[int] | Refused) -> Decided[int] | Refused:
    """The answer without its entry: nobody's document is kept who may not publish it."""
    return decided if isinstance(decided, Refused) else Decided((), decided.result)


async def look_policy_through(
    ledger: Ledger, actor: Actor, policy: str, review_by: Instant, note: str
) -> Refused | None:
    """None when it is said."""
    return await _done(
        ledger, actor, policy, lambda facts, now: publishing.look_through(facts, policy, review_by, note, now)
    )


async def confirm_policy(ledger: Ledger, actor: Actor, policy: str, digest: str) -> Refused | None:
    """None when the actor has confirmed the version with this digest."""
    return await _done(ledger, actor, policy, lambda facts, now: publishing.confirm(facts, policy, digest, now))


async def retire_policy(ledger: Ledger, actor: Actor, policy: str, because: str) -> Refused | None:
    """None when it is in force no more."""
    return await _done(ledger, actor, policy, lambda facts, now: publishing.retire(facts, policy, because, now))


async def _done(
    ledger: Ledger, actor: Actor, policy: str,
    decide: Callable[[publishing.PolicyFacts, Instant], Decided[None] | Refused],
) -> Refused | None:  # fmt: skip
    outcome = await ledger.commit(PolicyQuery(actor, policy), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def remind_readers(ledger: Ledger) -> int:
    """How many were told, of those who are due now; some are left where that is many."""
    outcome = await ledger.commit(UnreadQuery(), publishing.remind)
    return 0 if isinstance(outcome, Refused) else outcome.result
