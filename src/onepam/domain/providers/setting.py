"""Setting identity providers: one administrator proposes, another approves; removing; declaring a second factor.

A provider can speak for everybody in its mail domains. So nothing about one changes on one person's word, except that
it ends.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.access.proposal import DENIED, RULES, WITHDRAWN, Proposal, ProposalKind, judge, may_propose
from onepam.domain.history.commit import Decided
from onepam.domain.providers.assertion import ProviderKind
from onepam.domain.providers.events import (
    MfaDeclarationEnded,
    MfaDeclared,
    ProviderProposed,
    ProviderRejected,
    ProviderRemoved,
    ProviderRule,
    ProviderSet,
)
from onepam.domain.signing_in.events import SignedOut
from onepam.domain.signing_in.rules import fresh
from onepam.kernel import limits
from onepam.kernel.canonical import NotCanonical, decode, utf8
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MOST_PROVIDERS = 20
MOST_PROPOSALS = 20
MOST_DOMAINS = 50
MOST_VALUES = 20
MOST_SIGN_INS = 9_000
"""Sign-in sessions that one command ends; what is left over ends in the next one."""
MAX_NAME_CHARACTERS = 60
MAX_SETTINGS_BYTES = 48 * 1024
MAX_VALUE_CHARACTERS = 200
MAX_POLICY_CHARACTERS = 200_000
LONGEST_DECLARATION = 365 * DAY

_RULES = RULES[ProposalKind.PROVIDER]

REPLACED = "replaced"
ENDED = "provider.removed"
"""The code under which the sign-ins of a provider that was removed end."""

_DOMAIN = re.compile(r"(?=.{1,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)
_SAML_CLASSES = "urn:oasis:names:tc:saml:2.0:ac:classes:"
_PROVES_NOTHING = frozenset({"pwd", "password", "pin", "kba", "user", "0"}) | {
    _SAML_CLASSES + each
    for each in (
        "internetprotocol",
        "internetprotocolpassword",
        "password",
        "passwordprotectedtransport",
        "previoussession",
        "unspecified",
    )
}
"""Values, in lower case, that name one factor or none (RFC 8176, SAML authentication context classes)."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as it is, or as it is proposed. `settings` is canonical JSON, `secret` what the vault sealed."""

    change: str
    provider: str
    kind: ProviderKind
    name: str
    settings: str
    rule: ProviderRule
    secret: str | None


@dataclass(frozen=True, slots=True)
class InForce:
    """A provider in force, and since when."""

    provider: Provider
    since: Instant


@dataclass(frozen=True, slots=True)
class ProviderProposal:
    """A provider as it shall be, and its proposal while it waits."""

    provider: Provider
    waiting: Proposal


@dataclass(frozen=True, slots=True)
class SettingFacts:
    """The actor with the provider that their own sign-in came through, the providers, and the one in question.

    `proposal` is the change in question, `waiting` all ids (change, provider) that wait, `taken` whether the id of the
    change or declaration served before. `sign_ins` are (session, person) of the provider in question, bounded;
    `declarations` the ids of its statements in force.
    """

    actor: ActorFacts
    actor_came_by: str
    providers: tuple[InForce, ...]
    proposal: ProviderProposal | None = None
    waiting: tuple[tuple[str, str], ...] = ()
    taken: bool = False
    sign_ins: tuple[tuple[str, str], ...] = ()
    declarations: tuple[str, ...] = ()

    def in_force(self, provider: str) -> InForce | None:
        """The provider as it is."""
        return next((each for each in self.providers if each.provider.provider == provider), None)


@dataclass(frozen=True, slots=True)
class Statement:
    """What an administrator signs: that the provider demands a second factor, with its policy's text, until `ends`."""

    declaration: str
    provider: str
    words: str
    policy: str
    ends: Instant


def propose(facts: SettingFacts, wanted: Provider, replaces: str | None, now: Instant) -> Decided[None] | Refused:
    """Lays a provider before another administrator; `replaces` is an earlier proposal that it takes the place of."""
    if (refused := may_propose(facts.actor, _RULES, now)) is not None:
        return refused
    if facts.taken:
        return Refused("provider.change_taken", "There is such a change already.", "Propose it again.")
    refused = unfit(wanted) or _collides(facts, wanted)
    if refused is not None:
        return refused
    current = facts.in_force(wanted.provider)
    waiting = [each for each in facts.waiting if each[0] != replaces]
    new = {provider for _, provider in waiting if facts.in_force(provider) is None} - {wanted.provider}
    if current is None and len(facts.providers) + len(new) >= MOST_PROVIDERS:
        return _too_many()
    if len(waiting) >= MOST_PROPOSALS:
        return Refused("provider.many_proposals", "Too many proposals wait.", "Reject those that are not needed.")
    if current is not None and _same(current.provider, wanted):
        return Refused("provider.same", "Nothing would change: the provider is so already.")
    by = facts.actor.person
    replaced = [ProviderRejected(*each, by, REPLACED) for each in facts.waiting if each[0] == replaces]
    proposed = ProviderProposed(
        wanted.change, wanted.provider, wanted.kind, wanted.name, wanted.settings, wanted.rule, by, wanted.secret
    )
    return Decided((*replaced, proposed), None)


