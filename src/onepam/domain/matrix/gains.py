"""Who gains and who loses what between two matrices.

Not person by person and resource by resource: people who hold the same roles before and the same roles after are one
class, resources whose labels and logins are the same before and the same after are another. What is compared is a
permission's reach over classes, as sets. So 5,000 people and 10,000 resources cost what their roles and labels cost.

An access is better than another when it lasts longer, needs no request or takes less to ask for, is held until later,
or has wider guardrails.
Somebody *gains* what is better than all they had for the same resource, login and action.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from onepam.domain.access.asked_words import asking_words
from onepam.domain.access.guardrails import as_wide
from onepam.domain.access.model import Action, ConsoleRight, Mode, Permission
from onepam.domain.matrix.matrix import Matrix, ResourceDefinition
from onepam.domain.matrix.widening import asks_less
from onepam.kernel.clock import FOREVER, Instant

K = TypeVar("K", bound=Hashable)

Reaches = Mapping[str, frozenset[int]]
"""Login -> the classes of resources that a permission reaches as that login."""

Roles = frozenset[tuple[str, Instant]]
"""The roles that somebody holds, each until when."""


@dataclass(frozen=True, slots=True)
class Access:
    """Actions on resources as logins. `longest` is in microseconds; `ends` is None while the binding has no end.
    `passes` says in words which statements of a database pass, "" where all do or there are none; `asks` what asking
    takes beyond a yes, and what else may be asked for, "" where nothing is said."""

    resources: tuple[str, ...]
    logins: tuple[str, ...]
    actions: tuple[Action, ...]
    mode: Mode
    longest: int
    ends: Instant | None
    role: str
    permission: str
    passes: str = ""
    asks: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What the same people gain and lose. `approves_*` name the permissions (`role/permission`) they may approve."""

    people: tuple[str, ...]
    gained: tuple[Access, ...]
    lost: tuple[Access, ...]
    console_gained: tuple[ConsoleRight, ...]
    console_lost: tuple[ConsoleRight, ...]
    approves_gained: tuple[str, ...]
    approves_lost: tuple[str, ...]
    excused: tuple[str, ...] = ()
    """Separations of roles that these people are newly excused from, or for longer."""

    @property
    def gains(self) -> bool:
        """Whether these people gain anything at all."""
        return bool(self.gained or self.console_gained or self.approves_gained or self.excused)

    @property
    def loses(self) -> bool:
        """Whether these people lose anything at all."""
        return bool(self.lost or self.console_lost or self.approves_lost)


@dataclass(frozen=True, slots=True)
class _Option:
    role: str
    permission: Permission
    ends: Instant

    def covers(self, other: "_Option") -> bool:
        """At least as good, where both reach."""
        mine, its = self.permission, other.permission
        return (
            mine.longest >= its.longest
            and self.ends >= other.ends
            and (mine.mode is Mode.STANDING or (its.mode is Mode.REQUEST and not any(asks_less(mine.asks, its.asks))))
            and as_wide(mine.guardrails, its.guardrails)
        )


def differences(
    before: Matrix, after: Matrix, now: Instant, among: frozenset[str] | None = None
) -> tuple[Difference, ...]:
    """Everybody (of `among`, if given) who gains or loses anything, in classes of people for whom it is the same."""
    catalogue = _Catalogue(before.resources, after.resources)
    old, new = _Side(before, now), _Side(after, now)
    classes: dict[tuple[Roles, Roles], list[str]] = {}
    concerned = old.held.keys() | new.held.keys()
    for person in sorted(concerned if among is None else concerned & among):
        classes.setdefault((old.held.get(person, frozenset()), new.held.get(person, frozenset())), []).append(person)
    found = (_difference(tuple(people), (old, had), (new, has), catalogue) for (had, has), people in classes.items())
    return tuple(each for each in found if each.gains or each.loses)


