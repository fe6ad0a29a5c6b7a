"""Facts of handing out checkpoints: the entries themselves, since it is no state."""

from onepam.app.history.hand_out_anchor import HandedOutFacts, HandedOutQuery
from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row
from onepam.store.engine.facts import loads


@loads(HandedOutQuery)
def handed_out(db: Snapshot, query: HandedOutQuery, at: Instant) -> HandedOutFacts:
    newest = "SELECT max(time) FROM entry WHERE kind = 'anchor.handed_out'"
    day = f'{newest} AND CAST(body AS TEXT) LIKE \'%"occasion":"day"%\''
    last, of_day = (row(db, sql) for sql in (newest, day))
    return HandedOutFacts(_at(last), _at(of_day))


def _at(found: Row | None) -> Instant | None:
    return Instant(found[0]) if found and found[0] is not None else None
