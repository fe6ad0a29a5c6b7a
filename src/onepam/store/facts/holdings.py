"""What a person holds: roles by bindings (direct and by group), grants, the sign-in session behind an actor.

People, roles, bindings, resources, sign-ins and grants change rarely, and every command looks at them: so the one who
writes keeps them in the connection's `memory`, by topic. A topic holds as long as nobody else wrote to the database and
no entry was appended of a class that changes it, by `CHANGES`. The writer sees to both, and a test holds that no other
class touches the topic's tables.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import Actor, ActorFacts, HeldRole
from onepam.domain.access.decision import AccessFacts, HeldGrant, ResourceFacts
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import ConsoleRight, MfaRule, Permission, ResourceKind, Substance
from onepam.domain.access.proof import MfaBasis, MfaProof
from onepam.domain.access.proposal import ONE_HAND
from onepam.domain.access.separation import Excuse, Separation
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.history.event import decoder
from onepam.domain.leaving.brake import HoldReason, under_hold
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import Instant
from onepam.store.db import memory_of, row, rows
from onepam.store.engine.tables import AT

TOPICS = {
    "access": frozenset(
        {"person", "person_hold", "role", "resource", "binding", "group_member", "role_withheld", "access_lock"}
    ),
    "proof": frozenset({"sign_in", "factor"}),
    "grants": frozenset({"access_grant"}),
    "nodes": frozenset({"node"}),
}
"""What is remembered, and the tables it stands in."""

CHANGES: Mapping[str, tuple[str, ...]] = {
    "access": ("access",),
    "person": ("access",),
    "identity": ("proof",),
    "request": ("grants",),
    "system": ("access", "proof", "grants", "nodes"),
}
"""The topics that events of a class may change."""

MAX_REMEMBERED = 100_000

T = TypeVar("T")

_HELD = f"""
SELECT b.binding, CASE b.subject_kind WHEN 'group' THEN b.subject ELSE '' END AS grp, b.ends,
       r.role, r.version, r.permissions, r.console
FROM (
    SELECT binding, subject_kind, subject, role, ends FROM binding
    WHERE subject = :person AND subject_kind = 'person' AND {AT}
    UNION  -- several sources may say the same membership
    SELECT b.binding, b.subject_kind, b.subject, b.role, b.ends
    FROM group_member m JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group'
    WHERE m.person = :person AND m.valid_from <= :at AND :at < m.valid_until
      AND b.valid_from <= :at AND :at < b.valid_until
) b JOIN role r ON r.role = b.role AND r.valid_from <= :at AND :at < r.valid_until
ORDER BY r.role, b.binding
"""

_substance = decoder(Substance)
_mfa_rule = decoder(MfaRule)
_mask = decoder(Mask)
_results = decoder(Results)
_session_users = decoder(SessionUsers)
_excuses = decoder(tuple[Excuse, ...])


def held_roles(db: Snapshot, person: str, at: Instant) -> tuple[HeldRole, ...]:
    """The roles in force for a person, each with the binding it comes by."""
    held = remembered(db, "access", ("roles", person), lambda: _held_roles(db, person, at))
    return tuple([each for each in held if each.ends is None or each.ends > at])


def bound_roles(db: Snapshot, person: str, at: Instant) -> tuple[HeldRole, ...]:
    """The roles that are bound to a person, also those that a hold keeps back until somebody's word, and
    those that a review withholds."""
    return tuple([each for each in _bound_roles(db, person, at) if each.ends is None or each.ends > at])


def remembered(db: Snapshot, topic: str, key: tuple[str, ...], ask: Callable[[], T]) -> T:
    """What the connection remembers under the key; else the answer, which is kept where the topic is remembered."""
    memory = memory_of(db, topic)
    if memory is None:
        return ask()
    found: T | None = memory.get(key)
    if found is None:
        if len(memory) >= MAX_REMEMBERED:
            memory.clear()
        found = memory[key] = ask()
    return found


def _held_roles(db: Snapshot, person: str, at: Instant) -> tuple[HeldRole, ...]:
    found = _bound_roles(db, person, at)
    if not found:
        return found
    withheld = rows(db, f"SELECT role FROM role_withheld WHERE person = :person AND {AT}", _of(person, at))
    if withheld:
        taken = {each["role"] for each in withheld}
        found = tuple([each for each in found if each.role not in taken])
    return under_hold(found, _hold(db, person, at))


def _bound_roles(db: Snapshot, person: str, at: Instant) -> tuple[HeldRole, ...]:
    """Also those by bindings that have run out, which is a matter of the hour and no change."""
    return tuple(
        HeldRole(
            binding=binding,
            group=group,
            role=role,
            version=version,
            permissions=permissions(allowed),
            console=console_rights(console),
            ends=ends,
        )
        for binding, group, ends, role, version, allowed, console in rows(db, _HELD, _of(person, at))
    )


def _hold(db: Snapshot, person: str, at: Instant) -> HoldReason | None:
    """Why the account waits for a word, None where it does not."""
    found = row(db, f"SELECT reason FROM person_hold WHERE person = :person AND {AT}", _of(person, at))
    return HoldReason(found["reason"]) if found else None


def actor_facts(db: Snapshot, actor: Actor, at: Instant) -> ActorFacts:
    """The actor at the head; a person or a session that does not exist is simply not in force."""
    enabled, ends, _ = _standing(db, actor.person, at)
    sign_in = row(
        db,
        f"SELECT expires, mfa_at, basis FROM sign_in WHERE session = :session AND person = :person AND {AT}",
        {"session": actor.session, "person": actor.person, "at": at},
    )
    linked_by, linked_for = hands(db, actor.person, at)
    return ActorFacts(
        person=actor.person,
        enabled=enabled,
        ends=ends,
        signed_in_until=sign_in["expires"] if sign_in else None,
        mfa_at=sign_in["mfa_at"] if sign_in else None,
        roles=held_roles(db, actor.person, at),
        basis=MfaBasis(sign_in["basis"]) if sign_in else MfaBasis.OWN,
        linked_by=linked_by,
        linked_for=linked_for,
    )


def hands(db: Snapshot, person: str, at: Instant) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who made the links by which somebody enrolled lately, and who did by theirs: also by links of those in turn."""
    of = {**_of(person, at), "since": at - ONE_HAND}
    by, whose = (rows(db, each, of) for each in (_chain("maker", "person"), _chain("person", "maker")))
    return tuple(each[0] for each in by), tuple(each[0] for each in whose)


