"""What takes two people, whichever kind: how one is laid before another, decided, and ends undecided."""

from __future__ import annotations

from onepam.kernel.instant import DAY, FOREVER, Instant
from onepam.ledger.lawful.entry import Entry
from onepam.ledger.lawful.known import Proposal
from onepam.ledger.lawful.rule import Unless, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts, one_hand, rights, there
from onepam.ledger.lawful.state import State

LAPSE = 7 * DAY


def propose(
    state: State, entry: Entry, kind: str, name: str, *, person: str = "", lapse: int = LAPSE, ends: int = FOREVER
) -> Proposal:
    """Keeps what waits. `person` is whom it is for, `ends` the end of what it proposes."""
    until = Instant(min(entry.time + lapse, ends))
    kept = Proposal(entry.body["by"], entry.time, until, entry.body, person)
    state.proposals[(kind, name)] = kept
    return kept


def one(state: State, kind: str, name: str) -> str | None:
    """Whether none of that name waits: what a proposal says never changes under it."""
    return "such a proposal waited already" if (kind, name) in state.proposals else None


def decides(state: State, entry: Entry, kind: str, name: str, right: str = ADMINISTER) -> Why:
    """Somebody else with the right, under a fresh factor, in time, while its proposer is here and administers; neither
    whom it is for, nor one hand with either."""
    by = entry.body["by"]
    yield acts(state, by, right, age=FRESH)
    waiting = state.proposals.get((kind, name))
    if waiting is None:
        yield "no such proposal waited"
        return
    alone = waiting.alone is not None and waiting.by == by
    if alone and waiting.alone is not None and waiting.alone > state.now:
        yield "its proposer may carry it out alone only later"
    if not alone:
        yield f"{by} had proposed it" if waiting.by == by else None
        yield f"it is for {by}" if waiting.person == by else None
        yield one_hand(state, by, *(each for each in (waiting.by, waiting.person) if each))
    if waiting.until <= state.begun:
        yield "it had lapsed"
    why = None if waiting.by is None else there(state, waiting.by)
    if why is not None:
        yield f"its proposer had left: {why}"
    elif waiting.by is not None and ADMINISTER not in rights(state, waiting.by):
        yield "its proposer had lost the right to propose it"


def ends_proposal(
    state: State, entry: Entry, kind: str, name: str, *rights: str, also: tuple[tuple[str, str], ...] = ()
) -> Why:
    """Somebody with one of the rights; else it lapsed, or fell with its proposer, with whom it is for, or by one of the
    causes `also`."""
    waiting: Proposal | None = state.end(state.proposals, (kind, name))
    by = entry.body["by"]
    if waiting is None:
        yield "no such proposal waited"
    elif by is not None:
        yield acts(state, by, *rights)
    elif waiting.until > state.now:
        people = [each for each in (waiting.by, waiting.person) if each]
        if all(there(state, each) is None for each in people):
            causes = (*(("left", each) for each in people), *also)
            yield Unless("it is on nobody's word, had not lapsed, and its people were there", causes)