def approve(facts: SettingFacts, change: str, now: Instant) -> Decided[Refused | None] | Refused:
    """Another administrator's yes: the provider is so from now on, unless something came between."""
    if facts.proposal is None:
        return _no_proposal(change)
    by, wanted, waiting = facts.actor.person, facts.proposal.provider, facts.proposal.waiting
    current = facts.in_force(wanted.provider)
    if (no := judge(waiting, facts.actor, _RULES, now, current.since if current else None)) is not None:
        return no.answer(ProviderRejected(change, wanted.provider, by, no.refused.code))
    if (refused := _collides(facts, wanted)) is not None:
        return refused
    if current is None and len(facts.providers) >= MOST_PROVIDERS:
        return _too_many()
    agreed = ProviderSet(
        change=change,
        provider=wanted.provider,
        kind=wanted.kind,
        name=wanted.name,
        settings=wanted.settings,
        rule=wanted.rule,
        proposed_by=waiting.by,
        by=by,
        secret=wanted.secret,
    )
    return Decided((agreed,), None)


def reject(facts: SettingFacts, change: str, now: Instant) -> Decided[None] | Refused:
    """An administrator's no; the proposer's is a withdrawal."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.proposal is None:
        return _no_proposal(change)
    by = facts.actor.person
    because = WITHDRAWN if facts.proposal.waiting.by == by else DENIED
    return Decided((ProviderRejected(change, facts.proposal.provider.provider, by, because),), None)


def remove(facts: SettingFacts, provider: str, because: str, now: Instant) -> Decided[int] | Refused:
    """Ends the provider, what waits for it or was declared of it, and the sign-ins it opened: the result is how many.

    Whoever came in by it does not remove it: so somebody remains who gets in without.
    """
    if (refused := _may(facts, now)) is not None:
        return refused
    if facts.in_force(provider) is None:
        return Refused("provider.unknown", "There is no such provider.", "/providers")
    if facts.actor_came_by == provider:
        return Refused(
            "provider.own_way",
            "You came in through this provider yourself: after it nobody might get in any more.",
            "Sign in with factors of OnePAM's own, then remove it.",
        )
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    by = facts.actor.person
    events = (
        ProviderRemoved(provider, by, why),
        *(ProviderRejected(*each, by, ENDED) for each in facts.waiting if each[1] == provider),
        *(MfaDeclarationEnded(each, provider, ENDED, by) for each in facts.declarations),
        *_signed_out(facts),
    )
    return Decided(events, len(facts.sign_ins))


def end_sign_ins(facts: SettingFacts, provider: str) -> Decided[int]:
    """Ends sign-ins that one command could not: of a provider that is removed."""
    left = _signed_out(facts) if facts.in_force(provider) is None else ()
    return Decided(left, len(left))


def declare(facts: SettingFacts, statement: Statement, now: Instant) -> Decided[None] | Refused:
    """That the provider demands a second factor, on the signer's word and its policy's text; replaces an older one."""
    if (refused := _may(facts, now)) is not None:
        return refused
    if facts.taken:
        return Refused("provider.declaration_taken", "There is such a declaration already.", "Sign it again.")
    if facts.in_force(statement.provider) is None:
        return Refused("provider.unknown", "There is no such provider.", "/providers")
    words = plain_text(statement.words, limits.MAX_TEXT_CHARACTERS, what="statement")
    if isinstance(words, Refused):
        return words
    policy = _policy(statement.policy)
    if isinstance(policy, Refused):
        return policy
    if not now < statement.ends <= now + LONGEST_DECLARATION:
        return Refused(
            "provider.declaration_end", "A declaration ends within 365 days.", "Choose a day from tomorrow on."
        )
    assert facts.actor.mfa_at is not None  # a fresh factor was demanded
    by = facts.actor.person
    declared = MfaDeclared(
        declaration=statement.declaration,
        provider=statement.provider,
        statement=words,
        policy_digest=sha256(policy.encode("utf-8")).hexdigest(),
        ends=statement.ends,
        by=by,
        mfa_at=facts.actor.mfa_at,
        policy=policy,
    )
    replaced = (MfaDeclarationEnded(each, statement.provider, "replaced", by) for each in facts.declarations)
    return Decided((*replaced, declared), None)


def end_declaration(
    facts: SettingFacts, provider: str, declaration: str, because: str, now: Instant
) -> Decided[None] | Refused:
    """Withdraws a statement: from now on people step up again."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if declaration not in facts.declarations:
        return Refused("provider.declaration_unknown", "There is no such declaration in force.", "/providers")
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    return Decided((MfaDeclarationEnded(declaration, provider, why, facts.actor.person),), None)


