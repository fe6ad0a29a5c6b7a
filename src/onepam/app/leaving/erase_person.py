"""Erasing what is known of a leaver: one administrator proposes, another agrees, and then it goes in portions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.leaving.erasing import ErasingFacts, PortionFacts, approve, end, erase, finish, propose
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found before it is proposed, so that nobody waits for it: how many payloads of each kind speak of the
    person, and the documents that name them, both of entries until `since`."""

    counts: Mapping[str, int]
    documents: tuple[int, ...]
    since: Instant


NOTHING = Seen({}, (), Instant(-1))


@dataclass(frozen=True, slots=True)
class ErasingQuery:
    """The actor, and an erasure; `person` says whom a new one is about, "" where the erasure does. Of documents only
    those that were `seen` are looked at again, and what is newer."""

    facts: ClassVar[type[ErasingFacts]] = ErasingFacts
    actor: Actor
    erasure: str
    person: str = ""
    seen: Seen = NOTHING


@dataclass(frozen=True, slots=True)
class PortionQuery:
    """An erasure that goes on, and the entries whose payloads are to go next, each with the entry that says whose it
    is: itself, or another's word on what is theirs."""

    facts: ClassVar[type[PortionFacts]] = PortionFacts
    erasure: str
    entries: tuple[tuple[int, int], ...] = ()


async def propose_erasure(
    ledger: Ledger,
    actor: Actor,
    erasure: str,
    person: str,
    because: str,
    keep_days: int,
    seen: Seen = NOTHING,
) -> Refused | None:
    """None when it waits for another administrator. `seen`: what was found to go; without it all is looked through."""
    outcome = await ledger.commit(
        ErasingQuery(actor, erasure, person, seen),
        lambda facts, now: propose(facts, erasure, person, because, keep_days, seen.counts, now),
    )
    return outcome if isinstance(outcome, Refused) else None


async def approve_erasure(ledger: Ledger, actor: Actor, erasure: str) -> Refused | None:
    """None when it begins."""
    outcome = await ledger.commit(ErasingQuery(actor, erasure), approve)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def end_erasure(ledger: Ledger, actor: Actor, erasure: str) -> Refused | None:
    """None when the proposal is void."""
    outcome = await ledger.commit(ErasingQuery(actor, erasure), end)
    return outcome if isinstance(outcome, Refused) else None


async def erase_portion(
    ledger: Ledger, erasure: str, entries: tuple[tuple[int, int], ...], *, naming: bool
) -> Refused | int:
    """How many payloads went: of these entries, and in one command. Raises `Corrupt` where one of them is another's."""
    query = PortionQuery(erasure, entries)
    outcome = await ledger.commit(query, lambda facts, now: erase(facts, naming=naming))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def finish_erasure(ledger: Ledger, erasure: str) -> Refused | int:
    """How many payloads went in all: nothing is left."""
    outcome = await ledger.commit(PortionQuery(erasure), lambda facts, now: finish(facts))
    return outcome if isinstance(outcome, Refused) else outcome.result
