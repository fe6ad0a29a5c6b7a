"""Rules of access that is asked for: requests, approvals, grants and their ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from json import JSONEncoder
from typing import Any

from onepam.kernel.instant import DAY, FOREVER, HOUR, MINUTE, SECOND, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.gains import kept_apart
from onepam.ledger.lawful.guardrails import as_wide
from onepam.ledger.lawful.known import Binding, Grant, Person, Request
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, APPROVE, acts, one_hand, roles, signed_in, there
from onepam.ledger.lawful.state import State

request_rules = Rules()

ASKED_WITHIN = DAY
PRIVILEGED_FACTOR, ORDINARY_FACTOR = 15 * MINUTE, HOUR
SHORTEST = 5 * MINUTE
MOST_WAITING = 20
"""Requests of one person that wait at a time."""

UNDO = 10 * SECOND
"""How long after an approval access begins, so that it can be undone."""

_canonical = JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
"""Of what was canonical (RFC 8785) before it was read."""


@request_rules.of("request.made", "asking for access", Authority.PERSON)
def request_made(state: State, entry: Entry) -> Why:
    """Somebody who is signed in, for what a role of theirs gives on request, exactly as it is now."""
    body = entry.body
    substance = body["substance"]
    who = substance["person"]
    yield signed_in(state, who)
    yield from _offered(state, substance)
    if body["digest"] != sha256(_canonical(substance).encode("utf-8")).hexdigest():
        yield "the digest is not that of what is asked"
    if body["expires"] > entry.time + ASKED_WITHIN:
        yield "it waits longer than a day"
    if substance["duration"] < SHORTEST:
        yield "nobody asks for less than five minutes"
    if body["request"] in state.requests:
        yield "there was such a request already"
    request = Request(substance, body["digest"], Instant(body["expires"]))
    person = state.people.get(who)
    if person is not None:
        waiting = [each for each in person.requests.values() if each.status == "open" and each.expires > state.begun]
        if any(each.digest == request.digest for each in waiting):
            yield "exactly this waited already"
        if len(waiting) >= MOST_WAITING:
            yield f"{MOST_WAITING} requests of theirs waited already"
        if request.expires > min(_held_until(state, substance), person.ends or FOREVER):
            yield "it outlives the account, or the role that it is asked under"
        person.requests[body["request"]] = request
    state.requests[body["request"]] = request


@request_rules.of("request.approved", "approving a request", Authority.PERSON)
def request_approved(state: State, entry: Entry) -> Why:
    """Somebody else with authority, under a factor as fresh as the access asks, of exactly what was asked, in time."""
    body = entry.body
    by = body["by"]
    request = state.requests.get(body["request"])
    if request is None or request.status != "open":
        yield "no such request waited"
        return
    yield from _authority(state, request, by, body["under"])
    privileged = _privileged(state, request.substance)
    yield signed_in(state, by, PRIVILEGED_FACTOR if privileged else ORDINARY_FACTOR, seen=privileged)
    if request.digest != body["digest"]:
        yield "what was approved is not what was asked"
    yield from _offered(state, request.substance)
    who = request.substance["person"]
    yield there(state, who)
    if body["effective_at"] < entry.time + UNDO:
        yield "it took effect before it could be undone"
    if state.begun < _lasts(state, request) <= body["effective_at"]:
        yield "the account or the role ended before it took effect"
    request.status, request.approved_by, request.effective = "approved", by, body["effective_at"]
    state.cause("approval", body["request"], by)


@request_rules.of("grant.started", "getting access", Authority.CAUSE)
def grant_started(state: State, entry: Entry) -> Why:
    """By an approval in the same command, of exactly that, on a binding that its person holds."""
    body = entry.body
    substance, name = body["substance"], body["request"]
    request = state.requests.get(name)
    if not state.once("approval", name, body["approved_by"]):
        yield "nobody approved it, or it was given already"
    if request is None or request.substance != substance:
        yield "it is not what was asked"
    elif body["starts"] != request.effective:
        yield "it does not begin when the approval took effect"
    if body["grant"] in state.grants:
        yield "there was such access already"
    if body["ends"] > body["starts"] + substance["duration"]:
        yield "it lasts longer than was asked"
    person = state.people.get(substance["person"])
    if person is None or all(
        each.binding != body["binding"] or each.role != substance["role"] for each in state.bindings_of(person)
    ):
        yield "its person did not hold the role by that binding"
    else:
        binding = state.bindings[body["binding"]]
        if body["ends"] > min(person.ends or FOREVER, binding.ends or FOREVER):
            yield "it outlives the account or the binding"
    grant = Grant(name, substance, body["binding"], body["approved_by"], Instant(body["starts"]), Instant(body["ends"]))
    state.grants[body["grant"]] = grant
    if person is not None:
        person.grants[body["grant"]] = grant


@request_rules.of("request.denied", "denying a request", Authority.PERSON)
def request_denied(state: State, entry: Entry) -> Why:
    """Somebody else with authority."""
    body = entry.body
    request = _closes(state, body["request"])
    if request is None:
        yield "no such request waited"
    else:
        yield signed_in(state, body["by"])
        yield from _authority(state, request, body["by"], body["under"])


@request_rules.of("request.approval_refused", "trying to decide on a request", Authority.STRANGER)
def request_approval_refused(state: State, entry: Entry) -> Why:
    """Somebody who was signed in."""
    yield signed_in(state, entry.body["by"])


@request_rules.of("request.approval_undone", "undoing an approval", Authority.PERSON)
def request_approval_undone(state: State, entry: Entry) -> Why:
    """Whoever gave it, before it takes effect."""
    body = entry.body
    yield signed_in(state, body["by"])
    grant, request = state.grants.get(body["grant"]), state.requests.get(body["request"])
    if grant is None or grant.request != body["request"] or request is None:
        yield "no such approval waited to take effect"
        return
    if grant.approved_by != body["by"]:
        yield "somebody else had approved it"
    if grant.starts <= state.begun:
        yield "it had taken effect"
    yield Unless("the access goes on", (("access ended", body["grant"]),))
    state.cause("undone", body["grant"], body["by"])
    request.status, request.approved_by = "open", None


@request_rules.of("request.withdrawn", "taking a request back", Authority.PERSON, Authority.TIME, Authority.CAUSE)
def request_withdrawn(state: State, entry: Entry) -> Why:
    """Its person, in time; or it is void: by time, by a change, with an account, or since it stands no more."""
    body = entry.body
    by, request = body["by"], _closes(state, body["request"])
    if by is not None:
        yield signed_in(state, by)
    if request is None:
        yield "no such request waited"
        return
    who = request.substance["person"]
    if body["status"] == "withdrawn":
        if by != who:
            yield "only whoever asked takes it back"
        if request.expires <= state.begun:
            yield "it waited no longer"
        return
    over = (("left", who), ("enabled", who), ("matrix", by))
    if by is not None and by != who and _lasts(state, request) <= state.begun + UNDO and _decides(state, by, who):
        return  # whoever would have approved it voids what does not stand any more
    if by is not None or (request.expires > state.now and _lasts(state, request) > state.begun):
        yield Unless("it stood, had not lapsed, and nothing voided it", over)


@request_rules.of("request.rerouted", "passing a request on", Authority.CAUSE)
def request_rerouted(state: State, entry: Entry) -> Why:
    """With the account of somebody who could decide on it."""
    yield Unless("whoever could decide had not left", (("left", entry.body["person"]),))


@request_rules.of("grant.ended", "ending access early", Authority.PERSON, Authority.CAUSE, cannot=(Unjudged.REASON,))
def grant_ended(state: State, entry: Entry) -> Why:
    """Its holder, an approver, an administrator, whoever applies a change or undoes it; or with what it rests on."""
    body = entry.body
    by, grant = body["by"], _ends(state, body["grant"])
    if by is not None:
        yield signed_in(state, by)
    state.cause("access ended", body["grant"])
    if grant is None:
        yield "no such access ran"
        return
    who = grant.substance["person"]
    if body["because"] == "undone":
        yield Unless("nobody had undone the approval", (("undone", body["grant"], by),))
        return
    _over(state, grant.request, who)
    over = (("left", who), ("enabled", who), ("matrix", by))
    if by is None:
        person = state.people.get(who)
        held = person is not None and any(each.binding == grant.binding for each in _in_force(state, person))
        if held and there(state, who) is None:
            yield Unless("it is on nobody's word, and what it rests on was there", over)
    elif by != who and not _approves(state, grant.substance, by):
        why = acts(state, by, ADMINISTER)
        if why is not None:
            yield Unless(why, over)


@request_rules.of("grant.expired", "saying that access has ended", Authority.TIME)
def grant_expired(state: State, entry: Entry) -> Why:
    """The end has passed."""
    body = entry.body
    grant = _ends(state, body["grant"])
    if grant is None:
        yield "no such access ran"
    else:
        _over(state, grant.request, grant.substance["person"])
        if grant.ends > state.now or grant.ends != body["ends"]:
            yield "its end had not come"


def _closes(state: State, name: str) -> Request | None:
    request: Request | None = state.requests.get(name)
    if request is None or request.status != "open":
        return None
    _over(state, name, request.substance["person"])
    request.status = "closed"
    return request


def _ends(state: State, name: str) -> Grant | None:
    grant: Grant | None = state.end(state.grants, name)
    if grant is not None and grant.substance["person"] in state.people:
        state.end(state.people[grant.substance["person"]].grants, name)
    return grant


def _over(state: State, name: str, who: str) -> None:
    state.end(state.requests, name)
    if who in state.people:
        state.end(state.people[who].requests, name)


def _in_force(state: State, person: Person) -> Iterator[Binding]:
    return (each for each in state.bindings_of(person) if each.ends is None or each.ends > state.begun)


def _held_until(state: State, substance: Mapping[str, Any]) -> int:
    """When the last binding ends by which the person holds the role."""
    person = state.people.get(substance["person"])
    held = _in_force(state, person) if person is not None else iter(())
    return max((each.ends or FOREVER for each in held if each.role == substance["role"]), default=FOREVER)


def _lasts(state: State, request: Request) -> int:
    """Until when it stands as it was asked; 0 where it does not now."""
    who = request.substance["person"]
    person = state.people.get(who)
    if person is None or there(state, who) is not None or next(_stands(state, request.substance), None) is not None:
        return 0
    return min(_held_until(state, request.substance), person.ends or FOREVER)


def _decides(state: State, by: str, who: str) -> bool:
    """Whether somebody may approve, and is no one hand with whoever asks."""
    held = any(APPROVE in role.console for _, role in roles(state, by))
    return held and not _is_held(state, by) and one_hand(state, by, who) is None


def _approves(state: State, substance: Mapping[str, Any], by: str) -> bool:
    """Whether a role of somebody's may approve the like of it."""
    permission = _permission(state, substance)
    approvers = permission.get("approvers") or () if permission else ()
    held = [role for name, role in roles(state, by) if name in approvers]
    return not _is_held(state, by) and any(APPROVE in each.console for each in held)


