"""What statements may do with masked columns, and what a look at a catalogue says of them."""

import re
from struct import pack
from typing import Final

import pytest

from onepam.domain.access.masking import Mask
from onepam.protocols.mysql import guarding
from onepam.protocols.mysql.answering import without_values
from onepam.protocols.mysql.bound import bound
from onepam.protocols.mysql.catalogue import catalogue, look
from onepam.protocols.mysql.exchange import Exchange
from onepam.protocols.mysql.hiding import column
from onepam.protocols.mysql.keeping import Column
from onepam.protocols.mysql.lexing import literals
from onepam.protocols.mysql.masked_columns import refusal
from onepam.protocols.mysql.wire import error_of
from onepam.protocols.sql.events import Allowance
from onepam.protocols.sql.masking import NOTHING, Masking
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.told import Talk

ROWS = (
    ("table", "app", "c", "", ""), ("table", "app", "o", "", ""), ("table", "app", "u", "", ""),
    ("view", "app", "vm", "", "select `app`.`c`.`id` AS `id`,`app`.`c`.`email` AS `e` from `app`.`c`"),
    ("view", "app", "vo", "", "select `app`.`c`.`id` AS `id` from `app`.`c`"),
    ("view", "app", "vv", "", "select `vm`.`e` AS `e` from `app`.`vm`"),
    ("view", "app", "vx", "", ""), ("view", "app", "vy", "", "select 'not to be read"),
    ("column", "app", "c", "email", ""), ("column", "app", "u", "email", ""),
    ("column", "app", "c", "g", "concat(`email`,'x')"), ("column", "app", "c", "h", "concat(`g`,'x')"),
    ("column", "app", "o", "g", "concat(`id`,'x')"),
)  # fmt: skip
KNOWN = catalogue(ROWS, ("c.email",))

SHOWS: Final = (
    "SELECT id, email FROM c",
    "SELECT c.email AS x FROM c WHERE email = 'a'",
    "SELECT * FROM c",
    "SELECT c.*, o.* FROM c JOIN o ON c.id = o.id",
    "SELECT `Email` FROM c ORDER BY id LIMIT 5",
    "SELECT email FROM u ORDER BY email",
    "SELECT COUNT(*) FROM c",
    "SELECT id FROM c WHERE email IN ('a', ?) AND email IS NOT NULL",
    "SELECT id FROM c WHERE EXISTS (SELECT * FROM o WHERE o.id = c.id)",
    "UPDATE c SET email = 'x' WHERE email = 'y'",
    "INSERT INTO c (id, email) VALUES (1, 'x') ON DUPLICATE KEY UPDATE email = VALUES(email)",
    "INSERT INTO c VALUES (1, 'x')",
    "INSERT INTO c SET email = 'x'",
    "DELETE FROM c WHERE email = 'x'",
    "DELETE FROM c WHERE id = 1 RETURNING email",
    "SELECT id AS email FROM c",
    "SELECT id FROM vo",
    "SELECT 1",
    "SELECT * FROM information_schema.tables",
    "SHOW TABLES",
    "SET @a = 1",
    "BEGIN",
    "EXPLAIN SELECT email FROM c",
    "TABLE c",
    "TABLE app.c",
    "DESC c",
    "SELECT x.id FROM (SELECT id FROM c) x",
    "WITH q AS (SELECT id FROM c) SELECT * FROM o JOIN q ON q.id = o.id",
    "SELECT id FROM c GROUP BY id ORDER BY 1",
    "SELECT MAX(id) FROM c",
    "SELECT email FROM c FOR UPDATE",
)
"""What may run: masked columns are shown masked, or not at all."""

