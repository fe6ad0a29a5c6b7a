"""Facts of signing in through a provider, of its logouts, and of exceptions from the second factor."""

from onepam.app.ports import Snapshot
from onepam.app.providers.federated_sign_in import (
    EnteringQuery,
    LogoutQuery,
    ProviderStepUpFacts,
    ProviderStepUpQuery,
)
from onepam.app.signing_in.accept_risk import ExceptingQuery
from onepam.domain.access.proposal import ProposalKind
from onepam.domain.leaving.group_brake import NO_MESSAGE_BRAKE, NOTHING, MessageBrake
from onepam.domain.people.events import DIRECTORY_GROUP
from onepam.domain.people.groups import Membership
from onepam.domain.providers.entering import FED_LATELY, EnteringFacts, Somebody
from onepam.domain.providers.logout import MOST, LogoutFacts
from onepam.domain.signing_in.exceptions import ExceptingFacts, ExceptionFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import administering, administrators, brake_facts, person_hold
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import held
from onepam.store.facts.proposals import proposal_of
from onepam.store.facts.providers import provider_of
from onepam.store.facts.sign_in import account_facts


@loads(EnteringQuery)
def federated(db: Snapshot, query: EnteringQuery, at: Instant) -> EnteringFacts:
    of = {"provider": query.provider, "digest": query.subject_digest, "email": query.email, "at": at}
    stored = row(db, f"SELECT * FROM provider WHERE provider = :provider AND {AT}", of)
    linked = row(
        db, f"SELECT person FROM identity WHERE subject_digest = :digest AND provider = :provider AND {AT}", of
    )
    same = rows(
        db, f"SELECT person FROM person WHERE email = :email AND enabled = 1 AND {AT} ORDER BY person LIMIT 2", of
    )
    known = _somebody(db, query.provider, linked["person"], at) if linked else None
    with_address = [_somebody(db, query.provider, each["person"], at) for each in same] if query.email else []
    person = known or (with_address[0] if with_address else None)
    name = person.account.person if person else ""
    who = {**of, "person": name, "prefix": f"{DIRECTORY_GROUP}%"}
    accepted = rows(
        db, f"SELECT ends FROM mfa_exception WHERE person = :person AND accepted_by IS NOT NULL AND {AT}", who
    )
    found = rows(db, f"SELECT grp, source FROM group_member WHERE person = :person AND grp LIKE :prefix AND {AT}", who)
    memberships = tuple(Membership(each["grp"], each["source"]) for each in found)
    return EnteringFacts(
        provider=provider_of(stored) if stored else None,
        known=known,
        once_linked=row(db, "SELECT 1 FROM identity WHERE subject_digest = :digest LIMIT 1", of) is not None,
        with_address=tuple(each for each in with_address if each is not None),
        declared=row(
            db, f"SELECT 1 FROM mfa_declaration WHERE provider = :provider AND ends > :at AND {AT} LIMIT 1", of
        )
        is not None,
        accepted=tuple(each["ends"] for each in accepted),
        taken=_taken(db, query.session, name),
        memberships=memberships,
        provisioned=_provisioned(db, query.provider, at),
        leaver=row(db, f"SELECT 1 FROM person WHERE email = :email AND enabled = 0 AND {AT} LIMIT 1", of) is not None,
        brake=_brake(db, f"claims:{query.provider}", person.account.person, memberships, at)
        if person
        else NO_MESSAGE_BRAKE,
    )


def _brake(db: Snapshot, source: str, person: str, memberships: tuple[Membership, ...], at: Instant) -> MessageBrake:
    groups = administering(db, at)
    said = groups & {each.group for each in memberships if each.source == source}
    rests = bool(said) and person in administrators(db, at) - administrators(db, at, ("", source))
    last = rests and brake_facts(db, source, at).last(person)
    return MessageBrake(groups, said, last, held(db, person, at) if last else NOTHING, person_hold(db, person, at))


