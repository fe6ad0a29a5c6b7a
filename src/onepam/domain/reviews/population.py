"""What a review is of: each role that somebody holds at one instant, folded from all the ways by which they do.

It is never copied. Whoever has the history folds it again, and the digest in `review.opened` says whether that is what
was reviewed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from onepam.domain.access.model import ConsoleRight, Permission, SubjectKind
from onepam.domain.history.event import plain
from onepam.domain.matrix.matrix import Matrix, Someone
from onepam.domain.reviews.events import Scope
from onepam.kernel.canonical import Json, encode
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """A binding by which somebody holds a role, and the group that it names; empty where it names the person."""

    binding: str
    group: str


@dataclass(frozen=True, slots=True)
class Item:
    """A role that a person holds, in this version of it, by these ways."""

    person: str
    role: str
    version: str
    ways: tuple[Way, ...]
    privileged: bool


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
        (not scope.people or person in scope.people)
        and (not scope.roles or role in scope.roles)
        and (not scope.privileged or is_privileged(permissions, console))
        and reaches
    )


def population(matrix: Matrix, people: Iterable[Someone], scope: Scope, now: Instant) -> tuple[Item, ...]:
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
    return tuple(found)


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
