"""What a change of the roles widens, and who gains by it: worked out from the entries, whatever the change says.

What is so before the change is what the entries had said; what it sets is noted as it was. So what is asked once the
command is over compares the two: a role that reaches more, a resource that somebody reaches now, a member of a group
that gives something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from onepam.kernel.instant import FOREVER, HOUR
from onepam.ledger.lawful.guardrails import as_wide, hides, keeps
from onepam.ledger.lawful.known import Binding, Resource, Role
from onepam.ledger.lawful.rule import Later, Why
from onepam.ledger.lawful.standing import APPROVE, rights
from onepam.ledger.lawful.state import State

Held = Mapping[str, int]
"""The roles that somebody holds, and until when."""

NOBODY_ELSE = "and nobody else had approved the change"

OWNER = "resource:owner"
"""Among the deciders of a permission: whoever owns the resource."""

_STANDING = "standing"
_KEEPS = ("head_tail", None, "whole")
_NO_RULE: Mapping[str, Any] = {}
_PLAINLY: Mapping[str, Any] = {
    "ticket": "", "ticketed": False, "ahead": 0, "weekly": 0, "approvals": 1, "escalates": 0, "then": [],
    "first_use": False, "unasked": None,
}  # fmt: skip


@dataclass
class Was:
    """What the roles and resources that the command sets were before it, None where there were none; and what was
    worked out already, for everybody of whom the same is asked."""

    roles: dict[str, Role | None] = field(default_factory=dict)
    resources: dict[str, Resource | None] = field(default_factory=dict)
    gained: dict[object, bool] = field(default_factory=dict)
    reaching: dict[tuple[str, str], list[Mapping[str, Any]]] | None = None


def was_of(state: State) -> Was:
    """That of the command."""
    found: Was = state.kept.setdefault("was", Was())
    return found


def wider_role(was: Role, role: Role) -> Iterator[str]:
    """What the role gives beyond what it gave."""
    for right in sorted(role.console - was.console):
        yield f"the right to {right}"
    for name, now in role.permissions.items():
        old = was.permissions.get(name)
        if old is None:
            yield f"the permission {name}"
        elif any(_wider_permission(old, now)):
            yield f"more by the permission {name}"


def _wider_permission(old: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[bool]:
    yield not set(now["actions"]) <= set(old["actions"])
    yield not old["where"].items() <= now["where"].items() or (not old["where"] and bool(now["where"]))
    yield "*" not in old["logins"] and not set(now["logins"]) <= set(old["logins"])
    yield now["longest"] > old["longest"]
    yield now["mode"] == _STANDING != old["mode"]
    yield now["mode"] == old["mode"] and now["approvers"] != old["approvers"]
    yield now["mode"] == old["mode"] != _STANDING and _asks_less(asking(old), asking(now))
    yield old["administrative"] and not now["administrative"]
    yield _KEEPS.index(now["recording"]) < _KEEPS.index(old["recording"])
    yield not as_wide(old["guardrails"], now["guardrails"])


def asking(permission: Mapping[str, Any]) -> Mapping[str, Any]:
    """How a permission may be asked for; an entry of before it was told says nothing of it."""
    return {**_PLAINLY, **(permission.get("asking") or {})}


def deciders(permission: Mapping[str, Any]) -> list[str]:
    """The roles whose holders may come to decide."""
    return [*permission["approvers"], *asking(permission)["then"]]


def _asks_less(old: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    fewer: bool = now["approvals"] < old["approvals"] or now["ahead"] > old["ahead"] or now["weekly"] > old["weekly"]
    ticket: bool = (old["ticketed"] and not now["ticketed"]) or (old["ticket"] != "" and now["ticket"] != old["ticket"])
    others = [now["escalates"], now["then"]] != [old["escalates"], old["then"]]
    clock = now["first_use"] and not old["first_use"]
    return fewer or ticket or clock or (bool(now["then"]) and others) or _asks_nobody(old["unasked"], now["unasked"])


def _asks_nobody(old: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    """Whether a rule approves more than the one before."""
    if now is None:
        return False
    if old is None or now["longest"] > old["longest"] or now["most"] > old["most"]:
        return True
    return old.get("hours") is not None and now.get("hours") != old["hours"]


def set_alone(state: State, was: Was, name: str, owner: str | None) -> Why:
    """What a resource, which `owner` owned before, opens by one person's word."""
    before, resource = was.resources[name], state.resources[name]
    if before is not None:
        yield from (f"it opens {what}, {NOBODY_ELSE}" for what in wider_resource(before, resource))
    else:
        yield Later(f"somebody reaches it, {NOBODY_ELSE}", lambda: reached(state, was, name))
    if state.owners[name] != owner:
        yield Later(f"its owner decides on requests for it, {NOBODY_ELSE}", lambda: decides_as_owner(state, name))


