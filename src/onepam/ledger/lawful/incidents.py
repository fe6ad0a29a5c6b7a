"""Rules of incidents: who opens, adds, assigns and closes; and that nobody is judge of what they brought about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepam.ledger.lawful.documents import Incident
from onepam.ledger.lawful.entry import Authority, Entry
from onepam.ledger.lawful.rule import Rules, Why
from onepam.ledger.lawful.standing import ADMINISTER, AUDIT, MONITOR, acts, one_hand, signed_in, there
from onepam.ledger.lawful.state import State

incident_rules = Rules()

NOT_OPEN = "no such incident was open"
HIGH_SEVERITY = "high"


@incident_rules.of("incident.opened", "opening an incident", Authority.PERSON)
def incident_opened(state: State, entry: Entry) -> Why:
    """Whoever administers, audits or monitors, of what had happened; somebody who is there answers for it."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, AUDIT, MONITOR)
    yield from _answers(state, entry)
    if body["incident"] in state.incidents:
        yield "there was such an incident already"
    began = body["found"] if body["began"] is None else body["began"]
    if not began <= body["found"] <= state.now:
        yield "it was found before it began, or at a time that had not come"
    made = Incident(body["owner"])
    state.incidents[body["incident"]] = made
    _weigh(made, body)
    yield from _linked(state, made, entry)


@incident_rules.of("incident.noted", "noting something to an incident", Authority.PERSON)
def incident_noted(state: State, entry: Entry) -> Why:
    """Whoever answers for it, or sees all; who sees all alone links what belongs to it. Of what had happened."""
    body = entry.body
    incident = state.incidents.get(body["incident"])
    if incident is None or not incident.is_open:
        yield NOT_OPEN
        return
    theirs = incident.owner == body["by"] and not body["links"]
    yield signed_in(state, body["by"]) if theirs else acts(state, body["by"], ADMINISTER, AUDIT, MONITOR)
    if body["at"] > state.now:
        yield "it is of a time that had not come"
    yield from _linked(state, incident, entry)


@incident_rules.of("incident.assigned", "saying who answers for an incident", Authority.PERSON)
def incident_assigned(state: State, entry: Entry) -> Why:
    """Whoever administers, audits or monitors; somebody who is there answers for it."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, AUDIT, MONITOR)
    yield from _answers(state, entry)
    incident = state.incidents.get(body["incident"])
    if incident is None or not incident.is_open:
        yield NOT_OPEN
        return
    incident.owner = body["owner"]
    _weigh(incident, body)


@incident_rules.of("incident.reminded", "saying that an incident waits", Authority.TIME)
def incident_reminded(state: State, entry: Entry) -> Why:
    """Time, to whoever answers for it while it is open."""
    incident = state.incidents.get(entry.body["incident"])
    if incident is None or not incident.is_open or incident.owner != entry.body["person"]:
        yield NOT_OPEN


@incident_rules.of("incident.closed", "closing an incident", Authority.PERSON)
def incident_closed(state: State, entry: Entry) -> Why:
    """An administrator or an auditor, who did not bring it about; of high severity: who never answered for it."""
    by, incident = entry.body["by"], state.incidents.get(entry.body["incident"])
    yield acts(state, by, ADMINISTER, AUDIT)
    if incident is None or not incident.is_open:
        yield NOT_OPEN
        return
    culprits = _culprits(state, incident)
    yield from _second_person(state, by, culprits, "brought it about")
    if incident.high:
        yield from _second_person(state, by, incident.owners - culprits, "answered for it")
    incident.is_open = False


@incident_rules.of("incident.reopened", "opening an incident again", Authority.PERSON)
def incident_reopened(state: State, entry: Entry) -> Why:
    """Whoever administers, audits or monitors, of one that was closed."""
    body = entry.body
    yield acts(state, body["by"], ADMINISTER, AUDIT, MONITOR)
    if body["due"] <= state.now:
        yield "it is due on a day that had passed"
    incident = state.incidents.get(body["incident"])
    if incident is None or incident.is_open:
        yield "no such incident was closed"
        return
    incident.is_open = True


def _answers(state: State, entry: Entry) -> Why:
    yield there(state, entry.body["owner"])
    if entry.body["due"] <= state.now:
        yield "it is due on a day that had passed"


def _weigh(incident: Incident, body: Mapping[str, Any]) -> None:
    incident.owners.add(body["owner"])
    incident.high = incident.high or body["severity"] == HIGH_SEVERITY


def _linked(state: State, incident: Incident, entry: Entry) -> Why:
    """What is linked was there; of resources and controls nothing is known for ever."""
    for each in entry.body["links"]:
        kind, ref = each["kind"], each["ref"]
        if kind in ("person", "caused_by") and ref not in state.people:
            yield f"there was no account {ref}"
        elif kind == "session" and ref not in state.recorded:
            yield f"there was no session {ref}"
        elif kind == "entry" and not (ref.isdigit() and int(ref) < entry.position):
            yield f"there was no entry {ref}"
        if kind == "caused_by":
            incident.caused_by.add(ref)
        elif kind == "session":
            incident.sessions.add(ref)


def _culprits(state: State, incident: Incident) -> set[str]:
    """Who is linked as such, whose a linked session was, and who owns the service whose it was."""
    found = [state.recorded.get(each) for each in incident.sessions]
    people = {name for name, person in state.people.items() if any(person is each for each in found)}
    people |= incident.caused_by
    services = (state.people.get(each) for each in people)
    return people | {each.owner for each in services if each is not None and each.kind == "service" and each.owner}


def _second_person(state: State, by: str, others: set[str], did: str) -> Why:
    if by in others:
        yield f"{by} {did}"
    elif others:
        yield one_hand(state, by, *others)
