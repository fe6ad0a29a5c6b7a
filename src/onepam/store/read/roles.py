"""The role matrix as of an instant: roles by systems, and one role with everybody who holds it and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission
from onepam.domain.leaving.brake import gives
from onepam.domain.matrix.matrix import Matrix, ResourceDefinition, RoleDefinition
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import matrix, people
from onepam.store.read.directory_brake import holds
from onepam.store.read.names import Called


@dataclass(frozen=True, slots=True)
class System:
    """Resources that no permission can tell apart: the same labels and logins. `system` is the first one's name."""

    system: str
    labels: Mapping[str, str]
    logins: tuple[str, ...]
    resources: tuple[str, ...]


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
    """The whole matrix. `document` is the SHA-256 of the file in force `since`; both empty before the first one."""

    systems: tuple[System, ...]
    roles: tuple[RoleRow, ...]
    document: str
    since: Instant | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a role, by which binding (through which group, or empty), since when, until when, and why."""

    person: str
    name: str
    binding: str
    group: str
    since: Instant
    ends: Instant | None
    because: str
    change: str


@dataclass(frozen=True, slots=True)
class RolePage:
    """One role: what it is, what each permission reaches (resources by the permission's name), and who holds it."""

    role: RoleDefinition
    owner_name: str
    version: str
    change: str
    since: Instant
    reach: Mapping[str, tuple[str, ...]]
    holders: tuple[Holder, ...]


def roles(db: Snapshot, at: Instant) -> RoleMatrix:
    """All roles by all systems. People count while they are enabled, their binding is in force, and no hold takes from
    them what the role gives."""
    whole, called = matrix(db, at), Called(db, at)
    systems, present = _systems(whole), _present(db, at)
    applied = row(
        db,
        f"SELECT document, valid_from FROM change WHERE status = 'applied' AND {AT} ORDER BY valid_from DESC LIMIT 1",
        {"at": at},
    )
    return RoleMatrix(
        systems=systems,
        roles=tuple(
            _row(each, systems, len(present(each) & _holders(whole, name, at)), called)
            for name, each in whole.roles.items()
        ),
        document=applied["document"] if applied else "",
        since=applied["valid_from"] if applied else None,
    )


def role(db: Snapshot, at: Instant, name: str) -> RolePage | None:
    """One role as of `at`; None where there is none."""
    found = row(
        db, f"SELECT version, change, valid_from FROM role WHERE role = :role AND {AT}", {"role": name, "at": at}
    )
    if found is None:
        return None
    whole, called = matrix(db, at), Called(db, at)
    definition = whole.roles[name]
    return RolePage(
        role=definition,
        owner_name=called.get(definition.owner, definition.owner),
        version=found["version"],
        change=found["change"],
        since=found["valid_from"],
        reach={
            each.name: tuple(sorted(one.resource for one in whole.resources.values() if _logins(each, one)))
            for each in definition.permissions
        },
        holders=tuple(_holder_rows(db, at, whole, name, called)),
    )


def _systems(whole: Matrix) -> tuple[System, ...]:
    found: dict[object, list[ResourceDefinition]] = {}
    for each in whole.resources.values():
        found.setdefault((tuple(sorted(each.labels.items())), each.logins), []).append(each)
    return tuple(
        System(alike[0].resource, alike[0].labels, alike[0].logins, tuple(each.resource for each in alike))
        for _, alike in sorted(found.items(), key=str)
    )


def _row(role: RoleDefinition, systems: tuple[System, ...], held_by: int, called: Mapping[str, str]) -> RoleRow:
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
        )
        for each in role.permissions
        if (logins := _logins(each, system))
    )


def _logins(permission: Permission, where: System | ResourceDefinition) -> tuple[str, ...]:
    """The logins that the permission admits there; none where its selector does not cover it."""
    if not permission.covers(where.labels):
        return ()
    return tuple(login for login in where.logins if permission.admits(login, where.logins))


def _present(db: Snapshot, at: Instant) -> Callable[[RoleDefinition], set[str]]:
    """Who is there to hold a role: enabled, and not under a hold under which it gives nothing."""
    there, held = {each.person for each in people(db, at) if each.present(at)}, holds(db, at)
    return lambda role: {each for each in there if gives(role.console, held.get(each))}


def _holders(whole: Matrix, role: str, at: Instant) -> set[str]:
    bound = (each for each in whole.bindings.values() if each.role == role and each.in_force(at))
    return {person for each in bound for person in whole.members(each)}


def _holder_rows(db: Snapshot, at: Instant, whole: Matrix, role: str, called: Mapping[str, str]) -> list[Holder]:
    present, found = _present(db, at)(whole.roles[role]), []
    for binding in whole.bindings.values():
        if binding.role != role or not binding.in_force(at):
            continue
        stored = row(
            db,
            f"SELECT starts, change FROM binding WHERE binding = :binding AND {AT}",
            {"binding": binding.binding, "at": at},
        )
        assert stored is not None  # the matrix was read in the same snapshot
        found += [
            Holder(
                person=person,
                name=called.get(person, person),
                binding=binding.binding,
                group=binding.subject if binding.subject != person else "",
                since=stored["starts"],
                ends=binding.ends,
                because=binding.because,
                change=stored["change"],
            )
            for person in whole.members(binding)
            if person in present
        ]
    return sorted(found, key=lambda each: (each.name, each.person, each.binding))
