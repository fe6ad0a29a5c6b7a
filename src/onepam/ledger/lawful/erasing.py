"""Rules of erasing what is known of somebody: who agrees to it, of whom, and what goes by it."""

from __future__ import annotations

from onepam.kernel.instant import DAY
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.proposals import decides, ends_proposal, propose
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts
from onepam.ledger.lawful.state import State

erasing_rules = Rules()

ERASURE = "erasure"


@erasing_rules.of("erasure.proposed", "proposing to erase somebody", Authority.PERSON)
def erasure_proposed(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, of somebody who left as long ago as the entry says."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    yield from _gone(state, entry, body["keep_days"])
    propose(state, entry, ERASURE, body["erasure"])


@erasing_rules.of("erasure.approved", "agreeing to erase somebody", Authority.PERSON)
def erasure_approved(state: State, entry: Entry) -> Why:
    """Another administrator under a fresh factor, of what was proposed."""
    body = entry.body
    yield from decides(state, entry, ERASURE, body["erasure"])
    waiting = state.end(state.proposals, (ERASURE, body["erasure"]))
    if waiting is not None:
        said = (waiting.body["person"], waiting.body["because"], waiting.by)
        if said != (body["person"], body["because"], body["proposed_by"]):
            yield "it is not what was proposed"
        yield from _gone(state, entry, waiting.body["keep_days"])
    person = state.people.get(body["person"])
    if person is not None:
        person.erased = True
    state.erasures[body["erasure"]] = (body["person"], waiting.body["documents"] if waiting is not None else [])


@erasing_rules.of("erasure.ended", "ending the proposal to erase somebody", Authority.PERSON, Authority.TIME)
def erasure_ended(state: State, entry: Entry) -> Why:
    """An administrator; or it lapsed, or fell with its proposer."""
    yield from ends_proposal(state, entry, ERASURE, entry.body["erasure"], ADMINISTER)


@erasing_rules.of("payload.erased", "erasing personal data", Authority.AGREED, cannot=(Unjudged.SPOKE,))
def payload_erased(state: State, entry: Entry) -> Why:
    """By an erasure of that person that goes on; of entries before it, each once, and of lists and files those that
    were proposed."""
    body = entry.body
    yield _goes_on(state, entry)
    indexes = body["indexes"]
    if len(set(indexes)) != len(indexes) or not all(0 <= each < entry.position for each in indexes):
        yield "it names an entry twice, or one that was not there"
    if body["naming"] and not set(indexes) <= set(state.erasures.get(body["erasure"], ("", indexes))[1]):
        yield "it takes a list or a file that was not proposed"


@erasing_rules.of("erasure.finished", "ending an erasure", Authority.AGREED)
def erasure_finished(state: State, entry: Entry) -> Why:
    """An erasure of that person that goes on."""
    yield _goes_on(state, entry)
    state.end(state.erasures, entry.body["erasure"])


def _goes_on(state: State, entry: Entry) -> str | None:
    person = entry.body["person"]
    agreed, _ = state.erasures.get(entry.body["erasure"], ("", ()))
    return None if agreed == person else f"nobody had agreed to erase {person}"


def _gone(state: State, entry: Entry, keep_days: int) -> Why:
    who = entry.body["person"]
    person = state.people.get(who)
    if person is None:
        yield f"there was no account {who}"
    elif person.enabled or person.left is None:
        yield f"{who} had not left"
    elif person.left + keep_days * DAY > entry.time:
        yield f"{who} had left less than {keep_days} days before"
