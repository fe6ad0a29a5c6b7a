"""Facts of accounts, sign-ins and enrolments."""

import json
from dataclasses import replace

from onepam.app.people.add_service_key import ServiceKeyQuery
from onepam.app.ports import Snapshot
from onepam.app.signing_in.devices import DeviceQuery
from onepam.app.signing_in.enrol import BootstrapFacts, BootstrapQuery, EnrolmentQuery, LinkQuery
from onepam.app.signing_in.sign_in import OwnSessionFacts, OwnSessionQuery, SignInFacts, SignInQuery
from onepam.domain.access.authority import ActorFacts
from onepam.domain.access.proposal import Proposal, ProposalKind
from onepam.domain.people.events import PersonKind
from onepam.domain.signing_in.devices import Allowance, DeviceFacts
from onepam.domain.signing_in.enrolling import EnrolmentFacts, LinkFacts
from onepam.domain.signing_in.events import FactorKind
from onepam.domain.signing_in.gate import Device, Failures, Tries
from onepam.domain.signing_in.rules import CHALLENGE_LIFETIME, AccountFacts, FactorFacts
from onepam.domain.signing_in.service_keys import Registered, ServiceKeyFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import who_can_decide
from onepam.store.facts.holdings import actor_facts, bound_roles, hands, held_roles, is_here, mfa_proof
from onepam.store.facts.proposals import proposal_of
from onepam.store.facts.removals import removed_by


def account_facts(db: Snapshot, person: str, at: Instant) -> AccountFacts:
    """One person's account; somebody who does not exist is simply not enabled."""
    of = {"person": person, "at": at}
    someone = row(db, f"SELECT kind, enabled, ends FROM person WHERE person = :person AND {AT}", of)
    lockouts = rows(db, f"SELECT * FROM lockout WHERE person = :person AND {AT}", of)
    failures = {
        each["device"]: Failures(each["failures"], each["locked_until"], bool(each["tried"])) for each in lockouts
    }
    answered = rows(
        db,
        f"SELECT challenge FROM answered_challenge WHERE person = :person AND valid_from > :since AND {AT}",
        {**of, "since": at - CHALLENGE_LIFETIME},
    )
    sessions = rows(db, f"SELECT session FROM sign_in WHERE person = :person AND {AT}", of)
    factors = rows(db, f"SELECT factor, kind, counter FROM factor WHERE person = :person AND {AT}", of)
    links = rows(db, f"SELECT enrolment FROM enrolment WHERE person = :person AND {AT}", of)
    spent = rows(
        db,
        "SELECT s.counter FROM spent_recovery_code s JOIN factor f ON f.factor = s.factor "
        "WHERE f.person = :person AND f.valid_from <= :at AND :at < f.valid_until "
        "AND s.valid_from <= :at AND :at < s.valid_until",
        of,
    )
    return AccountFacts(
        person=person,
        kind=PersonKind(someone["kind"]) if someone else None,
        enabled=bool(someone and someone["enabled"]),
        ends=someone["ends"] if someone else None,
        tries=Tries(failures.get(Device.STRANGE, Failures()), failures.get(Device.KNOWN, Failures())),
        factors=tuple(FactorFacts(each["factor"], FactorKind(each["kind"]), each["counter"]) for each in factors),
        spent=tuple(each["counter"] for each in spent),
        roles=held_roles(db, person, at),
        bound=bound_roles(db, person, at),
        links=tuple(each["enrolment"] for each in links),
        provider=provider_of(db, person, at),
        answered=tuple(each["challenge"] for each in answered),
        sessions=tuple(each["session"] for each in sessions),
        had_factors=bool(factors) or _had_factors(db, person),
    )


def _had_factors(db: Snapshot, person: str) -> bool:
    """Whether they ever had any: a leaver who comes back is no newcomer."""
    known = "SELECT 1 FROM factor WHERE person = :person AND kind <> 'ssh_key' LIMIT 1"
    return row(db, known, {"person": person}) is not None


def provider_of(db: Snapshot, person: str, at: Instant) -> str:
    """The name of a provider in force at which the person has an identity; "" where there is none."""
    found = row(
        db,
        "SELECT p.name FROM identity i JOIN provider p ON p.provider = i.provider WHERE i.person = :person "
        "AND i.valid_from <= :at AND :at < i.valid_until AND p.valid_from <= :at AND :at < p.valid_until LIMIT 1",
        {"person": person, "at": at},
    )
    return found["name"] if found else ""


