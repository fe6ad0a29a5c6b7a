"""What is asked for, as the roles offer it, and who may decide on it: questions that the rules of requests share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onepam.kernel.instant import DAY, FOREVER, HOUR, MINUTE, Instant
from onepam.ledger.lawful.entry import Entry
from onepam.ledger.lawful.gains import OWNER, asking, deciders, kept_apart
from onepam.ledger.lawful.guardrails import as_wide
from onepam.ledger.lawful.hours import begins_of, extends_of, open_until, schedule_of, until_of, weekly_of
from onepam.ledger.lawful.known import Binding, Person, Request
from onepam.ledger.lawful.rule import Unless, Why
from onepam.ledger.lawful.standing import APPROVE, is_manager, one_hand, roles, signed_in, there
from onepam.ledger.lawful.state import State
from onepam.ledger.lawful.unsaid import without_unsaid

PRIVILEGED_FACTOR, ORDINARY_FACTOR = 15 * MINUTE, HOUR
"""How old a second factor may be under which somebody says yes."""

MANAGER = "requester:manager"
"""Who decides instead of a role, beside the owner."""

RULE_WITHIN = 7 * DAY
"""The time within which a rule approves for somebody so often and no more."""

RING = 90 * DAY
"""For so long after a yes two do not say yes to each other in turn."""


def in_force(state: State, person: Person) -> Iterator[Binding]:
    """The bindings that give somebody a role and have not run out."""
    return (each for each in state.bindings_of(person) if each.ends is None or each.ends > state.begun)


def held_until(state: State, substance: Mapping[str, Any]) -> int:
    """When the last binding ends by which the person holds the role."""
    person = state.people.get(substance["person"])
    held = in_force(state, person) if person is not None else iter(())
    return max((each.ends or FOREVER for each in held if each.role == substance["role"]), default=FOREVER)


def stands_until(state: State, request: Request) -> int:
    """Until when it stands as it was asked; 0 where it does not now."""
    who = request.substance["person"]
    person = state.people.get(who)
    if person is None or there(state, who) is not None or next(stands(state, request.substance), None) is not None:
        return 0
    return min(held_until(state, request.substance), person.ends or FOREVER)


def may_decide(state: State, by: str, who: str) -> bool:
    """Whether somebody may approve, and is no one hand with whoever asks."""
    held = any(APPROVE in role.console for _, role in roles(state, by))
    return held and not is_held(state, by) and one_hand(state, by, who) is None


def may_approve(state: State, substance: Mapping[str, Any], by: str) -> bool:
    """Whether a role of somebody's may approve the like of it."""
    permission = permission_of(state, substance)
    approvers = deciders(permission) if permission else []
    named = is_named(state, substance, approvers, by)
    held = [role for name, role in roles(state, by) if named or name in approvers]
    return not is_held(state, by) and any(APPROVE in each.console for each in held)


def is_named(state: State, substance: Mapping[str, Any], approvers: list[str], by: str, through: str = "") -> bool:
    """Whether somebody is the manager or the owner who decides instead of a role, by themselves or `through` whom they
    named."""
    person = state.people.get(substance["person"])
    manager = MANAGER in approvers and person is not None and is_manager(state, person, by, through)
    return manager or (OWNER in approvers and state.owners.get(substance["resource"]) == by)


def says_yes(state: State, request: Request, body: Mapping[str, Any]) -> Why:
    """Somebody else with authority, under a factor as fresh as the access asks, of exactly what was asked, in time;
    and nobody says it twice, whether by one hand or by two."""
    by, who = body["by"], request.substance["person"]
    yield from has_authority(state, request, body)
    if by in request.agreed or by in request.agreed.values():
        yield f"{by} had agreed to it already, or somebody for them"
    yield one_hand(state, by, *request.agreed, *request.agreed.values())
    if (
        request.ringless
        and state.yeses.get((who, by), -RING) + RING > state.begun
        and somebody_else(state, request, by)
    ):
        yield f"{who} had said yes to {by} lately, and somebody else could decide"
    state.yeses[by, who] = state.now
    privileged = is_privileged(state, request.substance)
    yield signed_in(state, by, PRIVILEGED_FACTOR if privileged else ORDINARY_FACTOR, seen=privileged)
    if request.digest != body["digest"]:
        yield "what was approved is not what was asked"
    yield from offered(state, request.substance)
    yield there(state, who)


