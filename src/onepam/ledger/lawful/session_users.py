"""Rules of users that are made for sessions: which, by whose account, and what becomes of them."""

from __future__ import annotations

from onepam.kernel.instant import HOUR, MINUTE
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import MadeUser, Resource, Session, TargetSecret
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.state import State
from onepam.ledger.lawful.target_secrets import lent

session_user_rules = Rules()

LETS_IN_LONGER = 5 * MINUTE
"""So long after the end of its session a user may let somebody in, whoever drops it."""

MOST_LEFT_BEHIND = 20
"""Of a resource; with so many no session gets another."""

ELSEWHERE = "resource.moved"
"""Why one is left behind that does not count: it may be where the resource was before."""

ACCOUNTED_WITHIN = HOUR
"""So long after the end of its session a user is dropped, or said to be left behind."""


@session_user_rules.of("session_user.made", "making a user for a session", Authority.NODE)
def session_user_made(state: State, entry: Entry) -> Why:
    """For a session that runs, its only one, as the resource says for the login, by the account whose secret the vault
    holds; and no more while too many are left behind, or one is not accounted for."""
    body = entry.body
    session: Session | None = state.sessions.get(body["session"])
    if session is None or session.ends <= state.begun:
        yield "no such session was open"
    else:
        if (session.resource, session.login) != (body["resource"], body["login"]):
            yield "the session is of something else"
        if session.user:
            yield "the session had a user"
        if body["until"] > session.ends + LETS_IN_LONGER:
            yield "it lets somebody in after its session"
        session.user = body["user"]
    resource: Resource | None = state.resources.get(body["resource"])
    users = (resource.session_users or {}) if resource is not None else {}
    if (users.get("made_by"), users.get("member_of", {}).get(body["login"])) != (body["made_by"], body["role"]):
        yield "the resource makes no such user for the login"
    kept: TargetSecret | None = state.target_secrets.get(body["secret"])
    yield lent(kept, body["version"], (body["resource"], body["made_by"]))
    if body["user"] in state.user_names:
        yield "there was such a user before"
    others = [each for each in state.made_users.values() if each.resource == body["resource"]]
    if sum(each.left not in ("", ELSEWHERE) for each in others) >= MOST_LEFT_BEHIND:
        yield "too many were left behind there"
    for each in others:
        if each.over is not None and not each.left and each.over + ACCOUNTED_WITHIN <= state.begun:
            yield "one of an earlier session was neither dropped nor said to be left behind"
            break
    state.user_names.add(body["user"])
    state.made_users[body["user"]] = MadeUser(body["session"], body["resource"])


@session_user_rules.of(
    "session_user.dropped", "saying that a session's user is gone", Authority.NODE, cannot=(Unjudged.TARGET,)
)
def session_user_dropped(state: State, entry: Entry) -> Why:
    """One that was made for that session there, once."""
    yield _made_for(state.made_users.pop(entry.body["user"], None), entry)


@session_user_rules.of(
    "session_user.left", "leaving a session's user behind", Authority.NODE, cannot=(Unjudged.REASON,)
)
def session_user_left(state: State, entry: Entry) -> Why:
    """One that was made for that session there, and is not gone."""
    made: MadeUser | None = state.made_users.get(entry.body["user"])
    yield _made_for(made, entry)
    if made is not None:
        made.left = entry.body["because"]


def _made_for(made: MadeUser | None, entry: Entry) -> str | None:
    """Why it is none that was made for the session there."""
    if made is None:
        return "no such user was there"
    of = (made.session, made.resource)
    return None if of == (entry.body["session"], entry.body["resource"]) else "it is the user of another session"
