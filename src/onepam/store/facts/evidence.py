"""Facts of drawing an evidence pack."""

from onepam.app.pack_evidence import PackQuery
from onepam.app.ports import Snapshot
from onepam.domain.authority import ActorFacts
from onepam.kernel.clock import Instant
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.registry import loads


@loads(PackQuery)
def packing(db: Snapshot, query: PackQuery, at: Instant) -> ActorFacts:
    return actor_facts(db, query.actor, at)
