"""Facts of the nodes' clocks: the entries themselves, since a jump is no state."""

from onepam.app.history.confirm_clock import ClockFacts, ClockQuery
from onepam.app.ports import Snapshot
from onepam.domain.history.ledger_time import AGREED, Offset
from onepam.domain.history.system import ClockConfirmed, ClockJumped
from onepam.kernel.clock import Instant
from onepam.store.engine.entries import entries_of
from onepam.store.engine.facts import loads


@loads(ClockQuery)
def clock(db: Snapshot, query: ClockQuery, at: Instant) -> ClockFacts:
    doubted: dict[str, int] = {}
    offset = AGREED
    for stored in entries_of(db, ("system.clock_jumped", "system.clock_confirmed")):
        event = stored.event
        if isinstance(event, ClockJumped) and event.stops:
            doubted[event.node] = event.microseconds
        elif isinstance(event, ClockConfirmed):
            doubted.pop(event.node, None)
            offset = Offset(Instant(event.wall), event.ahead)
    return ClockFacts(doubted, offset)
