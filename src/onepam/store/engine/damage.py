"""What is wrong with a database as one: its tables, views, indexes and triggers are those that this release makes, and
the rows in which it speaks of itself are what this release writes."""

import re
from collections.abc import Callable, Mapping
from contextlib import closing

from onepam.store.db import Db, row, rows
from onepam.store.engine.database import connect
from onepam.store.engine.release import altered, check, contradicts_itself, refuse_future, standing, this_release
from onepam.store.engine.schema import create

MOST = 20
"""Objects that are named; with most of them gone the first ones say enough."""


_SPACE_OR_QUOTED = re.compile(
    r"""[ \t\n\f\r]+|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*\n?|/\*.*?(?:\*/|\Z)""", re.DOTALL
)
"""White space as SQLite has it, and what may hold white space that says something: texts, names and comments, of which
one ends with its line."""
OF_ENTRIES = ("entry", "batch", "payload", "head")

STATISTICS = {
    "sqlite_stat1": ("table", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    "sqlite_stat4": ("table", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"),
}
"""What SQLite itself makes when somebody says ANALYZE (https://sqlite.org/fileformat2.html, 2.6.3 and 2.6.6), to choose
the way to an answer and never the answer. Anything else of these names is somebody's."""


def damage(db: Db) -> tuple[list[str], bool]:
    """Findings, each in a line, and whether the tables of the entries are there to be asked.

    Raises `OtherRelease` for the database of another release, which is not damaged, and what the database raises where
    it cannot be read at all.
    """
    there = _objects(db)
    if not there:
        return ["database: it is empty"], False
    if "release" in there and _stamped(db):
        said = standing(db)
        refuse_future(said)
        if not contradicts_itself(said):
            check(db)
    with closing(connect(":memory:")) as fresh:
        create(fresh)
        due = _objects(fresh)
    readable = all(there.get(name) == due[name] for name in OF_ENTRIES)
    found = _differences(there, due)
    if readable and {"migration", "release"} <= there.keys():
        found += [f"database: {each}" for each in altered(db)]
    if len(found) > MOST:
        found = [*found[:MOST], f"database: {len(found) - MOST} more"]
    return found, readable


def unsound(db: Db, go_on: Callable[[], None]) -> list[str]:
    """What SQLite finds in the pages of a table, such as an index that does not say what the table says: whoever asks
    by the one gets another answer than who reads the other. Reads all of it; `go_on` is called before each table."""
    found = list[str]()
    for name in (name for name, (kind, _) in _objects(db).items() if kind == "table" and name.isidentifier()):
        go_on()
        found += [f"database: {name}: {each[0]}" for each in rows(db, f"PRAGMA integrity_check({name})")
                  if each[0] != "ok"]  # fmt: skip
    return found[:MOST]


def _stamped(db: Db) -> bool:
    """Whether some release says that the database is its own."""
    found = row(db, "SELECT stamp FROM release")
    return found is not None and found[0] != this_release().stamp


def _differences(there: Mapping[str, tuple[str, str]], due: Mapping[str, tuple[str, str]]) -> list[str]:
    gone = [f"database: the {due[name][0]} {name} is gone" for name in due if name not in there]
    more = [f"database: there is a {kind} {name!r}, which this release does not make"
            for name, (kind, sql) in there.items()
            if name not in due and STATISTICS.get(name) != (kind, sql)]  # fmt: skip
    other = [
        f"database: {name} is a {kind}, and not a {due[name][0]}"
        if kind != due[name][0]
        else f"database: the {kind} {name} is not as this release makes it"
        for name, (kind, sql) in there.items()
        if name in due and (kind, sql) != due[name]
    ]
    return [*other, *gone, *more]


def _objects(db: Db) -> dict[str, tuple[str, str]]:
    """Each object by its name: what it is, and its statement without what makes no difference. Those with a name of
    SQLite's own, too: its indexes of primary keys are the same in every database, and who writes to its catalogue may
    call anything so."""
    found = rows(db, "SELECT name, type, sql FROM main.sqlite_master ORDER BY name")
    return {str(name): (str(kind), folded(str(sql))) for name, kind, sql in found}


def folded(sql: str) -> str:
    """The statement with one space wherever white space stands outside of texts, quoted names and comments."""
    return _SPACE_OR_QUOTED.sub(lambda found: found[0] if found[0].strip(" \t\n\f\r") else " ", sql).strip(" ")
