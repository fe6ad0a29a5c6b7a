"""What a file would change: the objects, the events, and who gains and loses by it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from onepam.domain.access.events import BindingAdded, BindingEnded, ResourceRemoved, ResourceSet, RoleRemoved, RoleSet
from onepam.domain.access.review_schedule import ReviewSchedule, ReviewsSet
from onepam.domain.access.separation import Breach, SeparationRemoved, SeparationSet
from onepam.domain.matrix.gains import Difference, differences
from onepam.domain.matrix.matrix import SOURCE, BindingDefinition, Matrix, ResourceDefinition, RoleDefinition
from onepam.domain.matrix.owning import owning
from onepam.domain.matrix.widening import widenings
from onepam.domain.matrix.words import changed, made
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved
from onepam.kernel.canonical import encode
from onepam.kernel.clock import FOREVER, Instant


class How(StrEnum):
    """What becomes of an object."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """A role, resource, group or binding, or the schedule of reviews, that becomes another. `what` are the fields that
    change, or the members.

    What `words.py` has words for stands there in words, a member stands there as `+person` or `-person`.
    """

    kind: str
    name: str
    how: How
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A change before it is made. `digest` binds it to the state before, the file, and the state after.

    `widenings` are the sentences why a second person is needed, beside what `differences` say people gain. `broken`
    are the separations that are broken after it; what it gives so itself, it cannot give.
    """

    before: Matrix
    after: Matrix
    document: str
    digest: str
    objects: tuple[ObjectChange, ...]
    differences: tuple[Difference, ...]
    widenings: tuple[str, ...]
    broken: tuple[Breach, ...] = ()

    @property
    def widens(self) -> bool:
        """Whether another authorised person must approve it."""
        return bool(self.widenings) or any(each.gains for each in self.differences)

    def gained_by(self, person: str) -> Difference | None:
        """What the person gains, or None."""
        return next((each for each in self.differences if each.gains and person in each.people), None)

    def summary(self) -> str:
        """The change in numbers; it stands in the ledger and names nobody."""
        counts = Counter((each.kind, each.how.value) for each in self.objects)
        gain = sum(len(each.people) for each in self.differences if each.gains)
        lose = sum(len(each.people) for each in self.differences if each.loses)
        objects = ", ".join(
            f"{number} {kind if number == 1 else kind + 's'} {how}" for (kind, how), number in counts.items()
        )
        return f"{objects or 'nothing changes'}; gain: {gain}, lose: {lose}"


def make_plan(before: Matrix, wanted: Matrix, document: str, now: Instant) -> Plan:
    """The plan from the state as it is to what a file wants. A file that says what is gives no objects."""
    after = _merged(before, wanted, now)
    named = encode([before.digest(), document, after.digest()])
    return Plan(
        before=before,
        after=after,
        document=document,
        digest=sha256(named).hexdigest(),
        objects=tuple(_objects(before, after)),
        differences=(
            *differences(before, after, now),
            *owning(before, after, now),
            *_excused(before, after, now),
        ),
        widenings=(*widenings(before, after), *_once_returned(before, after, now)),
        broken=tuple(_broken(before, after, now)),
    )


def plan_events(plan: Plan, change: str, by: str | None) -> tuple[object, ...]:
    """The events of the objects. What is taken away comes first: at no instant between does anybody hold more."""
    before, after = plan.before, plan.after
    return (
        *_bindings_ended(before, after, change, by),
        *(GroupMemberRemoved(group, person, source, by) for group, person, source in _members(before, after)),
        *(RoleRemoved(name, change, by) for name in sorted(before.roles.keys() - after.roles.keys())),
        *(ResourceRemoved(name, change, by) for name in sorted(before.resources.keys() - after.resources.keys())),
        *(_resource_set(each, change, by) for each in _other(before.resources, after.resources)),
        *(_role_set(each, change, by) for each in _other(before.roles, after.roles)),
        *(SeparationRemoved(name, change, by) for name in sorted(before.separations.keys() - after.separations.keys())),
        *(
            SeparationSet(each.separation, each.roles, each.because, each.excused, change, by)
            for each in _other(before.separations, after.separations)
        ),
        *(GroupMemberAdded(group, person, source, by) for group, person, source in _members(after, before)),
        *(_binding_added(each, change, by) for each in _other(before.bindings, after.bindings)),
        *((_reviews_set(after.reviews, change, by),) if before.reviews != after.reviews else ()),
    )


def _merged(before: Matrix, wanted: Matrix, now: Instant) -> Matrix:
    """The file's matrix with what other sources have put there; a binding that ended before it began is left out."""
    groups = {name: dict(members) for name, members in wanted.groups.items()}
    for name, members in before.groups.items():
        foreign = {person: source for person, source in members.items() if source != SOURCE}
        if foreign:
            groups[name] = {**groups.get(name, {}), **foreign}
    kept = {key: each for key, each in before.bindings.items() if each.source != SOURCE and each.role in wanted.roles}
    listed = {key: each for key, each in wanted.bindings.items() if each.in_force(now) or key in before.bindings}
    return replace(wanted, groups=groups, bindings={**listed, **kept}, withheld=before.withheld)