@loads(SignInQuery)
def sign_in(db: Snapshot, query: SignInQuery, at: Instant) -> SignInFacts:
    actor = query.actor
    opening = {"session": query.opening, "at": at}
    allowed = row(db, f"SELECT * FROM device_sign_in WHERE session = :session AND parent IS NOT NULL AND {AT}", opening)
    return SignInFacts(
        account=account_facts(db, query.person, at),
        actor=actor_facts(db, actor, at) if actor is not None else None,
        proof=mfa_proof(db, actor.person, actor.session, at)[0] if actor is not None else None,
        taken=row(db, "SELECT 1 FROM sign_in WHERE session = :session", opening) is not None,
        allowed=Allowance(allowed["person"], allowed["parent"], allowed["expires"]) if allowed else None,
    )


@loads(DeviceQuery)
def device(db: Snapshot, query: DeviceQuery, at: Instant) -> DeviceFacts:
    asked = {"session": query.session, "key": query.key, "at": at}
    key = row(db, f"SELECT person FROM factor WHERE factor = :key AND kind = 'ssh_key' AND {AT}", asked)
    answered = row(db, f"SELECT 1 FROM device_sign_in WHERE session = :session AND {AT}", asked)
    return DeviceFacts(actor_facts(db, query.actor, at), key["person"] if key else None, answered is not None)


@loads(OwnSessionQuery)
def own_session(db: Snapshot, query: OwnSessionQuery, at: Instant) -> OwnSessionFacts:
    found = row(
        db,
        f"SELECT 1 FROM sign_in WHERE session = :session AND person = :person AND {AT}",
        {"session": query.session, "person": query.actor.person, "at": at},
    )
    return OwnSessionFacts(actor_facts(db, query.actor, at), found is not None)


@loads(LinkQuery)
def link(db: Snapshot, query: LinkQuery, at: Instant) -> LinkFacts:
    found = row(
        db,
        f"SELECT enrolment FROM enrolment WHERE person = :person AND status = 'proposed' AND {AT} "
        "ORDER BY valid_from DESC, enrolment DESC LIMIT 1",
        {"person": query.person, "at": at},
    )
    waiting = proposal_of(db, ProposalKind.ENROLMENT, found["enrolment"], at) if found else None
    return _link(db, account_facts(db, query.person, at), actor_facts(db, query.actor, at), waiting, at)


def _link(db: Snapshot, account: AccountFacts, actor: ActorFacts, waiting: Proposal | None, at: Instant) -> LinkFacts:
    in_hand = frozenset(each for side in hands(db, account.person, at) for each in side)
    facts = LinkFacts(account, actor, who_can_decide(db, at), waiting, in_hand=in_hand)
    return facts if facts.others() else replace(facts, removed=removed_by(db, actor.person, at))


@loads(EnrolmentQuery)
def enrolment(db: Snapshot, query: EnrolmentQuery, at: Instant) -> EnrolmentFacts:
    found = row(
        db,
        f"SELECT * FROM enrolment WHERE (enrolment = :enrolment OR token_digest = :token_digest) AND {AT}",
        {"enrolment": query.enrolment, "token_digest": query.token_digest, "at": at},
    )
    actor = actor_facts(db, query.actor, at) if query.actor is not None else None
    if found is None:
        return EnrolmentFacts(None, actor, None, None, None)
    account = account_facts(db, found["person"], at)
    proposal = proposal_of(db, ProposalKind.ENROLMENT, found["enrolment"], at)
    alone = actor is not None and proposal is not None and proposal.alone is not None and proposal.by == actor.person
    facts = EnrolmentFacts(
        account=account,
        actor=actor,
        enrolment=found["enrolment"],
        expires=found["expires"] if found["status"] == "open" else None,
        proposal=proposal,
        opened_by=found["opened_by"],
        proposed_by=found["proposed_by"],
        others=alone and actor is not None and _link(db, account, actor, proposal, at).others(),
    )
    return replace(facts, here=all(is_here(db, each, at) for each in facts.makers()))


@loads(ServiceKeyQuery)
def service_key(db: Snapshot, query: ServiceKeyQuery, at: Instant) -> ServiceKeyFacts:
    same = row(
        db,
        f"SELECT * FROM factor WHERE reference = :reference AND kind = 'ssh_key' AND {AT}",
        {"reference": query.fingerprint, "at": at},
    )
    registered = same and Registered(
        factor=same["factor"],
        person=same["person"],
        by=same["added_by"] or "",
        networks=tuple(json.loads(same["networks"] or "[]")),
        waits=same["privileged_from"] is not None and same["privileged_from"] > at,
    )
    return ServiceKeyFacts(account_facts(db, query.person, at), actor_facts(db, query.actor, at), registered or None)


@loads(BootstrapQuery)
def bootstrap(db: Snapshot, query: BootstrapQuery, at: Instant) -> BootstrapFacts:
    used = row(db, "SELECT 1 FROM entry WHERE kind = 'sign_in.opened' LIMIT 1")
    return BootstrapFacts(account_facts(db, query.person, at), used is not None)
