"""What setting and lifting a lock needs."""

from onepam.app.ports import Snapshot
from onepam.app.sessions.lock_access import LiftQuery, LockQuery
from onepam.domain.access.locking import LiftFacts, LockFacts, LockScope
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import who_can_decide
from onepam.store.facts.holdings import actor_facts, hands, person_kind, resource_facts

_STANDS = f"""
SELECT 1 FROM access_lock WHERE set_by = :by AND coalesce(person, '') = :person
AND coalesce(resource, '') = :resource AND {AT} LIMIT 1"""


@loads(LockQuery)
def locking(db: Snapshot, query: LockQuery, at: Instant) -> LockFacts:
    known = True
    if query.scope is LockScope.PERSON:
        known = person_kind(db, query.about, at) is not None
    elif query.scope is LockScope.RESOURCE:
        known = resource_facts(db, query.about, at) is not None
    on = {
        "person": query.about if query.scope is LockScope.PERSON else "",
        "resource": query.about if query.scope is LockScope.RESOURCE else "",
        "by": query.actor.person,
        "at": at,
    }
    return LockFacts(actor_facts(db, query.actor, at), known, row(db, _STANDS, on) is not None)


@loads(LiftQuery)
def lifting(db: Snapshot, query: LiftQuery, at: Instant) -> LiftFacts:
    actor = actor_facts(db, query.actor, at)
    of = {"lock": query.lock, "at": at}
    found = row(db, f"SELECT set_by, person FROM access_lock WHERE lock_id = :lock AND {AT}", of)
    if found is None:
        return LiftFacts(actor, stands=False)
    locked = _with_hands(db, found["person"], at) if found["person"] is not None else frozenset()
    return LiftFacts(actor, True, locked, _with_hands(db, found["set_by"], at), who_can_decide(db, at))


def _with_hands(db: Snapshot, person: str, at: Instant) -> frozenset[str]:
    """Somebody, and all who may be one hand with them."""
    return frozenset({person}).union(*hands(db, person, at))