def _once_returned(before: Matrix, after: Matrix, now: Instant) -> tuple[str, ...]:
    """That somebody gains by it once a review withholds a role from them no longer: one person's word ends that."""
    people = frozenset(person for person, _ in before.withheld)
    free = [replace(each, withheld=frozenset[tuple[str, str]]()) for each in (before, after)]
    if people and any(each.gains for each in differences(free[0], free[1], now, people)):
        return ("what a review withholds from somebody: would give more once it is theirs again",)
    return ()


def _excused(before: Matrix, after: Matrix, now: Instant) -> Iterator[Difference]:
    """Whom separations excuse newly, or for longer: in doubt they gain by it."""
    for name, separation in sorted(after.separations.items()):
        old = before.separations.get(name)
        until = {each.person: each.ends for each in old.excused} if old is not None else {}
        for each in separation.excused:
            if each.ends > max(now, until.get(each.person, now)):
                yield Difference((each.person,), (), (), (), (), (), (), (name,))


def _broken(before: Matrix, after: Matrix, now: Instant) -> Iterator[Breach]:
    had = before.holding(frozenset(role for each in after.separations.values() for role in each.roles), now)
    for each in after.broken(now):
        yield replace(each, given=tuple(role for role in each.roles if role not in had.get(each.person, ())))


def _objects(before: Matrix, after: Matrix) -> Iterator[ObjectChange]:
    for name in sorted(before.groups.keys() | after.groups.keys()):
        old, new = before.groups.get(name, {}), after.groups.get(name, {})
        if old != new:
            how = How.CHANGED if old and new else How.CREATED if new else How.REMOVED
            gone = (f"-{person}" for person in sorted(old.keys() - new.keys()))
            come = (f"+{person}" for person in sorted(new.keys() - old.keys()))
            yield ObjectChange("group", name, how, (*come, *gone))
    yield from _changes("resource", before.resources, after.resources)
    yield from _changes("role", before.roles, after.roles)
    yield from _changes("separation", before.separations, after.separations)
    yield from _changes("binding", before.bindings, after.bindings)
    if before.reviews != after.reviews:
        yield ObjectChange("schedule", "reviews", How.CHANGED, tuple(changed(before.reviews, after.reviews)))


def _changes(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ObjectChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            what = tuple(made(new)) if new is not None else ()
            yield ObjectChange(kind, name, How.CREATED if old is None else How.REMOVED, what)
        elif old != new:
            yield ObjectChange(kind, name, How.CHANGED, tuple(changed(old, new)))


def _other(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Any]:
    """What is new or changed, in the order of the names."""
    return (each for name, each in sorted(after.items()) if before.get(name) != each)


def _members(these: Matrix, those: Matrix) -> Iterator[tuple[str, str, str]]:
    """The members (group, person, source) of `these` that `those` lack."""
    for group, members in sorted(these.groups.items()):
        others = those.groups.get(group, {})
        yield from ((group, person, source) for person, source in sorted(members.items()) if person not in others)


def _bindings_ended(before: Matrix, after: Matrix, change: str, by: str | None) -> Iterator[BindingEnded]:
    """Those that are gone, and those whose end moved nearer: who follows looks again at what rests on them."""
    for key, old in sorted(before.bindings.items()):
        new = after.bindings.get(key)
        if new is None:
            yield BindingEnded(key, "binding.removed" if old.role in after.roles else "role.removed", change, by)
        elif (new.ends or FOREVER) < (old.ends or FOREVER):
            yield BindingEnded(key, "binding.shortened", change, by)


def _resource_set(resource: ResourceDefinition, change: str, by: str | None) -> ResourceSet:
    return ResourceSet(
        resource=resource.resource,
        kind=resource.kind,
        labels=resource.labels,
        owner=resource.owner,
        logins=resource.logins,
        pins=resource.pins,
        port=resource.port,
        change=change,
        by=by,
        address=resource.address,
        mfa=resource.mfa,
        environment=resource.environment,
        mask=resource.mask,
        results=resource.results,
        session_users=resource.session_users,
    )


def _role_set(role: RoleDefinition, change: str, by: str | None) -> RoleSet:
    return RoleSet(
        role=role.role,
        version=role.version(),
        purpose=role.purpose,
        owner=role.owner,
        permissions=role.permissions,
        console=role.console,
        change=change,
        by=by,
    )


def _binding_added(binding: BindingDefinition, change: str, by: str | None) -> BindingAdded:
    return BindingAdded(
        binding=binding.binding,
        role=binding.role,
        subject_kind=binding.subject_kind,
        subject=binding.subject,
        ends=binding.ends,
        source=binding.source,
        because=binding.because,
        change=change,
        by=by,
    )


def _reviews_set(schedule: ReviewSchedule, change: str, by: str | None) -> ReviewsSet:
    return ReviewsSet(
        every=schedule.every,
        lasts=schedule.lasts,
        suspends=schedule.suspends,
        fallback=schedule.fallback,
        holidays=schedule.holidays,
        on=schedule.on,
        change=change,
        by=by,
    )
