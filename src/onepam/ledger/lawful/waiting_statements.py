"""Rules of statements that ask first: which may wait, who decides, and who says that they run no more."""

from __future__ import annotations

from onepam.kernel.instant import FOREVER, MINUTE
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.guardrails import WAITS_AT_MOST
from onepam.ledger.lawful.known import Proposal, Session
from onepam.ledger.lawful.proposals import one, propose
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import APPROVE, one_hand, roles, signed_in, there
from onepam.ledger.lawful.state import State

waiting_statement_rules = Rules()

STATEMENT = "statement"

WAITS_IN_TRANSACTION = 2 * MINUTE
STATEMENT_FACTOR = 15 * MINUTE
"""How long ago whoever says yes may have shown their second factor."""


@waiting_statement_rules.of("statement.asked", "asking for a statement", Authority.NODE, cannot=(Unjudged.CLASS,))
def statement_asked(state: State, entry: Entry) -> Why:
    """In a session that goes on, of classes that ask first there, of the roles that its permission names; one at a
    time."""
    body = entry.body
    session: Session | None = state.sessions.get(body["session"])
    if session is None:
        yield "no such session was open"
    else:
        if (session.person, session.resource, session.login) != (body["by"], body["resource"], body["login"]):
            yield "the session is of somebody else, or of something else"
        if not body["classes"] or not set(body["classes"]) <= session.asks:
            yield "the session did not ask first for statements of that class"
        if body["approvers"] != _who_decides(state, session):
            yield "its permission names other roles to decide"
        if body["expires"] > session.ends:
            yield "it outlives the session"
        waiting = state.proposals.get((STATEMENT, session.waits))
        if waiting is not None:
            yield "another statement of the session waited already"
        session.waits = body["statement"]
    most = WAITS_AT_MOST if session is None else session.wait
    if body["expires"] > entry.time + (min(most, WAITS_IN_TRANSACTION) if body["in_transaction"] else most):
        yield "it waits longer than a statement may"
    yield one(state, STATEMENT, body["statement"])
    propose(state, entry, STATEMENT, body["statement"], lapse=FOREVER, ends=body["expires"])


@waiting_statement_rules.of("statement.approved", "letting a statement run", Authority.PERSON)
def statement_approved(state: State, entry: Entry) -> Why:
    """Somebody else of the roles that it names, under a fresh factor, in time, while its session goes on."""
    body = entry.body
    waiting: Proposal | None = state.end(state.proposals, (STATEMENT, body["statement"]))
    if waiting is None:
        yield "no such statement waited"
        return
    yield from _says_yes_or_no(state, waiting, body["by"], body["under"])
    session = state.sessions.get(waiting.body["session"])
    yield signed_in(state, body["by"], STATEMENT_FACTOR, seen=session is None or session.privileged)
    if session is None:
        yield "its session was over"
    if waiting.until <= state.begun:
        yield "it had lapsed"
    yield there(state, waiting.body["by"])


@waiting_statement_rules.of(
    "statement.ended", "ending the wait of a statement", Authority.PERSON, Authority.NODE, Authority.TIME
)
def statement_ended(state: State, entry: Entry) -> Why:
    """Its own person, or whoever could have said yes; or the gateway, of what runs no more."""
    by = entry.body["by"]
    waiting: Proposal | None = state.end(state.proposals, (STATEMENT, entry.body["statement"]))
    if waiting is None:
        yield "no such statement waited"
    elif by is not None:
        yield signed_in(state, by)
        if by != waiting.by:
            yield from _says_yes_or_no(state, waiting, by, None)


def _who_decides(state: State, session: Session) -> list[str]:
    role, permission = session.permission
    held = state.roles.get(role)
    found = held.permissions.get(permission) if held is not None else None
    return list(found.get("approvers") or ()) if found is not None else []


def _says_yes_or_no(state: State, waiting: Proposal, by: str, under: str | None) -> Why:
    """Neither whoever asked nor one hand with them; by a role that it names, with the right to approve."""
    if by == waiting.by:
        yield "nobody decides for themselves"
    yield one_hand(state, by, *([waiting.by] if waiting.by else []))
    person = state.people.get(by)
    held = {name for name, role in roles(state, by) if APPROVE in role.console}
    if person is not None and person.hold is not None:
        held = set()
    if not held & ({*waiting.body["approvers"]} if under is None else {under}):
        yield f"{by} held no role with the right to approve that may decide on it"
    elif under is not None and under not in waiting.body["approvers"]:
        yield f"the role {under} may not decide on it"