def _taken(db: Snapshot, message: str, person: str) -> bool:
    """The message opened a session, or stepped one of the person's up."""
    of = {"message": message, "person": person}
    opened = row(db, "SELECT 1 FROM sign_in WHERE session = :message LIMIT 1", of)
    stepped = row(db, "SELECT 1 FROM answered_challenge WHERE person = :person AND challenge = :message LIMIT 1", of)
    return opened is not None or stepped is not None


def _provisioned(db: Snapshot, provider: str, at: Instant) -> bool:
    """A token of SCIM is or lately was in force for the provider's people, or there are users by it."""
    of = {"provider": provider, "at": at, "since": at - FED_LATELY}
    token = row(
        db,
        "SELECT 1 FROM scim_token WHERE provider = :provider AND approved_by IS NOT NULL AND valid_from <= :at "
        "AND min(valid_until, ends) > :since LIMIT 1",
        of,
    )
    return (
        token is not None
        or row(db, f"SELECT 1 FROM scim_user WHERE provider = :provider AND {AT} LIMIT 1", of) is not None
    )


@loads(ProviderStepUpQuery)
def federated_step_up(db: Snapshot, query: ProviderStepUpQuery, at: Instant) -> ProviderStepUpFacts:
    return ProviderStepUpFacts(actor_facts(db, query.actor, at), federated(db, query.said, at))


@loads(LogoutQuery)
def provider_logout(db: Snapshot, query: LogoutQuery, at: Instant) -> LogoutFacts:
    found = {
        each["session"]: each["person"]
        for session in query.sessions[:MOST]
        for each in rows(
            db,
            "SELECT session, person FROM sign_in "
            f"WHERE (session = :session OR parent = :session) AND {AT} LIMIT {MOST}",
            {"session": session, "at": at},
        )
    }
    used = row(
        db,
        "SELECT 1 FROM provider_logout WHERE provider = :provider AND digest = :digest LIMIT 1",
        {"provider": query.provider, "digest": query.digest},
    )
    return LogoutFacts(used is not None, tuple(found.items())[:MOST])


@loads(ExceptingQuery)
def acceptance(db: Snapshot, query: ExceptingQuery, at: Instant) -> ExceptingFacts:
    of = {"exception": query.exception, "at": at}
    found = row(db, f"SELECT * FROM mfa_exception WHERE exception = :exception AND {AT}", of)
    person = found["person"] if found else query.person
    others = row(
        db,
        "SELECT count(*) FROM mfa_exception "
        f"WHERE person = :person AND exception <> :exception AND ends > :at AND {AT}",
        {**of, "person": person},
    )
    exists = row(db, f"SELECT 1 FROM person WHERE person = :person AND {AT}", {"person": person, "at": at})
    return ExceptingFacts(
        actor=actor_facts(db, query.actor, at),
        account=account_facts(db, person, at) if exists else None,
        exception=ExceptionFacts(found["exception"], person, found["ends"]) if found else None,
        others=others[0] if others else 0,
        proposal=proposal_of(db, ProposalKind.MFA_EXCEPTION, query.exception, at),
    )


def _somebody(db: Snapshot, provider: str, person: str, at: Instant) -> Somebody | None:
    of = {"person": person, "provider": provider, "at": at}
    found = row(db, f"SELECT * FROM person WHERE person = :person AND {AT}", of)
    if found is None:
        return None
    identities = rows(
        db, f"SELECT subject_digest FROM identity WHERE person = :person AND provider = :provider AND {AT}", of
    )
    return Somebody(
        account=account_facts(db, person, at),
        name=found["name"],
        email=found["email"],
        manager=found["manager"],
        owner=found["owner"],
        origin=found["origin"],
        identities=tuple(each["subject_digest"] or "" for each in identities),
        used=row(db, "SELECT 1 FROM sign_in WHERE person = :person LIMIT 1", of) is not None,
        readdressed=bool(found["readdressed"]),
    )
