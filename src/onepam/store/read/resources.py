"""Resources as of an instant: the list, and one with everybody who can reach it and why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from onepam.app.ports import Snapshot
from onepam.domain.access.decision import HeldGrant
from onepam.domain.access.kinds import KINDS
from onepam.domain.access.model import ResourceKind
from onepam.domain.matrix.matrix import ResourceDefinition
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import resource_definition
from onepam.store.facts.holders import PRESENT, holders
from onepam.store.facts.holdings import permissions
from onepam.store.read.catalogue import running
from onepam.store.read.estate import Estate
from onepam.store.read.matrix import AccessRow, ways
from onepam.store.read.names import name, nameless
from onepam.store.read.paging import Page, Window


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """A resource in the list: how many people reach it, standing or on request, how many sessions are open there, and
    when the newest one was opened."""

    resource: str
    kind: str
    address: str
    port: int
    labels: Mapping[str, str]
    owner: str
    owner_name: str
    logins: tuple[str, ...]
    pinned: bool
    people: int
    live: int
    last: Instant | None


@dataclass(frozen=True, slots=True)
class Pin:
    """What a resource is known by (domain/access/kinds.py), and since when, by which change."""

    key: str
    since: Instant
    change: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Somebody who reaches the resource, and each of their ways to it, with its chain: the soonest to end first."""

    person: str
    name: str
    ways: tuple[AccessRow, ...]


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """One resource: what it is since when, its pins, and a page of those who reach it, by name."""

    resource: ResourceDefinition
    owner_name: str
    change: str
    since: Instant
    pins: tuple[Pin, ...]
    reach: Page[Reach]


CALLED = """instr(lower(resource), :search) > 0
    OR instr(lower(replace(replace(labels, '":"', '='), '"', ' ')), :search) > 0"""
"""Whether the searched words are a part of a resource's name, or of a label `key=value`."""
_WHICH = f"""
FROM resource WHERE {AT} AND (:search = '' OR {CALLED}
    OR owner IN (SELECT person FROM person WHERE instr(sought, :search) > 0 AND {AT}))
"""


def resources(db: Snapshot, at: Instant, search: str = "", window: Window | None = None) -> Page[ResourceRow]:
    """A page of all resources, by name; `search` is a part of a name, of a label `key=value`, or of the owner's."""
    window, values = window or Window(), _values(at, search)
    after = row(
        db, f"SELECT sort FROM resource WHERE resource = :resource AND {AT}", {"resource": window.after, "at": at}
    )
    found = rows(
        db,
        f"SELECT * {_WHICH} AND sort >= :sort AND (sort > :sort OR resource > :after) ORDER BY sort, resource "
        "LIMIT :most",
        {**values, "sort": after[0] if after else "", "after": window.after if after else "", "most": window.most + 1},
    )
    counted, reached = row(db, f"SELECT count(*) {_WHICH}", values), Holders(db, at)
    page = Page.of(found, window, counted[0] if counted else 0, itemgetter("resource"))
    return page.map(lambda shown: (_listed(db, at, reached, each) for each in shown))


def find_resources(db: Snapshot, at: Instant, search: str, most: int) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """The first few by name, with their labels."""
    found = rows(
        db,
        f"SELECT resource, labels {_WHICH} ORDER BY sort, resource LIMIT :most",
        {**_values(at, search), "most": most},
    )
    return tuple((each["resource"], json.loads(each["labels"])) for each in found)


def _values(at: Instant, search: str) -> dict[str, object]:
    return {"at": at, "search": search.strip().casefold()}


def _listed(db: Snapshot, at: Instant, reached: "Holders", found: Row) -> ResourceRow:
    name, of = found["resource"], {"resource": found["resource"], "at": at}
    live = row(db, f"SELECT count(*) FROM session WHERE resource = :resource AND status = 'open' AND {AT}", of)
    last = row(db, "SELECT max(opened) FROM session WHERE resource = :resource AND valid_from <= :at", of)
    labels, logins = json.loads(found["labels"]), tuple(json.loads(found["logins"]))
    return ResourceRow(
        resource=name,
        kind=found["kind"],
        address=found["address"] or "",
        port=found["port"],
        labels=labels,
        owner=found["owner"],
        owner_name=reached.name(found["owner"]),
        logins=logins,
        pinned=found["pins"] != "[]",
        people=reached.count(reached.reaching(found["kind"], labels, logins)),
        live=live[0] if live else 0,
        last=last[0] if last else None,
    )