TELLS: Final = (
    "SELECT UPPER(email) FROM c",
    "SELECT MAX(email) FROM c",
    "SELECT email FROM c ORDER BY email",
    "SELECT email x FROM c ORDER BY x",
    "SELECT id, email FROM c ORDER BY 2",
    "SELECT id, email FROM c GROUP BY 2",
    "SELECT DISTINCT email FROM c",
    "SELECT DISTINCT * FROM c",
    "SELECT x FROM (SELECT email AS x FROM c) d",
    "SELECT email FROM (SELECT email FROM c) d",
    "SELECT * FROM (SELECT * FROM c) d",
    "WITH q AS (SELECT email FROM c) SELECT email FROM q",
    "SELECT email FROM c UNION SELECT 'x'",
    "SELECT * FROM c UNION SELECT * FROM c",
    "(SELECT email FROM c)",
    "SELECT id FROM c WHERE email LIKE 'a%'",
    "SELECT id FROM c WHERE email > 'a'",
    "SELECT id FROM c WHERE email = CONCAT('a', 'b')",
    "SELECT id FROM c WHERE email = name",
    "SELECT id FROM c WHERE (id, email) IN ((1, 'a'))",
    "SELECT id FROM c WHERE email IN (SELECT 'a')",
    "SELECT id FROM c JOIN u USING (email)",
    "SELECT * FROM c NATURAL JOIN u",
    "SELECT email INTO @v FROM c",
    "SELECT @v := email FROM c",
    "UPDATE o SET x = (SELECT email FROM c LIMIT 1)",
    "UPDATE c SET name = email",
    "UPDATE c SET email = email",
    "INSERT INTO o (a) SELECT email FROM c",
    "INSERT INTO o SELECT * FROM c",
    "SELECT g FROM c ORDER BY g",
    "SELECT UPPER(g) FROM c",
    "SELECT e FROM vm",
    "SELECT e FROM vv",
    "SELECT 1 FROM vx",
    "SELECT 1 FROM new",
    "SELECT own(1)",
    "CALL p()",
    "SHOW WARNINGS",
    "SHOW FULL PROCESSLIST",
    "SELECT * FROM information_schema.processlist",
    "SELECT * FROM mysql.user",
    "SELECT * FROM performance_schema.events_statements_history",
    "SET @a = (SELECT email FROM c LIMIT 1)",
    "DO (SELECT email FROM c LIMIT 1)",
    "HANDLER c OPEN",
    "SELECT DEFAULT(email) FROM c",
    "SELECT GROUP_CONCAT(email) FROM c",
    "SELECT email->'$.x' FROM c",
    "SELECT MATCH (email) AGAINST ('x') FROM c",
    "SELECT CONVERT(email USING utf8mb4) FROM c",
    "SELECT CASE email WHEN 'a' THEN 1 END FROM c",
    "SELECT id FROM c HAVING email = name",
    "SELECT email e FROM c HAVING e LIKE 'a%'",
    "SELECT (email) + 0 FROM c",
    "SELECT NOT email FROM c",
    "SELECT id FROM c WHERE email",
    "SELECT ROW_NUMBER() OVER (ORDER BY email) FROM c",
    "SELECT id FROM c USE INDEX (email)",
    "TABLE vm",
    "EXPLAIN SELECT UPPER(email) FROM c",
    "SELECT JSON_ARRAYAGG(email) FROM c",
    "SELECT * FROM JSON_TABLE((SELECT email FROM c), '$' COLUMNS (a INT PATH '$')) j",
    "SELECT 1 FROM c PROCEDURE ANALYSE()",
    "SELECT id FROM c AS x (email, id)",
    "SELECT a FROM c AS x (a, b)",
    "SELECT id FROM c WHERE `emaıl` = 'a' AND x = email",
    "SELECT id FROM newer.c",
    "SELECT `EMAIL` + 0 FROM c",
    "SELECT * FROM sys.processlist",
)
"""What would show one in another way, or nobody knows what it shows."""


