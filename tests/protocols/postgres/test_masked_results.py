"""Masked columns in the results of a real PostgreSQL, through psql; and ways round the mask."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import Action
from onepam.recording.frames import Marker
from tests.protocols.postgres import small as small_door
from tests.protocols.postgres.server import Server, running_server
from tests.protocols.postgres.small import Small, running_door

pytestmark = pytest.mark.anyio

SECRET = "joe@example.com"
CARD = "4111111111111111"
TABLES = f"""
\\c app
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email varchar(40), ssn int8, doc jsonb,
  lower_email text GENERATED ALWAYS AS (lower(email)) STORED);
INSERT INTO customers VALUES (1, 'Joe', '{SECRET}', 987654321, '{{"a": 1}}'), (2, 'Ann', NULL, NULL, NULL);
CREATE TABLE orders (id int, customer int, email text);
INSERT INTO orders VALUES (7, 1, 'shop@orders');
CREATE VIEW names AS SELECT id, name AS who FROM customers;
CREATE VIEW mails AS SELECT id, email AS contact FROM customers;
CREATE VIEW further AS SELECT contact AS c2, id FROM mails;
CREATE VIEW rows AS SELECT c.id, c AS whole FROM customers c;
CREATE TABLE old_customers () INHERITS (customers);
INSERT INTO old_customers VALUES (3, 'Old', 'old@example.com', 5, NULL);
CREATE FUNCTION mail_of(customers) RETURNS text LANGUAGE sql AS 'SELECT $1.email';
CREATE FUNCTION all_mails() RETURNS SETOF text LANGUAGE sql AS 'SELECT email::text FROM customers';
GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
GRANT ALL ON SCHEMA public TO app;
"""
MASK = Mask(("customers.email", "ssn", "doc"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        running.sql("GRANT ALL ON DATABASE app TO app;")
        running.sql(TABLES)
        yield running


def permitted(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    usual = small_door._opened
    monkeypatch.setattr(small_door, "_opened", lambda *these: replace(usual(*these), **{"mask": MASK, **changed}))


@pytest.fixture
async def small(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Small]:
    permitted(monkeypatch)
    async with running_door(server, tmp_path) as running:
        yield running


SHOWN = [
    ("SELECT id, email, ssn, doc, lower_email FROM customers WHERE id < 3 ORDER BY id",
     "1|[masked]|||[masked]\n2||||\n"),
    ("SELECT * FROM customers WHERE id = 1", "1|Joe|[masked]|||[masked]\n"),
    ("SELECT c.email AS anything, count(*) OVER () FROM customers c WHERE c.id = 1", "[masked]|1\n"),
    (f"SELECT name FROM customers WHERE email = '{SECRET}' AND ssn IN (1, 987654321)", "Joe\n"),
    ("SELECT count(*) FROM customers WHERE email IS NULL", "1\n"),
    ("SELECT * FROM old_customers", "3|Old|[masked]|||[masked]\n"),
    ("SELECT who, upper(who) FROM names WHERE id = 1", "Joe|JOE\n"),
    ("SELECT contact FROM mails WHERE id = 1; SELECT c2, id FROM further WHERE id = 1", "[masked]\n[masked]|1\n"),
    ("SELECT id, whole FROM rows WHERE id = 1", "|\n"),
    ("SELECT upper(o.email), c.email FROM orders o JOIN customers c ON c.id = o.customer", "SHOP@ORDERS|[masked]\n"),
    ("TABLE orders", "7|1|shop@orders\n"),
    ("INSERT INTO customers (id, name, email) VALUES (9, 'New', 'n@x') RETURNING *; DELETE FROM customers WHERE id = 9",
     "9|New|[masked]|||[masked]\n"),
    ("UPDATE customers SET email = email WHERE false", None),
    ("BEGIN; DECLARE c CURSOR FOR SELECT email, id FROM customers WHERE id = 1; FETCH ALL FROM c; COMMIT",
     "[masked]|1\n"),
    ("PREPARE p AS SELECT email FROM customers WHERE id = $1; EXECUTE p(1)", "[masked]\n"),
    ("COPY customers (id, name) TO STDOUT", "1\tJoe\n2\tAnn\n"),
    ("EXPLAIN (COSTS OFF) SELECT email FROM ONLY customers", "Seq Scan on customers\n"),
]  # fmt: skip
ROUND = [
    "SELECT upper(email) FROM customers",
    "SELECT email || '' FROM customers",
    "SELECT c FROM customers c",
    "SELECT c::text FROM customers c",
    "SELECT (c).email FROM customers c",
    "SELECT row_to_json(c) FROM customers c",
    "SELECT json_agg(c.*) FROM customers c",
    "SELECT ROW(customers.*) FROM customers",
    "SELECT x FROM (SELECT email AS x FROM customers) s",
    "SELECT s.x || '' FROM (SELECT * FROM customers) s(a, b, x)",
    "SELECT x FROM customers AS c(a, b, x)",
    "WITH w AS (SELECT email AS x FROM customers) SELECT x FROM w",
    "WITH w AS (UPDATE customers SET name = name RETURNING email) SELECT * FROM w",
    "SELECT email FROM customers UNION ALL SELECT 'x'",
    "SELECT (SELECT email FROM customers WHERE id = 1)",
    "SELECT ARRAY(SELECT email FROM customers)",
    "SELECT id FROM customers ORDER BY email",
    "SELECT email FROM customers ORDER BY 1",
    "SELECT email AS e FROM customers ORDER BY e",
    "SELECT DISTINCT email FROM customers",
    "SELECT id FROM customers WHERE email LIKE 'j%'",
    "SELECT id FROM customers WHERE ssn > 5",
    "SELECT id FROM customers WHERE email::int = 1",
    "SELECT id FROM customers GROUP BY id HAVING max(email) = 'x'",
    "SELECT CASE WHEN email > 'a' THEN 1 END FROM customers",
    "SELECT o.id FROM orders o JOIN customers c ON o.email = c.email",
    "SELECT id FROM orders JOIN customers USING (email)",
    "SELECT count(*) FROM orders NATURAL JOIN customers",
    "COPY customers TO STDOUT",
    "COPY customers (id, email) TO STDOUT",
    "COPY (SELECT email FROM customers) TO STDOUT",
    "UPDATE customers SET name = email",
    "INSERT INTO orders (email) SELECT email FROM customers",
    "INSERT INTO customers (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = customers.email",
    "CREATE TEMP TABLE t AS SELECT email FROM customers",
    "CREATE VIEW v AS SELECT email AS x FROM customers",
    "ALTER TABLE customers RENAME email TO x",
    "SELECT mail_of(c) FROM customers c",
    "SELECT c.mail_of FROM customers c",
    "SELECT all_mails()",
    "SELECT * FROM all_mails()",
    "DO $$BEGIN RAISE EXCEPTION '%', (SELECT email FROM customers LIMIT 1); END$$",
    "SELECT query_to_xml('SELECT email FROM customers', true, true, '')",
    "SELECT table_to_xml('customers', true, true, '')",
    "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'customers'",
    "SELECT upper(contact) FROM mails",
    "SELECT upper(whole::text) FROM rows",
    "EXPLAIN ANALYZE SELECT upper(email) FROM customers",
    "SELECT lower_email || '' FROM customers",
    "SELECT (WITH customers AS (SELECT 1) SELECT 1), upper(email) FROM customers",
    "SELECT email FROM made_later",
    "PREPARE q AS SELECT upper(email) FROM customers",
    "DECLARE q CURSOR WITH HOLD FOR SELECT upper(email) FROM customers",
    "SET standard_conforming_strings = off",
    "SELECT 1 \\; SELECT upper(email) FROM customers",
]  # fmt: skip


@pytest.mark.claim(
    "A masked column of the types text, varchar, char(n) and name comes as [masked]",
    altered="a value of another type than text passed",
)
async def test_masked_columns_are_masked_and_the_rest_is_as_it_is(small: Small) -> None:
    for sql, right in SHOWN:
        status, out, err = await small.psql(sql)
        if right is None:
            assert "columns are masked here" in err
        else:
            assert (status, out, err) == (0, right, ""), sql
        assert SECRET not in out + err
    assert "987654321" not in str([each for journal in small.journals for each in journal.frames])


async def test_ways_round_a_mask_are_refused(small: Small) -> None:
    script = "".join(f"{sql};\n\\echo {number}\n" for number, sql in enumerate(ROUND))
    _, out, err = await small.psql(script)
    assert SECRET not in out + err
    told = [line for line in err.splitlines() if line.startswith("ERROR:")]
    assert [sql for sql, line in zip(ROUND, told, strict=True) if "OnePAM: " not in line] == []
    assert out.split() == [str(number) for number in range(len(ROUND))]


async def test_an_error_of_the_server_does_not_show_a_row(small: Small) -> None:
    _, _, err = await small.psql("UPDATE customers SET name = NULL WHERE id = 1", PGOPTIONS="")
    assert 'null value in column "name"' in err
    assert SECRET not in err
    assert "Failing row" not in err


async def test_who_may_see_unmasked_does_and_the_recording_does_not(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    permitted(monkeypatch, actions=(Action.QUERY, Action.UNMASKED), results=Results(2, 1024))
    _, out, _ = await small.psql("SELECT upper(email), email, ssn, name FROM customers ORDER BY customers.id")
    assert out.split("\n")[0] == f"{SECRET.upper()}|{SECRET}|987654321|Joe"
    kept = markers(small)
    assert kept[0] == ("execution 1: row 0", ["upper", "email", "ssn", "name"])
    assert [each[1][1:] for each in kept[1:]] == [[15, 9, "Joe"], [None, None, "Ann"]]


def markers(small: Small) -> list[tuple[str, Any]]:
    texts = [each.text for each in small.journals[-1].frames if isinstance(each, Marker)]
    found = [re.fullmatch(r"(execution \d+: row \d+): (.*)", text) for text in texts]
    return [(each[1], json.loads(each[2])) for each in found if each is not None]


async def test_the_first_rows_are_kept_with_what_is_masked_as_its_size(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    permitted(monkeypatch, mask=Mask(("customers.email",), (r"\d{9}",)), results=Results(3, 64))
    await small.psql("SELECT id, email, ssn, doc FROM customers WHERE id = 1; SELECT generate_series(1, 9);")
    kept = markers(small)
    assert kept[:2] == [
        ("execution 1: row 0", ["id", "email", "ssn", "doc"]), ("execution 1: row 1", ["1", 15, 9, '{"a": 1}']),
    ]  # fmt: skip
    assert [cells for about, cells in kept if about.startswith("execution 2")] == [
        ["generate_series"],
        ["1"],
        ["2"],
        ["3"],
    ]
    await small.psql("SELECT repeat('x', 60); SELECT repeat('y', 65);")
    assert [cells for _, cells in markers(small)] == [["repeat"], ["x" * 60]]


async def test_bounds_of_guardrails_hold_with_a_mask(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    permitted(monkeypatch, guardrails=Guardrails((StatementClass.READ, StatementClass.DDL), rows=1))
    _, out, err = await small.psql("SELECT email FROM customers; DROP TABLE orders; SELECT 1;")
    assert out == "1\n"
    assert "at most 1 rows" in err
    assert "statements of the kind ddl" in err


@pytest.mark.claim("kept only where the resource has results", altered="three rows were kept where no rule said so")
async def test_without_a_mask_nothing_is_looked_up(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    permitted(monkeypatch, mask=None)
    assert SECRET in (await small.psql("SELECT upper(email), email FROM customers"))[1]
    assert markers(small) == [], "nor is a row kept without a rule of results"
