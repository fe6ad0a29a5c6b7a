"""Facts of incidents: how one stands, who brought it about, what can be linked, and whose owner is to be told."""

import json
from collections.abc import Callable, Mapping

from onepam.app.incidents.keep_incident import IncidentQuery, WaitingQuery
from onepam.app.ports import Snapshot
from onepam.domain.controls.catalogue import TESTS
from onepam.domain.controls.control import Severity
from onepam.domain.incidents.events import Link, LinkKind
from onepam.domain.incidents.handling import MOST_TIMES, REMINDED_EACH, IncidentFacts, Standing, State, Waiting
from onepam.domain.people.events import PersonKind
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts, is_here, person_kind

AT_ONCE = 200
"""Owners who are reminded by one command."""

_CULPRITS = """
SELECT l.ref AS person FROM incident_link l WHERE l.incident = :incident AND l.kind = 'caused_by'
    AND l.valid_from <= :at AND :at < l.valid_until
UNION SELECT s.person FROM incident_link l JOIN session s ON s.session = l.ref
    AND s.valid_from <= :at AND :at < s.valid_until
    WHERE l.incident = :incident AND l.kind = 'session' AND l.valid_from <= :at AND :at < l.valid_until"""

_OWNERS_OF_SERVICES = f"""
SELECT p.owner FROM person p WHERE p.kind = 'service' AND p.owner IS NOT NULL AND p.person IN ({_CULPRITS})
    AND p.valid_from <= :at AND :at < p.valid_until"""

_DUE = f"""
SELECT incident, owner, due, times, told FROM incident WHERE state = 'open' AND {AT}
    AND (told IS NULL OR (due <= :at AND times < :most_times AND (told < due OR told + :each <= :at)))
ORDER BY incident LIMIT :most"""


@loads(IncidentQuery)
def incident(db: Snapshot, query: IncidentQuery, at: Instant) -> IncidentFacts:
    """The incident, and what an entry about it asks."""
    found = row(db, f"SELECT * FROM incident WHERE incident = :incident AND {AT}", _of(query.incident, at))
    here = is_here(db, query.owner, at) and person_kind(db, query.owner, at) is not PersonKind.SERVICE
    standing = None
    if found is not None:
        standing = Standing(
            state=State(found["state"]),
            severity=Severity(found["severity"]),
            highest=Severity(found["highest"]),
            owner=found["owner"],
            owners=frozenset(json.loads(found["owners"])),
            culprits=culprits(db, query.incident, at),
            due=found["due"],
        )
    return IncidentFacts(
        actor=actor_facts(db, query.actor, at),
        incident=standing,
        owner_here=here or not query.owner,
        nowhere=tuple(each for each in query.links if not _is_there(db, each, at)),
    )


@loads(WaitingQuery)
def waiting(db: Snapshot, query: WaitingQuery, at: Instant) -> tuple[Waiting, ...]:
    """Those who are due, so many at once."""
    return due(db, at, AT_ONCE)


def due(db: Snapshot, at: Instant, most: int) -> tuple[Waiting, ...]:
    """Some of the incidents whose owner is to be told now."""
    asked = {"at": at, "most": most, "most_times": MOST_TIMES, "each": REMINDED_EACH}
    return tuple(
        Waiting(each["incident"], each["owner"], each["due"], each["times"], each["told"])
        for each in rows(db, _DUE, asked)
    )


def culprits(db: Snapshot, incident: str, at: Instant) -> frozenset[str]:
    """Who brought it about, as far as its links say."""
    of = _of(incident, at)
    found = [each[0] for statement in (_CULPRITS, _OWNERS_OF_SERVICES) for each in rows(db, statement, of)]
    return frozenset(found)


def _is_there(db: Snapshot, link: Link, at: Instant) -> bool:
    return _THERE[link.kind](db, link.ref, at)


def _person(db: Snapshot, ref: str, at: Instant) -> bool:
    return row(db, f"SELECT 1 FROM person WHERE person = :ref AND {AT}", {"ref": ref, "at": at}) is not None


def _resource(db: Snapshot, ref: str, at: Instant) -> bool:
    """Also one that is no more."""
    known = "SELECT 1 FROM resource WHERE resource = :ref AND valid_from <= :at LIMIT 1"
    return row(db, known, {"ref": ref, "at": at}) is not None


def _session(db: Snapshot, ref: str, at: Instant) -> bool:
    return row(db, f"SELECT 1 FROM session WHERE session = :ref AND {AT}", {"ref": ref, "at": at}) is not None


def _entry(db: Snapshot, ref: str, at: Instant) -> bool:
    if not (ref.isascii() and ref.isdigit() and len(ref) < 17 and str(int(ref)) == ref):
        return False
    return row(db, "SELECT 1 FROM entry WHERE idx = :idx AND time <= :at", {"idx": int(ref), "at": at}) is not None


def _control(db: Snapshot, ref: str, at: Instant) -> bool:
    return ref in TESTS


_THERE: Mapping[LinkKind, Callable[[Snapshot, str, Instant], bool]] = {
    LinkKind.PERSON: _person,
    LinkKind.CAUSED_BY: _person,
    LinkKind.RESOURCE: _resource,
    LinkKind.SESSION: _session,
    LinkKind.ENTRY: _entry,
    LinkKind.CONTROL: _control,
}


def _of(incident: str, at: Instant) -> dict[str, object]:
    return {"incident": incident, "at": at}