def _chain(found: str, known: str) -> str:
    lately = "h.since > :since AND h.valid_from <= :at AND :at < h.valid_until"
    return (
        f"WITH RECURSIVE chain(person) AS (SELECT h.{found} FROM hand h WHERE h.{known} = :person AND {lately} "
        f"UNION SELECT h.{found} FROM hand h JOIN chain c ON h.{known} = c.person WHERE {lately}) "
        "SELECT person FROM chain WHERE person <> :person ORDER BY 1"
    )


def mfa_proof(db: Snapshot, person: str, session: str, at: Instant) -> tuple[MfaProof | None, Instant]:
    """The factors behind a sign-in session of the person, and its end; None and now where there is no such session."""
    found = row(
        db,
        "SELECT proven, mfa_at, expires, basis, provider, phishing_resistant FROM sign_in "
        f"WHERE session = :session AND person = :person AND {AT}",
        {"session": session, "person": person, "at": at},
    )
    if found is None:
        return None, at
    proof = MfaProof(
        session=session,
        factors=tuple(json.loads(found["proven"])),
        at=found["mfa_at"],
        basis=MfaBasis(found["basis"]),
        provider=found["provider"],
        phishing_resistant=bool(found["phishing_resistant"]),
    )
    return proof, found["expires"]


def access_facts(db: Snapshot, person: str, resource: str, at: Instant) -> AccessFacts:
    """All that `domain.decision.decide` looks at, by four indexed look-ups whatever the company's size."""
    enabled, ends, _ = _standing(db, person, at)
    return AccessFacts(
        person=person,
        enabled=enabled,
        ends=ends,
        resource=resource_facts(db, resource, at),
        roles=held_roles(db, person, at),
        grants=held_grants(db, person, resource, at),
        locked=_is_locked(db, person, resource, at),
    )


def _is_locked(db: Snapshot, person: str, resource: str, at: Instant) -> bool:
    locks = remembered(db, "access", ("locks",), lambda: _locks(db, at))
    return any(who in (None, person) and where in (None, resource) for who, where in locks)


def _locks(db: Snapshot, at: Instant) -> tuple[tuple[str | None, str | None], ...]:
    """The person or the resource of each lock that stands; of everything neither."""
    found = rows(db, f"SELECT person, resource FROM access_lock WHERE {AT}", {"at": at})
    return tuple([(each["person"], each["resource"]) for each in found])


def person_kind(db: Snapshot, person: str, at: Instant) -> PersonKind | None:
    """What kind of person this is; None for somebody who does not exist."""
    return _standing(db, person, at)[2]


def _standing(db: Snapshot, person: str, at: Instant) -> tuple[bool, Instant | None, PersonKind | None]:
    """Whether the person is enabled, until when, and the kind; somebody who does not exist is not."""
    return remembered(db, "access", ("person", person), lambda: _person(db, person, at))


def is_here(db: Snapshot, person: str, at: Instant) -> bool:
    """Whether the account exists and works."""
    enabled, ends, _ = _standing(db, person, at)
    return enabled and (ends is None or ends > at)