def somebody_else(state: State, request: Request, by: str) -> bool:
    """Whether another than these could decide on it, to whom the requester said no yes lately; of a machine's requests
    that is not judged."""
    asks = request.substance["person"]
    asking_for = state.people.get(asks)
    in_turn = {each for (said, each), at in state.yeses.items() if said == asks and at + RING > state.begun}
    out = {by, asks, *request.agreed, *in_turn}
    if asking_for is None or asking_for.kind == "service":
        return False
    return any(could_decide(state, request, each) for each in state.people if each not in out)


def could_decide(state: State, request: Request, who: str) -> bool:
    """Whether somebody who agreed could still decide, by a role of theirs or for somebody who named them."""
    named = (each for each in state.people if who in standing_in(state, each)) if state.delegations else ()
    return could_by_role(state, request, who) or any(
        could_by_role(state, request, each, who) and could_stand_in(state, request, who) for each in named
    )


def could_stand_in(state: State, request: Request, who: str) -> bool:
    """Whether somebody could decide for another."""
    held = any(APPROVE in role.console for _, role in roles(state, who))
    barred = one_hand(state, who, request.substance["person"]) is not None or is_held(state, who)
    return held and there(state, who) is None and not barred


def could_by_role(state: State, request: Request, who: str, through: str = "") -> bool:
    """Whether somebody could decide by a role of theirs, or another `through` whom they do."""
    approvers = deciding_roles(state, request)
    named = is_named(state, request.substance, approvers, who, through)
    held = [role for name, role in roles(state, who) if named or name in approvers]
    asks = request.substance["person"]
    barred = one_hand(state, who, asks) is not None or is_held(state, who) or who in standing_in(state, asks)
    return there(state, who) is None and who != asks and not barred and any(APPROVE in each.console for each in held)


def deciding_roles(state: State, request: Request) -> list[str]:
    """The roles whose holders may decide on it now: those of the permission, later with those that it escalates to."""
    permission = permission_of(state, request.substance)
    if permission is None:
        return []
    after = asking(permission)["escalates"]
    escalated = after and state.begun >= request.made + after
    return deciders(permission) if escalated else list(permission.get("approvers") or ())


def goes_on(state: State, request: Request) -> bool:
    """Whether the access runs that it extends; so where it extends none."""
    extends = extends_of(request.substance)
    return not extends or extends in state.grants


def asks_same(these: Mapping[str, Any], those: Mapping[str, Any]) -> bool:
    """Whether both ask for the same, in whichever version each is said."""
    return without_unsaid(these) == without_unsaid(those)


def scheduled(state: State, entry: Entry, substance: Mapping[str, Any]) -> Why:
    """It begins no further ahead than the permission lets it, or with the end of what it extends; its hours exist."""
    begins, schedule, permission = begins_of(substance), schedule_of(substance), permission_of(state, substance)
    if schedule is None or permission is None:
        return
    weekly = weekly_of(substance)
    if weekly is not None and (not weekly["days"] or weekly["opens"] == weekly["closes"] or not weekly["offsets"]):
        yield "its weekly hours are none"
    extends, until = extends_of(substance), until_of(substance)
    if until is not None:
        first = begins or state.begun
        if not asking(permission)["first_use"] or weekly is not None or extends:
            yield "the role does not offer it from its first use on"
        if not first + substance["duration"] <= until <= entry.time + asking(permission)["ahead"]:
            yield "its window is shorter than it, or further ahead than it may be asked for"
    if not extends:
        if begins is not None and not state.begun < begins <= entry.time + asking(permission)["ahead"]:
            yield "it begins in the past, or further ahead than it may be asked for"
        return
    grant = state.grants.get(extends)
    same = ("person", "resource", "login", "role", "permission")
    if grant is None or grant.ends != begins or any(grant.substance[each] != substance[each] for each in same):
        yield "it goes on from nothing of that kind that runs"


def by_rule(state: State, asked: Mapping[str, Any], body: Mapping[str, Any]) -> Why:
    """The permission asks nobody for it: not that long, not that often within seven days, and within these hours."""
    permission = permission_of(state, asked)
    rule = None if permission is None else asking(permission)["unasked"]
    if rule is None or schedule_of(asked) is not None:
        yield "no rule of the role approves such a thing"
        return
    if asked["duration"] > rule["longest"]:
        yield "it is longer than the rule lets it be"
    person, key = state.people.get(asked["person"]), (asked["role"], asked["permission"])
    times: dict[tuple[str, str], list[Instant]] = {} if person is None else person.by_rule
    lately = [at for at in times.get(key, ()) if at + RULE_WITHIN > state.begun]
    if body["nth"] != len(lately) + 1 or body["nth"] > rule["most"]:
        yield "it is once more than the rule lets it be, or counted otherwise"
    times[key] = [*lately, state.begun]
    said, hours = rule.get("hours"), body["hours"]
    if (said is None) is not (hours is None):
        yield "its hours are not those of the rule"
    elif said is not None:
        same = all(hours[each] == said[each] for each in ("days", "opens", "closes", "zone")) and hours["offsets"]
        if not same or open_until(hours, state.begun) < state.begun + asked["duration"]:
            yield "it lies outside of the hours of the rule"


