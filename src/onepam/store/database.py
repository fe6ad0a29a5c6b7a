"""Connections to the embedded database (SQLite, write-ahead log)."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from onepam.kernel.errors import Corrupt, Unavailable

Row = sqlite3.Row
Db = sqlite3.Connection


def connect(path: Path | str, *, read_only: bool = False) -> Db:
    """A connection in autocommit mode; transactions are begun by name. Raises `Unavailable` when it cannot be opened."""
    try:
        if read_only:
            db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
        else:
            db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA busy_timeout = 5000")
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("PRAGMA cache_size = -65536")
        if not read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA wal_autocheckpoint = 4000")
    except sqlite3.OperationalError as error:
        raise Unavailable(f"cannot open the database {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise Corrupt(f"the database {path} is not readable: {error}") from error
    return db


def rows(db: Db, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> list[Row]:
    """All rows of a query."""
    with closing(db.execute(sql, values)) as cursor:
        return cursor.fetchall()


def row(db: Db, sql: str, values: Mapping[str, Any] | Sequence[Any] = ()) -> Row | None:
    """The first row of a query, or None."""
    with closing(db.execute(sql, values)) as cursor:
        found: Row | None = cursor.fetchone()
        return found
