"""Setting signal streams: proposing, approving, rejecting and removing them."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.providers.signal_setting import StreamFacts, approve, propose, reject, remove
from onepam.domain.providers.signals import Stream
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """The actor, all streams and providers, and the change in question."""

    facts: ClassVar[type[StreamFacts]] = StreamFacts
    actor: Actor
    change: str = ""


async def propose_stream(ledger: Ledger, actor: Actor, wanted: Stream) -> Refused | None:
    """None when the stream waits for another administrator."""
    query = StreamQuery(actor, wanted.change)
    outcome = await ledger.commit(query, lambda facts, now: propose(facts, wanted, now))
    return outcome if isinstance(outcome, Refused) else None


async def approve_stream(ledger: Ledger, actor: Actor, change: str) -> Refused | None:
    """None when the stream is as `change` proposed it."""
    outcome = await ledger.commit(StreamQuery(actor, change), lambda facts, now: approve(facts, change, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def reject_stream(ledger: Ledger, actor: Actor, change: str) -> Refused | None:
    """None when the proposal is void."""
    outcome = await ledger.commit(StreamQuery(actor, change), lambda facts, now: reject(facts, change, now))
    return outcome if isinstance(outcome, Refused) else None


async def remove_stream(ledger: Ledger, actor: Actor, stream: str, because: str) -> Refused | None:
    """None when nothing that comes by the stream is taken any more."""
    outcome = await ledger.commit(StreamQuery(actor), lambda facts, now: remove(facts, stream, because, now))
    return outcome if isinstance(outcome, Refused) else None
