"""What deciding on an inspection needs."""

from typing import Any

from onepam.app.ports import Snapshot
from onepam.app.sessions.inspect_recording import InspectionQuery
from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.inspecting import InspectionFacts, Verdict
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts, hands


@loads(InspectionQuery)
def inspecting(db: Snapshot, query: InspectionQuery, at: Instant) -> InspectionFacts:
    by = query.actor.person
    of = {"session": query.session, "by": by, "at": at}
    found: Any = row(db, f"SELECT person, status, closed FROM session WHERE session = :session AND {AT}", of)
    seen = row(db, f"SELECT valid_from FROM watched WHERE session = :session AND person = :by AND {AT}", of)
    said = row(db, f"SELECT verdict FROM inspection WHERE session = :session AND inspector = :by AND {AT}", of)
    drawn = row(db, f"SELECT drawn, inspected FROM drawn_session WHERE session = :session AND {AT}", of)
    since = drawn["drawn"] if drawn else found["closed"] if found else None
    again = drawn is not None and drawn["inspected"] is None  # it was found bad after somebody had looked
    return InspectionFacts(
        actor=actor_facts(db, query.actor, at),
        person=found["person"] if found else None,
        status=found["status"] if found else None,
        hands=_hands(db, found["person"], at) if found else frozenset(),
        seen=seen is not None and since is not None and seen["valid_from"] > since,
        said=Verdict(said["verdict"]) if said and not again else None,
    )


def _hands(db: Snapshot, person: str, at: Instant) -> frozenset[str]:
    """Who may be one hand with somebody; with a service account also its owner, who holds its keys."""
    of = {"person": person, "service": PersonKind.SERVICE, "at": at}
    owner = row(db, f"SELECT owner FROM person WHERE person = :person AND kind = :service AND {AT}", of)
    whose = (person,) if owner is None or owner["owner"] is None else (person, owner["owner"])
    return frozenset(whose[1:]).union(*(linked for each in whose for linked in hands(db, each, at)))
