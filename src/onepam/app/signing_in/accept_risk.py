"""Exceptions from the second factor: an administrator proposes, a senior approver accepts, either ends it."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.signing_in import exceptions as rules
from onepam.domain.signing_in.exceptions import ExceptingFacts, Proposed
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ExceptingQuery:
    """The actor, and an exception; `person` names whom a new one is for, "" where the exception says it."""

    facts: ClassVar[type[ExceptingFacts]] = ExceptingFacts
    actor: Actor
    exception: str
    person: str = ""


async def propose_exception(ledger: Ledger, actor: Actor, wanted: Proposed) -> Refused | None:
    """None when it waits for a senior approver."""
    query = ExceptingQuery(actor, wanted.exception, wanted.person)
    outcome = await ledger.commit(query, lambda facts, now: rules.propose(facts, wanted, now))
    return outcome if isinstance(outcome, Refused) else None


async def accept_exception(ledger: Ledger, actor: Actor, exception: str) -> Refused | None:
    """None when it is in force."""
    outcome = await ledger.commit(ExceptingQuery(actor, exception), rules.accept)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def end_exception(ledger: Ledger, actor: Actor, exception: str, because: str) -> Refused | None:
    """None when it no longer counts."""
    query = ExceptingQuery(actor, exception)
    outcome = await ledger.commit(query, lambda facts, now: rules.end(facts, because, now))
    return outcome if isinstance(outcome, Refused) else None
