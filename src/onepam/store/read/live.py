"""Sessions that a node holds open."""

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT


def open_sessions(db: Snapshot, at: Instant, node: str) -> list[str]:
    """The ids of the sessions that stand open under a node's name."""
    sql = f"SELECT session FROM session WHERE node = :node AND status = 'open' AND {AT}"
    return [each["session"] for each in rows(db, sql, {"node": node, "at": at})]
