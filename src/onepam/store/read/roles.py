"""The role matrix as of an instant: some roles by some systems."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter

from onepam.app.ports import Snapshot
from onepam.domain.access.guardrails import Guardrails
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission
from onepam.domain.leaving.brake import gives
from onepam.domain.matrix.matrix import ResourceDefinition, RoleDefinition
from onepam.kernel.clock import Instant
from onepam.kernel.text import natural
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import role_definition
from onepam.store.facts.holders import PRESENT, holders
from onepam.store.read.directory_brake import holds
from onepam.store.read.names import Called
from onepam.store.read.paging import Page, Window
from onepam.store.read.resources import CALLED

ROLES, SYSTEMS = 12, 16
"""How many of each a page of the matrix has, where nobody says otherwise: as many as a screen of 1440 by 900 shows."""
OTHER = "other"
"""The group of the systems that have not the label by which systems stand together."""


@dataclass(frozen=True, slots=True)
class MatrixFilter:
    """Which part of the matrix; what is "" narrows nothing.

    `role` is a part of a role's name or purpose, `system` one of a resource's name or of a label `key=value`. `by` is
    the label by which systems stand together.
    """

    role: str = ""
    system: str = ""
    by: str = "env"


@dataclass(frozen=True, slots=True)
class System:
    """Resources that no permission can tell apart: the same labels and logins. `system` is the first one's name,
    `group` the value of the label by which systems stand together."""

    system: str
    labels: Mapping[str, str]
    logins: tuple[str, ...]
    resources: tuple[str, ...]
    group: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one permission of a role gives on one system; `people` hold it. `longest` is in microseconds."""

    permission: str
    actions: tuple[Action, ...]
    logins: tuple[str, ...]
    mode: Mode
    longest: int
    approvers: tuple[str, ...]
    administrative: bool
    privileged: bool
    people: int
    guardrails: Guardrails | None = None


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role, and its cells by the name of the system; a system that it does not reach is not there."""

    role: str
    purpose: str
    owner: str
    owner_name: str
    version: str
    console: tuple[ConsoleRight, ...]
    administrative: bool
    people: int
    cells: Mapping[str, tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class RoleMatrix:
    """A page of roles by a page of systems. `labels` are those by which systems can stand together, `document` is the
    SHA-256 of the file in force `since`; both empty before the first one."""

    systems: Page[System]
    roles: Page[RoleRow]
    labels: tuple[str, ...]
    document: str
    since: Instant | None


_WHICH = f"""
FROM role WHERE {AT} AND (:search = '' OR instr(lower(role), :search) > 0 OR instr(lower(purpose), :search) > 0)
"""
_ALIKE = f"SELECT resource, labels, logins FROM resource WHERE {AT} AND (:search = '' OR {CALLED}) ORDER BY sort"
_THESE = "b.role IN (SELECT value FROM json_each(:roles))"
_COUNTED = f"""
SELECT h.role, count(*) AS people FROM ({holders(_THESE, "b.role, ")}) h JOIN person p ON p.person = h.person
WHERE {PRESENT} GROUP BY h.role"""
_HELD = f"""
SELECT h.role, h.person FROM ({holders(_THESE, "b.role, ")}) h JOIN person p ON p.person = h.person
JOIN person_hold k ON k.person = h.person AND k.valid_from <= :at AND :at < k.valid_until WHERE {PRESENT}"""


def roles(
    db: Snapshot,
    at: Instant,
    which: MatrixFilter | None = None,
    window: Window | None = None,
    across: Window | None = None,
) -> RoleMatrix:
    """The roles of `window` by name, by the systems of `across`, those first that any of these roles reaches (by all
    systems, where that is None). People count while they are enabled, their binding is in force, and no hold takes from
    them what the role gives."""
    which, window = which or MatrixFilter(), window or Window(size=ROLES)
    alike, page = _systems(db, at, which), _page(db, at, which, window)
    systems = Page(alike, len(alike), "") if across is None else _part(_reached_first(alike, page.rows), across)
    counted, called = _people(db, at, page.rows), Called(db, at)
    applied = row(
        db,
        f"SELECT document, valid_from FROM change WHERE status = 'applied' AND {AT} ORDER BY valid_from DESC LIMIT 1",
        {"at": at},
    )
    return RoleMatrix(
        systems=systems,
        roles=page.map(lambda shown: (_row(each, systems.rows, counted.get(each.role, 0), called) for each in shown)),
        labels=tuple(sorted({label for each in alike for label in each.labels})),
        document=applied["document"] if applied else "",
        since=applied["valid_from"] if applied else None,
    )


def _page(db: Snapshot, at: Instant, which: MatrixFilter, window: Window) -> Page[RoleDefinition]:
    values = {"at": at, "search": which.role.strip().casefold()}
    after = row(db, f"SELECT sort FROM role WHERE role = :role AND {AT}", {"role": window.after, "at": at})
    found = rows(
        db,
        f"SELECT * {_WHICH} AND sort >= :sort AND (sort > :sort OR role > :after) ORDER BY sort, role LIMIT :most",
        {**values, "sort": after[0] if after else "", "after": window.after if after else "", "most": window.most + 1},
    )
    counted = row(db, f"SELECT count(*) {_WHICH}", values)
    page: Page[Row] = Page.of(found, window, counted[0] if counted else 0, itemgetter("role"))
    return page.map(lambda shown: map(role_definition, shown))


def _systems(db: Snapshot, at: Instant, which: MatrixFilter) -> tuple[System, ...]:
    """Those of one group stand together; within it by the first resource's name."""
    alike: dict[tuple[str, str], list[str]] = {}
    for each in rows(db, _ALIKE, {"at": at, "search": which.system.strip().casefold()}):
        alike.setdefault((each["labels"], each["logins"]), []).append(each["resource"])
    found = (
        System(members[0], known := json.loads(labels), tuple(json.loads(logins)), tuple(members),
               known.get(which.by, OTHER))
        for (labels, logins), members in alike.items()
    )  # fmt: skip
    return tuple(sorted(found, key=lambda each: (natural(each.group), natural(each.system))))


