"""What the ledger says of a receiver of notices."""

from onepam.app.ports import Snapshot
from onepam.app.telling.choose_notices import ChooserQuery
from onepam.domain.access.authority import ActorFacts
from onepam.domain.telling.outbox import Channel, ReceiverFacts, ReceiverQuery, ReceiversFacts, ReceiversQuery, Told
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.holdings import actor_facts


@loads(ReceiverQuery)
def receiver(db: Snapshot, query: ReceiverQuery, at: Instant) -> ReceiverFacts:
    """The receiver's failing, and the end of the last notice of each like."""
    asked = {"receiver": query.receiver, "at": at}
    failing = row(db, f"SELECT failing FROM delivery WHERE receiver = :receiver AND {AT}", asked)
    told = {}
    for alike in query.alikes:
        last = row(
            db,
            f"SELECT n.last, e.time FROM notice n JOIN entry e ON e.idx = n.first "
            f"WHERE receiver = :receiver AND alike = :alike AND {AT}",
            {**asked, "alike": alike},
        )
        if last is not None:
            told[alike] = Told(last["time"], last["last"])
    return ReceiverFacts(failing["failing"] if failing else None, told)


@loads(ReceiversQuery)
def receivers(db: Snapshot, query: ReceiversQuery, at: Instant) -> ReceiversFacts:
    """The receivers in force."""
    found = rows(db, f"SELECT receiver, channel FROM receiver WHERE {AT}", {"at": at})
    return ReceiversFacts({each["receiver"]: Channel(each["channel"]) for each in found})


@loads(ChooserQuery)
def chooser(db: Snapshot, query: ChooserQuery, at: Instant) -> ActorFacts:
    """Whoever chooses."""
    return actor_facts(db, query.actor, at)
