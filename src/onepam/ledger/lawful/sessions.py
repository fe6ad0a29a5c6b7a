"""Rules of gateway sessions: the door, confirmations, ends, recordings and probes."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from onepam.kernel.instant import MINUTE, Instant
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.requests import admits, covers
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import (
    ADMINISTER,
    AUDIT,
    DAY_OF_WORK,
    FRESH,
    MONITOR,
    UNSEEN,
    acts,
    rights,
    signed_in,
    there,
)
from onepam.ledger.lawful.state import Confirmation, Grant, Person, Resource, Session, SignIn, State

session_rules = Rules()

CONFIRM_WITHIN = 2 * MINUTE
SERVICE_KEY = "ssh_service_key"


@session_rules.of(
    "session.opened",
    "opening a session",
    Authority.DOOR,
    cannot=(Unjudged.PROOF, Unjudged.NETWORK, Unjudged.TARGET, Unjudged.SPENT),
)
def session_opened(state: State, entry: Entry) -> Why:
    """Somebody whose account works, by what they held at that instant, with the second factor that it asks."""
    body = entry.body
    who = body["person"]
    yield there(state, who)
    resource = state.resources.get(body["resource"])
    if resource is None:
        yield f"there was no resource {body['resource']}"
    else:
        if not resource.pinned:
            yield "nothing was pinned that the target is known by"
        privileged = administrative = False
        allowed: set[str] = set()
        for because in (body["because"], *body["also"]):
            found = yield from _chain(state, entry, because, resource)
            if found is not None:
                allowed |= set(found["actions"])
                administrative |= bool(found.get("administrative"))
                privileged |= administrative or resource.labels.get("env") == "prod"
        if not set(body["actions"]) <= allowed:
            yield "it allows more than the chain does"
        if privileged and not body["privileged"]:
            yield "it is privileged, and does not say so"
        yield from _proof(state, entry, resource, administrative=administrative)
    if body["ends"] > entry.time + DAY_OF_WORK:
        yield "it lasts longer than any session"
    person = state.people.get(who)
    if person is not None:
        if person.ends is not None and body["ends"] > person.ends:
            yield "it outlives the account"
        if body["privileged"]:
            yield _held_back(person, who, entry)
    state.sessions[body["session"]] = Session(who, entry.time, Instant(body["ends"]))
    state.recorded.add(hash((body["session"], who)))
    state.cause("opened", body["session"], who)


def _held_back(person: Person, who: str, entry: Entry) -> str | None:
    """Why nothing privileged opens with what somebody proves with by now."""
    if person.kind == "service" and person.factors and all(each.waits for each in person.factors.values()):
        return "no key of the account had been registered by two administrators"
    if (person.privileged_from or 0) > entry.time:
        return f"a factor of {who} had been replaced within the hour"
    return None


def _chain(
    state: State, entry: Entry, because: Mapping[str, Any], resource: Resource
) -> Generator[str | Unless | Later | None, None, Mapping[str, Any] | None]:
    """The binding, the role and the permission; and the grant where it is on request. Returns the permission."""
    body = entry.body
    who = body["person"]
    person, role = state.people.get(who), state.roles.get(because["role"])
    binding = state.bindings.get(because["binding"])
    if person is None or role is None or binding is None or binding.role != because["role"]:
        yield f"there was no binding of the role {because['role']}"
        return None
    if all(each.binding != binding.binding for each in state.bindings_of(person)):
        yield f"{who} did not hold the role {binding.role} by that binding"
    if binding.ends is not None and (binding.ends <= state.begun or body["ends"] > binding.ends):
        yield "the binding had ended, or ends before the session"
    if person.hold is not None:
        yield f"the account {who} was held: it opens nothing"
    permission = role.permissions.get(because["permission"])
    if permission is None or not covers(permission, resource.labels):
        yield f"the role gave nothing on {body['resource']} by that permission"
        return None
    if not admits(permission, body["login"], resource.logins):
        yield f"the role gave no login {body['login']} there"
    if permission["mode"] == "request":
        yield from _granted(state, entry, because)
    elif because["role_version"] != role.version:
        yield "the role was of another version"
    elif body["ends"] > entry.time + permission["longest"]:
        yield "it lasts longer than the permission"
    return permission


def _granted(state: State, entry: Entry, because: Mapping[str, Any]) -> Why:
    body = entry.body
    grant: Grant | None = state.grants.get(because.get("grant", ""))
    if grant is None:
        yield "it needs an approval, and no such access ran"
        return
    asked = grant.substance
    said = (body["person"], body["resource"], body["login"], because["permission"], because["binding"])
    if said != (asked["person"], asked["resource"], asked["login"], asked["permission"], grant.binding):
        yield "the access that ran is for something else"
    if not grant.starts <= entry.time or grant.ends <= state.begun or body["ends"] > grant.ends:
        yield "the access had not begun, had ended, or ends before the session"
    if not set(asked["actions"]) >= set(body["actions"]) and not body["also"]:
        yield "it allows more than was asked"


def _proof(state: State, entry: Entry, resource: Resource, *, administrative: bool) -> Why:
    """A machine's key; else a sign-in that runs, or a confirmation for this very session, by the resource's rule."""
    body = entry.body
    who, mfa, rule = body["person"], body["mfa"], resource.mfa or {}
    person = state.people.get(who)
    if (body["entry"] == SERVICE_KEY) is not (person is not None and person.kind == "service"):
        yield "a machine comes in by its own key, and nobody else does"
    if body["entry"] == SERVICE_KEY:
        if person is not None and all(each.kind != "ssh_key" for each in person.factors.values()):
            yield "the machine had no key in force"
        return
    session: SignIn | None = state.sign_ins.get(mfa["session"])
    if session is None or session.person != who or session.expires <= state.begun:
        yield "no sign-in of the person ran behind it"
    elif (mfa["at"], mfa.get("basis", "own")) != (session.mfa_at, session.basis):
        confirmed = (("confirmation", body["session"], who),)
        yield Unless("it claims another second factor than the sign-in", confirmed)
    if body["entry"] == "ssh_key_confirmed":
        yield Unless("nobody confirmed it", (("confirmation", body["session"], who),))
        if rule.get("phishing_resistant"):
            yield "the target takes no confirmation by a link from a terminal"
    basis = mfa.get("basis", "own")
    if (administrative and basis == "declared") or (body["privileged"] and basis == "accepted"):
        yield f"a second factor that is only {basis} opens nothing like it"
    if rule.get("phishing_resistant") and (not mfa.get("phishing_resistant") or basis in UNSEEN):
        yield "the target asks for a phishing-resistant factor"
    oldest = min(rule.get("max_age") or DAY_OF_WORK, DAY_OF_WORK)
    if mfa["at"] + oldest <= state.begun or mfa["at"] > entry.time:
        yield "the second factor was too old"
    if rule.get("fresh") and basis in UNSEEN:
        yield "the target asks for a factor of its own for each session"


@session_rules.of("session.closed", "closing a session", Authority.NODE, cannot=(Unjudged.REASON,))
def session_closed(state: State, entry: Entry) -> Why:
    """One that was open."""
    if state.end(state.sessions, entry.body["session"]) is None:
        yield "no such session was open"


@session_rules.of("session.failed", "saying that a session failed", Authority.NODE)
def session_failed(state: State, entry: Entry) -> Why:
    """One that was open."""
    if state.end(state.sessions, entry.body["session"]) is None:
        yield "no such session was open"


session_rules.told("session.refused", "refusing a session", Authority.DOOR, read=True)


@session_rules.of("session.kill_ordered", "ordering the end of a session", Authority.PERSON)
def session_kill_ordered(state: State, entry: Entry) -> Why:
    """Its own person, an administrator, or whoever monitors."""
    by, session = entry.body["by"], state.sessions.get(entry.body["session"])
    yield signed_in(state, by)
    if session is None:
        yield "no such session was open"
    elif session.person != by and not rights(state, by) & {ADMINISTER, MONITOR}:
        yield f"{by} held no role with the right to administer or monitor"


@session_rules.of("confirmation.asked", "asking for a confirmation", Authority.DOOR, cannot=(Unjudged.PROOF,))
def confirmation_asked(state: State, entry: Entry) -> Why:
    """Of somebody whose account works."""
    body = entry.body
    yield there(state, body["person"])
    for name, each in list(state.confirmations.items()):
        if each.expires > state.begun:
            break
        del state.confirmations[name]
    state.confirmations[body["confirmation"]] = Confirmation(
        body["person"], body["resource"], body["login"], Instant(min(body["expires"], entry.time + CONFIRM_WITHIN))
    )


@session_rules.of("confirmation.given", "confirming a session", Authority.PERSON, cannot=(Unjudged.PROOF,))
def confirmation_given(state: State, entry: Entry) -> Why:
    """The person whom it asks, in time, under a fresh factor."""
    body = entry.body
    waiting, mfa = state.confirmations.get(body["confirmation"]), body["mfa"]
    yield signed_in(state, body["person"])
    if waiting is None or waiting.expires <= state.begun:
        yield "no such confirmation waited"
        return
    if waiting.person != body["person"]:
        yield "it asks somebody else"
    session: SignIn | None = state.sign_ins.get(mfa["session"])
    if session is None or session.person != body["person"] or session.mfa_at != mfa["at"]:
        yield "no sign-in of the person ran behind it"
    if mfa["at"] + FRESH <= state.begun:
        yield "the second factor was not fresh"
    waiting.mfa = mfa


@session_rules.of("confirmation.used", "opening a session by a confirmation", Authority.CAUSE)
def confirmation_used(state: State, entry: Entry) -> Why:
    """One that was given, by whom the session is of."""
    body = entry.body
    waiting: Confirmation | None = state.end(state.confirmations, body["confirmation"])
    if waiting is None or waiting.mfa is None:
        yield "no such confirmation had been given"
    else:
        yield Unless("no such session was opened", (("opened", body["session"], waiting.person),))
        state.cause("confirmation", body["session"], waiting.person)


@session_rules.of("confirmation.failed", "failing to confirm a session", Authority.STRANGER)
def confirmation_failed(state: State, entry: Entry) -> Why:
    """Nothing is gained by it."""
    yield None
    state.end(state.confirmations, entry.body["confirmation"])


@session_rules.of("probe.ordered", "ordering probes", Authority.PERSON)
def probe_ordered(state: State, entry: Entry) -> Why:
    """Whoever administers or monitors."""
    yield acts(state, entry.body["by"], ADMINISTER, MONITOR)


session_rules.told("probe.made", "probing a listener", Authority.NODE)


@session_rules.of("recording.watched", "watching a recording", Authority.PERSON)
def recording_watched(state: State, entry: Entry) -> Why:
    """Its own person, an auditor, or whoever monitors."""
    by = entry.body["by"]
    yield signed_in(state, by)
    if hash((entry.body["session"], by)) not in state.recorded and not rights(state, by) & {AUDIT, MONITOR}:
        yield f"{by} held no role with the right to audit or monitor"


session_rules.told("recording.chunks_sealed", "sealing what was recorded", Authority.NODE)
session_rules.told("recording.found_bad", "saying what became of a recording", Authority.NODE)
session_rules.told("recording.found_good", "saying what became of a recording", Authority.NODE)
session_rules.told("recordings.checked", "saying what was checked", Authority.NODE)
