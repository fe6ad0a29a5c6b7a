"""The rule of what a review keeps until a day: with the decision to keep it, and of what would be given for longer."""

from __future__ import annotations

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.reviews import KEEP
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, signed_in
from onepam.ledger.lawful.state import State

reducing_rules = Rules()

LONGEST_KEPT = 366 * DAY
"""How far ahead the day may be (microseconds)."""


@reducing_rules.of("role.reduced", "keeping a role until a day", Authority.CAUSE)
def role_reduced(state: State, entry: Entry) -> Why:
    """With whoever decides, in the same command; of a role that something gives the person for longer."""
    body = entry.body
    key, until = (body["person"], body["role"]), Instant(body["until"])
    yield Unless("nobody decided to keep it", (("decided on", body["review"], *key, KEEP, body["by"]),))
    if not state.begun < until <= state.begun + LONGEST_KEPT:
        yield "its day is not within the next 366 days"
    person, role = state.people.get(key[0]), state.roles.get(key[1])
    given = state.every_binding_of(person) if person is not None else iter(())
    if not any(each.role == key[1] and (each.ends is None or each.ends > until) for each in given):
        yield "nothing gave it for longer"
    if role is not None and ADMINISTER in role.console:
        yield signed_in(state, body["by"], FRESH)
    state.reduced[key] = (body["review"], until)
