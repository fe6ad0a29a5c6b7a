"""Rules of the door: by what a session opens, for whom, and with which second factor."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

from onepam.kernel.instant import Instant
from onepam.ledger.lawful.asked_for import admits, covers
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.guardrails import Guards, as_wide, asks_first, narrower, waits
from onepam.ledger.lawful.hours import open_until, until_of, weekly_of
from onepam.ledger.lawful.known import Grant, Person, Proof, Resource, Session
from onepam.ledger.lawful.rule import Later, Rules, Unless, Why
from onepam.ledger.lawful.standing import DAY_OF_WORK, FRESH, UNSEEN, there
from onepam.ledger.lawful.state import State

door_rules = Rules()

SERVICE_KEY, CONFIRMED_KEY = "ssh_service_key", "ssh_key_confirmed"
LOGIN_TOKENS = ("postgres_token", "mysql_token")
BY_ITS_KEY = ("machine",)
KEPT_IN_PART = "exec"
"""The action of which a recording may be kept in part."""

GUARDED = "query"
"""The action that guardrails are about."""


class Chain(NamedTuple):
    """What one chain gives: its actions, whether it is administrative, how much of it is recorded, and the guardrails
    of statements."""

    actions: Sequence[str]
    administrative: bool
    recording: str | None
    guardrails: Guards | None


@door_rules.of(
    "session.opened",
    "opening a session",
    Authority.DOOR,
    cannot=(Unjudged.PROOF, Unjudged.NETWORK, Unjudged.TARGET),
    version=2,
)
@door_rules.of(
    "session.opened", "opening a session", Authority.DOOR, cannot=(Unjudged.PROOF, Unjudged.NETWORK, Unjudged.TARGET)
)
def session_opened(state: State, entry: Entry) -> Why:
    """Somebody whose account works, by what they held at that instant, with the second factor that it asks."""
    body = entry.body
    who, mfa = body["person"], shown(body["mfa"])
    yield there(state, who)
    yield _locked(state, who, body["resource"])
    if body["session"] in state.recorded:
        yield "there was such a session already"
    resource = state.resources.get(body["resource"])
    if resource is None:
        yield f"there was no resource {body['resource']}"
    else:
        if not resource.pinned:
            yield "nothing was pinned that the target is known by"
        if resource.target[0] != body["entry"].partition("_")[0]:
            yield "the target speaks another protocol than the door"
        found = []
        for because in (body["because"], *body["also"]):
            chain = yield from _chain(state, entry, because, resource)
            found += [chain] if chain is not None else []
        yield from _gives(entry, found, resource)
        yield from _proof(state, entry, mfa, resource, administrative=any(each.administrative for each in found))
    if body["entry"] in LOGIN_TOKENS:
        yield Unless("no login token let it in", (("login token", body["session"], who),))
    if body["ends"] <= state.begun:
        yield "it was over before it began"
    if body["ends"] > entry.time + DAY_OF_WORK:
        yield "it lasts longer than any session"
    person = state.people.get(who)
    if person is not None:
        if person.ends is not None and body["ends"] > person.ends:
            yield "it outlives the account"
        if body["privileged"]:
            yield _held_back(person, who, entry)
        person.spend(mfa.at, state.begun - DAY_OF_WORK)
    state.sessions[body["session"]] = Session(
        who,
        entry.time,
        Instant(body["ends"]),
        body["resource"],
        body["login"],
        mfa,
        body["privileged"],
        asks_first(body["guardrails"]),
        (body["because"]["role"], body["because"]["permission"]),
        makes=resource is not None and resource.makes(body["login"]),
        wait=waits(body["guardrails"]),
    )
    state.recorded[body["session"]] = person
    state.cause("opened", body["session"], who)


def _locked(state: State, who: str, name: str) -> str | None:
    on = [(person, resource) for person, resource, _ in state.locks.values()]
    if any(person in (None, who) and resource in (None, name) for person, resource in on):
        return "the person, the resource or everything was locked"
    return None


def shown(mfa: Mapping[str, Any]) -> Proof:
    """The second factor that an entry claims."""
    return Proof(
        mfa["session"],
        tuple(mfa["factors"]),
        mfa["at"],
        mfa.get("basis", "own"),
        mfa.get("provider", ""),
        mfa.get("phishing_resistant", False),
    )


def owes_fresh(state: State, name: str) -> bool:
    """Whether a resource asks for a factor of its own for each session."""
    resource = state.resources.get(name)
    return resource is not None and bool((resource.mfa or {}).get("fresh"))


def spent(state: State, who: str, mfa: Proof) -> bool:
    """Whether nobody saw the factor, or a session of the person's was opened with it before."""
    person = state.people.get(who)
    return mfa.basis in UNSEEN or (person is not None and mfa.at in person.spent)


