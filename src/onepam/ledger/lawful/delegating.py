"""Rules of delegations: who names whom to decide on requests for them, and what is decided so."""

from __future__ import annotations

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.asked_for import deciding_roles, is_held, is_named
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.gains import kept_apart
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, APPROVE, acts, one_hand, rights, roles, signed_in, there
from onepam.ledger.lawful.state import Delegation, State

delegating_rules = Rules()

DELEGATED_FOR = 92 * DAY
"""How long somebody decides for another, and how far ahead that may begin (microseconds)."""


@delegating_rules.of("delegation.set", "naming who decides for one", Authority.PERSON)
def delegation_set(state: State, entry: Entry) -> Why:
    """Somebody who approves, of another who does, for a time of which nobody is named yet."""
    body = entry.body
    person, to, begins, ends = body["person"], body["to"], body["begins"], body["ends"]
    yield acts(state, person, APPROVE)
    yield there(state, to)
    if to == person or APPROVE not in rights(state, to):
        yield f"{to} is the same, or approves nothing"
    if not begins < ends <= begins + DELEGATED_FOR or not state.begun <= begins <= entry.time + DELEGATED_FOR:
        yield "it begins in the past, or lasts too long"
    if body["delegation"] in state.delegations:
        yield "there was such a delegation already"
    theirs = (each for each in state.delegations.values() if each.person == person)
    if any(each.begins < ends and begins < each.ends for each in theirs):
        yield "somebody decided for them then already"
    state.delegations[body["delegation"]] = Delegation(person, to, Instant(begins), Instant(ends))


@delegating_rules.of("delegation.ended", "ending a delegation", Authority.PERSON)
def delegation_ended(state: State, entry: Entry) -> Why:
    """Whoever named somebody, whoever was named, or an administrator."""
    by, found = entry.body["by"], state.end(state.delegations, entry.body["delegation"])
    if found is None or found.ends <= state.begun:
        yield "no such delegation ran"
        return
    yield signed_in(state, by) if by in (found.person, found.to) else acts(state, by, ADMINISTER)


@delegating_rules.of("delegation.used", "deciding for another", Authority.PERSON)
def delegation_used(state: State, entry: Entry) -> Why:
    """Beside a decision: by a delegation that runs, of somebody who could decide on it themselves."""
    body = entry.body
    by, person, under = body["by"], body["person"], body["under"]
    found, request = state.delegations.get(body["delegation"]), state.requests.get(body["request"])
    if found is None or (found.person, found.to) != (person, by) or not found.begins <= state.begun < found.ends:
        yield f"{person} had not named {by} to decide for them"
    if request is None:
        yield "there was no such request"
        return
    approvers, who = deciding_roles(state, request), request.substance["person"]
    held = [role for name, role in roles(state, person) if name == under and APPROVE in role.console]
    may = under in approvers or is_named(state, request.substance, approvers, person, by)
    yield there(state, person)
    if not held or not may or person == who or is_held(state, person):
        yield f"{person} could not decide on it either"
    if kept_apart(state, by, under, lent=True):
        yield f"{by} holds what is kept apart from {under}"
    yield one_hand(state, person, who)
    said = [each for one in request.agreed.items() if one[0] != by for each in one]
    if person in said and request.status != "closed":
        yield f"{person} had agreed to it already, or somebody for them"
    if request.status != "closed":
        yield one_hand(state, person, *said)
    if by in request.agreed:
        request.agreed[by] = person
    state.cause("stands in", body["request"], by, under)
