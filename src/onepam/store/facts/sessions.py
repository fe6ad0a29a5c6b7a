"""Facts of a knock at the door."""

import json

from onepam.app.open_session import ConfirmationFacts, KnockFacts, KnockQuery
from onepam.app.ports import Snapshot
from onepam.app.sessions.close_session import NoFacts, SessionStatus, StatusQuery
from onepam.app.sessions.confirm import AccessQuery, ConfirmationQuery
from onepam.domain.access.decision import AccessFacts
from onepam.domain.access.proof import MfaProof
from onepam.domain.history.event import decoder
from onepam.domain.sessions.confirmation import GivenFacts
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import access_facts, actor_facts, mfa_proof, person_kind, remembered, resource_facts
from onepam.store.facts.login_tokens import token_facts

_mfa = decoder(MfaProof)


@loads(KnockQuery)
def knock(db: Snapshot, query: KnockQuery, at: Instant) -> KnockFacts:
    access = access_facts(db, query.person, query.target, at)
    sign_in, confirmation = _sign_in(db, query, at), _confirmation(db, query, at)
    proof = sign_in if query.confirmation is None else confirmation.mfa if confirmation else None
    fresh = access.resource is not None and access.resource.mfa is not None and access.resource.mfa.fresh
    return KnockFacts(
        access=access,
        kind=person_kind(db, query.person, at),
        sign_in=sign_in,
        confirmation=confirmation,
        networks=_networks(db, query, at),
        privileged_from=_privileged_from(db, query.person, query.key, at),
        spent=fresh and proof is not None and _spent(db, query.person, proof, at),
        token=token_facts(db, query.token, at),
    )


def _spent(db: Snapshot, person: str, proof: MfaProof, at: Instant) -> bool:
    """Whether a session of the person's was opened with the very factor of this proof, under whatever sign-in."""
    found = row(
        db,
        "SELECT 1 FROM session WHERE person = :person AND opened >= :shown "
        f"AND CAST(json_extract(mfa, '$.at') AS BIGINT) = :shown AND {AT} LIMIT 1",
        {"person": person, "shown": proof.at, "at": at},
    )
    return found is not None


def _privileged_from(db: Snapshot, person: str, key: str | None, at: Instant) -> Instant | None:
    """Of a machine, which shows one key alone, that of the key."""
    if key is not None:
        found = row(db, f"SELECT privileged_from FROM factor WHERE factor = :key AND {AT}", {"key": key, "at": at})
        return found["privileged_from"] if found else None
    return remembered(db, "proof", ("factor", person), lambda: _replaced(db, person, at))[0]


def _replaced(db: Snapshot, person: str, at: Instant) -> tuple[Instant | None]:
    found = row(
        db, f"SELECT max(privileged_from) FROM factor WHERE person = :person AND {AT}", {"person": person, "at": at}
    )
    return (found[0] if found else None,)


def _networks(db: Snapshot, query: KnockQuery, at: Instant) -> tuple[str, ...] | None:
    if query.key is None:
        return None
    found = row(
        db,
        f"SELECT networks FROM factor WHERE factor = :factor AND person = :person AND kind = 'ssh_key' AND {AT}",
        {"factor": query.key, "person": query.person, "at": at},
    )
    return tuple(json.loads(found["networks"] or "[]")) if found else None


def _sign_in(db: Snapshot, query: KnockQuery, at: Instant) -> MfaProof | None:
    sign_in, person = query.sign_in, query.person
    if sign_in is None:
        return None
    proof, expires = remembered(db, "proof", ("sign_in", sign_in, person), lambda: mfa_proof(db, person, sign_in, at))
    return proof if expires > at else None


def _confirmation(db: Snapshot, query: KnockQuery, at: Instant) -> ConfirmationFacts | None:
    if query.confirmation is None:
        return None
    found = row(
        db,
        f"SELECT * FROM confirmation WHERE confirmation = :confirmation AND {AT}",
        {"confirmation": query.confirmation, "at": at},
    )
    if found is None:
        return None
    return ConfirmationFacts(
        person=found["person"],
        resource=found["resource"],
        login=found["login"],
        expires=found["expires"],
        status=found["status"],
        mfa=_mfa(json.loads(found["mfa"])) if found["mfa"] else None,
    )


@loads(StatusQuery)
def session_status(db: Snapshot, query: StatusQuery, at: Instant) -> SessionStatus:
    found = row(
        db, f"SELECT status FROM session WHERE session = :session AND {AT}", {"session": query.session, "at": at}
    )
    return SessionStatus(found["status"] if found else None)


@loads(NoFacts)
def no_facts(db: Snapshot, query: NoFacts, at: Instant) -> None:
    return None


@loads(AccessQuery)
def access(db: Snapshot, query: AccessQuery, at: Instant) -> AccessFacts:
    return access_facts(db, query.person, query.resource, at)


@loads(ConfirmationQuery)
def given(db: Snapshot, query: ConfirmationQuery, at: Instant) -> GivenFacts:
    found = row(
        db,
        f"SELECT person, resource, expires, status, code_digest FROM confirmation "
        f"WHERE confirmation = :confirmation AND {AT}",
        {"confirmation": query.confirmation, "at": at},
    )
    resource = resource_facts(db, found["resource"], at) if found else None
    fresh = resource is not None and resource.mfa is not None and resource.mfa.fresh
    proof = mfa_proof(db, query.actor.person, query.actor.session, at)[0]
    return GivenFacts(
        actor=actor_facts(db, query.actor, at),
        proof=proof,
        person=found["person"] if found else None,
        expires=found["expires"] if found else None,
        status=found["status"] if found else None,
        code_digest=found["code_digest"] if found else None,
        fresh=fresh,
        spent=fresh and proof is not None and _spent(db, query.actor.person, proof, at),
    )