def reach(state: State, person: Person, resource: Resource, login: str) -> bool:
    """Whether somebody's roles give the login there, standing or by access that runs."""
    for binding in state.bindings_of(person):
        role = state.roles.get(binding.role)
        if role is None or (binding.ends is not None and binding.ends <= state.begun):
            continue
        if any(
            covers(each, resource.labels)
            and admits(each, login, resource.logins)
            and (each["mode"] == "standing" or _runs(state, person, binding.binding, name, login))
            for name, each in role.permissions.items()
        ):
            return True
    return False


def _runs(state: State, person: Person, binding: str, permission: str, login: str) -> bool:
    """Whether access of somebody's runs that lives on the binding."""
    return any(
        (each.binding, each.substance["permission"], each.substance["login"]) == (binding, permission, login)
        and each.starts <= state.now
        and each.ends > state.begun
        for each in person.grants.values()
    )


def _gives(entry: Entry, found: list[Chain], resource: Resource) -> Why:
    """No more than the chains do, and it says what it is, and how much of it is kept."""
    body = entry.body
    privileged = bool(found) and (any(each.administrative for each in found) or resource.labels.get("env") == "prod")
    if set(body["actions"]).difference(*[each.actions for each in found]):
        yield "it allows more than the chain does"
    if privileged and not body["privileged"]:
        yield "it is privileged, and does not say so"
    said = {each.recording for each in found if len(found) == 1 or KEPT_IN_PART in each.actions}
    whole = "whole" in said or (said != {"head_tail"} and privileged)
    if whole and body["recording"] != "whole":
        yield "less of it is kept than of what it is"
    if GUARDED in body["actions"] and not any(
        GUARDED in each.actions and as_wide(each.guardrails, body["guardrails"]) for each in found
    ):
        yield "it lets more statements through than the chain does"


def _held_back(person: Person, who: str, entry: Entry) -> str | None:
    """Why nothing privileged opens with what is proved by: a machine by keys alone, whatever else the account has, and
    a person by none that waits, whatever else they have."""
    waiting = [each.waits for each in person.factors.values() if each.kind == "ssh_key"]
    if entry.body["entry"] == SERVICE_KEY:
        return "no key of the account had been registered by two administrators" if all(waiting) and waiting else None
    if any(waiting):
        return f"a key of {who} had been registered by one administrator"
    if (person.privileged_from or 0) > entry.time:
        return f"a factor of {who} had been replaced within the hour"
    return None


def _chain(
    state: State, entry: Entry, because: Mapping[str, Any], resource: Resource
) -> Generator[str | Unless | Later | None, None, Chain | None]:
    """The binding, the role and the permission; and the grant where it is on request. Returns what they give."""
    body = entry.body
    who = body["person"]
    person, role = state.people.get(who), state.roles.get(because["role"])
    binding = state.bindings.get(because["binding"])
    if person is None or role is None or binding is None or binding.role != because["role"]:
        yield f"there was no binding of the role {because['role']}"
        return None
    if all(each.binding != binding.binding for each in state.bindings_of(person)):
        yield f"{who} did not hold the role {binding.role} by that binding"
    if because["group"] != (binding.subject if binding.to_group else ""):
        yield "the binding is not of the group that it names"
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
    given = _given(permission)
    if permission["mode"] == "request":
        grant: Grant | None = state.grants.get(because["grant"])
        yield from _granted(state, entry, because, grant)
        given = given if grant is None else _of_it(given, grant.substance)
    elif because["role_version"] != role.version:
        yield "the role was of another version"
    elif body["ends"] > entry.time + permission["longest"]:
        yield "it lasts longer than the permission"
    elif because["request"] or because["approval_by"] or because["grant"]:
        yield "it names an approval, and needed none"
    return given


def _given(permission: Mapping[str, Any]) -> Chain:
    """All that a permission gives."""
    administrative = bool(permission.get("administrative"))
    return Chain(permission["actions"], administrative, permission.get("recording"), permission["guardrails"])


