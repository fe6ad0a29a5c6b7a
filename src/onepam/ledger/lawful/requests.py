"""Rules of access that is asked for: requests, approvals, grants and their ends."""

from __future__ import annotations

from onepam.kernel.instant import DAY, FOREVER, MINUTE, SECOND, Instant
from onepam.ledger.lawful.asked_for import (
    asks_same,
    by_rule,
    could_decide,
    goes_on,
    has_authority,
    held_until,
    in_force,
    may_approve,
    may_decide,
    offered,
    permission_of,
    says_yes,
    scheduled,
    stands_until,
)
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.gains import asking
from onepam.ledger.lawful.hours import begins_of, until_of
from onepam.ledger.lawful.known import Grant, Request
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, acts, signed_in, there
from onepam.ledger.lawful.state import State
from onepam.ledger.lawful.unsaid import substance_digest

request_rules = Rules()

ASKED_WITHIN = DAY
SHORTEST = 5 * MINUTE
MOST_WAITING = 20
"""Requests of one person that wait at a time."""

UNDO = 10 * SECOND
"""How long after an approval access begins, so that it can be undone."""


@request_rules.of("request.made", "asking for access", Authority.PERSON, cannot=(Unjudged.ZONE,), version=3)
@request_rules.of("request.made", "asking for access", Authority.PERSON, cannot=(Unjudged.ZONE,), version=2)
def request_made(state: State, entry: Entry) -> Why:
    """Somebody who is signed in, for what a role of theirs gives on request, exactly as it is now."""
    yield from _request_made(state, entry)
    state.requests[entry.body["request"]].ringless = True


@request_rules.of("request.made", "asking for access", Authority.PERSON)
def _request_made(state: State, entry: Entry) -> Why:
    """As today's: in those days two might say yes to each other."""
    body = entry.body
    substance = body["substance"]
    who = substance["person"]
    yield signed_in(state, who)
    yield from offered(state, substance)
    yield from scheduled(state, entry, substance)
    if body["digest"] != substance_digest(substance):
        yield "the digest is not that of what is asked"
    if body["expires"] > max(entry.time + ASKED_WITHIN, begins_of(substance) or 0):
        yield "it waits longer than a day, and than until it begins"
    if substance["duration"] < SHORTEST:
        yield "nobody asks for less than five minutes"
    if body["request"] in state.requests:
        yield "there was such a request already"
    request = Request(substance, body["digest"], Instant(body["expires"]), entry.time)
    person = state.people.get(who)
    if person is not None:
        waiting = [each for each in person.requests.values() if each.status == "open" and each.expires > state.begun]
        if any(each.digest == request.digest for each in waiting):
            yield "exactly this waited already"
        if len(waiting) >= MOST_WAITING:
            yield f"{MOST_WAITING} requests of theirs waited already"
        if request.expires > min(held_until(state, substance), person.ends or FOREVER):
            yield "it outlives the account, or the role that it is asked under"
        person.requests[body["request"]] = request
    state.requests[body["request"]] = request


@request_rules.of("request.agreed", "agreeing to a request", Authority.PERSON)
def request_agreed(state: State, entry: Entry) -> Why:
    """As an approval, by another than whoever agreed before."""
    body = entry.body
    by = body["by"]
    request = state.requests.get(body["request"])
    if request is None or request.status != "open":
        yield "no such request waited"
        return
    yield from says_yes(state, request, body)
    request.agreed[by] = by


@request_rules.of("request.approved", "approving a request", Authority.PERSON)
def request_approved(state: State, entry: Entry) -> Why:
    """Somebody else with authority, under a factor as fresh as the access asks, of exactly what was asked, in time."""
    body = entry.body
    by = body["by"]
    request = state.requests.get(body["request"])
    if request is None or request.status != "open":
        yield "no such request waited"
        return
    yield from says_yes(state, request, body)
    permission = permission_of(state, request.substance)
    counting = sum(1 for each in request.agreed if could_decide(state, request, each))
    if permission is not None and counting + 1 < asking(permission)["approvals"]:
        yield "it takes the yes of others, too"
    if body["effective_at"] < max(entry.time + UNDO, begins_of(request.substance) or 0):
        yield "it took effect before it could be undone, or before it was asked for"
    if state.begun < stands_until(state, request) <= body["effective_at"]:
        yield "the account or the role ended before it took effect"
    request.status, request.approved_by, request.effective = "approved", by, body["effective_at"]
    state.cause("approval", body["request"], by)


