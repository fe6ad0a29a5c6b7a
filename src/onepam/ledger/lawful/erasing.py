"""Rules of erasing what is known of somebody: who agrees to it, of whom, and what goes by it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from onepam.kernel.instant import DAY
from onepam.ledger.lawful.entry import Authority, Entry, Unjudged
from onepam.ledger.lawful.known import Erasure
from onepam.ledger.lawful.proposals import decides, ends_proposal, propose
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, FRESH, acts
from onepam.ledger.lawful.state import State

erasing_rules = Rules()

ERASURE = "erasure"

LISTS = ("lists",)
"""What stands for the lists and files that may name many."""

_GONE = -1
"""Stands where a payload was erased."""


@erasing_rules.of("erasure.proposed", "proposing to erase somebody", Authority.PERSON, cannot=(Unjudged.KEPT,))
def erasure_proposed(state: State, entry: Entry) -> Why:
    """An administrator under a fresh factor, of somebody who left as long ago as the entry says."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, age=FRESH)
    yield from _gone(state, entry, body["keep_days"])
    person = state.people.get(body["person"])
    laid = (each for (kind, _), each in state.proposals.items() if kind == ERASURE)
    waits = any(each.body["person"] == body["person"] for each in laid)
    if waits or (person is not None and person.erased):
        yield "it was proposed already, or done"
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
    documents = waiting.body["documents"] if waiting is not None else ()
    state.erasures[body["erasure"]] = Erasure(body["person"], frozenset(documents), entry.position)


@erasing_rules.of("erasure.ended", "ending the proposal to erase somebody", Authority.PERSON, Authority.TIME)
def erasure_ended(state: State, entry: Entry) -> Why:
    """An administrator; or it lapsed, or fell with its proposer."""
    yield from ends_proposal(state, entry, ERASURE, entry.body["erasure"], ADMINISTER)


@erasing_rules.of("payload.erased", "erasing personal data", Authority.AGREED, cannot=(Unjudged.SPOKE,))
def payload_erased(state: State, entry: Entry) -> Why:
    """By an erasure of that person that goes on; of entries that speak of that person and were there as somebody
    agreed, each once, and of lists and files those that were proposed."""
    body = entry.body
    yield _goes_on(state, entry)
    about, person, indexes = state.about, body["person"], body["indexes"]
    if not all(0 <= each < entry.position for each in indexes):
        yield "it names an entry that was not there"
        return
    spoke = [about.entries[each] for each in indexes if each < len(about.entries)]
    if _GONE in spoke or len(set(indexes)) != len(indexes):
        yield "it names an entry twice"
    theirs = {about.numbers.get(LISTS if body["naming"] else person)}
    if not body["naming"]:
        theirs |= about.theirs.get(person, set())
    if any(each not in theirs for each in spoke if each != _GONE):
        yield f"it names an entry that does not speak of {person}"
    for each in indexes:
        about.entries[each] = _GONE
    erasure = state.erasures.get(body["erasure"])
    if erasure is not None:
        erasure.payloads += len(indexes)
        if any(each > erasure.agreed for each in indexes):
            yield "it names an entry that came after it was agreed to"
        if body["naming"] and not erasure.documents.issuperset(indexes):
            yield "it takes a list or a file that was not proposed"


@erasing_rules.of("erasure.finished", "ending an erasure", Authority.AGREED)
def erasure_finished(state: State, entry: Entry) -> Why:
    """An erasure of that person that goes on, with as many payloads as went by it."""
    yield _goes_on(state, entry)
    erasure: Erasure | None = state.end(state.erasures, entry.body["erasure"])
    if erasure is not None and erasure.payloads != entry.body["payloads"]:
        yield f"{erasure.payloads} payloads had gone by it"


def _goes_on(state: State, entry: Entry) -> str | None:
    person, erasure = entry.body["person"], state.erasures.get(entry.body["erasure"])
    return None if erasure is not None and erasure.person == person else f"nobody had agreed to erase {person}"


def whose(state: State, entry: Entry) -> Hashable:
    """Of whom an entry speaks: the person that it names, or whose the request, session or statement is that it names,
    or the user or row of the roster will be; None for nobody. Lists and files that may name many are `LISTS`."""
    body = entry.body
    who: Hashable = body.get("person")
    return who if who is not None or entry.kind not in _BY_ID else _BY_ID[entry.kind](state, body)


def _of_session(state: State, body: Mapping[str, Any]) -> Hashable:
    session = state.sessions.get(body["session"])
    return session.person if session is not None else None


def _of_statement(state: State, body: Mapping[str, Any]) -> Hashable:
    waiting = state.proposals.get(("statement", body["statement"]))
    return waiting.by if waiting is not None else None


def _of_request(state: State, body: Mapping[str, Any]) -> Hashable:
    request, grant = state.requests.get(body["request"]), state.grants.get(body.get("grant", ""))
    found = request.substance if request is not None else grant.substance if grant is not None else {}
    return found.get("person")


_BY_ID: Mapping[str, Callable[[State, Mapping[str, Any]], Hashable]] = {
    **dict.fromkeys(("request.agreed", "request.approved", "request.denied", "grant.ended"), _of_request),
    **dict.fromkeys(("session.failed", "session.kill_ordered"), _of_session),
    "statement.ended": _of_statement,
    **dict.fromkeys(("roster.held", "roster.refused", "change.proposed"), lambda state, body: LISTS),
    **dict.fromkeys(
        ("incident.opened", "incident.noted", "incident.assigned", "incident.closed", "incident.reopened"),
        lambda state, body: LISTS,
    ),
    "request.made": lambda state, body: body["substance"]["person"],
    "scim_user.set": lambda state, body: state.about.nobodys(("user", body["user"]), body["waits_for"]),
    "roster.entry_set": lambda state, body: state.about.nobodys(("entry", body["entry"])),
    "listed_account.set": lambda state, body: state.about.nobodys(("listed", body["account"])),
}


def _gone(state: State, entry: Entry, keep_days: int) -> Why:
    who = entry.body["person"]
    person = state.people.get(who)
    if person is None:
        yield f"there was no account {who}"
    elif person.enabled or person.left is None:
        yield f"{who} had not left"
    elif any(each == who and state.users[user].active for (_, each), user in state.led.items()):
        yield f"a directory said that {who} was there"
    elif keep_days < 0:
        yield "nobody's data are kept for less than no days"
    elif person.left + keep_days * DAY > entry.time:
        yield f"{who} had left less than {keep_days} days before"