def test_a_catalogue_knows_tables_views_and_what_is_made_of_masked_columns() -> None:
    assert KNOWN.columns == {"c": frozenset(("email", "g", "h"))}
    assert KNOWN.closed == {"vm", "vv", "vx", "vy"}
    assert KNOWN.masks("app", "c", "Email")
    assert KNOWN.masks("APP", "C", "h")
    assert not KNOWN.masks("app", "u", "email"), "the mask names another table"
    assert not KNOWN.masks("app", "o", "g")
    assert KNOWN.masks("app", "x", "email"), "an alias, or what was made meanwhile"
    assert KNOWN.masks("", "", "email")
    assert not KNOWN.masks("", "", "")
    everywhere = catalogue(ROWS, ("email",))
    assert everywhere.masks("app", "u", "email")
    assert catalogue(ROWS, ("other.c.email",)).names == frozenset()
    assert "'email', 'ssn'" in look(("a.b.ssn", "c.email", "email"))


@pytest.mark.parametrize("text", SHOWS)
def test_what_shows_masked_columns_as_columns_may_run(text: str) -> None:
    assert refusal(text, KNOWN) is None


@pytest.mark.parametrize("text", TELLS)
def test_what_shows_them_in_another_way_is_refused(text: str) -> None:
    refused = refusal(text, KNOWN)
    assert refused is not None
    assert refused.code == "statement.masked"


@pytest.mark.parametrize(
    ("number", "words", "right"),
    [
        (1062, "Duplicate entry 'a' for key 'k'", "Duplicate entry '[masked]'"),
        (1062, "Duplicate entry 'it's' for", "Duplicate entry '[masked]' for"),
        (1054, "Unknown column 'x' in 'field list'", "Unknown column 'x' in 'field list'"),
        (1644, "a is taken", "'[masked]'"),
        (1526, "Table has no partition for value 7", "'[masked]'"),
        (1364, "no quote, or one '", "no quote, or one '"),
    ],
)
def test_an_error_has_words_without_values(number: int, words: str, right: str) -> None:
    said = without_values(b"\xff" + number.to_bytes(2, "little") + b"#42000" + words.encode())
    assert error_of(said) == (number, "42000", right)


@pytest.mark.parametrize(
    ("kind", "charset", "flags", "text"),
    [
        (0xFD, 45, 0, True),
        (0xFC, 45, 0, True),
        (0xFC, 63, 0, False),
        (0xFE, 45, 0x0100, False),
        (0xFE, 45, 0x0800, False),
        (3, 63, 0, False),
    ],
)
def test_what_says_that_it_is_masked(kind: int, charset: int, flags: int, text: bool) -> None:
    """VARCHAR and TEXT; not BLOB, ENUM, SET and INT, of which no value means that."""
    names = b"\3def\3app\1c\1c\5email\5email\x0c"
    exchange = Exchange(Allowance(named=KNOWN.masks), lambda thread, whole: False)
    found = column(names + pack("<HIBHB", charset, 20, kind, flags, 0) + b"\0\0", exchange)
    assert found == Column("email", kind, text, masked=True, own=True)


# In recordings -------------------------------------------------------------------------------------------------------

NAMES = frozenset(("card", "email"))


