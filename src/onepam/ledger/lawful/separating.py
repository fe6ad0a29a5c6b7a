"""Rules of roles that are kept apart, and of who is excused from that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepam.ledger.lawful.access import DECIDING, alone, by_change
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.gains import NOBODY_ELSE
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.state import State

separation_rules = Rules()


@separation_rules.of("separation.set", "keeping roles apart", Authority.CAUSE)
def separation_set(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command; what keeps less apart, or excuses somebody, by two."""
    body = entry.body
    yield by_change(entry)
    name, before = body["separation"], state.separations.get(body["separation"])
    if len(set(body["roles"])) < 2:
        yield "it keeps no two roles apart"
    excused = _newly_excused(before, body, state.begun)
    if alone(state, body):
        if before is not None and not set(before["roles"]) <= set(body["roles"]):
            yield f"it keeps less apart, {NOBODY_ELSE}"
        if excused:
            yield f"it excuses somebody, {NOBODY_ELSE}"
    for who in sorted(excused & state.kept.get(DECIDING, set())):
        yield f"{who} is excused by it, and decided, proposed it, or may be one hand with who did"
    state.separations[name] = body


@separation_rules.of("separation.removed", "letting roles be held together", Authority.CAUSE)
def separation_removed(state: State, entry: Entry) -> Why:
    """By a change that was applied in the same command, and by two."""
    yield by_change(entry)
    if state.end(state.separations, entry.body["separation"]) is None:
        yield "there was no such separation"
    if alone(state, entry.body):
        yield f"it keeps nothing apart any more, {NOBODY_ELSE}"


def _newly_excused(before: Mapping[str, Any] | None, body: Mapping[str, Any], at: int) -> set[str]:
    """Whom it excuses who was not, or not for so long."""
    until = {each["person"]: each["ends"] for each in before["excused"]} if before is not None else {}
    return {each["person"] for each in body["excused"] if each["ends"] > max(at, until.get(each["person"], at))}