def _of_it(given: Chain, substance: Mapping[str, Any]) -> Chain:
    """What of it was granted: no more than was asked for then."""
    return given._replace(
        actions=[each for each in given.actions if each in substance["actions"]],
        guardrails=narrower(given.guardrails, substance["guardrails"]),
    )


def _granted(state: State, entry: Entry, because: Mapping[str, Any], grant: Grant | None) -> Why:
    """Access that runs, of this very person, for this very thing, with the request and the approval that gave it."""
    body = entry.body
    if grant is None:
        yield "it needs an approval, and no such access ran"
        return
    asked = grant.substance
    said = (body["person"], body["resource"], body["login"], because["permission"], because["binding"])
    if said != (asked["person"], asked["resource"], asked["login"], asked["permission"], grant.binding):
        yield "the access that ran is for something else"
    rests = (because["request"], because["approval_by"], because["role_version"])
    if rests != (grant.request, grant.approved_by, asked["role_version"]):
        yield "the access that ran came by another request or approval"
    if not grant.starts <= entry.time or grant.ends <= state.begun or body["ends"] > grant.ends:
        yield "the access had not begun, had ended, or ends before the session"
    if until_of(asked) is not None and not grant.used:
        if body["ends"] > state.begun + asked["duration"]:
            yield "it lasts longer than the access from its first use on"
        state.cause("used", body["session"], because["grant"])
        yield Later("the first use of the access is not said", lambda: not grant.used)
    hours = weekly_of(asked)
    if hours is not None and not entry.time < body["ends"] <= open_until(hours, entry.time):
        yield "it was outside of the hours of the access, or lasts longer than they do"


def _proof(state: State, entry: Entry, mfa: Proof, resource: Resource, *, administrative: bool) -> Why:
    """A machine's key; else a sign-in that runs, or a confirmation for this very session, by the resource's rule."""
    body = entry.body
    who, rule = body["person"], resource.mfa or {}
    person = state.people.get(who)
    if (body["entry"] == SERVICE_KEY) is not (person is not None and person.kind == "service"):
        yield "a machine comes in by its own key, and nobody else does"
    if body["entry"] == SERVICE_KEY:
        if person is not None and all(each.kind != "ssh_key" for each in person.factors.values()):
            yield "the machine had no key in force"
        if (mfa.session, mfa.factors, mfa.basis, mfa.provider, mfa.hard) != ("", BY_ITS_KEY, "own", "", False):
            yield "a machine shows no second factor"
        return
    confirmed = (("confirmation", body["session"], who),)
    yield from _behind(state, entry, mfa, confirmed)
    if body["entry"] == CONFIRMED_KEY and rule.get("phishing_resistant"):
        yield "the target takes no confirmation by a link from a terminal"
    if (administrative and mfa.basis == "declared") or (body["privileged"] and mfa.basis == "accepted"):
        yield f"a second factor that is only {mfa.basis} opens nothing like it"
    if rule.get("phishing_resistant") and (not mfa.hard or mfa.basis in UNSEEN):
        yield "the target asks for a phishing-resistant factor"
    oldest = DAY_OF_WORK if rule.get("max_age") is None else min(rule["max_age"], DAY_OF_WORK)
    if mfa.at + oldest <= state.begun or mfa.at > entry.time:
        yield "the second factor was too old"
    if rule.get("fresh"):
        if spent(state, who, mfa):
            yield "the target asks for a factor of its own for each session"
        elif mfa.at + FRESH <= state.begun:
            yield Unless("the target asks for a fresh factor, or for a confirmation", confirmed)


def _behind(state: State, entry: Entry, mfa: Proof, confirmed: tuple[tuple[str, str, str], ...]) -> Why:
    """The sign-in, as it then was; or what a confirmation says, whether its sign-in has ended since or not."""
    body = entry.body
    person, session = state.people.get(body["person"]), state.sign_ins.get(mfa.session)
    if body["entry"] == CONFIRMED_KEY:
        yield Unless("nobody confirmed it", confirmed)
    elif person is None or all(each.expires <= state.begun for each in person.sign_ins.values()):
        yield "no sign-in of the person ran behind it"
    elif session is None or session.person != body["person"] or session.expires <= state.begun:
        yield Unless("no such sign-in of the person ran behind it", confirmed)
    elif mfa != session.proof():
        yield Unless("it claims another second factor than the sign-in", confirmed)
