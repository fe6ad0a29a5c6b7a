"""The ledger at one instant, for whoever copies it while it is written."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from onepam.store.engine.append import read_head
from onepam.store.engine.database import SqliteDb, connect
from onepam.store.engine.process_lock import ProcessLock

T = TypeVar("T")


@contextlib.contextmanager
def standstill(database: Path, beside: Callable[[], T]) -> Iterator[tuple[SqliteDb, int, T]]:
    """A connection that sees the database at one instant, how many entries it has, and what `beside` gave then.

    While `beside` runs nobody writes, so it must be quick: what it reads of files that follow the entries fits them.
    """
    with contextlib.closing(connect(database, read_only=True)) as db:
        lock = ProcessLock(database)
        try:
            with lock:
                db.execute("BEGIN")
                size = read_head(db).size  # the snapshot begins with the first row that is read
                found = beside()
        finally:
            lock.close()
        yield db, size, found