def _person(db: Snapshot, person: str, at: Instant) -> tuple[bool, Instant | None, PersonKind | None]:
    found = row(db, f"SELECT enabled, ends, kind FROM person WHERE person = :person AND {AT}", _of(person, at))
    if found is None:
        return False, None, None
    return bool(found["enabled"]), found["ends"], PersonKind(found["kind"])


def resource_facts(db: Snapshot, resource: str, at: Instant) -> ResourceFacts | None:
    """The resource as of `at`, or None."""
    return remembered(db, "access", ("resource", resource), lambda: _resource(db, resource, at))


def _resource(db: Snapshot, resource: str, at: Instant) -> ResourceFacts | None:
    found = row(db, f"SELECT * FROM resource WHERE resource = :resource AND {AT}", {"resource": resource, "at": at})
    return None if found is None else resource_of(found)


def resource_of(found: Any) -> ResourceFacts:
    """The facts in a row of the table `resource`."""
    return ResourceFacts(
        resource=found["resource"],
        kind=ResourceKind(found["kind"]),
        labels=json.loads(found["labels"]),
        logins=tuple(json.loads(found["logins"])),
        pins=tuple(json.loads(found["pins"])),
        address=found["address"],
        port=found["port"],
        mfa=mfa_rule(found["mfa"]),
        environment=tuple(json.loads(found["environment"])),
        mask=mask(found["mask"]),
        results=results(found["results"]),
        session_users=session_users(found["session_users"]),
    )


@lru_cache(maxsize=64)
def mfa_rule(text: str | None) -> MfaRule | None:
    """A resource's rule of the second factor as its row keeps it."""
    found: MfaRule | None = None if text is None else _mfa_rule(json.loads(text))
    return found


@lru_cache(maxsize=64)
def mask(text: str | None) -> Mask | None:
    """What of a resource's data is masked, as its row keeps it."""
    found: Mask | None = None if text is None else _mask(json.loads(text))
    return found


@lru_cache(maxsize=64)
def results(text: str | None) -> Results | None:
    """How much of a resource's results is recorded, as its row keeps it."""
    found: Results | None = None if text is None else _results(json.loads(text))
    return found


@lru_cache(maxsize=64)
def session_users(text: str | None) -> SessionUsers | None:
    """For which logins of a resource users are made, as its row keeps it."""
    found: SessionUsers | None = None if text is None else _session_users(json.loads(text))
    return found


def held_grants(db: Snapshot, person: str, resource: str, at: Instant) -> tuple[HeldGrant, ...]:
    """The person's grants on the resource that run at `at`."""
    held = remembered(db, "grants", ("person", person), lambda: _grants(db, person, at))
    return tuple([grant for where, grant in held if where == resource and grant.ends > at])


def _grants(db: Snapshot, person: str, at: Instant) -> tuple[tuple[str, HeldGrant], ...]:
    """With their resources; what has run out and was not ended yet is no matter of the tables but of the hour."""
    found = rows(db, f"SELECT * FROM access_grant WHERE person = :person AND {AT}", _of(person, at))
    return tuple([(each["resource"], grant_of(each)) for each in found])


def grant_of(found: Any) -> HeldGrant:
    """The facts in a row of the table `access_grant`."""
    return HeldGrant(
        grant=found["access_grant"],
        request=found["request"],
        substance=substance(found["substance"]),
        binding=found["binding"],
        approved_by=found["approved_by"],
        starts=found["starts"],
        ends=found["ends"],
        used=found["used"] is not None,
    )


def substance(text: str) -> Substance:
    """A request's substance as a state row keeps it."""
    found: Substance = _substance(json.loads(text))
    return found


@lru_cache(maxsize=1024)
def permissions(text: str) -> tuple[Permission, ...]:
    """A role's permissions as its row keeps them; cached, because many people hold few roles."""
    return tuple(decoder(tuple[Permission, ...])(json.loads(text)))


def separations(db: Snapshot, at: Instant) -> tuple[Separation, ...]:
    """The roles that are kept apart, by name."""
    return tuple(
        Separation(each["separation"], tuple(json.loads(each["roles"])), each["because"], _excused(each["excused"]))
        for each in rows(db, f"SELECT * FROM separation WHERE {AT} ORDER BY separation", {"at": at})
    )


def _excused(text: str) -> tuple[Excuse, ...]:
    return tuple(_excuses(json.loads(text)))


@lru_cache(maxsize=64)
def console_rights(text: str) -> tuple[ConsoleRight, ...]:
    """A role's console rights as its row keeps them."""
    return tuple(ConsoleRight(each) for each in json.loads(text))


def _of(person: str, at: Instant) -> dict[str, object]:
    return {"person": person, "at": at}
