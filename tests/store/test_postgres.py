"""Every statement of the product is prepared on a real PostgreSQL, with its tables: another database takes the same."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from onepam.kernel.clock import Instant
from onepam.store.engine.database import SqliteDb, connect
from onepam.store.engine.schema import create
from onepam.store.engine.tables import AT
from onepam.store.engine.whose import LINKED, SAID_LATER
from onepam.store.project import STATE_TABLES
from onepam.store.read import erasing, sessions
from onepam.store.read.concerned import Concern, _where
from onepam.store.read.populations import Question, _people
from onepam.store.read.sessions import SessionFilter
from tests.store.postgres import Postgres, in_its_words, postgres, schema
from tests.store.statements import Made, Statement, Unclear, statements

EXCEPTIONS = Path(__file__).with_name("postgres_exceptions.txt")
LEAST = 800
"""Statements that there are at least."""

PREPARED = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
ENGINE = {
    "jobs/verification.py", "store/engine/damage.py", "store/engine/database.py", "store/engine/history.py",
    "store/engine/reader.py",
    "store/engine/rebuild.py", "store/engine/release.py", "store/engine/schema.py", "store/engine/standstill.py",
    "store/engine/upgrade.py", "store/engine/writer.py",
}  # fmt: skip
"""Where statements of other kinds stand: transactions, settings, tables. Each database has its own words for those."""

CONCERNS = (Concern(("p", "q")), Concern((), "r"), Concern(("p",), "r"))

RUN_AS_THEY_COME: Made = {
    "store/migrations/__init__.py:run": {"*": ()},
    "store/engine/schema.py:finish": {"*": ()},
    "store/engine/schema.py:drop_views": {"*": ()},
    "store/engine/upgrade.py:_swap": {"*": ()},
}
"""Tables, indexes and views are made and dropped by these; the schema below is made of the same texts."""


@pytest.fixture(scope="module")
def every() -> list[Statement]:
    db = connect(":memory:")
    create(db)
    found = statements(made(db))
    db.close()
    return found


@pytest.fixture(scope="module")
def server(every: list[Statement]) -> Iterator[Postgres]:
    with postgres() as running:
        made_of = schema([each.sql for each in every if each.sql.startswith("CREATE TABLE")])
        said = dict(zip(made_of, running.errors(made_of), strict=True))
        assert {sql: error for sql, error in said.items() if error} == {}
        yield running


def made(db: SqliteDb) -> Made:
    """What the source of a statement does not tell: filters, and what is made of the tables' columns."""
    of_requests = ("person = :person", "decider = :decider", "status = 'open' AND expires > :at",
                   "(status = 'void' OR (status = 'open' AND expires <= :at))", "status = :status")  # fmt: skip
    asked = [AT, *(f"{AT} AND {each}" for each in of_requests), " AND ".join([AT, *of_requests[:3]])]
    listed = {"where": filters(lambda which: sessions._where(Instant(1), which)[0])}
    refused = {"where": filters(lambda which: sessions._refused(db, Instant(1), which)[0])}
    span = (Instant(1), Instant(2))
    asked_of = {"statement": [_people(each, Instant(1), span)[0] for each in (Question.REACH, Question.LEFT)]}
    tables = STATE_TABLES
    changes = [
        table._successor(tuple(changed))
        for table in tables
        for others in [[each for each in table.columns if each not in table.key]]
        for changed in [others, *([each] for each in others)]
    ]
    return {
        **RUN_AS_THEY_COME,
        "store/engine/damage.py:unsound": {"name": ("entry",)},
        "store/engine/entries.py:entries_of": {"marks": ("?, ?",)},
        "store/engine/upgrade.py:_find_lost": {"marks": ("?, ?",)},
        "store/read/moments.py:history_of": {"table": ("resource",)},
        "store/read/requests.py:requests": {"' AND '.join(where)": asked},
        "store/read/sessions.py:sessions": listed,
        "store/read/sessions.py:count_sessions": listed,
        "store/read/sessions.py:refusals": refused,
        "store/read/sessions.py:count_refusals": refused,
        "store/engine/tables.py:put": {
            "*": [sql for table in tables for sql in (table._insert(tuple(table.columns)), table._close)]
        },
        "store/engine/tables.py:change": {"*": changes},
        "store/engine/tables.py:end": {"*": [table._close for table in tables]},
        "store/engine/tables.py:erase": {"*": [table.emptied for table in tables if table.personal]},
        "store/engine/tables.py:unsay": {"*": [table.unsaid for table in tables if table.naming]},
        "store/read/erasing.py:_of_others": {
            "*": [
                erasing._linked(kind, *way) for kind, ways in LINKED.items() for way in ways if kind not in SAID_LATER
            ]
        },
        "store/read/erasing.py:_before_named": {"*": [erasing._history(each, LINKED[each]) for each in SAID_LATER]},
        "store/facts/erasing.py:documents": {"kinds": ("'roster.held', 'change.proposed'",)},
        "store/read/concerned.py:concerning": {"where": [_where(each, Instant(1))[0] for each in CONCERNS]},
        "store/read/populations.py:population": asked_of,
        "store/read/populations.py:draw": asked_of,
        "store/engine/rebuild.py:_differences": {"*": [table.rows_in_order for table in tables]},
    }


