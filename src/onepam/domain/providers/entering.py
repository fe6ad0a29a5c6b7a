"""Signing in through a company's identity provider: who it is, whether a second factor was proven, what follows.

The edge has verified the message (`Assertion`); here it is held against the ledger. One message opens one session,
whose id is made from it. Its person: to whom the subject is linked; else who has the address, where the provider
vouches for it and speaks for its domain, and no other directory can have made it theirs; else somebody new, where it
may bring people in. A subject that was linked to somebody once is never linked to somebody else.
"""

from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha256

from onepam.domain.access.proof import MfaBasis
from onepam.domain.history.commit import Decided
from onepam.domain.leaving.group_brake import NO_MESSAGE_BRAKE, MessageBrake, Taken, said_at_sign_in
from onepam.domain.people.adding import normalised_email
from onepam.domain.people.events import ADMINISTRATOR, PersonAdded, PersonChanged, PersonKind, brought_by
from onepam.domain.people.groups import Membership, group_changes
from onepam.domain.providers.assertion import Assertion
from onepam.domain.providers.events import FirstFactor, IdentityLinked, ProviderRule
from onepam.domain.providers.setting import Provider
from onepam.domain.signing_in import gate
from onepam.domain.signing_in import rules as signing_in
from onepam.domain.signing_in.events import (
    EnrolmentEnded,
    EnrolmentOpened,
    FactorKind,
    SignedIn,
    SignInFailed,
    SignInKind,
)
from onepam.domain.signing_in.gate import Tries, Visitor
from onepam.domain.signing_in.rules import CONSOLE_SESSION, ENROLMENT_LINK, AccountFacts, Proof
from onepam.kernel import limits
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

OLDEST = 12 * HOUR
"""Factors that the provider saw longer ago open nothing (microseconds)."""

FED_LATELY = 30 * DAY
"""SCIM feeds a provider's people for this long after its last token has ended, or as long as there are users by it."""

STALE = "sign_in.provider_stale"
"""The code where the provider must ask for the factors again."""

OTHER_IDENTITY = "sign_in.other_identity"
"""The code where somebody known has another account at the provider already, or signs in without it."""

NOBODY = Refused("sign_in.nobody", "Nobody here can sign in with this account.", "Ask an administrator of OnePAM.")
"""The one answer where the message finds nobody, or somebody who may not sign in: it says nothing about who exists."""

