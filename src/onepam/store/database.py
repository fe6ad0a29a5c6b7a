"""Connections to the embedded database (SQLite, write-ahead log)."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onepam.kernel.errors import Corrupt, Unavailable

Row = sqlite3.Row

BUSY_MILLISECONDS = 5_000
"""How long a statement waits for a lock that another connection holds."""

CHECKPOINT_PAGES = 4_000
"""After how many pages (4 KiB) the write-ahead log is worked into the database by the commit that fills it."""


class Db(sqlite3.Connection):
    """A connection. `memory` keeps facts at the head by topic, for the one who writes; of a topic that is not there the
    tables are asked each time."""

    memory: Mapping[str, dict[Any, Any]] = {}


def connect(path: Path | str, *, read_only: bool = False) -> Db:
    """A connection in autocommit mode; transactions are begun by name.

    Raises `Unavailable` when the file cannot be opened, `Corrupt` when it is no database.
    """
    try:
        if read_only:
            db = sqlite3.connect(
                f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False, factory=Db
            )
        else:
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512, factory=Db)
        db.row_factory = sqlite3.Row
        db.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("PRAGMA cache_size = -65536")
        if not read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    except sqlite3.Error as error:
        raise fault(error) from error
    return db


def fault(error: Exception) -> Exception:
    """What callers see: trouble with the database as `Unavailable` or `Corrupt`, a programming error as itself."""
    if isinstance(error, sqlite3.OperationalError | OSError):
        return Unavailable(f"the database does not answer: {error}")
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        return Corrupt(f"the database is damaged: {error}")
    return error


def rows(db: Db, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[Row]:
    """All rows of a query."""
    return db.execute(sql, values).fetchall()


def row(db: Db, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> Row | None:
    """The first row of a query, or None."""
    cursor = db.execute(sql, values)
    found: Row | None = cursor.fetchone()
    cursor.close()  # else the statement would hold its snapshot until the garbage collector comes
    return found
