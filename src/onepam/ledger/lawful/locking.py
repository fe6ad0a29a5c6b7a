"""Rules of locks: who locks a person, a resource or everything, and who lifts it."""

from __future__ import annotations

from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, MONITOR, acts, nobody_else, one_hand, rights, signed_in
from onepam.ledger.lawful.state import State

lock_rules = Rules()


@lock_rules.of("lock.set", "locking", Authority.PERSON)
def lock_set(state: State, entry: Entry) -> Why:
    """Whoever administers or monitors, on somebody or something that there is."""
    body = entry.body
    by, person, resource = body["by"], body["person"], body["resource"]
    yield signed_in(state, by)
    if not rights(state, by) & {ADMINISTER, MONITOR}:
        yield f"{by} held no role with the right to administer or monitor"
    named = {scope for scope, name in (("person", person), ("resource", resource)) if name is not None}
    if named != {body["scope"]} - {"everything"}:
        yield "it names something else than its scope"
    if not (person is None or person in state.people) or not (resource is None or resource in state.resources):
        yield "there was nobody and nothing of that name"
    if body["lock"] in state.locks:
        yield "there was such a lock already"
    state.locks[body["lock"]] = (person, resource, by)


@lock_rules.of("lock.lifted", "lifting a lock", Authority.PERSON)
def lock_lifted(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, who neither set it nor is whom it is on, nor one hand with them; where
    there is none, whoever set it; and whom it is on where nobody else administers."""
    by = entry.body["by"]
    yield acts(state, by, ADMINISTER, age=FRESH)
    lock: tuple[str | None, str | None, str] | None = state.end(state.locks, entry.body["lock"])
    if lock is None:
        yield "no such lock stood"
        return
    person, _, setter = lock
    if person is not None and _may_be(state, by, person):
        yield nobody_else(state, person, person)
    elif _may_be(state, by, setter):
        yield nobody_else(state, setter, person or setter)


def _may_be(state: State, by: str, who: str) -> bool:
    return by == who or one_hand(state, by, who) is not None