def _authority(state: State, request: Request, by: str, under: str) -> Why:
    """Neither for themselves, nor one hand; by a role that may approve it."""
    who = request.substance["person"]
    if by == who:
        yield "nobody decides for themselves"
    yield one_hand(state, by, who)
    if request.expires <= state.begun:
        yield "it was not decided in time"
    permission = _permission(state, request.substance)
    approvers = permission.get("approvers") or () if permission else ()
    held = [role for name, role in roles(state, by) if name == under]
    if not any(APPROVE in role.console for role in held) or _is_held(state, by):
        yield f"{by} held no role {under} with the right to approve"
    elif approvers and under not in approvers:
        yield f"the role {under} may not approve this"


def _is_held(state: State, who: str) -> bool:
    person = state.people.get(who)
    return person is not None and person.hold is not None


def _permission(state: State, substance: Mapping[str, Any]) -> Mapping[str, Any] | None:
    role = state.roles.get(substance["role"])
    return None if role is None else role.permissions.get(substance["permission"])


def _privileged(state: State, substance: Mapping[str, Any]) -> bool:
    permission, resource = _permission(state, substance), state.resources.get(substance["resource"])
    if permission is None or resource is None:
        return True
    return bool(permission.get("administrative")) or resource.labels.get("env") == "prod"


def _offered(state: State, substance: Mapping[str, Any]) -> Why:
    """The person holds the role in that version, and it gives exactly this on request."""
    role = state.roles.get(substance["role"])
    permission = role.permissions.get(substance["permission"]) if role is not None else None
    yield from _stands(state, substance)
    if kept_apart(state, substance["person"], substance["role"]):
        yield f"{substance['person']} holds what is kept apart from {substance['role']}"
    if permission is not None and (
        substance["duration"] > permission["longest"]
        or set(substance["actions"]) - set(permission["actions"])
        or not as_wide(permission["guardrails"], substance["guardrails"])
    ):
        yield "it is more than the role offered"


def _stands(state: State, substance: Mapping[str, Any]) -> Why:
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