def has_authority(state: State, request: Request, body: Mapping[str, Any]) -> Why:
    """Neither for themselves, nor one hand, nor for whoever named them; by a role of theirs that may approve it, or for
    somebody who named them."""
    by, under, who = body["by"], body["under"], request.substance["person"]
    if by == who:
        yield "nobody decides for themselves"
    yield one_hand(state, by, who)
    if by in standing_in(state, who):
        yield f"{who} had named {by} to decide for them"
    if request.expires <= state.begun:
        yield "it was not decided in time"
    approvers = deciding_roles(state, request)
    held = [role for name, role in roles(state, by) if name == under]
    if not any(APPROVE in role.console for role in held) or is_held(state, by):
        stands_in = (("stands in", body["request"], by, under),)
        yield Unless(f"{by} held no role {under} with the right to approve", stands_in)
    elif approvers and under not in approvers and not is_named(state, request.substance, approvers, by):
        stands_in = (("stands in", body["request"], by, under),)
        yield Unless(f"the role {under} may not approve this", stands_in)


def standing_in(state: State, who: str) -> set[str]:
    """Whom somebody has named to decide for them now."""
    runs = (each for each in state.delegations.values() if each.begins <= state.begun < each.ends)
    return {each.to for each in runs if each.person == who}


def is_held(state: State, who: str) -> bool:
    """Whether a hold keeps back what the account has."""
    person = state.people.get(who)
    return person is not None and person.hold is not None


def permission_of(state: State, substance: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The permission as the role has it now; None where it is gone."""
    role = state.roles.get(substance["role"])
    return None if role is None else role.permissions.get(substance["permission"])


def is_privileged(state: State, substance: Mapping[str, Any]) -> bool:
    """Whether it is for what is privileged; so is what nobody offers any more."""
    permission, resource = permission_of(state, substance), state.resources.get(substance["resource"])
    if permission is None or resource is None:
        return True
    return bool(permission.get("administrative")) or resource.labels.get("env") == "prod"


def offered(state: State, substance: Mapping[str, Any]) -> Why:
    """The person holds the role in that version, and it gives exactly this on request."""
    role = state.roles.get(substance["role"])
    permission = role.permissions.get(substance["permission"]) if role is not None else None
    yield from stands(state, substance)
    if kept_apart(state, substance["person"], substance["role"]):
        yield f"{substance['person']} holds what is kept apart from {substance['role']}"
    if permission is not None and (
        substance["duration"]
        > (permission["longest"] if weekly_of(substance) is None else asking(permission)["weekly"])
        or set(substance["actions"]) - set(permission["actions"])
        or not as_wide(permission["guardrails"], substance["guardrails"])
    ):
        yield "it is more than the role offered"


def stands(state: State, substance: Mapping[str, Any]) -> Why:
    """The person holds the role in that version, and it gives this on request."""
    who, role = substance["person"], state.roles.get(substance["role"])
    if role is None or all(name != substance["role"] for name, _ in roles(state, who)):
        yield f"{who} did not hold the role {substance['role']}"
        return
    if role.version != substance["role_version"]:
        yield "the role had changed since"
    permission, resource = role.permissions.get(substance["permission"]), state.resources.get(substance["resource"])
    if permission is None or resource is None or not covers(permission, resource.labels):
        yield f"the role gave nothing on {substance['resource']} by that permission"
        return
    if permission["mode"] != "request" or not admits(permission, substance["login"], resource.logins):
        yield f"the role offered no {substance['login']} there on request"


def covers(permission: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether the permission's selector names a resource with these labels."""
    where = permission["where"]
    return bool(where) and where.items() <= labels.items()


def admits(permission: Mapping[str, Any], login: str, logins: tuple[str, ...]) -> bool:
    """Whether the login is the resource's and the permission's."""
    return login in logins and (login in permission["logins"] or "*" in permission["logins"])
