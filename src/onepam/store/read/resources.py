"""Resources as of an instant: the list, and one with everybody who can reach it and why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.model import Mode
from onepam.domain.matrix.matrix import Matrix, ResourceDefinition
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import matrix, people
from onepam.store.read.matrix import AccessRow, access_matrix
from onepam.store.read.names import name, names


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A resource in the list: how many people reach it standing and on request, how many grants and sessions are open.

    `reached_by` counts everybody who reaches it in either way.
    """

    resource: str
    kind: str
    address: str
    port: int
    labels: Mapping[str, str]
    owner: str
    owner_name: str
    logins: tuple[str, ...]
    pinned: bool
    standing: int
    on_request: int
    reached_by: int
    granted: int
    live: int


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned host key, and since when, by which change."""

    key: str
    since: Instant
    change: str


@dataclass(frozen=True, slots=True)
class Reach:
    """One way of one person to the resource, with its chain."""

    access: AccessRow
    name: str


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """One resource: what it is since when, its pinned keys, and every way to it."""

    resource: ResourceDefinition
    owner_name: str
    change: str
    since: Instant
    pins: tuple[Pin, ...]
    reach: tuple[Reach, ...]


def resources(db: Snapshot, at: Instant) -> tuple[ResourceRow, ...]:
    """All resources by name. People count while they are enabled and their binding is in force."""
    whole, called = matrix(db, at), names(db, at)
    reached = _Reached(db, at, whole)
    granted = _counts(
        db,
        f"SELECT resource, count(*) FROM access_grant WHERE {AT} AND starts <= :at AND ends > :at GROUP BY resource",
        at,
    )
    live = _counts(db, f"SELECT resource, count(*) FROM session WHERE status = 'open' AND {AT} GROUP BY resource", at)
    return tuple(
        ResourceRow(
            resource=each.resource,
            kind=each.kind.value,
            address=each.address or "",
            port=each.port,
            labels=each.labels,
            owner=each.owner,
            owner_name=called.get(each.owner, each.owner),
            logins=each.logins,
            pinned=bool(each.pins),
            standing=len(reached.by(each, Mode.STANDING)),
            on_request=len(reached.by(each, Mode.REQUEST)),
            reached_by=len(reached.by(each, Mode.STANDING) | reached.by(each, Mode.REQUEST)),
            granted=granted.get(each.resource, 0),
            live=live.get(each.resource, 0),
        )
        for each in whole.resources.values()
    )


def resource(db: Snapshot, at: Instant, resource: str) -> ResourcePage | None:
    """One resource as of `at`; None where there is none."""
    found = row(
        db, f"SELECT change, valid_from FROM resource WHERE resource = :name AND {AT}", {"name": resource, "at": at}
    )
    if found is None:
        return None
    definition, called = matrix(db, at).resources[resource], names(db, at)
    return ResourcePage(
        resource=definition,
        owner_name=name(db, at, definition.owner),
        change=found["change"],
        since=found["valid_from"],
        pins=_pins(db, at, definition),
        reach=tuple(
            Reach(each, called.get(each.person, each.person)) for each in access_matrix(db, at, None, resource)
        ),
    )


def _pins(db: Snapshot, at: Instant, definition: ResourceDefinition) -> tuple[Pin, ...]:
    """Each key in force, with the beginning of the unbroken time in which it was pinned."""
    found: dict[str, Pin] = {}
    history = rows(
        db,
        "SELECT pins, change, valid_from, valid_until FROM resource "
        "WHERE resource = :name AND valid_from <= :at ORDER BY valid_from",
        {"name": definition.resource, "at": at},
    )
    until = None
    for each in history:
        keys = json.loads(each["pins"])
        kept = found if each["valid_from"] == until else {}
        found = {key: kept.get(key) or Pin(key, each["valid_from"], each["change"]) for key in keys}
        until = each["valid_until"]
    return tuple(found.values())


def _counts(db: Snapshot, sql: str, at: Instant) -> dict[str, int]:
    return {each[0]: each[1] for each in rows(db, sql, {"at": at})}


class _Reached:
    """Who reaches resources of one kind of labels and logins, found once for all of them."""

    def __init__(self, db: Snapshot, at: Instant, whole: Matrix) -> None:
        present = {each.person for each in people(db, at) if each.present(at)}
        self._holders: dict[str, set[str]] = {}
        for binding in whole.bindings.values():
            if binding.in_force(at):
                self._holders.setdefault(binding.role, set()).update(present.intersection(whole.members(binding)))
        self._roles = whole.roles
        self._found: dict[object, frozenset[str]] = {}

    def by(self, resource: ResourceDefinition, mode: Mode) -> frozenset[str]:
        """The people with at least one login there in this mode."""
        key = tuple(sorted(resource.labels.items())), resource.logins, mode
        if key not in self._found:
            holders: set[str] = set()
            for role in self._roles.values():
                for permission in role.permissions:
                    admits = any(permission.admits(login, resource.logins) for login in resource.logins)
                    if permission.mode is mode and admits and permission.covers(resource.labels):
                        holders |= self._holders.get(role.role, set())
            self._found[key] = frozenset(holders)
        return self._found[key]
