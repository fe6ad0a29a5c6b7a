"""Connections to the embedded database (SQLite, write-ahead log)."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from onepam.app.ports import Snapshot
from onepam.kernel.errors import Corrupt, Unavailable
from onepam.store.db import Db, row

BUSY_MILLISECONDS = 5_000
"""How long a statement waits for a lock that another connection holds."""

CHECKPOINT_PAGES = 4_000
"""After how many pages (4 KiB) the write-ahead log is worked into the database by the commit that fills it."""


WAL, SHM = "-wal", "-shm"
"""What the names of the write-ahead log and of its index end in, which lie beside the database."""

COPY_PAGES = 2_000
"""How many pages a copy takes at a time."""

DatabaseError = sqlite3.Error
"""What a statement may raise; `fault` makes of it what callers see."""

_TRANSIENT = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}

is_complete = sqlite3.complete_statement
"""Whether a text holds whole statements."""


class SqliteDb(sqlite3.Connection, Db):
    """A connection of SQLite."""


def connect(path: Path | str, *, read_only: bool = False) -> SqliteDb:
    """A connection in autocommit mode; transactions are begun by name.

    Raises `Unavailable` when the file cannot be opened, `Corrupt` when it is no database.
    """
    try:
        if read_only:
            mode = "ro&immutable=1" if _never_changes(Path(path)) else "ro"
            db = sqlite3.connect(
                f"file:{path}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, factory=SqliteDb
            )
        else:
            db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, cached_statements=512, factory=SqliteDb
            )
        db.row_factory = sqlite3.Row
        db.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("PRAGMA cache_size = -65536")
        if not read_only:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
            db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    except sqlite3.Error as error:
        raise fault(error) from error
    return db


def _never_changes(path: Path) -> bool:
    """Whether the database lies whole on a medium that nobody writes to: there SQLite could not make the index that it
    otherwise reads by, and needs none (https://sqlite.org/wal.html, read-only databases)."""
    try:
        read_only = bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False
    wal = path.with_name(path.name + WAL)
    return read_only and not (wal.exists() and wal.stat().st_size)


def copy(source: SqliteDb, target: Path, told: Callable[[int, int], None]) -> None:
    """Writes all that `source` sees into a new database, durably. Within a transaction of `source` that is one instant,
    whatever others write meanwhile. `told` is given pages: done, and of how many. Raises `Unavailable`, and
    `FileExistsError` for a name that somebody else has made, or linked to a place of their own."""
    target.touch(mode=0o600, exist_ok=False)
    try:
        with contextlib.closing(sqlite3.connect(target)) as db:
            source.backup(db, pages=COPY_PAGES, progress=lambda _, left, of: told(of - left, of))
    except sqlite3.Error as error:
        raise fault(error) from error


@contextlib.contextmanager
def without_trace(path: Path) -> Iterator[None]:
    """Leaves no files beside the database at `path` where there were none: reading makes an index and an empty log,
    which a read-only connection cannot remove at its end. One that may write does, unless another has the database open
    by then; as there is nothing in the log, the database stays as it is (https://sqlite.org/wal.html)."""
    beside = [path.with_name(path.name + ending) for ending in (WAL, SHM)]
    had = any(each.exists() for each in beside)
    try:
        yield
    finally:
        if not had and any(each.exists() for each in beside):
            with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as db:
                db.execute("SELECT 1 FROM sqlite_master").fetchone()


def forget(path: Path) -> bool:
    """Works the write-ahead log into the database and empties it, for it still holds what was deleted. False while
    somebody reads from it: try again. Raises `Unavailable`."""
    try:
        with contextlib.closing(connect(path)) as db:
            busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.Error as error:
        raise fault(error) from error
    return not busy


def is_new(db: Snapshot) -> bool:
    """Whether nothing has been made in this database yet."""
    return row(db, "SELECT 1 FROM sqlite_master WHERE name = 'entry'") is None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error says what stands in the database; else it is busy, or the disk does not give it, and trying
    again is of use."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _TRANSIENT


def fault(error: Exception) -> Exception:
    """What callers see: trouble with the database as `Unavailable` or `Corrupt`, a programming error as itself."""
    if isinstance(error, sqlite3.OperationalError | OSError):
        return Unavailable(f"the database does not answer: {error}")
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        return Corrupt(f"the database is damaged: {error}")
    return error
