"""A statement that waits for somebody else's yes, and what comes of it."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.sessions.waiting_statements import (
    Asking,
    AskingFacts,
    DecidingFacts,
    EndingFacts,
    StatementAsked,
    approve,
    ask,
    deny,
    end,
)
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class AskingQuery:
    """The session that asks."""

    facts: ClassVar[type[AskingFacts]] = AskingFacts
    session: str


@dataclass(frozen=True, slots=True)
class DecidingQuery:
    """Who decides, and the statement."""

    facts: ClassVar[type[DecidingFacts]] = DecidingFacts
    actor: Actor
    statement: str


@dataclass(frozen=True, slots=True)
class EndingQuery:
    """The statement."""

    facts: ClassVar[type[EndingFacts]] = EndingFacts
    statement: str


async def ask_statement(ledger: Ledger, command: Asking) -> StatementAsked | Refused:
    """It waits, or why it cannot."""
    outcome = await ledger.commit(AskingQuery(command.session), lambda facts, now: ask(facts, command, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def approve_statement(ledger: Ledger, actor: Actor, statement: str) -> Refused | None:
    """None when it runs."""
    outcome = await ledger.commit(DecidingQuery(actor, statement), approve)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def deny_statement(ledger: Ledger, actor: Actor, statement: str, reason: str) -> Refused | None:
    """None when it does not run."""
    outcome = await ledger.commit(DecidingQuery(actor, statement), lambda facts, now: deny(facts, reason, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def end_statement(ledger: Ledger, statement: str, because: str) -> bool | Refused:
    """Whether it waited until now; a refusal says that the ledger takes nothing."""
    outcome = await ledger.commit(EndingQuery(statement), lambda facts, _: end(facts, statement, because))
    return outcome if isinstance(outcome, Refused) else outcome.result
