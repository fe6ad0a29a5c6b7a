"""Which literals and parameters are bound to no masked column, and how a conversation records them."""

import pytest

from onepam.domain.access.masking import Mask
from onepam.protocols.postgres.bound import bound
from onepam.protocols.postgres.guarding import allowance
from onepam.protocols.sql.events import Hidden
from onepam.protocols.sql.masking import NOTHING, Masking
from onepam.recording.statements import Form, Outcome, Parameter
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.told import Told

NAMES = frozenset(("card", "email"))
MASKED = "'[masked: 1 byte]'"


def recorded(text: str) -> str:
    return Masking(None, lambda sql: bound(sql, NAMES)).text(text.encode(), text).text.decode()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'x', 1 FROM t WHERE a = 'y' LIMIT 5",
        "INSERT INTO t (a, b) VALUES ('x', 2)",
        "SELECT * FROM t WHERE lower(a) = 'x' AND now() > '2020-01-01'",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES ('x')",
        "BEGIN", "SET search_path = 'x'", "SELECT nextval('s')", "CREATE TABLE t (a text DEFAULT 'x')",
    ],
)  # fmt: skip
def test_what_has_nothing_to_do_with_a_masked_column_is_shown(text: str) -> None:
    assert bound(text, NAMES) is None
    assert recorded(text) == text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("INSERT INTO t (a, card) VALUES ('x', '1'), (2, 3)", "INSERT INTO t (a, card) VALUES ('x', ¤), (2, ¤)"),
        ("INSERT INTO t (a, Card) VALUES ('x', 'y'::text)", "INSERT INTO t (a, Card) VALUES ('x', ¤::text)"),
        ("INSERT INTO t (a, card) VALUES (-1, -2)", "INSERT INTO t (a, card) VALUES (-1, -¤)"),
        ("INSERT INTO t VALUES ('x', 1)", "INSERT INTO t VALUES (¤, ¤)"),
        ("MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED THEN INSERT VALUES (1, 'x')",
         "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED THEN INSERT VALUES (¤, ¤)"),
        ("INSERT INTO t (a, card) SELECT 'x', 'y'", "INSERT INTO t (a, card) SELECT ¤, ¤"),
        ("INSERT INTO t (a) VALUES ('x') ON CONFLICT (a) DO UPDATE SET card = 'y', b = 'z'",
         "INSERT INTO t (a) VALUES ('x') ON CONFLICT (a) DO UPDATE SET card = ¤, b = 'z'"),
        ("UPDATE t SET a = 'x', card = 'y' WHERE b = 1", "UPDATE t SET a = 'x', card = ¤ WHERE b = 1"),
        ("UPDATE t SET (a, card) = ('x', 'y')", "UPDATE t SET (a, card) = (¤, ¤)"),
        ("UPDATE t SET a.card = 'x'", "UPDATE t SET a.card = ¤"),
        ("UPDATE t SET a = CASE card WHEN 'x' THEN 'y' END", "UPDATE t SET a = CASE card WHEN ¤ THEN ¤ END"),
        ("DELETE FROM t WHERE card = 'x' AND a IN (1, 2) OR 3 < b",
         "DELETE FROM t WHERE card = ¤ AND a IN (1, 2) OR 3 < b"),
        ("SELECT a FROM t WHERE card IN ('x', 'y') LIMIT 5 OFFSET 6",
         "SELECT a FROM t WHERE card IN (¤, ¤) LIMIT 5 OFFSET 6"),
        ("SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND card LIKE 'x'",
         "SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND card LIKE ¤"),
        ("SELECT a FROM t WHERE t.card || 'x' = 'y'", "SELECT a FROM t WHERE t.card || ¤ = ¤"),
        ("SELECT a FROM t WHERE lower(card) = lower('x') AND a ~ 'y'",
         "SELECT a FROM t WHERE lower(card) = lower(¤) AND a ~ 'y'"),
        ("SELECT 'x' AS card", "SELECT ¤ AS card"),
        ("SELECT a FROM t AS s (card) WHERE a = 1 AND s = 2 AND 3",
         "SELECT a FROM t AS s (card) WHERE a = 1 AND s = 2 AND ¤"),
        ("SELECT set_card(7, 'x')", "SELECT set_card(¤, ¤)"),
        ("CALL pay('x')", "CALL pay(¤)"),
        ("SELECT 'x' @+@ a", "SELECT ¤ @+@ a"),
        ("EXECUTE p ('x', 1)", "EXECUTE p (¤, ¤)"),
        ("WITH c AS (UPDATE t SET card = 'x' RETURNING a) SELECT 'y' FROM c",
         "WITH c AS (UPDATE t SET card = ¤ RETURNING a) SELECT ¤ FROM c"),
        ("EXPLAIN SELECT a FROM t WHERE card = 'x'", "EXPLAIN SELECT a FROM t WHERE card = ¤"),
        ("SELECT 'x'; UPDATE t SET card = 'y'", "SELECT ¤; UPDATE t SET card = ¤"),
        ("SELEC 'x'", "SELEC ¤"),
        ("DO $$BEGIN UPDATE t SET card = '1'; END$$", "DO $$BEGIN UPDATE t SET card = ¤; END$$"),
    ],
)  # fmt: skip
@pytest.mark.claim(
    "a literal or parameter is shown only where it is bound to another column",
    altered="a literal was shown whatever it was bound to",
)
@pytest.mark.claim(
    "The same holds where it cannot be told what is done with a value",
    altered="EXECUTE and CALL were taken for statements without a masked column",
)
@pytest.mark.claim(
    "Of a text that cannot be read all literals are masked",
    altered="such a text was taken for one without a masked column",
)
def test_of_what_has_only_what_is_bound_to_other_columns_is(text: str, right: str) -> None:
    assert recorded(text) == right.replace("¤", MASKED)


