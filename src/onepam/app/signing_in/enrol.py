"""Enrolment links, and the factors that people enrol, add and remove."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.app.signing_in.sign_in import SignInFacts, SignInQuery
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Decided
from onepam.domain.signing_in import enrolling as links
from onepam.domain.signing_in import rules
from onepam.domain.signing_in.enrolling import EnrolmentFacts, LinkFacts, Opened
from onepam.domain.signing_in.events import FactorEnrolled, FactorKind
from onepam.domain.signing_in.gate import WRONG, Visitor, locked
from onepam.domain.signing_in.rules import AccountFacts, Proof
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """Who makes a link, and for whom."""

    facts: ClassVar[type[LinkFacts]] = LinkFacts
    person: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class EnrolmentQuery:
    """An enrolment by its id or by its token's digest; a bootstrap query also asks whether anybody ever signed in."""

    facts: ClassVar[type[EnrolmentFacts]] = EnrolmentFacts
    enrolment: str | None = None
    token_digest: str | None = None
    actor: Actor | None = None


@dataclass(frozen=True, slots=True)
class BootstrapFacts:
    """An account, and whether anybody has ever signed in."""

    account: AccountFacts
    used: bool


@dataclass(frozen=True, slots=True)
class BootstrapQuery:
    """Facts of an enrolment before the first sign-in."""

    facts: ClassVar[type[BootstrapFacts]] = BootstrapFacts
    person: str


async def open_enrolment(
    ledger: Ledger, actor: Actor, person: str, enrolment: str, token_digest: str, because: str
) -> Opened | Refused:
    """A link for `person`, or the proposal of one (`approve_enrolment`)."""

    def decide(facts: LinkFacts, now: Instant) -> Decided[Opened] | Refused:
        return links.open_link(facts, enrolment, token_digest, because, now)

    outcome = await ledger.commit(LinkQuery(person, actor), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def bootstrap_enrolment(ledger: Ledger, person: str, enrolment: str, token_digest: str) -> Instant | Refused:
    """A link without an administrator: only while nobody has ever signed in."""

    def decide(facts: BootstrapFacts, now: Instant) -> Decided[Opened] | Refused:
        if facts.used:
            return Refused("bootstrap.over", "Somebody has signed in already.", "Ask an administrator for a link.")
        return links.open_without(facts.account, enrolment, token_digest, "bootstrap", now)

    outcome = await ledger.commit(BootstrapQuery(person), decide)
    if isinstance(outcome, Refused):
        return outcome
    assert outcome.result.expires is not None  # only an actor's link waits for a second one
    return outcome.result.expires


async def approve_enrolment(ledger: Ledger, actor: Actor, enrolment: str, token_digest: str) -> Instant | Refused:
    """The second administrator agrees (or time, where nobody else could): the link comes into being."""

    def decide(facts: EnrolmentFacts, now: Instant) -> Decided[Instant | Refused] | Refused:
        return links.agree(facts, token_digest, now)

    outcome = await ledger.commit(EnrolmentQuery(enrolment=enrolment, actor=actor), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def end_enrolment(ledger: Ledger, actor: Actor, enrolment: str) -> Refused | None:
    """None when the proposal, or the link that nobody used, is void."""
    outcome = await ledger.commit(EnrolmentQuery(enrolment=enrolment, actor=actor), links.end)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def enrol(ledger: Ledger, token_digest: str, new: tuple[FactorEnrolled, ...]) -> Refused | None:
    """Uses a link."""

    def decide(facts: EnrolmentFacts, now: Instant) -> Decided[None] | Refused:
        return links.enrol(facts, new, now)

    outcome = await ledger.commit(EnrolmentQuery(token_digest=token_digest), decide)
    return outcome if isinstance(outcome, Refused) else None


async def recover(
    ledger: Ledger, person: str, proof: Proof, enrolment: str, token_digest: str, visitor: Visitor
) -> Instant | Refused:
    """Spends a recovery code, which opens nothing but a link to enrol anew."""

    def decide(facts: SignInFacts, now: Instant) -> Decided[Instant | Refused] | Refused:
        account = facts.account
        if (refused := rules.may_enter(account, now)) is not None:
            return refused
        if locked(account.tries, visitor, proof.kind, now):
            return rules.wrong(account, proof.kind, visitor, now)
        if proof.kind is not FactorKind.RECOVERY or not rules.stands(account, proof):
            return WRONG
        opened = links.open_without(account, enrolment, token_digest, "recovery code", now)
        if isinstance(opened, Refused):
            return opened
        assert opened.result.expires is not None  # only an actor's link waits for a second one
        return Decided((proof.used(account.person), *opened.events), opened.result.expires)

    outcome = await ledger.commit(SignInQuery(person), decide)
    return outcome if isinstance(outcome, Refused) else outcome.result


async def add_factor(ledger: Ledger, actor: Actor, new: FactorEnrolled) -> Refused | None:
    """Another factor of the actor's own."""

    def decide(facts: SignInFacts, now: Instant) -> Decided[None] | Refused:
        assert facts.actor is not None  # the query names one
        return rules.add_factor(facts.account, facts.actor, new, now)

    outcome = await ledger.commit(SignInQuery(actor.person, actor), decide)
    return outcome if isinstance(outcome, Refused) else None


async def remove_factor(ledger: Ledger, actor: Actor, factor: str) -> Refused | None:
    """Removes a factor of the actor's own."""

    def decide(facts: SignInFacts, now: Instant) -> Decided[None] | Refused:
        assert facts.actor is not None  # the query names one
        return rules.remove_factor(facts.account, facts.actor, factor, now)

    outcome = await ledger.commit(SignInQuery(actor.person, actor), decide)
    return outcome if isinstance(outcome, Refused) else None