GONE = Refused("sign_in.provider_gone", "This identity provider is not in use any more.", "Sign in in another way.")


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person whom a message may be about; `identities` are the digests of their subjects at the provider, "" where
    they were erased; `used`: they signed in before; `readdressed`: an administrator once gave them another address."""

    account: AccountFacts
    name: str | None
    email: str | None
    manager: str | None
    owner: str | None
    origin: str
    identities: tuple[str, ...] = ()
    used: bool = False
    readdressed: bool = False


@dataclass(frozen=True, slots=True)
class EnteringFacts:
    """What a message is held against.

    `known` has the subject's identity; `once_linked` says that the subject was ever linked. `with_address` are the
    enabled people with the address, two at most. `declared`: a statement is in force that the provider demands a second
    factor; `accepted`: the ends of risk acceptances for the person found. `taken`: this message opened a session
    before, or stepped one up. `memberships` are those of the person found in groups of directories; `provisioned`: SCIM
    feeds this provider's people. `leaver`: the address is that of somebody who has left. `brake` is that of the groups
    of the person found.
    """

    provider: Provider | None
    known: Somebody | None = None
    once_linked: bool = False
    with_address: tuple[Somebody, ...] = ()
    declared: bool = False
    accepted: tuple[Instant, ...] = ()
    taken: bool = False
    memberships: tuple[Membership, ...] = ()
    provisioned: bool = False
    leaver: bool = False
    brake: MessageBrake = NO_MESSAGE_BRAKE


@dataclass(frozen=True, slots=True)
class Entering:
    """What the edge brings: fresh ids in case they are needed, digests of fresh tokens, who visits, and the factors of
    our own that were shown (none at the first step); `shown` is when, where it was not just now."""

    person: str
    identity: str
    enrolment: str
    enrolment_digest: str
    token_digest: str
    visitor: Visitor
    agent: str
    proofs: tuple[Proof, ...] = ()
    shown: Instant | None = None


@dataclass(frozen=True, slots=True)
class SignedInto:
    """A console session is open."""

    person: str
    session: str
    ends: Instant


@dataclass(frozen=True, slots=True)
class NeedsSecondFactor:
    """The provider proved one factor; the person has others of ours to show."""

    person: str


@dataclass(frozen=True, slots=True)
class NeedsFirstFactor:
    """The provider proved one factor, and there is none of ours yet: a link to enrol it is open until `expires`."""

    person: str
    expires: Instant


Outcome = SignedInto | NeedsSecondFactor | NeedsFirstFactor | Refused
"""A `Refused` inside a decision stands beside the event that records it."""


def session_of(assertion: Assertion) -> str:
    """The id of the one session that this message may open."""
    digest = sha256(f"{assertion.provider}\n{assertion.unique}".encode()).digest()
    return f"sgn_{b32encode(digest[:10]).decode('ascii').lower()}"


def subject_digest(provider: str, subject: str) -> str:
    """By which an identity is found (`IdentityLinked`)."""
    return sha256(f"{provider}\n{subject}".encode()).hexdigest()


def vouched_address(rule: ProviderRule, assertion: Assertion) -> str | None:
    """The address as it is kept, where the provider vouches for it and speaks for its domain."""
    if assertion.email is None or assertion.email.rpartition("@")[2].lower() not in rule.domains:
        return None
    email = normalised_email(assertion.email)
    # An address that only resembles somebody's (fullwidth letters, ligatures) must not become theirs by NFKC.
    return email if email == assertion.email.strip().lower() else None


def sign_in(facts: EnteringFacts, assertion: Assertion, entering: Entering, now: Instant) -> Decided[Outcome] | Refused:
    """Opens a session, or says which factor is missing; what the message says of the person is taken in either way."""
    provider = facts.provider
    if provider is None or provider.provider != assertion.provider:
        return GONE
    if facts.taken:
        return Refused("sign_in.replayed", "This sign-in was used already.", "Sign in again.")
    if assertion.authenticated_at + OLDEST <= now:
        return Refused(STALE, f"{provider.name} saw your factors too long ago.", "Sign in there again.")
    found = _found(facts, provider.rule, assertion, entering)
    if isinstance(found, Refused):
        about = facts.with_address[0].account if found.code == OTHER_IDENTITY else None
        return Decided(_failed(about, found, assertion, entering), found) if about is not None else found
    who, said = found
    if (refused := _barred(who.account, now)) is not None:
        failed = _failed(who.account, refused, assertion, entering) if who.account.enabled else ()
        return Decided(failed, refused)
    told = (*said, *_told(facts, provider.rule, who, assertion, now))
    return _judged(facts, assertion, entering, who.account, told, now)


def _found(
    facts: EnteringFacts, rule: ProviderRule, assertion: Assertion, entering: Entering
) -> tuple[Somebody, tuple[object, ...]] | Refused:
    """Whom the message is about, and the events that make it so."""
    digest = subject_digest(assertion.provider, assertion.subject)
    if facts.known is not None:
        return facts.known, ()
    email = vouched_address(rule, assertion)
    if facts.once_linked or email is None:
        return NOBODY
    if len(facts.with_address) > 1:
        return Refused("sign_in.two_people", f"Two people have the address {email}.", "Ask an administrator.")
    if facts.with_address:
        who = facts.with_address[0]
        if who.identities or not _linkable(who, assertion.provider):
            words = "This address belongs to somebody who signs in in another way."
            return Refused(OTHER_IDENTITY, words, "Ask an administrator.")
        return who, (_linked(entering, assertion, who.account.person, "address", digest),)
    if not rule.joins or facts.leaver:  # who left in another way does not come back as somebody new
        return NOBODY
    person, origin = entering.person, f"claims:{assertion.provider}"
    name = _name(assertion) or email
    added = PersonAdded(person, PersonKind.EMPLOYEE, "joined", None, None, None, None, name, email, origin)
    account = AccountFacts(person, PersonKind.EMPLOYEE, True, None, Tries(), (), (), ())
    joined = Somebody(account, name, email, None, None, origin)
    return joined, (added, _linked(entering, assertion, person, "joined", digest))


def _linkable(who: Somebody, provider: str) -> bool:
    """Whether the address alone makes the subject theirs: an administrator gave it, or what the provider itself feeds.
    Another directory, or one administrator's hand, may have changed it since: then only where nobody has used the
    account yet, and nobody could do harm with it."""
    account = who.account
    if who.readdressed:
        return not (account.factors or account.had_factors or who.used or account.trusted())
    known = who.origin == ADMINISTRATOR or brought_by(who.origin, provider)
    return known or not (account.factors or who.used or account.administrative())


def _linked(entering: Entering, assertion: Assertion, person: str, because: str, digest: str) -> IdentityLinked:
    return IdentityLinked(
        identity=entering.identity,
        provider=assertion.provider,
        person=person,
        because=because,
        by=None,
        subject_digest=digest,
        subject=assertion.subject,
        user_name=assertion.user_name,
    )


def _told(
    facts: EnteringFacts, rule: ProviderRule, who: Somebody, assertion: Assertion, now: Instant
) -> tuple[object, ...]:
    """What the message says of the person that differs from what is known: the address only of whom the provider
    brought, and who holds nothing administrative. SCIM, where it feeds, knows better."""
    if facts.provisioned:
        return ()
    person = who.account.person
    events: list[object] = []
    email = vouched_address(rule, assertion)
    may = brought_by(who.origin, assertion.provider) and not who.account.administrative()
    theirs = email is not None and may and all(each.account.person == person for each in facts.with_address)
    name = _name(assertion) if who.origin == f"claims:{assertion.provider}" else None
    as_told = (name or who.name, email if theirs else who.email)
    if as_told != (who.name, who.email):
        ends = who.account.ends
        events.append(PersonChanged(person, None, who.manager, who.owner, ends, as_told[0], as_told[1]))
    if rule.groups and assertion.groups is not None:
        source = f"claims:{assertion.provider}"
        changes = group_changes(person, assertion.groups, facts.memberships, source)
        hold = f"hld_{session_of(assertion).partition('_')[2]}"
        events.extend(said_at_sign_in(facts.brake, person, changes, Taken("", source, now, hold)))
    return tuple(events)


def _judged(
    facts: EnteringFacts,
    assertion: Assertion,
    entering: Entering,
    account: AccountFacts,
    told: tuple[object, ...],
    now: Instant,
) -> Decided[Outcome]:
    """Whether there are two factors; `told` happens whatever comes of it."""
    assert facts.provider is not None  # sign_in() looked
    rule, person = facts.provider.rule, account.person
    if entering.proofs:
        for each in entering.proofs:
            if gate.locked(account.tries, entering.visitor, each.kind, now):
                counted = gate.failed(person, account.tries, entering.visitor, each.kind, now)
                return Decided((*told, *counted), gate.WRONG)
        second = all(each.kind in (FactorKind.TOTP, FactorKind.PASSKEY) for each in entering.proofs)
        if not second or not all(signing_in.stands(account, each) for each in entering.proofs):
            return Decided(told, gate.WRONG)
        hard = any(each.kind is FactorKind.PASSKEY for each in entering.proofs)
        return _opened(assertion, entering, person, told, MfaBasis.STEPPED_UP, hard, now)
    if names_method(assertion, rule.attests):
        hard = names_method(assertion, rule.phishing_resistant)
        return _opened(assertion, entering, person, told, MfaBasis.ATTESTED, hard, now)
    if not account.administrative():
        if facts.declared:
            return _opened(assertion, entering, person, told, MfaBasis.DECLARED, False, now)
        if any(ends > now for ends in facts.accepted):
            return _opened(assertion, entering, person, told, MfaBasis.ACCEPTED, False, now)
    if any(each.kind in (FactorKind.TOTP, FactorKind.PASSKEY) for each in account.factors):
        return Decided(told, NeedsSecondFactor(person))
    return _first_factor(rule, account, assertion, entering, told, now)


def _first_factor(
    rule: ProviderRule,
    account: AccountFacts,
    assertion: Assertion,
    entering: Entering,
    told: tuple[object, ...],
    now: Instant,
) -> Decided[Outcome]:
    """A link to enrol a factor of ours; for whoever is administrative an administrator opens it."""
    if rule.first_factor is not FirstFactor.SELF or account.administrative():
        refused = Refused(
            "sign_in.no_factor",
            "Your provider proves no second factor, and you have none here yet.",
            "An administrator sends you a link to enrol one.",
        )
        return Decided((*told, *_failed(account, refused, assertion, entering)), refused)
    person, expires = account.person, Instant(now + ENROLMENT_LINK)
    ended = tuple(EnrolmentEnded(each, person, "another link was opened", person) for each in account.links)
    opened = EnrolmentOpened(
        entering.enrolment, person, expires, "first factor", person, token_digest=entering.enrolment_digest
    )
    return Decided((*told, *ended, opened), NeedsFirstFactor(person, expires))


def _opened(
    assertion: Assertion,
    entering: Entering,
    person: str,
    told: tuple[object, ...],
    basis: MfaBasis,
    phishing_resistant: bool,
    now: Instant,
) -> Decided[Outcome]:
    used = tuple(each.used(person) for each in entering.proofs)
    ends = Instant(now + CONSOLE_SESSION)
    session = session_of(assertion)
    seen = assertion.authenticated_at if not entering.proofs else entering.shown or now
    opened = SignedIn(
        session=session,
        person=person,
        kind=SignInKind.CONSOLE,
        proven=(FactorKind.PROVIDER, *(each.kind for each in entering.proofs)),
        mfa_at=min(seen, now),
        expires=ends,
        parent=None,
        token_digest=entering.token_digest,
        source=entering.visitor.source,
        agent=entering.agent,
        basis=basis,
        provider=assertion.provider,
        methods=tuple(dict.fromkeys((*assertion.methods, *([assertion.context] if assertion.context else [])))),
        phishing_resistant=phishing_resistant,
        provider_session=assertion.provider_session,
        name_id=assertion.name_id,
    )
    return Decided((*told, *used, opened), SignedInto(person, session, ends))


def _barred(account: AccountFacts, now: Instant) -> Refused | None:
    """A lock-out is no bar here: it is for guesses at our own factors, and would let anybody lock anybody out."""
    ended = account.ends is not None and account.ends <= now
    return NOBODY if not account.enabled or ended or account.kind is PersonKind.SERVICE else None


def _failed(
    account: AccountFacts, refused: Refused, assertion: Assertion, entering: Entering
) -> tuple[SignInFailed, ...]:
    """Records the refusal; it counts towards no lock-out."""
    return (
        SignInFailed(
            account.person,
            FactorKind.PROVIDER,
            refused.code,
            account.tries.strange.count,
            account.tries.strange.locked_until,
            assertion.provider,
            source=entering.visitor.source,
        ),
    )


def names_method(assertion: Assertion, values: tuple[str, ...]) -> bool:
    """Whether the message names a method that is among the values."""
    return any(each in values for each in (*assertion.methods, assertion.context) if each)


def _name(assertion: Assertion) -> str | None:
    """The name as it is kept; None where there is none that fits."""
    name = plain_text(assertion.name or "", limits.MAX_NAME_CHARACTERS, what="name")
    return None if isinstance(name, Refused) else name
