"""Confirming a terminal's sign-in in the browser: no phishing through us (design.md section 9).

A confirmation is offered only behind a registered key, only that key's person may give it, by typing the code that the
terminal shows, under a fresh factor, within two minutes, once.
"""

import hmac
from dataclasses import dataclass

from onepam.domain.access.authority import Actor, ActorFacts, present
from onepam.domain.access.decision import AccessFacts, Permitted, decide
from onepam.domain.access.mfa_rule import FRESH_FACTOR, fresh
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.events import ConfirmationAsked, ConfirmationFailed, ConfirmationGiven
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused

LIFETIME = 2 * MINUTE
"""How long a terminal waits for its person (microseconds)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A registered key at the door: `code_digest` is of the code that only its terminal shows."""

    confirmation: str
    person: str
    resource: str
    login: str
    source: str
    code_digest: str


@dataclass(frozen=True, slots=True)
class GivenFacts:
    """The actor, the factors of the actor's sign-in session, and the confirmation as of the decision.

    `fresh`: its resource asks for a factor of its own; `spent`: a session was opened with the actor's before.
    """

    actor: ActorFacts
    proof: MfaProof | None
    person: str | None
    expires: Instant | None
    status: str | None
    code_digest: str | None
    fresh: bool = False
    spent: bool = False


def ask(facts: AccessFacts, command: Ask, now: Instant) -> Decided[Instant] | Refused:
    """Asks, if the access itself would be given; the result is when it lapses."""
    verdict = decide(facts, command.login, now)
    if not isinstance(verdict, Permitted):
        return verdict
    expires = Instant(now + LIFETIME)
    event = ConfirmationAsked(
        confirmation=command.confirmation,
        person=command.person,
        resource=command.resource,
        login=command.login,
        expires=expires,
        code_digest=command.code_digest,
        source=command.source,
    )
    return Decided((event,), expires)


def give(
    facts: GivenFacts, actor: Actor, confirmation: str, code_digest: str, now: Instant
) -> Decided[Refused | None] | Refused:
    """Confirms, or voids the confirmation for a wrong code or a wrong person: there is no second guess."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if facts.person is None or facts.expires is None or facts.status != "asked" or facts.expires <= now:
        return Refused("confirmation.gone", "This confirmation has lapsed or was used.", "Connect again.")
    if facts.person != actor.person:
        return _void(confirmation, actor, "confirmation.wrong_person", "This terminal's key belongs to somebody else.")
    assert facts.actor.mfa_at is not None  # present() demands a factor
    assert facts.proof is not None  # of the session that it demands
    if facts.actor.mfa_at + FRESH_FACTOR <= now or (facts.fresh and not fresh(facts.proof, facts.spent, now)):
        return Refused("confirmation.stale_factor", "Show your second factor once more.", "/step-up")
    if facts.code_digest is None or not hmac.compare_digest(facts.code_digest, code_digest):
        return _void(confirmation, actor, "confirmation.wrong_code", "That is not the code your terminal shows.")
    return Decided((ConfirmationGiven(confirmation, actor.person, facts.proof),), None)


def _void(confirmation: str, actor: Actor, code: str, message: str) -> Decided[Refused | None]:
    refused = Refused(code, message, "The terminal's attempt was ended. Connect again, and check who asks.")
    return Decided((ConfirmationFailed(confirmation, actor.person, code),), refused)
