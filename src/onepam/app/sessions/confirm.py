"""Asking for, and giving, the confirmation of a terminal's sign-in."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.access.decision import AccessFacts
from onepam.domain.sessions.confirmation import Ask, GivenFacts, ask, give
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class AccessQuery:
    """The access of one person to one resource."""

    facts: ClassVar[type[AccessFacts]] = AccessFacts
    person: str
    resource: str


@dataclass(frozen=True, slots=True)
class ConfirmationQuery:
    """A confirmation and the actor who answers it."""

    facts: ClassVar[type[GivenFacts]] = GivenFacts
    actor: Actor
    confirmation: str


async def ask_confirmation(ledger: Ledger, command: Ask) -> Instant | Refused:
    """Offers a confirmation to the person of a registered key; gives when it lapses."""
    outcome = await ledger.commit(
        AccessQuery(command.person, command.resource), lambda facts, now: ask(facts, command, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def give_confirmation(ledger: Ledger, actor: Actor, confirmation: str, code_digest: str) -> Refused | None:
    """The person's answer in the browser; None when the terminal may go on."""
    decide = partial(give, actor=actor, confirmation=confirmation, code_digest=code_digest)
    outcome = await ledger.commit(ConfirmationQuery(actor, confirmation), lambda facts, now: decide(facts, now=now))
    return outcome if isinstance(outcome, Refused) else outcome.result