@request_rules.of("request.preapproved", "approving a request by a rule", Authority.CAUSE, cannot=(Unjudged.ZONE,))
def request_preapproved(state: State, entry: Entry) -> Why:
    """By the rule of the permission that it was asked under, as it was asked, no more often than the rule says."""
    body = entry.body
    request = state.requests.get(body["request"])
    if request is None or request.status != "open" or request.made < state.begun:
        yield "nobody asked for it in that moment"
        return
    asked = request.substance
    yield from by_rule(state, asked, body)
    if (body["person"], body["digest"]) != (asked["person"], request.digest):
        yield "what was approved is not what was asked"
    if (body["role"], body["role_version"]) != (asked["role"], asked["role_version"]):
        yield "the rule is of another role than it was asked under"
    if body["effective_at"] != state.begun:
        yield "it took effect at another time than it was asked for"
    request.status, request.approved_by, request.effective = "approved", "", body["effective_at"]
    state.cause("approval", body["request"], "")


@request_rules.of("grant.first_used", "using access for the first time", Authority.CAUSE)
def grant_first_used(state: State, entry: Entry) -> Why:
    """With the session that opened by it: from then on it lasts as long as was asked for, within its window."""
    body = entry.body
    grant = state.grants.get(body["grant"])
    if grant is None or until_of(grant.substance) is None or grant.used or grant.request != body["request"]:
        yield "no such access waited for its first use"
        return
    if not state.caused("used", body["session"], body["grant"]):
        yield "no session opened by it"
    if body["ends"] != min(grant.ends, state.begun + grant.substance["duration"]):
        yield "it does not end as long after its first use as was asked"
    grant.used, grant.ends = True, Instant(body["ends"])


@request_rules.of("grant.started", "getting access", Authority.CAUSE, version=3)
@request_rules.of("grant.started", "getting access", Authority.CAUSE, version=2)
@request_rules.of("grant.started", "getting access", Authority.CAUSE)
def grant_started(state: State, entry: Entry) -> Why:
    """By an approval in the same command, of exactly that, on a binding that its person holds."""
    body = entry.body
    substance, name = body["substance"], body["request"]
    request = state.requests.get(name)
    if not state.once("approval", name, body["approved_by"]):
        yield "nobody approved it, or it was given already"
    if request is None or not asks_same(request.substance, substance):
        yield "it is not what was asked"
    elif body["starts"] != request.effective:
        yield "it does not begin when the approval took effect"
    if body["grant"] in state.grants:
        yield "there was such access already"
    if body["ends"] > (until_of(substance) or (begins_of(substance) or body["starts"]) + substance["duration"]):
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
        yield from has_authority(state, request, body)


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
    state.yeses.pop((body["by"], request.substance["person"]), None)
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
    falls = stands_until(state, request) <= state.begun + UNDO or not goes_on(state, request)
    if by is not None and by != who and falls and may_decide(state, by, who):
        return  # whoever would have approved it voids what does not stand any more
    if by is not None or (request.expires > state.now and stands_until(state, request) > state.begun):
        yield Unless("it stood, had not lapsed, and nothing voided it", over)


@request_rules.of("request.escalated", "saying that others decide on a request, too", Authority.TIME)
def request_escalated(state: State, entry: Entry) -> Why:
    """Once, of what waits for longer than its permission says."""
    body = entry.body
    request = state.requests.get(body["request"])
    permission = None if request is None else permission_of(state, request.substance)
    if request is None or request.status != "open" or request.escalated or permission is None:
        yield "no such request waited, or it was said already"
        return
    asks = asking(permission)
    if not asks["escalates"] or state.now < request.made + asks["escalates"] or body["to"] != list(asks["then"]):
        yield "the role lets nobody else decide on it yet"
    request.escalated = True


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
        held = person is not None and any(each.binding == grant.binding for each in in_force(state, person))
        if held and there(state, who) is None:
            yield Unless("it is on nobody's word, and what it rests on was there", over)
    elif by != who and not may_approve(state, grant.substance, by):
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
