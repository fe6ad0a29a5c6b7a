"""What a person holds: roles by bindings (direct and by group), grants, the sign-in session behind an actor."""

import json
from functools import lru_cache
from typing import Any

from onepam.domain.access import ConsoleRight, Permission
from onepam.domain.authority import Actor, ActorFacts, HeldRole
from onepam.domain.decision import AccessFacts, HeldGrant, ResourceFacts
from onepam.domain.event import decoder
from onepam.domain.requests import Substance
from onepam.kernel.clock import Instant
from onepam.store.database import Db, row, rows
from onepam.store.tables import AT

_HELD = f"""
SELECT b.binding, CASE b.subject_kind WHEN 'group' THEN b.subject ELSE '' END AS grp, b.ends,
       r.role, r.version, r.permissions, r.console
FROM (
    SELECT binding, subject_kind, subject, role, ends FROM binding
    WHERE subject = :person AND subject_kind = 'person' AND {AT}
    UNION ALL
    SELECT b.binding, b.subject_kind, b.subject, b.role, b.ends
    FROM group_member m JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group'
    WHERE m.person = :person AND m.valid_from <= :at AND :at < m.valid_until
      AND b.valid_from <= :at AND :at < b.valid_until
) b JOIN role r ON r.role = b.role AND r.valid_from <= :at AND :at < r.valid_until
WHERE b.ends IS NULL OR b.ends > :at
ORDER BY r.role, b.binding
"""

_substance = decoder(Substance)


def held_roles(db: Db, person: str, at: Instant) -> tuple[HeldRole, ...]:
    """The roles in force for a person, each with the binding it comes by."""
    return tuple(
        HeldRole(
            binding=each["binding"],
            group=each["grp"],
            role=each["role"],
            version=each["version"],
            permissions=permissions(each["permissions"]),
            console=console_rights(each["console"]),
            ends=each["ends"],
        )
        for each in rows(db, _HELD, {"person": person, "at": at})
    )


def actor_facts(db: Db, actor: Actor, at: Instant) -> ActorFacts:
    """The actor at the head; a person or a session that does not exist is simply not in force."""
    person = row(db, f"SELECT enabled, ends FROM person WHERE person = :person AND {AT}", _of(actor.person, at))
    sign_in = row(
        db,
        f"SELECT expires, mfa_at FROM sign_in WHERE session = :session AND person = :person AND {AT}",
        {"session": actor.session, "person": actor.person, "at": at},
    )
    return ActorFacts(
        person=actor.person,
        enabled=bool(person and person["enabled"]),
        ends=person["ends"] if person else None,
        signed_in_until=sign_in["expires"] if sign_in else None,
        mfa_at=sign_in["mfa_at"] if sign_in else None,
        roles=held_roles(db, actor.person, at),
    )


def access_facts(db: Db, person: str, resource: str, at: Instant) -> AccessFacts:
    """All that `domain.decision.decide` looks at, by four indexed look-ups whatever the company's size."""
    someone = row(db, f"SELECT enabled, ends FROM person WHERE person = :person AND {AT}", _of(person, at))
    return AccessFacts(
        person=person,
        enabled=bool(someone and someone["enabled"]),
        ends=someone["ends"] if someone else None,
        resource=resource_facts(db, resource, at),
        roles=held_roles(db, person, at),
        grants=held_grants(db, person, resource, at),
    )


def resource_facts(db: Db, resource: str, at: Instant) -> ResourceFacts | None:
    """The resource as of `at`, or None."""
    found = row(db, f"SELECT * FROM resource WHERE resource = :resource AND {AT}", {"resource": resource, "at": at})
    return None if found is None else resource_of(found)


def resource_of(found: Any) -> ResourceFacts:
    """The facts in a row of the table `resource`."""
    return ResourceFacts(
        resource=found["resource"],
        labels=json.loads(found["labels"]),
        logins=tuple(json.loads(found["logins"])),
        host_keys=tuple(json.loads(found["host_keys"])),
        address=found["address"],
        port=found["port"],
    )


def held_grants(db: Db, person: str, resource: str, at: Instant) -> tuple[HeldGrant, ...]:
    """The person's grants on the resource that run at `at`."""
    return tuple(
        grant_of(each)
        for each in rows(
            db,
            f"SELECT * FROM access_grant WHERE person = :person AND resource = :resource AND {AT} AND ends > :at",
            {"person": person, "resource": resource, "at": at},
        )
    )


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
    )


def substance(text: str) -> Substance:
    """A request's substance as a state row keeps it."""
    found: Substance = _substance(json.loads(text))
    return found


@lru_cache(maxsize=1024)
def permissions(text: str) -> tuple[Permission, ...]:
    """A role's permissions as its row keeps them; cached, because many people hold few roles."""
    return tuple(decoder(tuple[Permission, ...])(json.loads(text)))


@lru_cache(maxsize=64)
def console_rights(text: str) -> tuple[ConsoleRight, ...]:
    """A role's console rights as its row keeps them."""
    return tuple(ConsoleRight(each) for each in json.loads(text))


def _of(person: str, at: Instant) -> dict[str, object]:
    return {"person": person, "at": at}
