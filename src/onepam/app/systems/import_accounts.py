"""Bringing a list of a system's accounts: a look at it, taking it, releasing one that is held."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.systems.file import AccountFile, InvalidList, read_accounts
from onepam.domain.systems.importing import (
    ListFacts,
    ListHeld,
    ListPlan,
    ListTaken,
    Offer,
    look,
    release,
    take,
)
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

NewId = Callable[[str], str]
"""A fresh id with this prefix."""


@dataclass(frozen=True, slots=True)
class ListQuery:
    """Who acts, and the system: its accounts and its lists. `whole` is False where nobody asks for the accounts."""

    facts: ClassVar[type[ListFacts]] = ListFacts
    actor: Actor
    system: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Brought:
    """A file as it came, whose list it is, and when the system made it (None: now)."""

    data: bytes
    system: str
    made: Instant | None = None


async def plan_list(ledger: Ledger, actor: Actor, brought: Brought) -> ListPlan | InvalidList | Refused:
    """What the list would change. Nothing is recorded."""
    file = await _read(brought)
    offer = Offer("", brought.system, file, brought.made)
    outcome = await ledger.commit(ListQuery(actor, brought.system), lambda facts, now: look(facts, offer, now))
    return _answer(outcome, file) if isinstance(outcome, Refused) else outcome.result


async def import_list(
    ledger: Ledger, actor: Actor, brought: Brought, new_id: NewId
) -> ListTaken | ListHeld | InvalidList | Refused:
    """Takes the list, whole or not at all; or the brake holds it."""
    file = await _read(brought)
    offer = Offer(new_id("acl"), brought.system, file, brought.made)
    outcome = await ledger.commit(
        ListQuery(actor, brought.system), lambda facts, now: take(facts, offer, lambda: new_id("lac"), now)
    )
    return _answer(outcome, file) if isinstance(outcome, Refused) else outcome.result


async def release_list(ledger: Ledger, actor: Actor, system: str, digest: str) -> Refused | None:
    """Lets the held list of this digest through for its next import."""
    outcome = await ledger.commit(
        ListQuery(actor, system, whole=False), lambda facts, now: release(facts, system, digest, now)
    )
    return outcome if isinstance(outcome, Refused) else None


def _answer(refused: Refused, file: AccountFile | InvalidList) -> InvalidList | Refused:
    return file if isinstance(file, InvalidList) and refused.code == "account_list.invalid" else refused


async def _read(brought: Brought) -> AccountFile | InvalidList:
    return await asyncio.to_thread(read_accounts, brought.data, brought.system)
