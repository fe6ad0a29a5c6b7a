"""Facts of an order to probe somebody."""

from onepam.app.leaving.probe_access import OrderQuery
from onepam.app.ports import Snapshot
from onepam.domain.leaving.probing import OrderFacts
from onepam.kernel.clock import Instant
from onepam.store.engine.facts import loads
from onepam.store.facts.holdings import actor_facts
from onepam.store.facts.people import person_facts


@loads(OrderQuery)
def order(db: Snapshot, query: OrderQuery, at: Instant) -> OrderFacts:
    return OrderFacts(actor_facts(db, query.actor, at), person_facts(db, query.person, at))