def _reached_first(alike: Sequence[System], shown: Sequence[RoleDefinition]) -> tuple[System, ...]:
    """In a large company a role reaches few systems: else a page of some roles by some systems is empty squares."""
    given = [permission for role in shown for permission in role.permissions]
    return tuple(sorted(alike, key=lambda each: not any(_logins(permission, each) for permission in given)))


def _part(alike: Sequence[System], across: Window) -> Page[System]:
    """There are few systems: which they are is known once all resources were looked at."""
    begins = next((place for place, each in enumerate(alike, 1) if each.system == across.after), 0)
    return Page.of(alike[begins : begins + across.most + 1], across, len(alike), attrgetter("system"))


def _people(db: Snapshot, at: Instant, shown: Sequence[RoleDefinition]) -> dict[str, int]:
    """How many people hold each of these roles, to whom it gives something."""
    console = {each.role: each.console for each in shown}
    of = {"roles": json.dumps(list(console)), "at": at}
    counted: dict[str, int] = {each["role"]: each["people"] for each in rows(db, _COUNTED, of)}
    if held := holds(db, at):
        for each in rows(db, _HELD, of):
            counted[each["role"]] -= not gives(console[each["role"]], held.get(each["person"]))
    return counted


def _row(role: RoleDefinition, systems: Sequence[System], held_by: int, called: Mapping[str, str]) -> RoleRow:
    cells = {each.system: _cells(role, each, held_by) for each in systems}
    return RoleRow(
        role=role.role,
        purpose=role.purpose,
        owner=role.owner,
        owner_name=called.get(role.owner, role.owner),
        version=role.version(),
        console=role.console,
        administrative=any(each.administrative for each in role.permissions),
        people=held_by,
        cells={system: found for system, found in cells.items() if found},
    )


def _cells(role: RoleDefinition, system: System, held_by: int) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            permission=each.name,
            actions=each.actions,
            logins=logins,
            mode=each.mode,
            longest=each.longest,
            approvers=each.approvers,
            administrative=each.administrative,
            privileged=each.privileged(system.labels),
            people=held_by,
            guardrails=each.guardrails,
        )
        for each in role.permissions
        if (logins := _logins(each, system))
    )


def _logins(permission: Permission, where: System | ResourceDefinition) -> tuple[str, ...]:
    """The logins that the permission admits there; none where its selector does not cover it."""
    if not permission.covers(where.labels):
        return ()
    return tuple(login for login in where.logins if permission.admits(login, where.logins))
