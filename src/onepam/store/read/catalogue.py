"""The catalogue of one person: what is open now, and what may be asked for. For pages, never for the door."""

from dataclasses import dataclass, replace

from onepam.app.ports import Snapshot
from onepam.domain.access.asked import PLAINLY, Asking
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.decision import Because, HeldGrant
from onepam.domain.access.model import Action, Mode
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import grant_of, held_roles, substance
from onepam.store.read.estate import Estate, Site


@dataclass(frozen=True, slots=True)
class OpenAccess:
    """A login that the door would open now, until `until` (FOREVER: as long as the role is held)."""

    site: Site
    login: str
    actions: tuple[Action, ...]
    until: Instant
    privileged: bool
    because: Because


@dataclass(frozen=True, slots=True)
class Requestable:
    """A login that a role offers on request, for `longest` microseconds at most; `pending` is the waiting request,
    `asks` how else it may be asked for."""

    site: Site
    login: str
    role: str
    permission: str
    actions: tuple[Action, ...]
    longest: int
    approvers: tuple[str, ...]
    privileged: bool
    pending: str | None
    asks: Asking = PLAINLY


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Both lists, by resource and login; `beyond` counts what else may be asked for and was left out of the list."""

    open: tuple[OpenAccess, ...]
    requestable: tuple[Requestable, ...]
    beyond: int


def catalogue(
    db: Snapshot, at: Instant, person: str, search: str = "", most: int = 200, only: str | None = None
) -> Catalogue:
    """What `person` can reach and ask for; `search` is part of a resource's name or of a label, or of a login or role
    that may be asked for; `only` is one resource's whole name."""
    someone = row(db, f"SELECT enabled, ends FROM person WHERE person = :person AND {AT}", {"person": person, "at": at})
    if someone is None or not someone["enabled"] or (someone["ends"] is not None and someone["ends"] <= at):
        return Catalogue((), (), 0)
    roles, estate, sought = held_roles(db, person, at), Estate(db, at, only), search.strip().casefold()
    opened = _open(roles, estate, running(db, at, person), someone["ends"] or FOREVER)
    offered = _requestable(roles, estate, set(opened), _pending(db, at, person), sought)
    listed = sorted(offered.values(), key=lambda each: (each.site.sort, each.login, each.role))
    return Catalogue(
        open=tuple(
            sorted(
                (each for each in opened.values() if _matches(each.site, sought)),
                key=lambda each: (each.site.sort, each.login),
            )
        ),
        requestable=tuple(listed[:most]),
        beyond=max(0, len(listed) - most),
    )


def running(db: Snapshot, at: Instant, person: str | None = None) -> dict[str, list[HeldGrant]]:
    """The grants that give something at `at`, of one person or of everybody, by the binding they rest on."""
    found: dict[str, list[HeldGrant]] = {}
    who = "person = :person AND" if person else ""
    for each in rows(
        db,
        f"SELECT * FROM access_grant WHERE {who} {AT} AND starts <= :at AND ends > :at",
        {"person": person, "at": at},
    ):
        if (grant := grant_of(each)).until(at) is not None:
            found.setdefault(each["binding"], []).append(grant)
    return found


def _open(
    roles: tuple[HeldRole, ...], estate: Estate, grants: dict[str, list[HeldGrant]], ends: Instant
) -> dict[tuple[str, str], OpenAccess]:
    """By resource and login; of several ways in what they allow together, explained by the one that lasts longest."""
    found: dict[tuple[str, str], OpenAccess] = {}
    for held in roles:
        for permission in held.permissions:
            standing = permission.mode is Mode.STANDING
            under = {(each.substance.resource, each.substance.login): each for each in grants.get(held.binding, ())
                     if each.substance.permission == permission.name}  # fmt: skip
            if not standing and not under:
                continue
            for login, privileged, sites in estate.reach(held, permission):
                for site in sites:
                    grant = under.get((site.resource, login))
                    if not standing and grant is None:
                        continue
                    actions, under_grant = site.only(permission.actions), None if standing else grant
                    access = _access(held, permission.name, actions, site, login, privileged, ends, under_grant)
                    key = site.resource, login
                    if access.actions:
                        found[key] = _together(found.get(key), access)
    return found


def _together(one: OpenAccess | None, other: OpenAccess) -> OpenAccess:
    if one is None:
        return other
    longer = one if one.until >= other.until else other
    actions = {*one.actions, *other.actions}
    return replace(
        longer,
        actions=tuple([each for each in Action if each in actions]),
        privileged=one.privileged or other.privileged,
    )


def _access(
    held: HeldRole,
    permission: str,
    actions: tuple[Action, ...],
    site: Site,
    login: str,
    privileged: bool,
    ends: Instant,
    grant: HeldGrant | None,
) -> OpenAccess:
    until = min(held.ends or FOREVER, ends)
    if grant is None:
        because = Because(held.role, held.version, permission, held.binding, held.group)
        return OpenAccess(site, login, actions, until, privileged, because)
    because = because_of(held, permission, grant)
    return OpenAccess(site, login, still_given(grant, actions), min(until, grant.ends), privileged, because)


def still_given(grant: HeldGrant, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """What a grant gives: what was granted and the permission still has."""
    return tuple(action for action in grant.substance.actions if action in actions)


def because_of(held: HeldRole, permission: str, grant: HeldGrant) -> Because:
    """The chain of an access that rests on a grant."""
    return Because(
        role=held.role,
        role_version=grant.substance.role_version,
        permission=permission,
        binding=held.binding,
        group=held.group,
        request=grant.request,
        approval_by=grant.approved_by,
        grant=grant.grant,
    )


def _requestable(
    roles: tuple[HeldRole, ...],
    estate: Estate,
    opened: set[tuple[str, str]],
    pending: dict[tuple[str, str, str], str],
    sought: str,
) -> dict[tuple[str, str, str, str], Requestable]:
    """By resource, login, role and permission, so that a role held twice offers once; not what is open already."""
    found: dict[tuple[str, str, str, str], Requestable] = {}
    for held in roles:
        for permission in held.permissions:
            if permission.mode is not Mode.REQUEST:
                continue
            for login, privileged, sites in estate.reach(held, permission):
                for site in sites:
                    actions = site.only(permission.actions)
                    by_name = sought in login.casefold() or sought in held.role
                    if actions and (site.resource, login) not in opened and (by_name or _matches(site, sought)):
                        found[site.resource, login, held.role, permission.name] = Requestable(
                            site=site,
                            login=login,
                            role=held.role,
                            permission=permission.name,
                            actions=actions,
                            longest=permission.longest,
                            approvers=permission.approvers,
                            privileged=privileged,
                            pending=pending.get((site.resource, login, held.role)),
                            asks=permission.asks,
                        )
    return found


def _pending(db: Snapshot, at: Instant, person: str) -> dict[tuple[str, str, str], str]:
    found = rows(
        db,
        f"SELECT request, substance FROM request WHERE person = :person AND status = 'open' AND {AT} AND expires > :at",
        {"person": person, "at": at},
    )
    asked = [(each["request"], substance(each["substance"])) for each in found]
    return {(each.resource, each.login, each.role): request for request, each in asked}


def _matches(site: Site, sought: str) -> bool:
    return (
        not sought
        or sought in site.resource.casefold()
        or any(sought in f"{key}={value}".casefold() for key, value in site.labels.items())
    )
