"""What may be done with masked columns, by the tree of a statement alone; and which columns of a catalogue are."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from onepam.protocols.postgres.catalogue import Catalogue, Outputs, Relation, Row, catalogue, look
from onepam.protocols.postgres.masked_columns import outputs, refusal
from tests.protocols.postgres.test_masked_results import ROUND

COLUMNS = {name: number for number, name in enumerate(("id", "name", "email", "ssn", "doc", "lower_email"), 1)}
KNOWN = Catalogue(
    (
        Relation(1, "public", "customers", 6, COLUMNS, frozenset((3, 4, 5, 6))),
        Relation(2, "public", "orders", 3, {}),
        Relation(3, "public", "mails", 2, {"id": 1, "contact": 2}, frozenset((2,))),
        Relation(4, "public", "rows", 2, {"id": 1, "whole": 2}, None),
        Relation(5, "pg_catalog", "pg_stats", 20, {}, None),
    )
)
BY_CLASS = frozenset(("CREATE", "ALTER", "DO", "SET"))
"""What no mask needs to look at: sessions with one have guardrails that refuse it."""


@pytest.mark.parametrize("sql", [each for each in ROUND if each.split()[0] not in BY_CLASS])
def test_ways_round_are_refused(sql: str) -> None:
    refused = refusal(sql.replace("\\;", ";"), KNOWN)
    assert refused is not None
    assert refused.code == "statement.masked"


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT s.* || '' FROM (SELECT c.* FROM customers c) s", "a star stands in what is computed further"),
        ("SELECT x.* FROM customers c", "x is not known"),
        ("SELECT x.id FROM customers c", "x is not known"),
        ("SELECT public.customers.email FROM customers c", "customers is not known"),
        ("SELECT old.email FROM customers", "old is not known"),
        ("UPDATE customers SET name = 'x' RETURNING new", "new is a whole row"),
        ("INSERT INTO customers (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET name = excluded.email", "of email"),
        ("SELECT id FROM customers c, LATERAL (SELECT c.email) s", "computed of email"),
        ("SELECT c.upper FROM customers c WHERE EXISTS (SELECT 1 FROM orders c)", "upper is no column of customers"),
        ("SELECT j FROM (customers c JOIN orders o ON true) AS j", "a join gives columns other names"),
        ("SELECT id FROM customers JOIN orders USING (id) AS j", "a join gives columns other names"),
        ("SELECT * FROM customers ORDER BY 3", "ordered or grouped"),
        ("SELECT * FROM customers TABLESAMPLE system (1) ORDER BY 3", "ordered or grouped"),
        ("SELECT * FROM customers ORDER BY email", "computed of email"),
        ("SELECT id, email FROM customers GROUP BY 1, 2", "ordered or grouped"),
        ("SELECT id, email FROM customers GROUP BY (1, 2)", "ordered or grouped"),
        ("SELECT email, count(*) FROM customers GROUP BY ROLLUP (1)", "ordered or grouped"),
        ("SELECT id AS i, email AS e FROM customers GROUP BY CUBE ((i, e))", "ordered or grouped"),
        ("SELECT email AS e FROM customers GROUP BY GROUPING SETS (ROLLUP (e), ())", "ordered or grouped"),
        ("SELECT o.*, email FROM orders o, customers ORDER BY 4", "ordered or grouped"),
        ("SELECT o.*, email FROM orders o, customers GROUP BY GROUPING SETS ((4))", "ordered or grouped"),
        ("SELECT public.lower('x')", "nobody knows what the function lower reads"),
        ("SELECT id FROM customers WHERE email = (SELECT 'x')", "computed of email"),
        ("SELECT id FROM customers WHERE email <> 'x'", "computed of email"),
        ("SELECT id FROM customers WHERE email OPERATOR(public.=) 'x'", "nobody knows what the operator = reads"),
        ("SELECT id FROM customers WHERE email = lower('x')", "computed of email"),
        ("SELECT id FROM customers WHERE email BETWEEN 'a' AND 'b'", "computed of email"),
        ("SELECT id FROM other.customers", "was not there"),
        ("SELECT 1 @+@ 2", "nobody knows what the operator @+@ reads"),
        ("SELECT id FROM orders WHERE id OPERATOR(public.=) ANY (SELECT 1)", "nobody knows what the operator = reads"),
        ("SELECT 1 FROM customers TABLESAMPLE system (1) WHERE email > 'a'", "computed of email"),
        ("SELECT id FROM customers WINDOW w AS (ORDER BY email)", "computed of email"),
        ("MERGE INTO orders o USING customers c ON o.id = c.id WHEN MATCHED THEN UPDATE SET email = c.email",
         "of email"),
        ("SELEC", "it cannot be read"),
    ],
)  # fmt: skip
def test_each_rule_alone(sql: str, why: str) -> None:
    refused = refusal(sql, KNOWN)
    assert refused is not None
    assert why in refused.message


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM customers ORDER BY id LIMIT 10", "SELECT c.*, o.* FROM customers c JOIN orders o ON o.id = c.id",
        "SELECT upper(name), email AS e FROM customers ORDER BY name, 1", "SELECT ctid, email FROM customers c",
        "SELECT id FROM customers WHERE ssn = ANY($1) OR $2 = email OR email = 'x'::text OR ssn = ANY(ARRAY[1, 2])",
        "SELECT id FROM customers WHERE (email IS NOT NULL) IS TRUE", "SELECT count(*) FROM customers",
        "SELECT upper(o.email) FROM orders o, customers c", "TABLE customers", "SELECT c.email FROM public.customers c",
        "UPDATE customers SET email = 'x', ssn = 5 WHERE id = 1 RETURNING id, email",
        "INSERT INTO customers VALUES (1, 'x', 'y') ON CONFLICT (email) DO NOTHING RETURNING *",
        "DELETE FROM customers USING orders o WHERE o.id = customers.id AND customers.email = $1",
        "WITH w AS (SELECT id, name FROM customers) SELECT w.*, upper(w.name) FROM w",
        "SELECT s.email FROM (SELECT 'x' AS email) s", "COPY customers FROM STDIN", "COPY customers (id) TO STDOUT",
        "COPY (SELECT id FROM customers) TO STDOUT", "COPY orders TO STDOUT", "SELECT * FROM pg_stats",
        "SELECT 1 FROM orders WHERE id IN (SELECT id FROM customers)", "SELECT nextval('s'), now()", "BEGIN", "FETCH c",
        "EXPLAIN ANALYZE SELECT email FROM customers", "PREPARE p AS SELECT email FROM customers", "EXECUTE p (1)",
        "SELECT (SELECT max(o.id) FROM orders o WHERE o.id = c.id) FROM customers c FOR UPDATE OF c",
        "SELECT DISTINCT name FROM customers", "SELECT name, count(*) FROM customers GROUP BY name",
        "SELECT a FROM generate_series(1, 2) a, customers", "LOCK TABLE customers", "SELECT rows.id, whole FROM rows",
    ],
)  # fmt: skip
def test_what_is_shown_as_it_is_or_has_nothing_to_do_with_it_runs(sql: str) -> None:
    assert refusal(sql, KNOWN) is None


@pytest.mark.parametrize(
    ("view", "right"),
    [
        ("SELECT customers.id, customers.email AS e, 1 FROM customers", {2}),
        ("SELECT orders.email FROM orders", set()),
        ("SELECT upper(customers.email) AS e FROM customers", None),
        ("SELECT c.*::customers AS c FROM customers c", None),
        ("SELECT", set()), ("SELEC", None), ("SELECT 1; SELECT 2", None), ("DELETE FROM orders", None),
    ],
)  # fmt: skip
def test_what_a_view_shows(view: str, right: set[int] | None) -> None:
    assert outputs(view, KNOWN) == right


def row(
    oid: int,
    name: str,
    columns: list[Any],
    others: list[int] | None = None,
    view: str | None = None,
    schema: str = "public",
) -> tuple[Any, ...]:
    said = [json.dumps(each) if each else None for each in (columns, others)]
    return (str(oid), schema, name, "r", str(max((each[0] for each in columns), default=3)), *said, view)


def whole(rows: Iterable[Row], outputs: Outputs = outputs) -> Catalogue:
    """What a reading comes to in the end."""
    reading = catalogue(rows, outputs)
    while True:
        try:
            next(reading)
        except StopIteration as read:
            known: Catalogue = read.value
            return known


@pytest.mark.claim(
    "Where it cannot be told which columns of a view do", altered="of such a view no further column was masked"
)
def test_a_catalogue_masks_by_name_inheritance_generation_and_views() -> None:
    found = whole(
        (
            row(1, "c", [[1, "id", False, None], [2, "email", True, None], [3, "low", False, "lower(email)"]], [2]),
            row(2, "part", [[1, "id", False, None], [4, "email", False, None], [5, "low", False, None]], [1]),
            row(3, "v", [[1, "id", False, None], [2, "mail", False, None]], None, "SELECT c.id, c.email FROM public.c"),
            row(4, "w", [[1, "m", False, None], [2, "i", False, None]], None, "SELECT v.mail, v.id FROM public.v"),
            row(5, "x", [[1, "m", False, None], [2, "i", True, None]], None, "SELECT length(w.m), w.i FROM public.w"),
            row(6, "plain", []),
        ),
    )
    masked = {(relation, number) for relation in range(1, 7) for number in range(1, 6) if found.masks(relation, number)}
    assert masked == {
        (1, 2), (1, 3), (1, 4), (1, 5), (2, 4), (2, 5), (3, 2), (3, 3), (3, 4), (3, 5), (4, 1), (4, 3), (4, 4), (4, 5),
        (5, 1), (5, 2), (5, 3), (5, 4), (5, 5), (6, 4), (6, 5),
    }  # fmt: skip
    assert found.masks(77, 1)  # it was not there
    assert not found.masks(0, 0)
    assert [each.oid for each in found.named("public", "c")] == [1]
    assert found.named("other", "c") == []


def test_what_repeats_values_of_columns_is_masked_as_a_whole_in_postgresqls_own_catalogue_alone() -> None:
    found = whole((row(1, "pg_stats", [], schema="pg_catalog"), row(2, "pg_stats", [])))
    assert [found.masks(relation, 1) for relation in (1, 2)] == [True, False]


def test_views_of_views_are_found_in_one_walk_and_those_below_younger_ones_are_read_again() -> None:
    columns, read = [[1, "id", False, None], [2, "email", False, None]], list[str]()

    def reads(text: str, known: Catalogue) -> frozenset[int] | None:
        read.append(text)
        return outputs(text, known)

    views = [
        row(number, f"v{number}", columns, None, f"SELECT v.id, v.email FROM public.{of} v")
        for number, of in ((5, "v4"), (4, "v3"), (3, "c"))
    ]
    found = whole((*views, row(1, "c", [[1, "id", False, None], [2, "email", True, None]])), reads)
    assert [(found.masks(each, 1), found.masks(each, 2)) for each in (3, 4, 5)] == [(False, True)] * 3
    assert len(read) == 3
    anew = (
        row(3, "v3", columns, None, "SELECT v.id, v.email FROM public.v9 v"),
        row(8, "w", columns, None, "SELECT 1, 2"),
        row(9, "v9", columns, None, "SELECT v.id, v.email FROM public.c v"),
    )
    read.clear()
    found = whole((*anew, row(1, "c", [[1, "id", False, None], [2, "email", True, None]])), reads)
    assert [found.masks(each, 2) for each in (3, 8, 9)] == [True, False, True]
    assert [each.split()[-2] for each in read] == ["public.v9", "1,", "public.c", "public.v9"]


def test_names_of_a_mask_stand_in_the_statement() -> None:
    assert "IN ('a.b', 'c')" in look(("a.b", "c"))