def test_a_parameter_is_shown_where_it_is_bound_to_other_columns_and_to_nothing_else() -> None:
    found = bound(
        "UPDATE t SET a = $1, card = $2, b = $3::int WHERE c = $1 AND d = $4 AND email = $4 AND $5 = e", NAMES
    )
    assert found is not None
    assert found.parameters == {1, 3, 5}
    assert bound("SELECT $1 WHERE a = $2", NAMES) is None
    assert bound("x" * 20_000, NAMES) == NOTHING


COLUMNS = allowance(None, Mask(("customers.card", "email"), (r"\d{16}",)))


def test_a_conversation_records_sizes_and_its_target_has_all() -> None:
    told = Told(COLUMNS)
    told.passes(pg.parse("", "UPDATE c SET card = $1, note = $2 WHERE email = 'a@b'"))
    told.passes(pg.bind("", "", [b"4111", b"a note"]) + pg.execute() + pg.SYNC)
    assert told.texts == {1: b"UPDATE c SET card = $1, note = $2 WHERE email = '[masked: 3 bytes]'"}
    assert told.runs[0].parameters == (Parameter(4), Parameter(b"a note"))
    hidden = [each for each in told.events if isinstance(each, Hidden)]
    assert hidden == [
        Hidden("statement", 1, "masked: 1 part of the text"), Hidden("execution", 1, "masked parameters 1"),
    ]  # fmt: skip
    told.answers(pg.PARSED + pg.BOUND + pg.error("22001", "value '4111' is too long"))
    told.answers(pg.ready("I"))
    assert (told.done[0].outcome, told.done[0].words) == (Outcome.ERROR, "22001 [masked: 24 bytes]")


def test_a_pattern_is_masked_in_texts_values_and_words() -> None:
    told = Told(COLUMNS)
    card = "4111111111111111"
    told.passes(pg.query(f"SELECT '{card}'"))
    told.answers(pg.error("22P02", f"no number: {card}") + pg.ready("I"))
    told.passes(pg.parse("", "SELECT $1") + pg.bind("", "", [card.encode()]) + pg.execute() + pg.SYNC)
    told.answers(pg.PARSED + pg.BOUND + pg.error("22P02", "something else") + pg.ready("I"))
    told.passes(pg.query("SELECT 1"))
    told.answers(pg.error("22P02", "no number: 12") + pg.ready("I"))
    told.end()
    assert card.encode() not in repr(told.events).encode()
    assert [each.words for each in told.done] == [
        "22P02 [masked: 27 bytes]",
        "22P02 [masked: 14 bytes]",
        "22P02 no number: 12",
    ]


def test_of_a_function_by_number_and_a_text_that_is_not_read_whole_nothing_is_shown() -> None:
    told = Told(COLUMNS)
    told.passes(pg.function(1234, [b"a", None]))
    told.passes(pg.function(1234, [b"b"]))
    assert (told.texts, told.runs[0].form) == ({1: b"function 1234", 2: b"function 1234"}, Form.FUNCTION)
    assert [run.parameters for run in told.runs] == [(Parameter(1), Parameter(None)), (Parameter(1),)]
    long = f"SELECT '{'secret' * 60_000}'"
    told.passes(pg.query(long))
    assert told.texts[3] == b""
    assert told.events[-2:][0] == Hidden("statement", 3, f"masked: the text, of {len(long)} bytes")
    told.passes(pg.parse("p", long) + pg.bind("", "p", [b"value"]) + pg.execute())
    assert told.runs[-1].parameters == (Parameter(5),)
    assert b"secret" not in repr(told.events).encode()


def test_what_stands_in_the_clear_as_ever_where_nothing_is_masked() -> None:
    told = Told(allowance(None))
    told.passes(pg.query("UPDATE c SET card = '4111111111111111'"))
    assert told.texts == {1: b"UPDATE c SET card = '4111111111111111'"}
    assert not [each for each in told.events if isinstance(each, Hidden)]
