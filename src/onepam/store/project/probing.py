"""What the listeners said to probes, and who is to be probed."""

from onepam.domain.leaving import probing as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

PROBE = state(
    StateTable(
        "probe",
        ("probe",),
        {
            "probe": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "made": "INTEGER NOT NULL",
            "path": "TEXT NOT NULL",
            "proof": "TEXT NOT NULL",
            "purpose": "TEXT NOT NULL",
            "reference": "TEXT NOT NULL",
            "fingerprint": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "login": "TEXT NOT NULL",
            "result": "TEXT NOT NULL",
            "code": "TEXT NOT NULL",
            "node": "TEXT NOT NULL",
        },
        (("person",), ("result",), ("purpose", "node", "made")),
    )
)
ORDER = state(
    StateTable(
        "probe_order",
        ("person",),
        {"person": "TEXT NOT NULL", "ordered": "INTEGER NOT NULL", "ordered_by": "TEXT NOT NULL"},
        (("ordered",),),
    )
)


@projects(events.ProbeOrdered)
def probe_ordered(db: Db, place: Place, event: events.ProbeOrdered) -> None:
    ORDER.put(db, place.time, person=event.person, ordered=place.time, ordered_by=event.by)


@projects(events.ProbeMade)
def probe_made(db: Db, place: Place, event: events.ProbeMade) -> None:
    PROBE.put(
        db,
        place.time,
        probe=event.probe,
        person=event.person,
        made=place.time,
        path=event.path,
        proof=event.proof,
        purpose=event.purpose,
        reference=event.reference,
        fingerprint=event.fingerprint,
        resource=event.resource,
        login=event.login,
        result=event.result,
        code=event.code,
        node=event.node,
    )