def filters(condition: Callable[[SessionFilter], str]) -> list[str]:
    """The condition of each part of a filter, of all together, and of none."""
    values = {"person": "p", "resource": "r", "status": "open", "since": Instant(1), "before": Instant(2),
              "request": "q", "gap": True, "search": "s"}  # fmt: skip
    assert values.keys() == {each.name for each in fields(SessionFilter)} - {"most"}
    parts = [SessionFilter(), SessionFilter(status="ended"), replace(SessionFilter(), **values)]  # type: ignore[arg-type]
    parts += [replace(SessionFilter(), **{name: value}) for name, value in values.items()]  # type: ignore[arg-type]
    return [condition(each) for each in parts]


def exceptions() -> list[str]:
    lines = [each for each in EXCEPTIONS.read_text("utf-8").splitlines() if each]
    listed = [number for number, each in enumerate(lines) if not each.startswith("#")]
    assert all(lines[number - 1].startswith("#") or number - 1 in listed for number in listed), "each has its reason"
    return [lines[number] for number in listed]


def test_every_statement_is_prepared(server: Postgres, every: list[Statement]) -> None:
    told = [each for each in every if PREPARED.match(each.sql)]
    assert len(told) >= LEAST
    errors = server.errors([f"PREPARE s{n} AS {in_its_words(each.sql)}" for n, each in enumerate(told)])
    found = {f"{each.place} | {error}" for each, error in zip(told, errors, strict=True) if error}
    assert sorted(found) == sorted(exceptions())


def test_other_statements_are_the_engines(every: list[Statement]) -> None:
    others = {each.place.partition(":")[0] for each in every if not PREPARED.match(each.sql)}
    assert others == ENGINE


@pytest.mark.parametrize(
    "asked",
    [
        """json_extract('{"a": {"b": "x"}}', '$.a.b')""",
        """json_extract('{"a": {"b": "x"}}', '$.b')""",
        """json_extract('{"a":{"b":["x",1]}}', '$.a')""",
        """json_extract('{"a": null}', '$.a')""",
        """json_extract('{"a": true}', '$.a')""",
        """json_extract('{"a": "tr\\u00fce \\" "}', '$.a')""",
        """json_extract('["root","app"]', '$[0]')""",
        """json_extract('[]', '$[0]')""",
        """CAST(json_extract('{"a": 9007199254740991}', '$.a') AS BIGINT)""",
        """json_extract(NULL, '$.a')""",
        """(SELECT json_group_array(value) FROM json_each('["b","a \\" c"]'))""",
        """(SELECT json_group_array(value) FROM json_each('[]'))""",
        """(SELECT json_group_array(key) FROM json_each('{"k":"v","l":"w"}'))""",
        """(SELECT count(*) FROM json_each('{"k": [3, 4]}', '$.k'))""",
        """(SELECT count(*) FROM json_each('["x","y"]') n WHERE n.value = 'y')""",
        "instr('abc', 'c')", "instr('abc', 'd')", "instr(NULL, 'd')",
        "min(3, 2)", "min(3, 1, 2)", "max(3, 4)", "max(3, NULL)",
        """CASE WHEN json_valid('{"a"') THEN 1 ELSE 0 END""", "CASE WHEN json_valid('[]') THEN 1 ELSE 0 END",
    ],
)  # fmt: skip
def test_what_postgresql_is_taught_gives_what_sqlite_gives(server: Postgres, asked: str) -> None:
    db = connect(":memory:")
    (expected,) = db.execute(f"SELECT {asked}").fetchone()
    db.close()
    assert server.answer(f"SELECT {asked}") == ("" if expected is None else str(expected))


def test_a_statement_that_cannot_be_told_is_a_fault() -> None:
    with pytest.raises(Unclear, match=r"store/engine/entries\.py:entries_of, line \d+: "):
        statements({})
    with pytest.raises(Unclear, match=r"store/none\.py:none: made, and not there"):
        statements({"store/none.py:none": {"*": ()}})
