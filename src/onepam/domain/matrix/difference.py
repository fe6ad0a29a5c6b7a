"""The role matrix as it is designed, held against what people can really do.

*Designed* is the file in force, read again from its text. *Actual* is what the tables say of an instant: definitions,
bindings from wherever they came, groups as they are filled, what reviews withhold, who is here. Where they differ
is a finding: what somebody can do that no role in force gives, and what the file gives that nobody holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.decision import HeldGrant
from onepam.domain.access.model import SubjectKind
from onepam.domain.matrix.matrix import SOURCE, BindingDefinition, Matrix, RoleDefinition, Someone
from onepam.kernel.clock import DAY, Instant

REVIEWED_WITHIN = 366 * DAY
"""A role is looked at by a review so often (microseconds)."""


class Differs(StrEnum):
    """How, in the order of what is to be looked at first; `words` says it."""

    UNDECLARED = "undeclared"
    OTHERWISE = "otherwise"
    BEYOND = "beyond"
    APART = "apart"
    WITHHELD = "withheld"
    ABSENT = "absent"
    NOBODY = "nobody"
    NOTHING = "nothing"
    OWNER = "owner"
    UNREVIEWED = "unreviewed"

    @property
    def words(self) -> str:
        """What it is called."""
        return _WORDS[self]


_WORDS: Mapping[Differs, str] = {
    Differs.UNDECLARED: "in force, and not in the file",
    Differs.OTHERWISE: "in force otherwise than the file says",
    Differs.BEYOND: "access that no role in force gives",
    Differs.APART: "roles that are kept apart, held together",
    Differs.WITHHELD: "given by the file, withheld by a review",
    Differs.ABSENT: "given to somebody who is not here",
    Differs.NOBODY: "a role that nobody holds",
    Differs.NOTHING: "a permission that reaches nothing",
    Differs.OWNER: "a role whose owner is not here",
    Differs.UNREVIEWED: "a role that no review has looked at for a year",
}
GIVES_MORE = frozenset({Differs.UNDECLARED, Differs.OTHERWISE, Differs.BEYOND, Differs.APART})
"""What people can do beyond the matrix; the rest is in the file and not in the world."""


@dataclass(frozen=True, slots=True)
class Found:
    """One difference: of a role, a person, a resource, "" where it is of none; `detail` in words, naming nobody."""

    differs: Differs
    role: str = ""
    person: str = ""
    resource: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Actual:
    """What is, as of an instant. `reviewed` is when a review decided on a role last, `since` since when the role is
    there. `held_back` are people whose account waits for somebody's word."""

    matrix: Matrix
    people: tuple[Someone, ...]
    grants: tuple[HeldGrant, ...]
    reviewed: Mapping[str, Instant]
    since: Mapping[str, Instant]


def difference(designed: Matrix | None, actual: Actual, now: Instant) -> tuple[Found, ...]:
    """All of it, by kind. `designed` is None where the text in force is not kept, or names somebody who is gone: then
    it is compared with nothing but itself."""
    here = {each.person for each in actual.people if each.present(now)}
    found = [
        *(_definitions(designed, actual.matrix) if designed is not None else ()),
        *_bindings(designed, actual.matrix),
        *_beyond(actual, now),
        *(
            Found(Differs.APART, person=each.person, detail=f"{' and '.join(each.roles)} ({each.separation})")
            for each in actual.matrix.broken(now)
            if each.person in here
        ),
        *_unheld(actual.matrix, here, now),
        *_roles(actual, here, now),
    ]
    order = {each: place for place, each in enumerate(Differs)}
    return tuple(sorted(found, key=lambda each: (order[each.differs], each.role, each.person, each.resource)))


