"""Deeds of the host: the recovery key, continuing after a loss, getting back in, and the announcement of any."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.host.announcing import Announcement, HostFacts, cancel
from onepam.domain.host.continuing import Loss, continue_after
from onepam.domain.host.recovery_key import Renewal, make, renew
from onepam.domain.recovery.recovering import Recovery, RecoveryFacts, recover
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused, Unavailable


@dataclass(frozen=True, slots=True)
class HostQuery:
    """The recovery key and what is announced; the actor who cancels, None for a command on the host."""

    facts: ClassVar[type[HostFacts]] = HostFacts
    actor: Actor | None = None


async def known_recovery_key(ledger: Ledger) -> str | None:
    """The digest of the recovery key that the ledger knows; None before it was made."""
    outcome = await ledger.commit(HostQuery(), lambda facts, now: Decided((), facts.digest))
    if isinstance(outcome, Refused):
        raise Unavailable(outcome.message)
    return outcome.result


async def make_recovery_key(ledger: Ledger, digest: str, adopted: bool) -> Refused | None:
    """None when the ledger has this key's digest."""
    outcome = await ledger.commit(HostQuery(), lambda facts, now: make(facts, digest, adopted))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def renew_recovery_key(ledger: Ledger, wish: Renewal) -> Refused | Announcement | None:
    """None when the new key is in force; the announcement where the renewal waits."""
    outcome = await ledger.commit(HostQuery(), lambda facts, now: renew(facts, wish, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def continue_after_loss(
    ledger: Ledger, loss: Loss, shown: str, announcement: str, node: str
) -> Refused | Announcement | None:
    """None when the ledger is continued; the announcement where that waits."""
    outcome = await ledger.commit(
        HostQuery(), lambda facts, now: continue_after(facts, loss, shown, announcement, node, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


@dataclass(frozen=True, slots=True)
class RecoveryQuery:
    """What the host may do, and the person who is to get in."""

    facts: ClassVar[type[RecoveryFacts]] = RecoveryFacts
    person: str


async def recover_access(ledger: Ledger, wish: Recovery) -> Refused | Announcement | Instant:
    """The end of the link by which the person enrols; the announcement where that waits."""
    outcome = await ledger.commit(RecoveryQuery(wish.person), lambda facts, now: recover(facts, wish, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def cancel_announced(ledger: Ledger, actor: Actor, announcement: str) -> Refused | None:
    """None when it is cancelled."""
    outcome = await ledger.commit(HostQuery(actor), lambda facts, now: cancel(facts, announcement, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
