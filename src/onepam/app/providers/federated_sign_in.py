"""Signing in, stepping up and being signed out through a company's identity provider."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor, ActorFacts
from onepam.domain.history.commit import Decided
from onepam.domain.providers import entering as rules
from onepam.domain.providers.assertion import Assertion
from onepam.domain.providers.entering import Entering, EnteringFacts, Outcome, session_of, subject_digest
from onepam.domain.providers.logout import LogoutFacts, end, message_digest
from onepam.domain.providers.stepping_up import step_up
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class EnteringQuery:
    """A provider, the digest of a subject there, the address in lower case, and the session to be opened."""

    facts: ClassVar[type[EnteringFacts]] = EnteringFacts
    provider: str
    subject_digest: str
    email: str
    session: str


@dataclass(frozen=True, slots=True)
class ProviderStepUpFacts:
    """The actor, and what a message is held against."""

    actor: ActorFacts
    said: EnteringFacts


@dataclass(frozen=True, slots=True)
class ProviderStepUpQuery:
    """The actor, and a message about them."""

    facts: ClassVar[type[ProviderStepUpFacts]] = ProviderStepUpFacts
    actor: Actor
    said: EnteringQuery


@dataclass(frozen=True, slots=True)
class LogoutQuery:
    """Sign-in sessions by their ids, and the provider's message that names them by its digest."""

    facts: ClassVar[type[LogoutFacts]] = LogoutFacts
    provider: str
    digest: str
    sessions: tuple[str, ...]


def _query(assertion: Assertion) -> EnteringQuery:
    return EnteringQuery(
        assertion.provider,
        subject_digest(assertion.provider, assertion.subject),
        (assertion.email or "").strip().lower(),
        session_of(assertion),
    )


async def sign_in_by_provider(ledger: Ledger, assertion: Assertion, entering: Entering) -> Outcome:
    """A session, or which factor is missing."""
    outcome = await ledger.commit(_query(assertion), lambda facts, now: rules.sign_in(facts, assertion, entering, now))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def step_up_by_provider(ledger: Ledger, actor: Actor, assertion: Assertion) -> Refused | None:
    """None when the provider attested a fresh second factor of the actor's."""

    def decide(facts: ProviderStepUpFacts, now: Instant) -> Decided[None] | Refused:
        return step_up(facts.said, facts.actor, actor.session, assertion, now)

    outcome = await ledger.commit(ProviderStepUpQuery(actor, _query(assertion)), decide)
    return outcome if isinstance(outcome, Refused) else None


async def sign_out_by_provider(ledger: Ledger, provider: str, unique: str, sessions: tuple[str, ...]) -> int | Refused:
    """Ends these sign-ins, because their provider says so, with what was opened under them; how many ended.

    `unique` is the provider's id of its message: a second time it is refused (`sign_in.replayed`).
    """
    query = LogoutQuery(provider, message_digest(unique), sessions)
    outcome = await ledger.commit(query, lambda facts, _: end(facts, provider, unique))
    return outcome if isinstance(outcome, Refused) else outcome.result
