"""Rules of gateway sessions: confirmations, ends, recordings and probes."""

from __future__ import annotations

from onepam.kernel.instant import MINUTE, Instant
from onepam.ledger.lawful.door import owes_fresh, reach, shown, spent
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Confirmation, Session, SignIn
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import (
    ADMINISTER,
    AUDIT,
    FRESH,
    MONITOR,
    acts,
    one_hand,
    rights,
    signed_in,
    there,
)
from onepam.ledger.lawful.state import State

session_rules = Rules()

CONFIRM_WITHIN = 2 * MINUTE


@session_rules.of("session.closed", "closing a session", Authority.NODE, cannot=(Unjudged.REASON,))
def session_closed(state: State, entry: Entry) -> Why:
    """One that was open, once; and it counts nothing that no chunk holds, unless it names a gap."""
    body = entry.body
    yield _session_over(state, body["session"])
    if body["counts"] and not body["chunks"] and body["gap"] is None:
        yield "it counts what no chunk of its recording holds"
    session: Session | None = state.sessions.get(body["session"])
    if session is not None and session.makes and not session.user and body["counts"].get("finishes"):
        yield "statements ran in it, and no user was made for it"


@session_rules.of("session.failed", "saying that a session failed", Authority.NODE)
def session_failed(state: State, entry: Entry) -> Why:
    """One that was open, once."""
    yield _session_over(state, entry.body["session"])


def _session_over(state: State, session: str) -> str | None:
    """Why a session has no end here: it was not open, or has its end in this command."""
    was: Session | None = state.end(state.sessions, session)
    if was is None or state.caused("session over", session):
        return "no such session was open"
    state.cause("session over", session)
    if was.user in state.made_users:
        state.made_users[was.user].over = state.now
    return None


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
    """Of somebody whose account works, for what their roles give, for two minutes."""
    body = entry.body
    who, name = body["person"], body["confirmation"]
    yield there(state, who)
    person, resource = state.people.get(who), state.resources.get(body["resource"])
    if resource is None:
        yield f"there was no resource {body['resource']}"
    elif person is not None and (person.hold is not None or not reach(state, person, resource, body["login"])):
        yield f"the roles of {who} gave no login {body['login']} there"
    if body["expires"] > entry.time + CONFIRM_WITHIN:
        yield "it waits longer than two minutes"
    if name in state.confirmations:
        yield "there was such a confirmation already"
    for each, waiting in list(state.confirmations.items()):
        if waiting.expires > state.begun:
            break
        del state.confirmations[each]
    state.confirmations[name] = Confirmation(who, body["resource"], body["login"], Instant(body["expires"]))


@session_rules.of("confirmation.given", "confirming a session", Authority.PERSON, cannot=(Unjudged.PROOF,))
def confirmation_given(state: State, entry: Entry) -> Why:
    """The person whom it asks, in time, once, under a fresh factor of the sign-in that it names."""
    body = entry.body
    who, mfa, waiting = body["person"], shown(body["mfa"]), state.confirmations.get(body["confirmation"])
    yield signed_in(state, who)
    if waiting is None or waiting.expires <= state.begun or waiting.mfa is not None:
        yield "no such confirmation waited"
        return
    if waiting.person != who:
        yield "it asks somebody else"
    session: SignIn | None = state.sign_ins.get(mfa.session)
    if session is None or session.person != who or session.expires <= state.begun:
        yield "no sign-in of the person ran behind it"
    elif mfa != session.proof():
        yield "it claims another second factor than the sign-in"
    if mfa.at + FRESH <= state.begun:
        yield "the second factor was not fresh"
    if owes_fresh(state, waiting.resource) and spent(state, who, mfa):
        yield "the target asks for a factor of its own for each session"
    waiting.mfa = mfa


@session_rules.of("confirmation.used", "opening a session by a confirmation", Authority.CAUSE)
def confirmation_used(state: State, entry: Entry) -> Why:
    """One that was given and has not lapsed, by the session of this command that it was given for; once."""
    body = entry.body
    waiting: Confirmation | None = state.end(state.confirmations, body["confirmation"])
    if waiting is None or waiting.mfa is None or waiting.expires <= state.begun:
        yield "no such confirmation had been given, or it had lapsed"
        return
    if waiting.used:
        yield "it had served"
    waiting.used = True
    session: Session | None = state.sessions.get(body["session"])
    if session is None or session.opened < state.begun:
        yield "no such session was opened"
        return
    if (session.person, session.resource, session.login) != (waiting.person, waiting.resource, waiting.login):
        yield "it was for something else"
    elif session.proof != waiting.mfa:
        yield "the session claims another second factor than it was given under"
    state.cause("confirmation", body["session"], session.person)


@session_rules.of("confirmation.failed", "voiding a confirmation", Authority.STRANGER, Authority.CAUSE)
def confirmation_failed(state: State, entry: Entry) -> Why:
    """Somebody who was signed in and gave the wrong answer; or with the account."""
    body = entry.body
    waiting: Confirmation | None = state.end(state.confirmations, body["confirmation"])
    if waiting is None or waiting.expires <= state.begun:
        yield "no such confirmation waited"
    else:
        why = signed_in(state, body["by"])
        if why is not None:
            yield Unless(why, (("left", waiting.person),))


@session_rules.of("probe.ordered", "ordering probes", Authority.PERSON)
def probe_ordered(state: State, entry: Entry) -> Why:
    """Whoever administers or monitors."""
    yield acts(state, entry.body["by"], ADMINISTER, MONITOR)


session_rules.told("probe.made", "probing a listener", Authority.NODE)


@session_rules.of("recording.watched", "watching a recording", Authority.PERSON)
def recording_watched(state: State, entry: Entry) -> Why:
    """Its own person, an auditor, or whoever monitors."""
    by, session = entry.body["by"], entry.body["session"]
    yield signed_in(state, by)
    if session not in state.recorded:
        yield "there was no such session"
    elif state.recorded[session] is not state.people.get(by) and not rights(state, by) & {AUDIT, MONITOR}:
        yield f"{by} held no role with the right to audit or monitor"
    if session not in state.sessions:
        state.watched.add((session, by))


@session_rules.of("recording.inspected", "inspecting a recording", Authority.PERSON)
def recording_inspected(state: State, entry: Entry) -> Why:
    """An auditor, or whoever monitors, who was shown it since the session ended; nobody what was their own."""
    by, person, session = entry.body["by"], entry.body["person"], entry.body["session"]
    why = acts(state, by, AUDIT, MONITOR)
    yield why
    if state.recorded.get(session) is not state.people.get(person):
        yield "it was another's session"
    if by == person:
        yield f"{by} inspected what was their own"
    yield one_hand(state, by, person)
    whose = state.people.get(person)
    if whose is not None and whose.kind == "service" and whose.owner is not None:
        if by == whose.owner:
            yield f"{by} inspected what a service of their own did"
        yield one_hand(state, by, whose.owner)
    if session in state.sessions:
        yield "the session had not ended"
    elif why is None and (session, by) not in state.watched:
        yield f"{by} had not been shown it since it ended"


session_rules.told("recording.chunks_sealed", "sealing what was recorded", Authority.NODE)
session_rules.told("recording.found_bad", "saying what became of a recording", Authority.NODE)
session_rules.told("recording.found_good", "saying what became of a recording", Authority.NODE)
session_rules.told("recordings.checked", "saying what was checked", Authority.NODE)