def wider_resource(was: Resource, resource: Resource) -> Iterator[str]:
    """By what the resource is open to more than it was, but for its address, which a payload has."""
    old, now = was.mfa or _NO_RULE, resource.mfa or _NO_RULE
    if was.target != resource.target:
        yield "what the target is known by"
    if was.labels != resource.labels:
        yield "its labels"
    if not set(resource.logins) <= set(was.logins):
        yield "its logins"
    if not resource.environment <= was.environment:
        yield "the variables that it takes"
    if not hides(resource.mask, was.mask):
        yield "what of its data is masked"
    if not keeps(was.results, resource.results):
        yield "what of its results is recorded"
    if resource.session_users != was.session_users:
        yield "what users are made for its sessions"
    if _age(now) > _age(old) or any(old.get(each) and not now.get(each) for each in ("phishing_resistant", "fresh")):
        yield "the second factor that it asks"


def _age(rule: Mapping[str, Any]) -> int:
    longest: int = 12 * HOUR if rule.get("max_age") is None else min(rule["max_age"], 12 * HOUR)
    return longest


def later_end(was: Binding | None, binding: Binding) -> bool:
    """Whether the binding is new, or ends later than it did."""
    return was is None or _end(binding) > _end(was)


def held_by(state: State, who: str) -> Held:
    """The roles that bindings in force give to somebody, and until when."""
    found: dict[str, int] = {}
    person = state.people.get(who)
    for binding in state.bindings_of(person) if person is not None else ():
        if _end(binding) > state.begun:
            found[binding.role] = max(_end(binding), found.get(binding.role, 0))
    return found


def kept_apart(state: State, who: str, role: str, *, lent: bool = False) -> bool:
    """Whether somebody holds the role (or has it `lent`, by whoever named them) and another that is kept apart from it,
    and is not excused."""
    held: Held | None = None
    for each in state.separations.values():
        if role in each["roles"]:
            held = {**held_by(state, who), **({role: FOREVER} if lent else {})} if held is None else held
            excused = any(one["person"] == who and one["ends"] > state.begun for one in each["excused"])
            if not excused and role in held and sum(other in held for other in each["roles"]) > 1:
                return True
    return False


def brought_together(state: State, role: str, given: Iterable[str]) -> Why:
    """That whoever is given the role, and did not hold it, holds it with one that is kept apart from it."""
    if any(role in each["roles"] for each in state.separations.values()):
        for who in sorted(given):
            if role not in held_by(state, who):
                yield Later(f"{who} holds what is kept apart from {role}", _together(state, who, role))


def _together(state: State, who: str, role: str) -> Callable[[], bool]:
    return lambda: kept_apart(state, who, role)


def holders(state: State, role: str) -> set[str]:
    """To whom bindings in force give the role."""
    return set(_holding(state, role))


def has_holders(state: State, role: str) -> bool:
    """Whether a binding in force gives the role to anybody."""
    return next(_holding(state, role), None) is not None


def _holding(state: State, role: str) -> Iterator[str]:
    for binding in state.role_bindings.get(role, {}).values():
        if _end(binding) > state.begun:
            members = state.members.get(binding.subject, {}) if binding.to_group else {(binding.subject, ""): None}
            yield from (person for person, _ in members if not withheld(state, person, role))


def withheld(state: State, who: str, role: str) -> bool:
    """Whether a review withholds the role from somebody, whatever gives it to them."""
    person = state.people.get(who)
    return person is not None and role in person.withheld


def still_bound(state: State, role: str) -> bool:
    """Whether a binding of the role is in force, whether it gives it to anybody now or not."""
    return any(_end(each) > state.begun for each in state.role_bindings.get(role, {}).values())


def gains(state: State, was: Was, who: str, had: Held) -> bool:
    """Whether somebody who `had` these roles before the command has more by those that they have after it."""
    has = held_by(state, who)
    key = (tuple(sorted(had.items())), tuple(sorted(has.items())))
    if key not in was.gained:
        was.gained[key] = _more_rights(state, was, had, has) or _more_access(state, was, had, has)
    return was.gained[key]


def reached(state: State, was: Was, name: str) -> bool:
    """Whether somebody reaches this resource, which there was not before, by a role that is held."""
    resource = state.resources.get(name)
    if resource is None:
        return False
    if was.reaching is None:
        was.reaching = {}
        for role in state.role_bindings:
            if role in state.roles and has_holders(state, role):
                for each in state.roles[role].permissions.values():
                    for label in list(each["where"].items())[:1]:
                        was.reaching.setdefault(label, []).append(each)
    logins = set(resource.logins)
    return any(
        _reaches(each, resource) and any(login in logins or login == "*" for login in each["logins"])
        for label in resource.labels.items()
        for each in was.reaching.get(label, ())
    )


