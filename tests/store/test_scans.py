"""No statement walks a whole table that grows with people or time, but those that are listed with their reason."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from onepam.store.engine.database import connect
from onepam.store.engine.schema import create
from tests.store.statements import Statement, statements
from tests.store.test_postgres import PREPARED, made

ELSEWHERE = (
    "evidence/reports/", "store/as_stored.py", "store/engine/rebuild.py", "store/engine/upgrade.py",
    *(f"store/read/controls/{each}.py" for each in ("access", "people", "reviews", "sessions", "system")),
)  # fmt: skip
"""What walks whole tables because that is what it is for: evidence of all of it, a whole population, a comparison, a
fold."""

LISTED = Path(__file__).with_name("scans.txt")

SMALL = {
    "migration", "release", "head", "clock_doubt",
    "access_lock", "access_version",
    "account_system", "binding", "change", "disk", "door", "erasure", "mfa_declaration", "mfa_exception",
    "provider", "provider_proposal", "receiver", "resource", "review",
    "role", "scim_group", "scim_token", "separation", "signal_stream", "signal_stream_proposal", "staff_rules",
    "staff_source",
}  # fmt: skip
"""Tables of what administrators set by hand: some hundreds of rows."""


_NAMED = re.compile(r"(?:FROM|JOIN|,|UPDATE)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?")
"""Tables with the names that the statement gives them."""


class Anything(dict[str, int]):
    """A value for each name."""

    def __missing__(self, name: str) -> int:
        return 1


def plan(db: sqlite3.Connection, sql: str) -> Iterator[str]:
    """What the statement would do, a step a line."""
    try:
        found = db.execute(f"EXPLAIN QUERY PLAN {sql}", Anything()).fetchall()
    except (sqlite3.ProgrammingError, TypeError):
        marks = max([sql.count("?"), *(int(each) for each in re.findall(r"\?(\d+)", sql))])
        found = db.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * marks).fetchall()
    for each in found:
        yield each[3]


def scanned(db: sqlite3.Connection, sql: str, tables: set[str]) -> set[str]:
    """The tables that it walks from end to end, by their own names."""
    aliases = {alias or name: name for name, alias in _NAMED.findall(sql)} | {name: name for name in tables}
    walked = {found[1] for step in plan(db, sql) if (found := re.match(r"SCAN (\w+)", step))}
    return {aliases[each] for each in walked if aliases.get(each) in tables}


@pytest.fixture(scope="module")
def found() -> set[str]:
    """`place | table` of every statement that walks one."""
    wrapped = connect(":memory:")
    create(wrapped)
    with closing(wrapped):
        db = sqlite3.connect(":memory:")
        for (sql,) in wrapped.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").fetchall():
            db.execute(sql)
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} - SMALL
        told = [each for each in statements(made(wrapped)) if PREPARED.match(each.sql)]
        every: list[Statement] = [each for each in told if not each.place.startswith(ELSEWHERE)]
        walked = {f"{each.place} | {table}" for each in every for table in scanned(db, each.sql, tables)}
        db.close()
    return walked


def listed() -> list[str]:
    return [each for each in LISTED.read_text("utf-8").splitlines() if each and not each.startswith("#")]


def test_whole_tables_are_walked_only_where_it_is_listed(found: set[str]) -> None:
    """The list only shrinks: a statement that is new gets an index, or its reason."""
    assert sorted(found) == sorted(listed())


def test_a_walk_is_seen() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE person (person TEXT, email TEXT, PRIMARY KEY (person))")
    assert scanned(db, "SELECT 1 FROM person p WHERE lower(p.email) = :email", {"person"}) == {"person"}
    assert scanned(db, "SELECT 1 FROM person WHERE person = ?", {"person"}) == set()
    db.close()
