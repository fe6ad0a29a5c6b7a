"""The nodes that sign what they write."""

from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node with its verifier key, in force since `since` by the signer's certificate `number`."""

    node: str
    key: str
    number: int
    since: Instant


def nodes(db: Snapshot, at: Instant) -> list[NodeRow]:
    """All that have a key in force, the newest first."""
    found = rows(db, f"SELECT node, key, number, valid_from FROM node WHERE {AT} ORDER BY valid_from DESC", {"at": at})
    return [NodeRow(node, key, number, Instant(since)) for node, key, number, since in found]
