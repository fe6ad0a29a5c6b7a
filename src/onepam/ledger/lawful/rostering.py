"""Rules of the staff roster: its versions and rows, where it comes from, and what it says of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Person
from onepam.ledger.lawful.listed import Rostered
from onepam.ledger.lawful.rule import Later, Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts
from onepam.ledger.lawful.state import State

rostering_rules = Rules()

LEAST_BRAKE, MOST_BRAKE = 50, 90
"""The share of accounts that a version of the roster may end before it is held, in percent."""

PORTION = 8_000
"""Rows of a large version of the roster that come in one command before the one that takes it."""

NOBODYS = "it is no account of somebody who is here"


@rostering_rules.of("roster.source_set", "setting where the roster comes from", Authority.PERSON)
def roster_source_set(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor."""
    yield acts(state, entry.body["by"], ADMINISTER, age=FRESH)
    state.roster_pulls = bool(entry.body["host"])


@rostering_rules.of("roster.rules_set", "setting how the roster is judged", Authority.PERSON)
def roster_rules_set(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor; the brake stays within its bounds."""
    yield acts(state, entry.body["by"], ADMINISTER, age=FRESH)
    if not LEAST_BRAKE <= entry.body["brake_percent"] <= MOST_BRAKE:
        yield f"the brake is set between {LEAST_BRAKE} and {MOST_BRAKE} percent"
    state.roster_creates = bool(entry.body["creates"])


@rostering_rules.of("roster.released", "releasing a held version of the roster", Authority.PERSON)
def roster_released(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, of the version that was held last."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    if state.roster_held != (body["version"], body["digest"]):
        yield "it was not the version that was held last"


@rostering_rules.of(
    "roster.taken", "taking a version of the roster", Authority.PERSON, Authority.ROSTER, cannot=(Unjudged.MESSAGE,)
)
def roster_taken(state: State, entry: Entry) -> Why:
    """An administrator, or the source that one has set."""
    yield _roster(state, entry)
    state.roster_taken, state.roster_held = True, None
    state.untaken.discard(entry.body["version"])
    state.cause("roster", entry.body["version"])


@rostering_rules.of("roster.held", "holding a version of the roster", Authority.PERSON, Authority.ROSTER)
def roster_held(state: State, entry: Entry) -> Why:
    """An administrator, or the source that one has set."""
    yield _roster(state, entry)
    state.roster_held = (entry.body["version"], entry.body["digest"])


@rostering_rules.of("roster.refused", "refusing a version of the roster", Authority.PERSON, Authority.ROSTER)
def roster_refused(state: State, entry: Entry) -> Why:
    """An administrator, or the source that one has set."""
    yield _roster(state, entry)
    state.roster_held = None


@rostering_rules.of("roster.entry_set", "saying who stands on the roster", Authority.ROSTER, cannot=(Unjudged.MESSAGE,))
def roster_entry_set(state: State, entry: Entry) -> Why:
    """With the version that is taken; a large one comes in several commands, of which the last takes it. An entry stays
    with its account."""
    body = entry.body
    name, who = body["entry"], body["person"]
    yield _row(state, entry)
    was = state.roster.get(name)
    before = was.person if was is not None else None
    if before is not None and who != before:
        yield f"the entry led to {before}"
    elif who is not None and before is None and not _somebody(state, who):
        yield NOBODYS
    state.roster[name] = Rostered(body["version"], who, body["type"], body["sponsor"], body["ends"])
    _is_of(state, name, who)


@rostering_rules.of("roster.entry_ended", "saying who is off the roster", Authority.ROSTER, cannot=(Unjudged.MESSAGE,))
def roster_entry_ended(state: State, entry: Entry) -> Why:
    """With the version that is taken; of an entry that was on it."""
    body = entry.body
    yield _row(state, entry)
    was = state.roster.get(body["entry"])
    if was is None or was.gone is not None:
        yield "there was no such entry on the staff roster"
    elif was.person is None:
        del state.roster[body["entry"]]
    else:
        was.version, was.gone = body["version"], body["left_at"]


@rostering_rules.of("roster.linked", "linking an account to the roster", Authority.ROSTER)
def roster_linked(state: State, entry: Entry) -> Why:
    """Of an entry that leads to nobody yet, and of an account of which there is no other; who joins by it, as it
    says."""
    name, who = entry.body["entry"], entry.body["person"]
    was, person = state.roster.get(name), state.people.get(who)
    if was is None or was.person is not None or was.version in state.untaken:
        yield "there was no such entry on the staff roster that led to nobody"
    else:
        if any(state.roster[each].gone is None for each in state.rostered.get(who, ())):
            yield f"another entry of the staff roster led to {who}"
        if person is None or not person.enabled or not _somebody(state, who):
            yield NOBODYS
        elif state.caused("joined", who) and (person.kind, person.ends) != (was.kind, was.ends):
            yield "the roster says something else of who joined"
        was.person = who
    _is_of(state, name, who)
    state.cause("on roster", who)


def as_rostered(state: State, person: Person, body: Mapping[str, Any]) -> bool:
    """Whether the staff roster says of somebody what an account is changed to. It leaves the end of whom nobody could
    do without, and the sponsor where it names none."""
    for name in state.rostered.get(body["person"], ()):
        each = state.roster[name]
        if each.gone is None and each.version not in state.untaken and each.kind == body["kind"]:
            sponsor = state.roster.get(each.sponsor or "")
            named = {person.owner, sponsor.person if sponsor is not None else None} - {None}
            if body["ends"] in (each.ends, person.ends) and body["owner"] in (
                named if each.kind == "vendor" else {None}
            ):
                return True
    return False


def off_roster(state: State, who: str) -> bool:
    """Whether somebody who was on the staff roster is off it, or their end there has come."""
    found = [state.roster[each] for each in state.rostered.get(who, ())]
    on = [each for each in found if each.gone is None]
    if on:
        found = [each for each in on if each.ends is not None and each.ends <= state.now and len(on) == 1]
    return any(each.version not in state.untaken for each in found)


def _row(state: State, entry: Entry) -> Later | None:
    """What is said with a version; once for each command."""
    version = entry.body["version"]
    state.untaken.add(version)
    counted = state.kept.setdefault("roster entries", [0])
    counted[0] += 1
    if counted[0] > 1:
        return None
    why = "no version of the roster was taken with it"
    return Later(why, lambda: counted[0] != PORTION and not state.caused("roster", version))


def _somebody(state: State, who: str) -> bool:
    return who in state.people and state.people[who].kind != "service"


def _is_of(state: State, name: str, who: str | None) -> None:
    if who is not None:
        state.about.is_of(who, ("entry", name))
        if name in state.roster:
            state.rostered.setdefault(who, set()).add(name)


def _roster(state: State, entry: Entry) -> str | None:
    by = entry.body["by"]
    if by is not None:
        return acts(state, by, ADMINISTER)
    return None if state.roster_pulls else "it is on nobody's word, and no source of the roster was set"
