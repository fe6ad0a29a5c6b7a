"""Everybody's effective access as of an instant, each row with its why: what an auditor asks first."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.decision import Because, HeldGrant
from onepam.domain.access.model import Action, Mode, Permission
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import console_rights, held_roles, permissions
from onepam.store.read.catalogue import because_of, running, still_given
from onepam.store.read.estate import Estate


class How(StrEnum):
    """In force by the role alone, in force under a grant, or only to be asked for."""

    STANDING = "standing"
    GRANTED = "granted"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One way in: of several for the same login each has its own row. `until` is FOREVER where there is no end yet."""

    person: str
    resource: str
    login: str
    how: How
    actions: tuple[Action, ...]
    until: Instant
    privileged: bool
    because: Because


def access_matrix(
    db: Snapshot, at: Instant, person: str | None = None, resource: str | None = None, requestable: bool = True
) -> Iterator[AccessRow]:
    """Rows by person; of everybody, or limited to a person or a resource. Without `requestable` only what is in force.

    Roles are resolved once for all who hold them, so the cost is that of the rows. The limits of the moment (hours, a
    fresh factor, a pinned host key) are not rows: the door checks them.
    """
    estate, grants = Estate(db, at, resource), running(db, at, person)
    for someone, ends, held in _held_by(db, at, person) if person else _holders(db, at):
        yield from _rows(estate, grants, someone, ends, held, requestable=requestable)


def _by_role(
    estate: Estate, person: str, ends: Instant, held: HeldRole, permission: Permission, how: How
) -> Iterator[AccessRow]:
    because = Because(held.role, held.version, permission.name, held.binding, held.group)
    until = min(held.ends or FOREVER, ends)
    for login, privileged, sites in estate.reach(held, permission):
        for site in sites:
            if actions := site.only(permission.actions):
                yield AccessRow(person, site.resource, login, how, actions, until, privileged, because)


def _by_grants(
    estate: Estate, person: str, ends: Instant, held: HeldRole, permission: Permission, grants: list[HeldGrant]
) -> Iterator[AccessRow]:
    wanted = {(each.substance.login, each.substance.resource): each for each in grants
              if each.substance.permission == permission.name}  # fmt: skip
    for login, privileged, sites in estate.reach(held, permission) if wanted else ():
        for site in sites:
            grant = wanted.get((login, site.resource))
            actions = still_given(grant, site.only(permission.actions)) if grant else ()
            if grant is not None and actions:
                yield AccessRow(
                    person=person,
                    resource=site.resource,
                    login=login,
                    how=How.GRANTED,
                    actions=actions,
                    until=min(held.ends or FOREVER, ends, grant.ends),
                    privileged=privileged,
                    because=because_of(held, permission.name, grant),
                )


def ways(
    db: Snapshot, at: Instant, estate: Estate, grants: dict[str, list[HeldGrant]], person: str
) -> Iterator[AccessRow]:
    """One person's rows on an estate, under grants of theirs or of everybody: for whoever looks at a few people."""
    for someone, ends, held in _held_by(db, at, person):
        yield from _rows(estate, grants, someone, ends, held, requestable=True)


def _rows(
    estate: Estate,
    grants: dict[str, list[HeldGrant]],
    someone: str,
    ends: Instant,
    held: HeldRole,
    *,
    requestable: bool,
) -> Iterator[AccessRow]:
    for permission in held.permissions:
        if permission.mode is Mode.STANDING:
            yield from _by_role(estate, someone, ends, held, permission, How.STANDING)
            continue
        if requestable:
            yield from _by_role(estate, someone, ends, held, permission, How.REQUEST)
        if held.binding in grants:
            mine = [each for each in grants[held.binding] if each.substance.person == someone]
            yield from _by_grants(estate, someone, ends, held, permission, mine)


def _held_by(db: Snapshot, at: Instant, person: str) -> Iterator[tuple[str, Instant, HeldRole]]:
    """The same as `_holders`, of one person."""
    found = row(
        db,
        f"SELECT ends FROM person p WHERE person = :person AND enabled = 1 AND {AT} AND (ends IS NULL OR ends > :at) "
        f"AND NOT EXISTS (SELECT 1 FROM person_hold h WHERE h.person = p.person AND {AT})",
        {"person": person, "at": at},
    )
    if found is not None:
        for held in sorted(held_roles(db, person, at), key=lambda each: (each.group, each.binding)):
            yield person, found["ends"] or FOREVER, held


def _holders(db: Snapshot, at: Instant) -> Iterator[tuple[str, Instant, HeldRole]]:
    """Every role that gives an enabled person something, by person: (person, their end, the role). Under a hold none
    gives a way in."""
    roles = {each["role"]: each for each in rows(db, f"SELECT * FROM role WHERE {AT}", {"at": at})}
    bound: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for each in rows(db, f"SELECT * FROM binding WHERE {AT} AND (ends IS NULL OR ends > :at)", {"at": at}):
        if each["role"] in roles:
            bound[each["subject_kind"], each["subject"]].append(each)
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for each in rows(db, f"SELECT DISTINCT grp, person FROM group_member WHERE {AT} ORDER BY grp", {"at": at}):
        groups[each["person"]].append(each["grp"])
    people = rows(
        db,
        f"SELECT person, ends FROM person p WHERE enabled = 1 AND {AT} AND (ends IS NULL OR ends > :at) "
        f"AND NOT EXISTS (SELECT 1 FROM person_hold h WHERE h.person = p.person AND {AT}) ORDER BY person",
        {"at": at},
    )
    withheld = {tuple(each) for each in rows(db, f"SELECT person, role FROM role_withheld WHERE {AT}", {"at": at})}
    for each in people:
        subjects = [("person", each["person"], ""), *(("group", group, group) for group in groups[each["person"]])]
        for kind, subject, group in subjects:
            for binding in bound.get((kind, subject), ()):
                if (each["person"], binding["role"]) in withheld:
                    continue
                yield each["person"], each["ends"] or FOREVER, _held(binding, roles[binding["role"]], group)


def _held(binding: Any, role: Any, group: str) -> HeldRole:
    return HeldRole(
        binding=binding["binding"],
        group=group,
        role=role["role"],
        version=role["version"],
        permissions=permissions(role["permissions"]),
        console=console_rights(role["console"]),
        ends=binding["ends"],
    )
