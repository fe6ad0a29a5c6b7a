"""Facts of an order to probe somebody."""

from onepam.app.ports import Snapshot
from onepam.app.probe_access import OrderQuery
from onepam.domain.probing import OrderFacts
from onepam.kernel.clock import Instant
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import person_facts
from onepam.store.facts.registry import loads


@loads(OrderQuery)
def order(db: Snapshot, query: OrderQuery, at: Instant) -> OrderFacts:
    return OrderFacts(actor_facts(db, query.actor, at), person_facts(db, query.person, at))