def unfit(wanted: Provider) -> Refused | None:
    """Why a provider cannot be as it is wanted. What its protocol needs of the settings is judged at the edge."""
    name = plain_text(wanted.name, MAX_NAME_CHARACTERS, what="provider's name")
    if isinstance(name, Refused):
        return name
    if name != wanted.name:
        return Refused(
            "provider.name", "The provider's name has white space where it does not belong.", "Type it again."
        )
    try:
        settings = utf8(wanted.settings)
        fits = len(settings) <= MAX_SETTINGS_BYTES and isinstance(decode(settings), dict)
    except NotCanonical:
        fits = False
    if not fits:
        return Refused("provider.settings", f"The settings are no object of at most {MAX_SETTINGS_BYTES:,} bytes.")
    return _unfit_rule(wanted.rule)


def _policy(text: str) -> str | Refused:
    """The text of a policy as it is kept: lines end as in Unix."""
    policy = text.replace("\r\n", "\n").strip()
    try:
        utf8(policy)
    except NotCanonical:
        policy = ""
    if policy and len(policy) <= MAX_POLICY_CHARACTERS and "\0" not in policy:
        return policy
    message = f"The provider's policy is missing, or longer than {MAX_POLICY_CHARACTERS:,} characters."
    return Refused("provider.policy", message, "Export it at the provider, and paste its text: it is the evidence.")


def _unfit_rule(rule: ProviderRule) -> Refused | None:
    values = (*rule.attests, *rule.phishing_resistant)
    if len(rule.attests) > MOST_VALUES or not all(_is_value(each) for each in values):
        return _rule(f"At most {MOST_VALUES} values attest a second factor, each one word.")
    for each in values:
        if each.lower() in _PROVES_NOTHING:
            return _rule(f"{each} names one factor or none; it cannot attest a second one.")
    if not set(rule.phishing_resistant) <= set(rule.attests):
        return _rule("What attests a factor that cannot be phished is also among what attests a second factor.")
    if len(rule.domains) > MOST_DOMAINS or not all(_DOMAIN.fullmatch(each) for each in rule.domains):
        return _rule(f"At most {MOST_DOMAINS} mail domains, each like example.com, in lower case.")
    if len(set(rule.domains)) != len(rule.domains):
        return _rule("A mail domain is named twice.")
    if rule.joins and not rule.domains:
        return _rule("Unknown people can be added only from mail domains that are named.")
    return None


def _is_value(value: str) -> bool:
    return 0 < len(value) <= MAX_VALUE_CHARACTERS and value.isprintable() and " " not in value


def _rule(message: str) -> Refused:
    return Refused("provider.rule", message, "Correct the provider's rule.")


def _collides(facts: SettingFacts, wanted: Provider) -> Refused | None:
    """Two providers neither share a name nor speak for one domain; a provider keeps its protocol."""
    for each in (found.provider for found in facts.providers):
        if each.provider == wanted.provider:
            if each.kind is not wanted.kind:
                return Refused("provider.kind", "A provider keeps its protocol.", "Connect a new one.")
            continue
        if each.name.casefold() == wanted.name.casefold():
            return Refused("provider.name_taken", f"There is a provider {each.name} already.", "Choose another name.")
        both = sorted(set(each.rule.domains) & set(wanted.rule.domains))
        if both:
            message = f"{each.name} speaks for {both[0]} already; two providers cannot vouch for one address."
            return Refused("provider.domain_taken", message, "Take the domain from one of them.")
    return None


def _same(one: Provider, other: Provider) -> bool:
    return (one.name, one.settings, one.rule, one.secret) == (other.name, other.settings, other.rule, other.secret)


def _may(facts: SettingFacts, now: Instant) -> Refused | None:
    """An administrator with a fresh second factor."""
    return authorised(facts.actor, ConsoleRight.ADMINISTER, now) or fresh(facts.actor, now)


def _signed_out(facts: SettingFacts) -> tuple[SignedOut, ...]:
    return tuple(
        SignedOut(session, person, ENDED, facts.actor.person) for session, person in facts.sign_ins[:MOST_SIGN_INS]
    )


def _no_proposal(change: str) -> Refused:
    return Refused("provider.no_proposal", f"No proposal {change[:40]} waits.", "/providers")


def _too_many() -> Refused:
    return Refused("provider.many", f"No more than {MOST_PROVIDERS} providers; remove one first.", "/providers")
