"""Rules of access that is asked for: requests, approvals, grants and their ends."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from json import JSONEncoder
from typing import Any

from onepam.kernel.instant import DAY, HOUR, MINUTE, SECOND, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import APPROVE, one_hand, roles, signed_in, there
from onepam.ledger.lawful.state import Grant, Request, State

request_rules = Rules()

ASKED_WITHIN = DAY
PRIVILEGED_FACTOR, ORDINARY_FACTOR = 15 * MINUTE, HOUR
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
    state.requests[body["request"]] = Request(substance, body["digest"], Instant(body["expires"]))


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
    yield there(state, request.substance["person"])
    if body["effective_at"] < entry.time + UNDO:
        yield "it took effect before it could be undone"
    request.status, request.approved_by = "approved", by
    state.cause("approval", body["request"], by)


@request_rules.of("grant.started", "getting access", Authority.CAUSE)
def grant_started(state: State, entry: Entry) -> Why:
    """By an approval in the same command, of exactly that, on a binding that its person holds."""
    body = entry.body
    substance, name = body["substance"], body["request"]
    request = state.requests.get(name)
    yield Unless("nobody approved it", (("approval", name, body["approved_by"]),))
    if request is None or request.substance != substance:
        yield "it is not what was asked"
    if body["starts"] < entry.time:
        yield "it began before it was given"
    if body["ends"] > body["starts"] + substance["duration"]:
        yield "it lasts longer than was asked"
    person = state.people.get(substance["person"])
    if person is None or all(
        each.binding != body["binding"] or each.role != substance["role"] for each in state.bindings_of(person)
    ):
        yield "its person did not hold the role by that binding"
    elif person.ends is not None and body["ends"] > person.ends:
        yield "it outlives the account"
    state.grants[body["grant"]] = Grant(
        name, substance, body["binding"], body["approved_by"], Instant(body["starts"]), Instant(body["ends"])
    )


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
    request.status, request.approved_by = "open", None


@request_rules.of("request.withdrawn", "taking a request back", Authority.PERSON, Authority.TIME, Authority.CAUSE)
def request_withdrawn(state: State, entry: Entry) -> Why:
    """Its person; or it is void: by time, by a change, with an account."""
    body = entry.body
    request = _closes(state, body["request"])
    if request is None:
        yield "no such request waited"
    elif body["status"] == "withdrawn" and body["by"] != request.substance["person"]:
        yield "only whoever asked takes it back"
    elif body["by"] is not None and there(state, body["by"]) is not None:
        yield there(state, body["by"])
    elif body["by"] is not None:
        yield signed_in(state, body["by"])


@request_rules.of("request.rerouted", "passing a request on", Authority.CAUSE)
def request_rerouted(state: State, entry: Entry) -> Why:
    """With the account of somebody who could decide on it."""
    yield Unless("whoever could decide had not left", (("left", entry.body["person"]),))


@request_rules.of("grant.ended", "ending access early", Authority.PERSON, Authority.CAUSE, cannot=(Unjudged.REASON,))
def grant_ended(state: State, entry: Entry) -> Why:
    """Its holder, an approver, an administrator, whoever applies a change; or with what it rests on."""
    body = entry.body
    grant: Grant | None = state.end(state.grants, body["grant"])
    if grant is None:
        yield "no such access ran"
    elif body["because"] != "undone":
        state.end(state.requests, grant.request)
    if body["by"] is not None:
        yield signed_in(state, body["by"])


@request_rules.of("grant.expired", "saying that access has ended", Authority.TIME)
def grant_expired(state: State, entry: Entry) -> Why:
    """The end has passed."""
    body = entry.body
    grant: Grant | None = state.end(state.grants, body["grant"])
    if grant is None:
        yield "no such access ran"
    else:
        state.end(state.requests, grant.request)
        if grant.ends > state.now or grant.ends != body["ends"]:
            yield "its end had not come"


def _closes(state: State, name: str) -> Request | None:
    request: Request | None = state.requests.get(name)
    if request is None or request.status != "open":
        return None
    state.end(state.requests, name)
    request.status = "closed"
    return request


def _authority(state: State, request: Request, by: str, under: str) -> Why:
    """Neither for themselves, nor for a service of their own, nor one hand; by a role that may approve it."""
    who = request.substance["person"]
    person = state.people.get(who)
    if by == who:
        yield "nobody decides for themselves"
    if person is not None and person.kind == "service" and person.owner == by:
        yield "nobody decides for a service of their own"
    owner = person.owner if person is not None and person.kind == "service" else None
    yield one_hand(state, by, who, *([owner] if owner else []))
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
    if substance["duration"] > permission["longest"] or set(substance["actions"]) - set(permission["actions"]):
        yield "it is more than the role offered"


def covers(permission: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether the permission's selector names a resource with these labels."""
    where = permission["where"]
    return bool(where) and where.items() <= labels.items()


def admits(permission: Mapping[str, Any], login: str, logins: tuple[str, ...]) -> bool:
    """Whether the login is the resource's and the permission's."""
    return login in logins and (login in permission["logins"] or "*" in permission["logins"])
