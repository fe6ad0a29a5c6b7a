"""Rules of login tokens: who gets one, and what it opens."""

from __future__ import annotations

from onepam.kernel.instant import MINUTE, Instant
from onepam.ledger.lawful.door import reach
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import DATABASES, LoginToken, Session
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import signed_in
from onepam.ledger.lawful.state import State

login_token_rules = Rules()

FIRST_USE = 10 * MINUTE


@login_token_rules.of("login_token.issued", "getting a login token", Authority.PERSON, cannot=(Unjudged.LIMIT,))
def login_token_issued(state: State, entry: Entry) -> Why:
    """Somebody who is signed in, for what their roles give on a database, under a sign-in of theirs."""
    body = entry.body
    who, name = body["person"], body["token"]
    yield signed_in(state, who)
    person, resource = state.people.get(who), state.resources.get(body["resource"])
    if resource is None or resource.target[0] not in DATABASES:
        yield f"there was no database {body['resource']}"
    elif person is not None and (person.hold is not None or not reach(state, person, resource, body["login"])):
        yield f"the roles of {who} gave no login {body['login']} there"
    session = state.sign_ins.get(body["sign_in"])
    if session is None or session.person != who or session.expires <= state.begun:
        yield "no such sign-in of the person ran behind it"
    if body["expires"] > entry.time + FIRST_USE:
        yield "it waits longer than ten minutes"
    if name in state.login_tokens or name in state.void:
        yield "there was such a token already"
    for each, other in list(state.login_tokens.items()):
        if other.ends > state.begun:
            break
        del state.login_tokens[each]
        state.void.add(each)
    ends = Instant(body["expires"])
    state.login_tokens[name] = LoginToken(who, body["resource"], body["login"], body["sign_in"], ends)


@login_token_rules.of(
    "login_token.used", "opening a session by a login token", Authority.CAUSE, cannot=(Unjudged.NETWORK, Unjudged.LIMIT)
)
def login_token_used(state: State, entry: Entry) -> Why:
    """One in time, by the session of this command that it was issued for; the first one's end is the token's."""
    body = entry.body
    token: LoginToken | None = state.login_tokens.get(body["token"])
    if token is None or token.ends <= state.begun:
        yield "no such token had been issued, or its time was over"
        return
    session: Session | None = state.sessions.get(body["session"])
    if session is None or session.opened < state.begun:
        yield "no such session was opened"
        return
    if (session.person, session.resource, session.login) != (token.person, token.resource, token.login):
        yield "it was for something else"
    elif session.proof.session != token.sign_in:
        confirmed = (("confirmation", body["session"], session.person),)
        yield Unless("the session was opened under another sign-in than the token", confirmed)
    if not token.used and body["ends"] != session.ends:
        yield "its first use gave it another end than that of the session"
    elif token.used and body["ends"] != token.ends:
        yield "its end had been fixed by its first use"
    elif session.ends > body["ends"]:
        yield "the session outlives the token"
    token.ends, token.used = Instant(body["ends"]), True
    state.cause("login token", body["session"], session.person)
