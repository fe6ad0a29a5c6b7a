"""Facts of drawing an evidence pack."""

from onepam.app.history.pack_evidence import PackQuery
from onepam.app.ports import Snapshot
from onepam.domain.access.authority import ActorFacts
from onepam.kernel.clock import Instant
from onepam.store.engine.facts import loads
from onepam.store.facts.holdings import actor_facts


@loads(PackQuery)
def packing(db: Snapshot, query: PackQuery, at: Instant) -> ActorFacts:
    return actor_facts(db, query.actor, at)
