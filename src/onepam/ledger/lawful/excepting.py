"""Rules of exceptions from the second factor: proposed, accepted by a senior approver, and over."""

from __future__ import annotations

from onepam.kernel.instant import DAY, Instant
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.factors import able
from onepam.ledger.lawful.proposals import decides, ends_proposal, propose
from onepam.ledger.lawful.rule import Rules, Unless, Why
from onepam.ledger.lawful.standing import ACCEPT_RISK, ADMINISTER, acts, administrative, there
from onepam.ledger.lawful.state import State

excepting_rules = Rules()

EXCEPTION = "mfa_exception"
LONGEST_EXCEPTION = 90 * DAY
MOST_EXCEPTIONS = 5
"""Of one person, accepted or waiting, at a time."""


@excepting_rules.of("mfa_exception.proposed", "proposing an exception from the second factor", Authority.PERSON)
def mfa_exception_proposed(state: State, entry: Entry) -> Why:
    """An administrator, for somebody else, for 90 days at most."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER)
    yield from _exception(state, entry)
    person = state.people.get(body["person"])
    if person is not None and sum(ends > state.begun for ends in person.exceptions.values()) >= MOST_EXCEPTIONS:
        yield f"{MOST_EXCEPTIONS} exceptions of the person were open"
    if entry.body["exception"] in state.exceptions or (EXCEPTION, entry.body["exception"]) in state.proposals:
        yield "there was such an exception already"
    if person is not None:
        person.exceptions[body["exception"]] = Instant(body["ends"])
    propose(state, entry, EXCEPTION, body["exception"], person=body["person"], ends=body["ends"])


@excepting_rules.of("mfa_exception.accepted", "accepting an exception from the second factor", Authority.PERSON)
def mfa_exception_accepted(state: State, entry: Entry) -> Why:
    """A senior approver under a fresh factor: neither who proposed it nor whom it is for."""
    body = entry.body
    yield from decides(state, entry, EXCEPTION, body["exception"], ACCEPT_RISK)
    waiting = state.end(state.proposals, (EXCEPTION, body["exception"]))
    if waiting is not None and (waiting.person, waiting.body["ends"]) != (body["person"], body["ends"]):
        yield "it is not what was proposed"
    yield from _exception(state, entry)
    person = state.people.get(body["by"])
    if person is not None and all(each.mfa_at != body["mfa_at"] for each in person.sign_ins.values()):
        yield "it was shown in no sign-in of theirs"
    state.exceptions[body["exception"]] = (body["person"], Instant(body["ends"]))


@excepting_rules.of(
    "mfa_exception.ended", "ending an exception from the second factor", Authority.PERSON, Authority.TIME
)
def mfa_exception_ended(state: State, entry: Entry) -> Why:
    """An administrator or a senior approver; time; or with the account."""
    body = entry.body
    person, found = state.people.get(body["person"]), state.end(state.exceptions, body["exception"])
    if person is not None:
        state.end(person.exceptions, body["exception"])
    if found is None:
        yield from ends_proposal(state, entry, EXCEPTION, body["exception"], ADMINISTER, ACCEPT_RISK)
    elif found[0] != body["person"]:
        yield "it is somebody else's"
    elif body["by"] is not None:
        yield acts(state, body["by"], ADMINISTER, ACCEPT_RISK)
    elif there(state, body["person"]) is None:
        yield Unless("it is on nobody's word, and its person was there", (("left", body["person"]),))


def _exception(state: State, entry: Entry) -> Why:
    body = entry.body
    yield from able(state, body["person"])
    if body["by"] == body["person"]:
        yield "nobody does this for themselves"
    if administrative(state, body["person"]):
        yield f"{body['person']} held something administrative"
    if body["ends"] > entry.time + LONGEST_EXCEPTION:
        yield "it lasts longer than 90 days"
