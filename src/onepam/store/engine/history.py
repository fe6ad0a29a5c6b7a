"""The ledger as evidence reads it: one read-only connection, one snapshot from beginning to end."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from onepam.app.ports import Kept
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.ledger.entry import Header
from onepam.store.db import row
from onepam.store.engine.database import DatabaseError, connect, fault
from onepam.store.engine.entries import entries, size_at, size_of
from onepam.store.engine.release import check

AT_ONCE = 500
"""Entries that one statement reads."""


class SqliteHistory:
    """Adapter of the port `History`, for one thread. Used by `with`; what is written meanwhile is not seen."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._db = connect(self._path, read_only=True)
        self._db.execute("BEGIN")
        check(self._db)
        self.size = size_of(self._db)
        return self

    def __exit__(self, *raised: object) -> None:
        self._db.close()

    def query(self, sql: str, parameters: Mapping[str, int | str]) -> Iterator[tuple[Any, ...]]:
        """See the port."""
        try:
            for found in self._db.execute(sql, parameters):
                yield tuple(found)
        except DatabaseError as error:
            raise fault(error) from error

    def size_at(self, at: Instant) -> int:
        """See the port."""
        return size_at(self._db, at)

    def entry_at(self, time: Instant) -> int:
        """See the port: a state row of another time is one that no entry made."""
        index = size_at(self._db, time) - 1
        found = row(self._db, "SELECT time FROM entry WHERE idx = ?", (index,))
        if found is None or found[0] != time:
            raise Corrupt(f"a state row is true since {time}, and no entry has this time")
        return index

    def headers(self, begin: int, end: int) -> Iterator[tuple[Header, bytes]]:
        """See the port."""
        try:
            for index, time, kind, version, klass, number, body in self._db.execute(
                "SELECT idx, time, kind, version, class, class_seq, body FROM entry WHERE idx >= ? AND idx < ? "
                "ORDER BY idx",
                (begin, end),
            ):
                yield Header(index, Instant(time), kind, version, klass, number), sha256(_bytes(index, body)).digest()
        except DatabaseError as error:
            raise fault(error) from error

    def entries(self, indexes: Iterable[int]) -> Iterator[Kept]:
        """See the port."""
        for begin, end in neighbours(indexes):
            found = {stored.header.index: stored for stored in entries(self._db, begin, end)}
            for index in range(begin, end):
                if index not in found:
                    raise Corrupt(f"entry {index} is missing from the ledger")
                stored = found[index]
                payload = None if stored.payload is None else _bytes(index, stored.payload)
                yield Kept(stored.header, _bytes(index, stored.body), stored.salt, payload)


def neighbours(indexes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The indexes, in their order, as ranges (begin, end) of at most `AT_ONCE` that follow one upon another: nothing is
    read that was not asked for."""
    begin = end = 0
    for index in indexes:
        if begin < end and (index != end or end - begin == AT_ONCE):
            yield begin, end
            begin = end = index
        elif begin == end:
            begin = end = index
        end += 1
    if begin < end:
        yield begin, end


def _bytes(index: int, value: Any) -> bytes:
    """SQLite keeps whatever somebody puts into a column."""
    if type(value) is not bytes:
        raise Corrupt(f"entry {index} has a text where bytes belong")
    return value
