"""Facts of the deeds of the host: the entries themselves, since an announcement is no state."""

from onepam.app.announced import HostQuery
from onepam.app.ports import Snapshot
from onepam.domain.announcing import HostFacts
from onepam.kernel.clock import Instant
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.registry import loads
from onepam.store.read.announced import host


@loads(HostQuery)
def host_facts(db: Snapshot, query: HostQuery, at: Instant) -> HostFacts:
    digest, announced = host(db, at)
    return HostFacts(actor_facts(db, query.actor, at) if query.actor else None, digest, announced)
