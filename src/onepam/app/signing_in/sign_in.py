"""Signing in, stepping up and signing out. The edge has verified the factors; here they are held against the ledger."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor, ActorFacts, present
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.commit import Decided
from onepam.domain.signing_in import rules
from onepam.domain.signing_in.devices import Allowance
from onepam.domain.signing_in.events import CertificateIssued, FactorKind, SignedOut
from onepam.domain.signing_in.gate import Visitor
from onepam.domain.signing_in.rules import AccountFacts, Opening, Proof
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """An account, the actor (None before there is one), and the factors behind the actor's session.

    `taken`: a session with the id that is to be opened exists or existed. `allowed` is what was said to a terminal
    that may open it, None where nobody allowed one.
    """

    account: AccountFacts
    actor: ActorFacts | None
    proof: MfaProof | None
    taken: bool = False
    allowed: Allowance | None = None


@dataclass(frozen=True, slots=True)
class SignInQuery:
    """The account of a person, who acts on it, and the id of a session that is to be opened."""

    facts: ClassVar[type[SignInFacts]] = SignInFacts
    person: str
    actor: Actor | None = None
    opening: str | None = None


@dataclass(frozen=True, slots=True)
class OwnSessionFacts:
    """The actor, and whether the other session is theirs and runs."""

    actor: ActorFacts
    running: bool


@dataclass(frozen=True, slots=True)
class OwnSessionQuery:
    """Another sign-in session of the actor's."""

    facts: ClassVar[type[OwnSessionFacts]] = OwnSessionFacts
    actor: Actor
    session: str


async def sign_in(ledger: Ledger, opening: Opening) -> Instant | Refused:
    """Opens a console session; the result is its end."""
    outcome = await ledger.commit(
        SignInQuery(opening.person), lambda facts, now: rules.sign_in(facts.account, opening, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def try_factor(ledger: Ledger, person: str, kind: FactorKind, right: bool, visitor: Visitor) -> Refused | None:
    """Takes a try of somebody's factor, which the edge has verified, through the gate; None: it counts as shown.

    Whatever can be guessed comes through here right or wrong, before anything tells which.
    """
    outcome = await ledger.commit(
        SignInQuery(person), lambda facts, now: rules.try_factor(facts.account, kind, right, visitor, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def step_up(ledger: Ledger, actor: Actor, proof: Proof, visitor: Visitor) -> Refused | None:
    """A fresh factor inside the actor's session."""

    def decide(facts: SignInFacts, now: Instant) -> Decided[Refused | None] | Refused:
        return rules.step_up(facts.account, _acting(facts), facts.proof, proof, visitor, now)

    outcome = await ledger.commit(SignInQuery(actor.person, actor), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def open_cli_session(
    ledger: Ledger, actor: Actor, session: str, token_digest: str, source: str
) -> Instant | Refused:
    """A CLI session under the actor's console session; the result is its end."""

    def decide(facts: SignInFacts, now: Instant) -> Decided[Instant] | Refused:
        return rules.cli_sign_in(_acting(facts), actor, session, token_digest, source, facts.proof, facts.taken, now)

    outcome = await ledger.commit(SignInQuery(actor.person, actor, session), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def record_certificate(ledger: Ledger, actor: Actor, issued: CertificateIssued) -> Refused | None:
    """Records a person's certificate before it is handed out."""

    def decide(facts: SignInFacts, now: Instant) -> Decided[None] | Refused:
        refused = present(_acting(facts), now)
        return refused if refused is not None else Decided((issued,), None)

    return await _done(ledger, SignInQuery(actor.person, actor), decide)


async def sign_out(ledger: Ledger, actor: Actor) -> Refused | None:
    """Ends the actor's session."""
    return await _done(
        ledger, SignInQuery(actor.person, actor), lambda facts, now: rules.sign_out(_acting(facts), actor, now)
    )


async def end_sign_in(ledger: Ledger, actor: Actor, session: str) -> Refused | None:
    """Ends another session of the actor's own, such as a command line's."""

    def decide(facts: OwnSessionFacts, now: Instant) -> Decided[None] | Refused:
        if (refused := present(facts.actor, now)) is not None:
            return refused
        if not facts.running:
            return Refused("sign_in.unknown", "There is no such session of yours.")
        return Decided((SignedOut(session, actor.person, "ended by its person", actor.person),), None)

    outcome = await ledger.commit(OwnSessionQuery(actor, session), decide)
    return outcome if isinstance(outcome, Refused) else None


async def _done(
    ledger: Ledger, query: SignInQuery, decide: Callable[[SignInFacts, Instant], Decided[None] | Refused]
) -> Refused | None:
    outcome = await ledger.commit(query, decide)
    return outcome if isinstance(outcome, Refused) else None


def _acting(facts: SignInFacts) -> ActorFacts:
    """The actor's facts; a query with an actor always has them."""
    assert facts.actor is not None
    return facts.actor
