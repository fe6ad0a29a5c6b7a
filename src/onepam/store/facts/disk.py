"""Facts of the disks that hold recordings."""

from onepam.app.ports import Snapshot
from onepam.app.report_disk import DiskQuery
from onepam.domain.disk import DiskFacts, DiskStage
from onepam.kernel.clock import Instant
from onepam.store.db import row
from onepam.store.facts.registry import loads
from onepam.store.tables import AT


@loads(DiskQuery)
def disk(db: Snapshot, query: DiskQuery, at: Instant) -> DiskFacts:
    found = row(db, f"SELECT stage FROM disk WHERE node = :node AND {AT}", {"node": query.node, "at": at})
    return DiskFacts(DiskStage(found["stage"]) if found else DiskStage.ENOUGH)
