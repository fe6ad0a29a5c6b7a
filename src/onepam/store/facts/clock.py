"""Facts of a node's clock: the entries themselves, since a jump is no state."""

from onepam.app.confirm_clock import ClockFacts, ClockQuery
from onepam.domain.system import ClockJumped
from onepam.kernel.clock import Instant
from onepam.store.database import Db
from onepam.store.entries import entries_of
from onepam.store.facts.registry import loads


@loads(ClockQuery)
def clock(db: Db, query: ClockQuery, at: Instant) -> ClockFacts:
    for stored in reversed(entries_of(db, ("system.clock_jumped", "system.clock_confirmed"))):
        if stored.event.node == query.node:
            jump = stored.event
            return ClockFacts(jump.microseconds if isinstance(jump, ClockJumped) else None)
    return ClockFacts(None)
