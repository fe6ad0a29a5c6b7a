"""Stepping up through a company's identity provider: a fresh second factor, shown there, in a session that is open."""

from onepam.domain.access.authority import ActorFacts, present
from onepam.domain.access.proof import MfaBasis
from onepam.domain.history.commit import Decided
from onepam.domain.providers.assertion import Assertion
from onepam.domain.providers.entering import GONE, EnteringFacts, names_method, session_of
from onepam.domain.signing_in import rules as signing_in
from onepam.domain.signing_in.events import FactorKind, SteppedUp
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


def step_up(
    facts: EnteringFacts, actor: ActorFacts, session: str, assertion: Assertion, now: Instant
) -> Decided[None] | Refused:
    """A fresh second factor in the actor's session, shown to the provider: it must attest it, for the same person."""
    if (refused := present(actor, now)) is not None:
        return refused
    provider = facts.provider
    if provider is None or provider.provider != assertion.provider:
        return GONE
    if facts.taken:
        return Refused("sign_in.replayed", "This answer was used already.", "Try again.")
    if facts.known is None or facts.known.account.person != actor.person:
        return Refused("step_up.somebody_else", f"At {provider.name} you are somebody else.", "Sign out there first.")
    if assertion.authenticated_at + signing_in.FRESH_FACTOR <= now:
        return Refused("step_up.stale", f"{provider.name} did not ask for your factor again.", "Show one of your own.")
    if not names_method(assertion, provider.rule.attests):
        words = f"{provider.name} does not attest a second factor."
        return Refused("step_up.not_attested", words, "Show one of your own.")
    hard = names_method(assertion, provider.rule.phishing_resistant)
    at = min(assertion.authenticated_at, now)
    message = session_of(assertion)
    stepped = SteppedUp(session, actor.person, FactorKind.PROVIDER, at, MfaBasis.ATTESTED, hard, message)
    return Decided((stepped,), None)
