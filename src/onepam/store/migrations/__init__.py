"""Numbered migrations of the tables that are not state: the ledger, its payloads, and what a release needs beside.

`0001_ledger.sql` makes the first tables, each later file changes what is there. They run in order, each in one
transaction that also records it. A released one never changes: what it should have done is the next one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from onepam.store.db import Db
from onepam.store.engine.database import is_complete


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. `digest` (hex SHA-256 of the text) is recorded with it."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        """Which text was run."""
        return sha256(self.sql.encode("utf-8")).hexdigest()

    def run(self, db: Db) -> None:
        """Runs the statements, inside the caller's transaction."""
        for statement in _statements(self.sql):
            db.execute(statement)


@cache
def migrations() -> tuple[Migration, ...]:
    """All steps in order. Raises `ValueError` where the numbers are not 1, 2, 3 …, or there are none."""
    named = {each.name: re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", each.name) for each in files(__name__).iterdir()}
    found = [
        Migration(int(match[1]), match[2], (files(__name__) / name).read_text("utf-8"))
        for name, match in sorted(named.items())
        if match
    ]
    if not found or [each.number for each in found] != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations are numbered without a gap, and there are {[each.number for each in found]}")
    return tuple(found)


def _statements(sql: str) -> Iterator[str]:
    """The statements one by one: `executescript` would commit before it begins."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if is_complete(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"a migration ends in the middle of a statement: {statement!r}")
