"""What a review is of: each role that somebody holds at one instant, folded from all the ways by which they do; and
what they hold in each other system, by the lists of its accounts and as members of a directory's groups.

It is never copied. Whoever has the history folds it again, and the digest in `review.opened` says whether that is what
was reviewed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType

from onepam.domain.access.model import ConsoleRight, Permission, SubjectKind
from onepam.domain.history.event import plain
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.domain.reviews.events import Scope
from onepam.kernel.canonical import Json, encode
from onepam.kernel.clock import Instant

SYSTEM, SCIM = "system:", "scim:"
"""Before the name of another system, and of a directory, where an item is of that and of no role."""

Beyond = Mapping[tuple[str, str], tuple["Way", ...]]
"""What people hold in other systems, by person and system."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A binding by which somebody holds a role, and the group that it names; empty where it names the person. Of
    another system an account and a right of it, of a directory only the group."""

    binding: str
    group: str


@dataclass(frozen=True, slots=True)
class Item:
    """A role that a person holds, in this version of it, by these ways; or `role` is another system (`system:payroll`,
    `scim:entra`), which has no version."""

    person: str
    role: str
    version: str
    ways: tuple[Way, ...]
    privileged: bool


def is_beyond(role: str) -> bool:
    """Whether an item is of another system, and not of a role: nothing of it is ours to withhold."""
    return role.startswith((SYSTEM, SCIM))


def held_in(ways: Iterable[tuple[str, str, Way]]) -> dict[tuple[str, str], tuple[Way, ...]]:
    """What people hold in other systems, of each way by which they do: person, system, way."""
    found: dict[tuple[str, str], set[Way]] = {}
    for person, system, way in ways:
        found.setdefault((person, system), set()).add(way)
    return {key: tuple(sorted(each)) for key, each in found.items()}


def is_privileged(permissions: Iterable[Permission], console: Iterable[ConsoleRight]) -> bool:
    """Whether a role has a say in OnePAM, or gives something privileged on a resource that is there or may come."""
    return any(True for _ in console) or any(each.may_be_privileged() for each in permissions)


def in_scope(
    scope: Scope,
    person: str,
    role: str,
    permissions: tuple[Permission, ...],
    console: tuple[ConsoleRight, ...],
    labels: Mapping[str, Mapping[str, str]],
) -> bool:
    """Whether a review of that scope is of the role of the person. `labels` are those of each resource."""
    reaches = not scope.resources or any(
        each.covers(labels[name]) for name in scope.resources if name in labels for each in permissions
    )
    return (
        not scope.systems
        and (not scope.people or person in scope.people)
        and (not scope.roles or role in scope.roles)
        and (not scope.privileged or is_privileged(permissions, console))
        and reaches
    )


def beyond_in_scope(scope: Scope, person: str, system: str) -> bool:
    """Whether a review of that scope is of what the person holds in another system: one of roles, of resources or of
    what is privileged here is not."""
    return (
        not (scope.roles or scope.resources or scope.privileged)
        and (not scope.people or person in scope.people)
        and (not scope.systems or system in scope.systems)
    )


def unbound(ways: Iterable[Way], bound: Collection[str]) -> tuple[Way, ...]:
    """The ways but for memberships in groups that roles are bound to: those are items of their roles."""
    return tuple(each for each in ways if each.binding or each.group not in bound)


def population(
    matrix: Matrix, people: Iterable[Someone], scope: Scope, now: Instant, beyond: Beyond = MappingProxyType({})
) -> tuple[Item, ...]:
    """The items in the order of person and role. What is withheld from somebody is none of theirs."""
    here = {each.person for each in people if each.present(now)}
    labels = {name: each.labels for name, each in matrix.resources.items()}
    ways: dict[tuple[str, str], set[Way]] = {}
    for binding in matrix.bindings.values():
        if binding.role in matrix.roles and binding.in_force(now):
            way = Way(binding.binding, binding.subject if binding.subject_kind is SubjectKind.GROUP else "")
            for person in matrix.members(binding):
                ways.setdefault((person, binding.role), set()).add(way)
    versions = {name: role.version() for name, role in matrix.roles.items()}
    found = []
    for (person, name), by in sorted(ways.items()):
        role = matrix.roles[name]
        if person in here and in_scope(scope, person, name, role.permissions, role.console, labels):
            weighs = is_privileged(role.permissions, role.console)
            found.append(Item(person, name, versions[name], tuple(sorted(by)), weighs))
    bound = bound_groups(matrix, now)
    for (person, system), all_ways in beyond.items():
        if person in here and beyond_in_scope(scope, person, system) and (left := unbound(all_ways, bound)):
            found.append(Item(person, system, "", left, False))
    return tuple(sorted(found, key=lambda each: (each.person, each.role)) if beyond else found)


def bound_groups(matrix: Matrix, now: Instant) -> frozenset[str]:
    """The groups that roles are bound to."""
    groups = (each for each in matrix.bindings.values() if each.subject_kind is SubjectKind.GROUP)
    return frozenset(each.subject for each in groups if each.role in matrix.roles and each.in_force(now))


def digest(items: Iterable[Item], matrix: Matrix) -> str:
    """Hex SHA-256 over the items, and over what their roles select from: the labels and logins of every resource."""
    lines: list[Json] = [
        ["item", each.person, each.role, each.version, [[way.binding, way.group] for way in each.ways]]
        for each in items
    ]
    lines += [
        ["resource", name, plain(each.labels), plain(each.logins)] for name, each in sorted(matrix.resources.items())
    ]
    return sha256(b"\n".join(encode(line) for line in lines)).hexdigest()
