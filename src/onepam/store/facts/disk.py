"""Facts of the disks that hold recordings."""

from onepam.app.host.report_disk import DiskQuery
from onepam.app.ports import Snapshot
from onepam.domain.host.disk import DiskFacts, DiskStage
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT


@loads(DiskQuery)
def disk(db: Snapshot, query: DiskQuery, at: Instant) -> DiskFacts:
    found = row(db, f"SELECT stage FROM disk WHERE node = :node AND {AT}", {"node": query.node, "at": at})
    return DiskFacts(DiskStage(found["stage"]) if found else DiskStage.ENOUGH)