def _definitions(designed: Matrix, actual: Matrix) -> Iterator[Found]:
    """Roles, resources and separations that are not what the file says: only a row that somebody slipped in is."""
    for name in sorted(designed.roles.keys() | actual.roles.keys()):
        if (differs := _differs(designed.roles.get(name), actual.roles.get(name))) is not None:
            yield Found(differs, role=name, detail="the role")
    for name in sorted(designed.resources.keys() | actual.resources.keys()):
        if (differs := _differs(designed.resources.get(name), actual.resources.get(name))) is not None:
            yield Found(differs, resource=name, detail="the resource")
    for name in sorted(designed.separations.keys() | actual.separations.keys()):
        if (differs := _differs(designed.separations.get(name), actual.separations.get(name))) is not None:
            yield Found(differs, detail=f"the separation {name}")
    for group in sorted(designed.groups.keys() | actual.groups.keys()):
        wanted = set(designed.groups.get(group, ()))
        there = {person for person, source in actual.groups.get(group, {}).items() if source == SOURCE}
        for person in sorted(there - wanted):
            yield Found(Differs.UNDECLARED, person=person, detail=f"a member of {group}")


def _differs(designed: object, actual: object) -> Differs | None:
    if designed == actual:
        return None
    return Differs.UNDECLARED if designed is None else Differs.OTHERWISE


def _bindings(designed: Matrix | None, actual: Matrix) -> Iterator[Found]:
    """Bindings of another source than the file, and of the file's those that it does not say."""
    for each in actual.bindings.values():
        undeclared = each.source != SOURCE or (designed is not None and each.binding not in designed.bindings)
        if undeclared and each.role in actual.roles:
            person = each.subject if each.subject_kind is SubjectKind.PERSON else ""
            to = f"to the group {each.subject}" if not person else "by name"
            yield Found(Differs.UNDECLARED, each.role, person, detail=f"given {to}, by {each.source}")


def _beyond(actual: Actual, now: Instant) -> Iterator[Found]:
    """Grants that run though nothing gives what they rest on."""
    for each in actual.grants:
        asked = each.substance
        binding = actual.matrix.bindings.get(each.binding)
        gives = binding is not None and binding.in_force(now) and actual.matrix.gives(binding, asked.person)
        role = actual.matrix.roles.get(asked.role)
        if each.ends > now and not (gives and role is not None and role.permission(asked.permission) is not None):
            yield Found(Differs.BEYOND, asked.role, asked.person, asked.resource, f"a grant as {asked.login}")


def _unheld(actual: Matrix, here: set[str], now: Instant) -> Iterator[Found]:
    for person, role in sorted(actual.withheld):
        if person in here and role in actual.roles:
            yield Found(Differs.WITHHELD, role, person)
    for each in actual.bindings.values():
        if each.subject_kind is SubjectKind.PERSON and each.role in actual.roles and each.subject not in here:
            yield Found(Differs.ABSENT, each.role, each.subject, detail=_over(each, now))


def _over(binding: BindingDefinition, now: Instant) -> str:
    return "" if binding.in_force(now) else "the binding has ended, too"


def _roles(actual: Actual, here: set[str], now: Instant) -> Iterator[Found]:
    held = {
        binding.role
        for binding in actual.matrix.bindings.values()
        if binding.in_force(now) and not here.isdisjoint(actual.matrix.members(binding))
    }
    for name, role in actual.matrix.roles.items():
        if name not in held:
            yield Found(Differs.NOBODY, name)
        yield from _reaches_nothing(role, actual.matrix)
        if role.owner not in here:
            yield Found(Differs.OWNER, name, role.owner)
        looked = max(actual.reviewed.get(name, Instant(0)), actual.since.get(name, now))
        if looked + REVIEWED_WITHIN <= now:
            yield Found(Differs.UNREVIEWED, name)


def _reaches_nothing(role: RoleDefinition, actual: Matrix) -> Iterator[Found]:
    for permission in role.permissions:
        if not any(
            permission.covers(each.labels) and any(permission.admits(login, each.logins) for login in each.logins)
            for each in actual.resources.values()
        ):
            yield Found(Differs.NOTHING, role.role, detail=permission.name)
