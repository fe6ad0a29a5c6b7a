"""The tables of a database: those of a new one, and bringing one up to this release's, a transaction for each step."""

from collections.abc import Iterator
from contextlib import contextmanager

from onepam.store.db import Db, rows
from onepam.store.engine.release import (
    LAYOUT,
    UNFINISHED,
    Standing,
    check,
    record,
    refuse_future,
    standing,
    this_release,
)
from onepam.store.engine.views import EVIDENCE_VIEWS
from onepam.store.migrations import Migration
from onepam.store.project import STATE_TABLES


def create(db: Db, *, indexed: bool = True) -> None:
    """Makes a new database; without the indexes of the state tables for a fold, which only looks up keys.

    Raises `OtherRelease` for one that is there and not this release's, `Corrupt` for one of another layout.
    """
    found = standing(db)
    if found.stamp == this_release().stamp:
        return
    if found.entries or found.stamp:
        refuse_future(found)
        check(db)
    for step in steps_left(found):
        migrate(db, step)
    with transaction(db):
        finish(db, indexed=indexed)


def steps_left(found: Standing) -> list[Migration]:
    """The migrations that the database has not seen."""
    return [each for each in this_release().steps if each.number not in found.done]


def migrate(db: Db, step: Migration) -> None:
    """Runs a migration and records it, in one transaction; nothing where another process has done so meanwhile."""
    with transaction(db):
        db.execute(
            "CREATE TABLE IF NOT EXISTS migration "
            "(number INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, release TEXT NOT NULL)"
        )
        db.execute(f"PRAGMA user_version = {LAYOUT}")
        ours = (step.number, step.name, step.digest, this_release().name)
        if db.execute("INSERT INTO migration VALUES (?, ?, ?, ?) ON CONFLICT (number) DO NOTHING", ours).rowcount:
            step.run(db)
            db.execute("UPDATE release SET stamp = ?", (UNFINISHED,))


def finish(db: Db, *, indexed: bool = True) -> None:
    """Inside a transaction: the state tables that are missing, the indexes as they are due, the views, the stamp."""
    for table in STATE_TABLES:
        for statement in table.schema(indexed=indexed).split(";\n"):
            db.execute(statement)
    due = {name for table in STATE_TABLES for name in table.named_indexes}
    names = {table.name for table in STATE_TABLES}
    for name, owner in _named(db, "index"):
        if owner in names and name not in due and not name.startswith("sqlite_"):
            db.execute(f"DROP INDEX {_quoted(name)}")
    drop_views(db)
    for statement in EVIDENCE_VIEWS.split(";\n"):
        db.execute(statement)
    record(db)


def drop_views(db: Db) -> None:
    """The views of evidence are made anew by whatever release comes."""
    for name, _ in _named(db, "view"):
        db.execute(f"DROP VIEW {_quoted(name)}")


@contextmanager
def transaction(db: Db) -> Iterator[None]:
    """BEGIN IMMEDIATE, and COMMIT; ROLLBACK when something is raised."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _quoted(name: str) -> str:
    """A name that stands in the database, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _named(db: Db, kind: str) -> list[tuple[str, str]]:
    found = rows(db, "SELECT name, tbl_name FROM main.sqlite_master WHERE type = ? ORDER BY name", (kind,))
    return [(each[0], each[1]) for each in found]
