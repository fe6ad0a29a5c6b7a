"""The ledger's rows as they stand, not through events: for those who verify it, and trust nothing that wrote it."""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

from onepam.app.ports import Snapshot
from onepam.store.db import row, rows, streamed


def stored_rows(snapshot: Snapshot, begin: int) -> Iterator[Iterable[Any]]:
    """From entry `begin` on, in order: index, time, kind, version, class, number in its class, body, leaf."""
    sql = "SELECT idx, time, kind, version, class, class_seq, body, leaf FROM entry WHERE idx >= ? ORDER BY idx"
    return streamed(snapshot, sql, (begin,))


def stored_bodies(snapshot: Snapshot, kind: str) -> list[tuple[int, Any]]:
    """Index and body of every entry of a kind, in order."""
    found = rows(snapshot, "SELECT idx, body FROM entry WHERE kind = ? ORDER BY idx", (kind,))
    return [(each["idx"], each["body"]) for each in found]


def first_body(snapshot: Snapshot, kind: str, begin: int = 0) -> Any:
    """The body of the first entry of a kind from `begin` on; None where there is none."""
    sql = "SELECT body FROM entry WHERE kind = ? AND idx >= ? ORDER BY idx LIMIT 1"
    found = row(snapshot, sql, (kind, begin))
    return found["body"] if found else None


def stored_leaves(snapshot: Snapshot, most: int) -> list[bytes]:
    """The leaf hashes of the first entries, as far as hashes stand there."""
    found = (each["leaf"] for each in rows(snapshot, "SELECT leaf FROM entry ORDER BY idx LIMIT ?", (most,)))
    return list(takewhile(lambda leaf: type(leaf) is bytes, found))


def stored_batches(snapshot: Snapshot, begin: int) -> Iterator[tuple[Any, ...]]:
    """The batches that begin at entry `begin` or later, in order: first index, last index, node, signature."""
    sql = "SELECT first_idx, last_idx, node, signature FROM batch WHERE first_idx >= ? ORDER BY first_idx"
    return (tuple(each) for each in streamed(snapshot, sql, (begin,)))


def stored_time(snapshot: Snapshot, index: int) -> Any:
    """What stands as the time of an entry; None where there is no such entry."""
    found = row(snapshot, "SELECT time FROM entry WHERE idx = ?", (index,))
    return found["time"] if found else None