class _Side:
    """One matrix, asked for what roles give."""

    def __init__(self, matrix: Matrix, now: Instant) -> None:
        self._roles = matrix.roles
        self._approves: dict[str, list[str]] = {}
        for role in matrix.roles.values():
            for permission in role.permissions:
                for approver in permission.all_deciders:
                    self._approves.setdefault(approver, []).append(f"{role.role}/{permission.name}")
        self.held = _held(matrix, now)

    def options(self, roles: Roles) -> list[_Option]:
        """The permissions that the roles give."""
        return [_Option(role, each, ends) for role, ends in sorted(roles) for each in self._roles[role].permissions]

    def console(self, roles: Roles) -> dict[ConsoleRight, Instant]:
        """The console rights that the roles give, and until when."""
        return _latest((right, ends) for role, ends in roles for right in self._roles[role].console)

    def approves(self, roles: Roles) -> dict[str, Instant]:
        """The permissions that the roles let one approve requests for, and until when."""
        return _latest(
            (each, ends)
            for role, ends in roles
            if ConsoleRight.APPROVE in self._roles[role].console
            for each in self._approves.get(role, ())
        )


def _held(matrix: Matrix, now: Instant) -> dict[str, Roles]:
    held: dict[str, dict[str, Instant]] = {}
    for binding in matrix.bindings.values():
        if binding.role in matrix.roles and binding.in_force(now):
            ends = FOREVER if binding.ends is None else binding.ends
            for person in matrix.members(binding):
                roles = held.setdefault(person, {})
                roles[binding.role] = max(ends, roles.get(binding.role, ends))
    return {person: frozenset(roles.items()) for person, roles in held.items()}


def _latest(pairs: Iterable[tuple[K, Instant]]) -> dict[K, Instant]:
    found: dict[K, Instant] = {}
    for key, ends in pairs:
        found[key] = max(ends, found.get(key, ends))
    return found


def _difference(
    people: tuple[str, ...], old: tuple[_Side, Roles], new: tuple[_Side, Roles], catalogue: "_Catalogue"
) -> Difference:
    (was, had), (becomes, has) = old, new
    before, after = was.options(had), becomes.options(has)
    console_before, console_after = was.console(had), becomes.console(has)
    approves_before, approves_after = was.approves(had), becomes.approves(has)
    return Difference(
        people=people,
        gained=_better(after, before, catalogue, forward=True),
        lost=_better(before, after, catalogue, forward=False),
        console_gained=_more(console_after, console_before),
        console_lost=_more(console_before, console_after),
        approves_gained=_more(approves_after, approves_before),
        approves_lost=_more(approves_before, approves_after),
    )


def _more(these: Mapping[K, Instant], those: Mapping[K, Instant]) -> tuple[K, ...]:
    """What `these` have and `those` have not, or not for so long."""
    return tuple(sorted((key for key, ends in these.items() if key not in those or those[key] < ends), key=str))


def _better(
    these: list[_Option], those: list[_Option], catalogue: "_Catalogue", *, forward: bool
) -> tuple[Access, ...]:
    """What `these` options give that none of `those` gives as well. `forward`: these are after, those before."""
    found = []
    for option in these:
        left: dict[tuple[str, frozenset[int]], list[Action]] = {}
        rivals = [other for other in those if other.covers(option)]
        same = any(option.role == other.role and option.permission == other.permission for other in rivals)
        reach = catalogue.fresh(option.permission, forward) if same else catalogue.reach(option.permission, forward)
        for login, classes in reach.items():
            for action in option.permission.actions:
                if rest := _rest(login, action, classes, rivals, catalogue, forward):
                    left.setdefault((login, rest), []).append(action)
        found += _accesses(option, left, catalogue)
    return tuple(found)


def _rest(
    login: str, action: Action, classes: frozenset[int], rivals: list[_Option], catalogue: "_Catalogue", forward: bool
) -> frozenset[int]:
    for other in rivals:
        if action in other.permission.actions:
            classes = classes - catalogue.reach(other.permission, not forward).get(login, frozenset())
        if not classes:
            break
    return classes


