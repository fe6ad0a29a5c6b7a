"""Bringing a database to this release: migrations, and the state rebuilt where a release makes its rows otherwise.

The state is built in a file beside the database, while an older release may go on working, and takes its place in one
transaction. Whatever stops this, the database is whole: the old state stands until the new one does, and the next start
begins anew, for whoever can write to the folder can leave a state of their own there.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from onepam.domain.history.event import every_version
from onepam.kernel.errors import Corrupt
from onepam.store.db import Db, rows
from onepam.store.engine.database import DatabaseError, connect, fault
from onepam.store.engine.entries import entries, entries_of, size_of
from onepam.store.engine.process_lock import ProcessLock
from onepam.store.engine.rebuild import fold_one
from onepam.store.engine.release import refuse_future, standing, this_release
from onepam.store.engine.schema import create, drop_views, finish, migrate, steps_left, transaction
from onepam.store.migrations import Migration
from onepam.store.project import STATE_TABLES

BATCH = 2_000
"""Entries that one transaction projects."""
FOLDED_PER_SECOND = 8_000
"""Entries of which state is rebuilt in a second, on a small machine (docs/benchmarks.md)."""

MIGRATED_PER_SECOND = 100_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What bringing a database to this release takes. `before` is the release that had it, `changed` what makes other
    rows now (`table NAME`, `kind NAME`, `engine`)."""

    before: str
    entries: int
    steps: tuple[Migration, ...]
    changed: tuple[str, ...]
    needed: bool

    @property
    def seconds(self) -> int:
        """About how long it takes."""
        folding = self.entries // FOLDED_PER_SECOND if self.changed else 0
        return folding + len(self.steps) * (self.entries // MIGRATED_PER_SECOND)


def plan_of(path: Path) -> Plan:
    """What the database at `path` needs; nothing where there is none. Raises `OtherRelease` for one from the future."""
    if not path.exists():
        return Plan("", 0, (), (), False)
    with closing(connect(path)) as db:
        found = standing(db)
    if not found.done:
        return Plan("", 0, (), (), False)
    refuse_future(found)
    ours = this_release()
    changed = sorted(name for name, digest in found.state.items() if ours.state.get(name) != digest)
    return Plan(found.name, found.entries, tuple(steps_left(found)), tuple(changed), found.stamp != ours.stamp)


def upgrade(path: Path, progress: Progress = lambda done, of: None, *, anyway: bool = False) -> Plan:
    """Does what the plan says, and returns it; with `anyway` the state is rebuilt whatever the plan says.

    One process at a time: a second one waits, and finds it done. Raises `Corrupt` for entries that give no state; then
    the state is as it was.
    """
    beside = Path(f"{path}.beside")
    with _alone(path):
        plan = plan_of(path)
        if plan.needed or (anyway and path.exists()):
            with closing(connect(path)) as db:
                for step in plan.steps:
                    with _writing(path):
                        migrate(db, step)
                if plan.changed or anyway:
                    _rebuild(path, beside, db, progress)
                else:
                    with _writing(path), transaction(db):
                        finish(db)
        _remove(beside)
    return plan


def _rebuild(path: Path, beside: Path, db: Db, progress: Progress) -> None:
    try:
        with closing(_begun(beside)) as target:
            with closing(connect(path, read_only=True)) as source:
                while size_of(source) - _folded(target) > BATCH:  # those who still write are not kept waiting
                    _fold(source, target, progress)
                _find_lost(source)
            with _writing(path):
                _fold(db, target, progress)
                target.close()
                _swap(db, beside)
    except DatabaseError as error:
        raise fault(error) from error


def _fold(source: Db, target: Db, progress: Progress) -> None:
    """Projects all entries that there are now, each batch in a transaction with the number it ends at."""
    size = size_of(source)
    for begin in range(_folded(target), size, BATCH):
        batch = entries(source, begin, min(begin + BATCH, size))
        if len(batch) != min(begin + BATCH, size) - begin:
            raise Corrupt(f"of the entries from {begin} on some are missing: the state is left as it was")
        with transaction(target):
            faults = [each for stored in batch for each in fold_one(target, stored, set(), set())]
            if faults:
                raise Corrupt("; ".join([*map(str, faults[:5]), "the state is left as it was"]))
            target.execute("UPDATE folded SET size = ?", (begin + len(batch),))
        progress(begin + len(batch), size)


def _find_lost(source: Db) -> None:
    """A payload that went without its erasure would silently empty what it once wrote."""
    private = sorted({kind.name for kind in every_version() if kind.private_fields})
    marks = ", ".join("?" for _ in private)
    without = f"SELECT idx FROM entry WHERE kind IN ({marks}) AND idx NOT IN (SELECT idx FROM payload)"
    lost = {each[0] for each in source.execute(without, private)}
    for stored in entries_of(source, ("payload.erased",)):
        lost.difference_update(stored.event.indexes)
    if lost:
        raise Corrupt(f"entry {min(lost)} has lost its payload without an erasure: the state is left as it was")


def _swap(db: Db, beside: Path) -> None:
    """The state beside takes the place of the old one: all of it, or nothing."""
    db.execute("ATTACH ? AS beside", (str(beside),))  # before the transaction: SQLite wants it so
    try:
        with transaction(db):
            drop_views(db)
            for (
                table
            ) in STATE_TABLES:  # never by a name that stands in the database; one that is given up is a migration's
                db.execute(f"DROP TABLE IF EXISTS main.{table.name}")
                db.execute(table.schema(indexed=False))
                db.execute(f"INSERT INTO main.{table.name} SELECT * FROM beside.{table.name}")
            finish(db)
    finally:
        db.execute("DETACH beside")


def _begun(beside: Path) -> Db:
    """The state beside at its beginning. What lies there is never used: nothing says who made it."""
    _remove(beside)
    target = connect(beside)
    os.chmod(beside, 0o600)
    target.execute("PRAGMA synchronous = NORMAL")
    create(target, indexed=False)
    with transaction(target):
        target.execute("CREATE TABLE folded (size INTEGER NOT NULL)")
        target.execute("INSERT INTO folded VALUES (0)")
    return target


def _folded(target: Db) -> int:
    return int(rows(target, "SELECT size FROM folded")[0][0])


def _remove(beside: Path) -> None:
    """It holds what the database holds, names too."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{beside}{suffix}").unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """No other process writes meanwhile."""
    lock = ProcessLock(path)
    try:
        with lock:
            yield
    finally:
        lock.close()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process upgrades meanwhile."""
    descriptor = os.open(f"{path}.upgrade", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
