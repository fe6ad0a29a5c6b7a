"""The resources as of an instant, found by what permissions select."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import HeldRole
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.model import Action, Permission, ResourceKind
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import permissions


@dataclass(frozen=True, slots=True)
class Site:
    """A resource as lists show it, by `sort`. `ready`: it has a pin and an address, so the gateway would dial it."""

    resource: str
    kind: str
    labels: Mapping[str, str]
    owner: str
    ready: bool
    sort: str

    def only(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        """Those of the actions that such a resource knows."""
        return _only(self.kind, actions)


@lru_cache(maxsize=1024)
def _only(kind: str, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return KINDS[ResourceKind(kind)].only(actions)


class Estate:
    """Resources in groups of equal labels and logins: a permission looks at each group once, never at each resource.

    `only` limits it to one resource.
    """

    def __init__(self, db: Snapshot, at: Instant, only: str | None = None) -> None:
        found = rows(
            db,
            "SELECT resource, kind, labels, owner, logins, sort, pins <> '[]' AND address IS NOT NULL AS ready "
            f"FROM resource WHERE {AT}{' AND resource = :only' if only else ''} ORDER BY resource",
            {"at": at, "only": only},
        )
        self._groups: defaultdict[tuple[str, str], list[Site]] = defaultdict(list)
        for each in found:
            site = _site(each)
            self._groups[each["labels"], each["logins"]].append(site)
        self._reach: dict[tuple[str, str, str], list[tuple[str, bool, list[Site]]]] = {}

    def reach(self, held: HeldRole, permission: Permission) -> list[tuple[str, bool, list[Site]]]:
        """What a held role's permission covers: (login, privileged, resources), each group of equals once."""
        key = held.role, held.version, permission.name
        if key not in self._reach:
            self._reach[key] = [
                (login, permission.privileged(_labels(labels)), sites)
                for (labels, logins), sites in self._groups.items()
                if permission.covers(_labels(labels))
                for login in _logins(logins)
                if permission.admits(login, _logins(logins))
            ]
        return self._reach[key]


def sites(db: Snapshot, at: Instant, only: Iterable[str]) -> dict[str, Site]:
    """Resources by name; what was not there at `at` is shown as it last was, and what never was is left out."""
    found: dict[str, Site] = {}
    for resource in set(only):
        last = row(
            db,
            "SELECT resource, kind, labels, owner, sort, pins <> '[]' AND address IS NOT NULL AS ready FROM resource "
            "WHERE resource = :resource AND valid_from <= :at ORDER BY valid_from DESC LIMIT 1",
            {"resource": resource, "at": at},
        )
        if last is not None:
            found[resource] = _site(last)
    return found


def _site(one: Row) -> Site:
    labels, ready = _labels(one["labels"]), bool(one["ready"])
    return Site(one["resource"], one["kind"], labels, one["owner"], ready, one["sort"])


@lru_cache(maxsize=4096)
def _labels(text: str) -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads(text)
    return found


@lru_cache(maxsize=4096)
def _logins(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def privileged_roles(db: Snapshot, at: Instant) -> frozenset[str]:
    """The roles with a permission that is privileged on something that is there."""
    estate = [
        _labels(each["labels"]) for each in rows(db, f"SELECT DISTINCT labels FROM resource WHERE {AT}", {"at": at})
    ]
    return frozenset(
        each["role"]
        for each in rows(db, f"SELECT role, permissions FROM role WHERE {AT}", {"at": at})
        if any(
            allowed.covers(labels) and allowed.privileged(labels)
            for allowed in permissions(each["permissions"])
            for labels in estate
        )
    )