def more_approve(state: State, name: str, approved: Mapping[str, set[str]]) -> bool:
    """Whether somebody may approve requests for a permission of the role who could not; `approved` has those who
    could, by permission, of those that nobody else asks about."""
    role = state.roles.get(name)
    permissions = role.permissions if role is not None else {}
    return any(
        not holders(state, approver) <= could
        for permission, could in approved.items()
        if permission in permissions
        for approver in deciders(permissions[permission])
        if approver in state.roles and APPROVE in state.roles[approver].console
    )


def decides_as_owner(state: State, name: str) -> bool:
    """Whether whoever owns the resource decides on requests for it, since a permission says so."""
    resource = state.resources.get(name)
    return (
        resource is not None
        and APPROVE in rights(state, state.owners[name])
        and any(
            OWNER in deciders(each) and _reaches(each, resource)
            for role in state.roles.values()
            for each in role.permissions.values()
        )
    )


def could_approve(state: State, was: Role | None, role: Role) -> dict[str, set[str]]:
    """For each permission of a new role, or of one that asks for requests otherwise than it did: who could approve."""
    found: dict[str, set[str]] = {}
    for name, now in role.permissions.items():
        old = was.permissions.get(name) if was is not None else None
        if was is None or (old is not None and old["mode"] != now["mode"]):
            before = deciders(old) if old is not None else ()
            found[name] = {person for each in before for person in holders(state, each)}
    return found


def _end(binding: Binding) -> int:
    return FOREVER if binding.ends is None else binding.ends


def _more_rights(state: State, was: Was, had: Held, has: Held) -> bool:
    before, after = _rights(state, was.roles, had), _rights(state, {}, has)
    return any(ends > before.get(right, 0) for right, ends in after.items())


def _rights(state: State, roles: Mapping[str, Role | None], held: Held) -> dict[object, int]:
    """Rights in the console, and what its holders may approve, each until when."""
    found: dict[object, int] = {}
    for name, ends in held.items():
        role = roles.get(name, state.roles.get(name))
        for right in role.console if role is not None else ():
            found[right] = max(ends, found.get(right, 0))
        if role is not None and APPROVE in role.console:
            for other in {*state.roles, *roles}:
                of = roles.get(other, state.roles.get(other))
                for permission, each in of.permissions.items() if of is not None else ():
                    if name in deciders(each):
                        found[other, permission] = max(ends, found.get((other, permission), 0))
    return found


def _more_access(state: State, was: Was, had: Held, has: Held) -> bool:
    rivals = [
        (ends, each)
        for name, ends in had.items()
        for role in (was.roles.get(name, state.roles.get(name)),)
        if role is not None
        for each in role.permissions.values()
    ]
    for name, ends in has.items():
        role = state.roles.get(name)
        same = name not in was.roles and had.get(name, 0) >= ends
        for each in role.permissions.values() if role is not None else ():
            better = [other for until, other in rivals if until >= ends and _as_good(other, each)]
            names = was.resources if same else state.resources
            if any(_left(state, was, each, better, resource) for resource in names):
                return True
    return False


def _as_good(other: Mapping[str, Any], permission: Mapping[str, Any]) -> bool:
    longer: bool = other["longest"] >= permission["longest"]
    longer = longer and as_wide(other["guardrails"], permission["guardrails"])
    if other["mode"] == _STANDING or permission["mode"] == _STANDING:
        return longer and other["mode"] == _STANDING
    return longer and not _asks_less(asking(other), asking(permission))


def _left(state: State, was: Was, permission: Mapping[str, Any], rivals: list[Mapping[str, Any]], name: str) -> bool:
    """Whether the permission gives something on the resource that none of the others gave."""
    resource = state.resources.get(name)
    if resource is None or not _reaches(permission, resource):
        return False
    before = was.resources.get(name, resource)
    gave = [each for each in rivals if before is not None and _reaches(each, before)]
    logins = before.logins if before is not None else ()
    return any(
        not any(_admits(each, login) and action in each["actions"] for each in gave if login in logins)
        for login in resource.logins
        if _admits(permission, login)
        for action in permission["actions"]
    )


def _reaches(permission: Mapping[str, Any], resource: Resource) -> bool:
    return bool(permission["where"]) and permission["where"].items() <= resource.labels.items()


def _admits(permission: Mapping[str, Any], login: str) -> bool:
    return login in permission["logins"] or "*" in permission["logins"]