@pytest.mark.parametrize(
    "text",
    ["SELECT 'x', 1 FROM t WHERE a = 'y' LIMIT 5", "INSERT INTO t (a, b) VALUES ('x', 2)", "BEGIN", "SET @a = 'x'"],
)
def test_what_has_nothing_to_do_with_a_masked_column_is_shown(text: str) -> None:
    assert bound(text, NAMES) is None


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("INSERT INTO t (a, card) VALUES ('x', '1'), (2, -3)", "INSERT INTO t (a, card) VALUES ('x', ¤), (2, -¤)"),
        ("INSERT INTO t SET a = 'x', `Card` = 'y'", "INSERT INTO t SET a = 'x', `Card` = ¤"),
        ("INSERT INTO t VALUES ('x', 1)", "INSERT INTO t VALUES (¤, ¤)"),
        ("INSERT INTO t (a, card) SELECT 'x', 'y'", "INSERT INTO t (a, card) SELECT ¤, ¤"),
        ("INSERT INTO t (a) VALUES ('x') ON DUPLICATE KEY UPDATE card = 'y', b = 'z'",
         "INSERT INTO t (a) VALUES ('x') ON DUPLICATE KEY UPDATE card = ¤, b = 'z'"),
        ("UPDATE t SET a = \"x\", card = \"y\" WHERE b = 1", "UPDATE t SET a = \"x\", card = ¤ WHERE b = 1"),
        ("DELETE FROM t WHERE card = 'x' AND a IN (1, 2) OR 3 < b",
         "DELETE FROM t WHERE card = ¤ AND a IN (1, 2) OR 3 < b"),
        ("SELECT a FROM t WHERE card IN ('x', 'y') LIMIT 5, 6", "SELECT a FROM t WHERE card IN (¤, ¤) LIMIT 5, 6"),
        ("SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND card LIKE 'x'",
         "SELECT a FROM t WHERE a BETWEEN 1 AND 2 AND card LIKE ¤"),
        ("SELECT a FROM t WHERE CONCAT(card, 'x') = 'y'", "SELECT a FROM t WHERE CONCAT(card, ¤) = ¤"),
        ("SELECT 'x' AS card", "SELECT ¤ AS card"),
        ("SELECT own('x')", "SELECT own(¤)"),
        ("CALL pay('x')", "CALL pay(¤)"),
        ("SELECT 'x'; UPDATE t SET card = 'y'", "SELECT ¤; UPDATE t SET card = ¤"),
        ("SELEC 'x'", "SELEC ¤"),
        ("UPDATE t SET card = 'it\\'s' -- 'x'", "UPDATE t SET card = ¤ -- 'x'"),
        ("CREATE PROCEDURE p() UPDATE t SET b = 'x'", "CREATE PROCEDURE p() UPDATE t SET b = ¤"),
        ("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 'x'",
         "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = ¤"),
    ],
)  # fmt: skip
def test_of_what_has_only_what_is_bound_to_other_columns_is(text: str, right: str) -> None:
    masking = Masking(None, lambda sql: bound(sql, NAMES), literals)
    said = masking.text(text.encode(), text).text.decode()
    assert (
        "".join(
            "¤" if each.startswith("[masked") else each
            for each in said.replace("'[", "\0[").replace("]'", "]\0").split("\0")
        )
        == right
    )


def test_a_parameter_is_shown_where_it_is_bound_to_other_columns() -> None:
    found = bound("UPDATE t SET a = ?, card = ? WHERE b = ? AND email = ? LIMIT ?", NAMES)
    assert found is not None
    assert found.parameters == {1, 3, 5}
    assert bound("SELECT ? FROM t WHERE a = ?", NAMES) is None
    assert bound("SELECT 'x", NAMES) == NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "SELECT '4111111111111111'", "SELECT '41111111' '11111111'", "SELECT '41111111' /* x */\n'11111111'",
        "SELECT '4\\1111111\\11111111'", "SELECT \"4111111111111111\"", "SELECT 4111111111111111",
        "SELECT 1 -- 4111111111111111", "SELECT 1 # 4111111111111111", "SELECT x'34313131313131313131313131313131'",
        "SELECT `4111111111111111`", "SELECT @4111111111111111",
    ],
)  # fmt: skip
def test_a_pattern_is_masked_however_it_is_written(text: str) -> None:
    masking = guarding.allowance(None, Mask((), (r"\d{16}",))).masking
    assert masking is not None
    said = masking.text(text.encode(), text)
    assert said.parts
    assert not re.search(rb"\d{8}", said.text)
    assert masking.text(b"SELECT '41'", "SELECT '41'").parts == 0


def test_where_a_session_may_read_otherwise_what_depends_on_it_is_masked_whole() -> None:
    """Without guardrails nothing is refused, so that what is recorded must be sure of its reading."""
    talk = Talk(guarding.allowance(None, Mask(("card",))))
    for text in ("SELECT 'a\\'b'", "SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SELECT 'a\\'", "SELECT 'b'"):
        talk.client(my.query(text.encode())).target(my.ok())
    assert talk.texts[0] == b"SELECT 'a\\'b'"
    assert talk.texts[2:] == [b"/* [masked: 11 bytes] */", b"SELECT 'b'"]