def resource(
    db: Snapshot, at: Instant, resource: str, window: Window | None = None, person: str | None = None
) -> ResourcePage | None:
    """One resource as of `at`, with everybody who reaches it, or `person` alone; None where there is none."""
    found = row(db, f"SELECT * FROM resource WHERE resource = :name AND {AT}", {"name": resource, "at": at})
    if found is None:
        return None
    definition = resource_definition(found)
    return ResourcePage(
        resource=definition,
        owner_name=name(db, at, definition.owner),
        change=found["change"],
        since=found["valid_from"],
        pins=_pins(db, at, definition),
        reach=_reach(db, at, definition, window or Window(), person),
    )


def _reach(
    db: Snapshot, at: Instant, definition: ResourceDefinition, window: Window, person: str | None
) -> Page[Reach]:
    estate, grants = Estate(db, at, definition.resource), running(db, at, person)
    if person is not None:
        mine = _ways(db, at, estate, grants, person, name(db, at, person))
        return Page((mine,) if mine.ways else (), int(bool(mine.ways)), "")
    reached = Holders(db, at)
    roles = reached.reaching(definition.kind, definition.labels, definition.logins)
    page = Page.of(reached.page(roles, window), window, reached.count(roles), itemgetter(0))
    return page.map(lambda shown: (_ways(db, at, estate, grants, *each) for each in shown))


def _ways(
    db: Snapshot, at: Instant, estate: Estate, grants: dict[str, list[HeldGrant]], person: str, called: str
) -> Reach:
    found = sorted(ways(db, at, estate, grants, person), key=lambda each: (each.until, each.login))
    return Reach(person, called, tuple(found))


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


_HOLDERS = f"""
FROM ({holders("b.role IN (SELECT value FROM json_each(:roles))")}) h JOIN person p ON p.person = h.person
WHERE {PRESENT}
"""


class Holders:
    """Which roles reach what, and how many people hold them: each asked once."""

    def __init__(self, db: Snapshot, at: Instant) -> None:
        self._db, self._at = db, at
        self._roles = [
            (each["role"], permissions(each["permissions"]))
            for each in rows(db, f"SELECT role, permissions FROM role WHERE {AT} ORDER BY role", {"at": at})
        ]
        self._reaching: dict[object, tuple[str, ...]] = {}
        self._counted: dict[tuple[str, ...], int] = {}
        self._names: dict[str, str] = {}

    def reaching(self, kind: str, labels: Mapping[str, str], logins: tuple[str, ...]) -> tuple[str, ...]:
        """The roles with at least one login on what has these labels and logins, standing or on request."""
        key, kinds = (kind, tuple(sorted(labels.items())), logins), KINDS[ResourceKind(kind)]
        if key not in self._reaching:
            self._reaching[key] = tuple(
                role
                for role, allowed in self._roles
                if any(
                    kinds.only(each.actions) and each.covers(labels) and any(each.admits(one, logins) for one in logins)
                    for each in allowed
                )
            )
        return self._reaching[key]

    def count(self, roles: tuple[str, ...]) -> int:
        """How many enabled people hold at least one of them, by a binding in force."""
        if roles and roles not in self._counted:
            found = row(self._db, f"SELECT count(*) {_HOLDERS}", {"roles": json.dumps(roles), "at": self._at})
            self._counted[roles] = found[0] if found else 0
        return self._counted.get(roles, 0)

    def page(self, roles: tuple[str, ...], window: Window) -> list[tuple[str, str]]:
        """Some of them by name, (id, name) each: those of the window, and one more where there are more."""
        of = {"person": window.after, "at": self._at}
        after = row(self._db, f"SELECT coalesce(sort, '') FROM person WHERE person = :person AND {AT}", of)
        found = rows(
            self._db,
            f"SELECT p.person, p.name {_HOLDERS} AND coalesce(p.sort, '') >= :sort "
            "AND (coalesce(p.sort, '') > :sort OR p.person > :after) "
            "ORDER BY coalesce(p.sort, ''), p.person LIMIT :most",
            {
                "roles": json.dumps(roles),
                "at": self._at,
                "sort": after[0] if after else "",
                "after": window.after if after else "",
                "most": window.most + 1,
            },
        )
        return [(each["person"], each["name"] or nameless(each["person"])) for each in found]

    def name(self, person: str) -> str:
        """How somebody is called."""
        if person not in self._names:
            self._names[person] = name(self._db, self._at, person)
        return self._names[person]