def _accesses(
    option: _Option, left: Mapping[tuple[str, frozenset[int]], list[Action]], catalogue: "_Catalogue"
) -> list[Access]:
    """The logins that are left with the same actions on the same resources in one line."""
    logins: dict[tuple[frozenset[int], tuple[Action, ...]], list[str]] = {}
    for (login, classes), actions in left.items():
        logins.setdefault((classes, tuple(actions)), []).append(login)
    return [
        Access(
            resources=catalogue.names(classes),
            logins=tuple(sorted(names)),
            actions=actions,
            mode=option.permission.mode,
            longest=option.permission.longest,
            ends=None if option.ends == FOREVER else option.ends,
            role=option.role,
            permission=option.permission.name,
            passes=guardrails.words() if (guardrails := option.permission.guardrails) is not None else "",
            asks="; ".join(asking_words(option.permission.asks)),
        )
        for (classes, actions), names in logins.items()
    ]


class _Catalogue:
    """Resources in classes: one class = the same labels and logins before, and the same after."""

    def __init__(self, before: Mapping[str, ResourceDefinition], after: Mapping[str, ResourceDefinition]) -> None:
        classes: dict[object, list[str]] = {}
        for name in sorted(before.keys() | after.keys()):
            classes.setdefault((_shape(before.get(name)), _shape(after.get(name))), []).append(name)
        self._members = list(classes.values())
        self._sides = tuple(_Index(side, self._members) for side in (before, after))
        self._fresh: dict[tuple[object, bool], Reaches] = {}
        self._names: dict[frozenset[int], tuple[str, ...]] = {}

    def reach(self, permission: Permission, forward: bool) -> Reaches:
        """What the permission reaches after (`forward`) or before."""
        return self._sides[forward].reach(permission)

    def fresh(self, permission: Permission, forward: bool) -> Reaches:
        """What the permission reaches on this side and not on the other, for resources changed: usually nothing."""
        key = (_selection(permission), forward)
        if key not in self._fresh:
            other = self.reach(permission, not forward)
            rest = {
                login: classes - other.get(login, frozenset())
                for login, classes in self.reach(permission, forward).items()
            }
            self._fresh[key] = {login: classes for login, classes in rest.items() if classes}
        return self._fresh[key]

    def names(self, classes: frozenset[int]) -> tuple[str, ...]:
        """The resources of some classes; one tuple for all who ask."""
        if classes not in self._names:
            self._names[classes] = tuple(sorted(name for each in classes for name in self._members[each]))
        return self._names[classes]


class _Index:
    """One side's classes by label, and the reach of each selection that was asked for."""

    def __init__(self, side: Mapping[str, ResourceDefinition], members: list[list[str]]) -> None:
        self._logins: dict[int, tuple[str, ...]] = {}
        self._labelled: dict[tuple[str, str], set[int]] = {}
        self._reach: dict[object, Reaches] = {}
        for number, names in enumerate(members):
            resource = side.get(names[0])
            if resource is not None:
                self._logins[number] = resource.logins
                for label in resource.labels.items():
                    self._labelled.setdefault(label, set()).add(number)

    def reach(self, permission: Permission) -> Reaches:
        """See `Permission.covers` and `Permission.admits`: the same, over classes."""
        key = _selection(permission)
        if key not in self._reach:
            labelled = [self._labelled.get(label, set()) for label in permission.where.items()]
            by_login: dict[str, set[int]] = {}
            for number in set.intersection(*labelled) if labelled else ():
                for login in self._logins[number]:
                    if "*" in permission.logins or login in permission.logins:
                        by_login.setdefault(login, set()).add(number)
            self._reach[key] = {login: frozenset(numbers) for login, numbers in sorted(by_login.items())}
        return self._reach[key]


def _selection(permission: Permission) -> object:
    return tuple(sorted(permission.where.items())), permission.logins


def _shape(resource: ResourceDefinition | None) -> object:
    return resource and (tuple(sorted(resource.labels.items())), resource.logins)
