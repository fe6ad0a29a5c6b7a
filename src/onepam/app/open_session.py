"""The one door: every entry point of every protocol comes through here, and only here a permit is made."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.decision import AccessFacts, Because, Permitted, decide
from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.mfa_rule import Weight, phishable, weigh
from onepam.domain.access.model import ENVIRONMENT, Action, Recording
from onepam.domain.access.proof import MfaProof
from onepam.domain.access.session_users import Making, making
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import PersonKind
from onepam.domain.requests.events import GrantFirstUsed
from onepam.domain.sessions.events import (
    BY_TOKEN,
    MACHINE,
    SPEAKS,
    ConfirmationUsed,
    EntryPoint,
    SessionOpened,
    SessionRefused,
)
from onepam.domain.sessions.login_tokens import INVALID, LoginTokenUsed, TokenFacts, admits
from onepam.domain.signing_in.service_keys import within
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

_ONE_REGISTERED = Refused(
    "service_key.takes_two",
    "One administrator registered this key: it opens nothing privileged until another has, too.",
    "Another administrator registers the same key, from the same networks.",
)
_REPLACED = Refused(
    "factor.replaced",
    "A factor of yours was replaced within the last hour; nothing privileged opens until it has passed.",
    "If that was not you, tell an administrator now.",
)


@dataclass(frozen=True, slots=True)
class Knock:
    """Somebody at a door. `sign_in`, `confirmation` or a service account's `key` (the factor's id) is the proof; all
    None where only a person's registered key is known. A certificate's sign-in is named beside a confirmation, too.
    `token` is the id of a login token, of which the `sign_in` behind it is the proof.
    """

    session: str
    entry: EntryPoint
    person: str
    target: str
    login: str
    node: str
    source: str
    client: str
    sign_in: str | None = None
    confirmation: str | None = None
    key: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class KnockQuery:
    """Facts of a knock."""

    facts: ClassVar[type["KnockFacts"]]
    person: str
    target: str
    sign_in: str | None
    confirmation: str | None
    key: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmationFacts:
    """A confirmation as of the decision."""

    person: str
    resource: str
    login: str
    expires: Instant
    status: str
    mfa: MfaProof | None


@dataclass(frozen=True, slots=True)
class KnockFacts:
    """What the door looks at: the access, who it is, and the proof of the second factor.

    `kind` is None for somebody who does not exist. `networks`: those that the person's `key` may come from, None where
    there is no such key in force. `privileged_from`: after a factor was replaced, nothing privileged opens before this.
    `spent`: a session was opened before with the factor behind the proof; looked up where the resource wants to know.
    """

    access: AccessFacts
    kind: PersonKind | None
    sign_in: MfaProof | None
    confirmation: ConfirmationFacts | None
    networks: tuple[str, ...] | None
    privileged_from: Instant | None
    spent: bool
    token: TokenFacts | None = None


KnockQuery.facts = KnockFacts


@dataclass(frozen=True, slots=True)
class Opened:
    """The permit: what may be done, where, as whom, until when. It dials once. Only this file makes one."""

    session: str
    person: str
    resource: str
    login: str
    address: str
    port: int
    pins: tuple[str, ...]
    actions: tuple[Action, ...]
    ends: Instant
    opened: Instant
    privileged: bool
    because: Because
    also: tuple[Because, ...] = ()
    recording: Recording = Recording.WHOLE
    environment: tuple[str, ...] = ENVIRONMENT
    guardrails: Guardrails | None = None
    mask: Mask | None = None
    results: Results | None = None
    making: Making | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """Not yet: the person behind a registered key must confirm in the browser with a fresh factor."""

    kind: str = "confirm"


async def open_session(ledger: Ledger, knock: Knock) -> Opened | Challenge | Refused:
    """One ledger command: the decision and its record, also of a refusal. Raises `Unavailable` without a ledger."""
    query = KnockQuery(knock.person, knock.target, knock.sign_in, knock.confirmation, knock.key, knock.token)
    outcome = await ledger.commit(query, answer(knock))
    return outcome if isinstance(outcome, Refused) else outcome.result


def answer(
    knock: Knock, *, asked: bool = False
) -> Callable[[KnockFacts, Instant], Decided[Opened | Challenge | Refused]]:
    """The decider of a knock, also for benchmarks and the simulator. `asked`: nobody goes in, so the door that asks
    need not speak what the target does."""
    return partial(_answer, knock, asked)


def _answer(knock: Knock, asked: bool, facts: KnockFacts, now: Instant) -> Decided[Opened | Challenge | Refused]:
    verdict = _stranger(knock, facts, now) or decide(facts.access, knock.login, now)
    if not asked and not isinstance(verdict, Refused):
        verdict = _unspoken(knock, facts) or verdict
    if isinstance(verdict, Refused):
        return _refuse(knock, facts, verdict)
    if verdict.privileged and facts.privileged_from is not None and facts.privileged_from > now:
        return _refuse(knock, facts, _ONE_REGISTERED if facts.kind is PersonKind.SERVICE else _REPLACED)
    proof = _proof(knock, facts, verdict, now)
    if isinstance(proof, Challenge):
        return Decided((), proof)
    if isinstance(proof, Refused):
        return _refuse(knock, facts, proof)
    return _open(knock, facts, verdict, proof, now)


def _stranger(knock: Knock, facts: KnockFacts, now: Instant) -> Refused | None:
    """A machine comes in by its own key from its own networks and by nothing else, and nobody but a machine does so.
    This is asked first: who holds a copied key elsewhere learns nothing of what it opens."""
    if (facts.kind is PersonKind.SERVICE) is not (knock.entry is EntryPoint.SSH_SERVICE_KEY):
        return Refused("service.entry", "This account may not come in this way.", "Ask an administrator.")
    if knock.entry in BY_TOKEN:
        return _untold(knock, facts, now)
    if facts.kind is not PersonKind.SERVICE:
        return None
    if facts.networks is None:
        return Refused("service.key", "This key is not registered any more.", "Ask an administrator.")
    if not within(knock.source, facts.networks):
        where = "An administrator registers the key with the networks that it comes from."
        return Refused("service.network", f"This key may not come from {knock.source}.", where)
    return None


def _untold(knock: Knock, facts: KnockFacts, now: Instant) -> Refused | None:
    """A token leads to what it was issued for, under the sign-in behind it, and says nothing of anything else."""
    token = facts.token
    if token is not None and knock.sign_in not in (None, token.sign_in):
        return INVALID
    return admits(token, knock.person, knock.target, knock.login, knock.source, now)


def _unspoken(knock: Knock, facts: KnockFacts) -> Refused | None:
    """Each door leads to what it speaks; said only to those who may go there."""
    resource = facts.access.resource
    if resource is None or resource.kind is SPEAKS[knock.entry]:
        return None
    return Refused(
        "resource.protocol",
        f"{resource.resource} speaks {resource.kind}, and this door {SPEAKS[knock.entry]}.",
        "See how to reach it: /",
    )


def _proof(knock: Knock, facts: KnockFacts, verdict: Permitted, now: Instant) -> MfaProof | Challenge | Refused:
    if knock.entry is EntryPoint.SSH_SERVICE_KEY:  # `_stranger` has looked at the key
        return MfaProof("", (MACHINE,), now)
    rule = facts.access.resource.mfa if facts.access.resource else None
    certified = knock.entry is not EntryPoint.SSH_KEY_CONFIRMED
    confirmable = rule is None or not rule.phishing_resistant
    if certified and facts.sign_in is None:
        what = "token" if knock.entry in BY_TOKEN else "certificate"
        return Refused("sign_in.ended", f"The sign-in behind this {what} has ended.", "Run: onepam login")
    if knock.confirmation is None and not certified:
        return Challenge() if confirmable else phishable()
    proof = facts.sign_in if knock.confirmation is None else _confirmed(knock, facts.confirmation, now)
    if not isinstance(proof, MfaProof):
        return proof or Refused("sign_in.ended", "There is no sign-in behind this.", "Run: onepam login")
    weight = Weight(verdict.privileged, verdict.administrative, knock.confirmation is not None, facts.spent)
    refused = weigh(rule, proof, weight, now)
    if refused is not None and refused.code == "mfa.fresh" and knock.confirmation is None and confirmable:
        return Challenge()
    return refused or proof


def _confirmed(knock: Knock, given: ConfirmationFacts | None, now: Instant) -> MfaProof | Refused:
    if given is None or given.status != "given" or given.mfa is None or given.expires <= now:
        return Refused("confirmation.missing", "This sign-in was not confirmed in time.", "Connect again.")
    if (given.person, given.resource, given.login) != (knock.person, knock.target, knock.login):
        return Refused("confirmation.other", "The confirmation was for something else.", "Connect again.")
    return given.mfa


def _open(
    knock: Knock, facts: KnockFacts, verdict: Permitted, proof: MfaProof, now: Instant
) -> Decided[Opened | Challenge | Refused]:
    resource = facts.access.resource
    if resource is None or resource.address is None:
        return _refuse(knock, facts, Refused("resource.unknown", "There is no such target in your catalogue."))
    ends = verdict.ends
    if facts.token is not None and facts.token.ends is not None:
        ends = min(ends, facts.token.ends)
    opened = SessionOpened(
        session=knock.session,
        person=knock.person,
        resource=resource.resource,
        login=knock.login,
        entry=knock.entry,
        actions=verdict.actions,
        ends=ends,
        privileged=verdict.privileged,
        because=verdict.because,
        also=verdict.also,
        mfa=proof,
        node=knock.node,
        source=knock.source,
        client=knock.client,
        recording=verdict.kept,
        guardrails=verdict.guardrails,
    )
    used: tuple[object, ...] = ()
    if knock.confirmation:
        used = (ConfirmationUsed(knock.confirmation, knock.session),)
    if knock.token is not None and facts.token is not None:
        used = (*used, LoginTokenUsed(knock.token, knock.session, facts.token.ends or ends))
    used = (*used, *_first_uses(knock, facts, verdict, now))
    permit = Opened(
        session=knock.session,
        person=knock.person,
        resource=resource.resource,
        login=knock.login,
        address=resource.address,
        port=resource.port,
        pins=resource.pins,
        actions=verdict.actions,
        ends=ends,
        opened=now,
        privileged=verdict.privileged,
        because=verdict.because,
        also=verdict.also,
        recording=verdict.kept,
        environment=resource.environment,
        guardrails=verdict.guardrails,
        mask=resource.mask,
        results=resource.results,
        making=making(resource.session_users, knock.login),
    )
    return Decided((opened, *used), permit)


def _first_uses(knock: Knock, facts: KnockFacts, verdict: Permitted, now: Instant) -> Iterator[GrantFirstUsed]:
    """Of access that lasts from its first use on, that this is it."""
    named = {each.grant for each in verdict.rests_on()}
    for each in facts.access.grants:
        until = each.until(now) if each.grant in named and each.awaits_use else None
        if until is not None:
            yield GrantFirstUsed(each.grant, each.request, knock.session, until)


def _refuse(knock: Knock, facts: KnockFacts, refused: Refused) -> Decided[Opened | Challenge | Refused]:
    resource = facts.access.resource
    event = SessionRefused(
        session=knock.session,
        person=knock.person,
        resource=resource.resource if resource else None,
        entry=knock.entry,
        code=refused.code,
        login=knock.login,
        asked=knock.target,
        source=knock.source,
    )
    return Decided((event,), refused)
