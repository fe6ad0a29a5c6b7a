"""Passwords of a text: none is recorded, whatever else is."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.protocols.mysql.texts import without_passwords
from onepam.protocols.sql.events import Allowance, Hidden, Step, Text
from onepam.protocols.sql.journal import LongText
from onepam.protocols.sql.literals import literals
from onepam.protocols.sql.passwords import binds, hidden, near, surely_hidden

SECRET = "s3cret!"
HIDDEN = "'[masked: 7 bytes]'"

POSTGRES = [
    f"ALTER ROLE app PASSWORD '{SECRET}'",
    f"alter user app with encrypted password '{SECRET}' valid until 'tomorrow'",
    f"CREATE USER app LOGIN PASSWORD\n'{SECRET}'",
    f"CREATE ROLE app PASSWORD E'{SECRET}'",
    f"CREATE ROLE app PASSWORD U&'{SECRET}'",
    f"CREATE ROLE app PASSWORD $${SECRET}$$",
    f"CREATE ROLE app PASSWORD $a${SECRET}$a$",
    f"ALTER ROLE app PASSWORD /* /* ' */ ' */ '{SECRET}' -- '",
    f"ALTER ROLE app PASSWORD -- it's\n '{SECRET}'",
    f"ALTER ROLE \"it's\" PASSWORD '{SECRET}'",
    f"CREATE USER MAPPING FOR app SERVER s OPTIONS (user 'app', password '{SECRET}')",
    f"CREATE SUBSCRIPTION s CONNECTION 'host=h password={SECRET} user=u' PUBLICATION p",
    f"SELECT dblink_connect('postgresql://app:{SECRET}@h/d')",
    f"DO $do$ BEGIN EXECUTE 'ALTER ROLE app PASSWORD ''{SECRET}'''; END $do$",
    f"DO $do$ BEGIN ALTER ROLE app PASSWORD '{SECRET}'; END $do$",
    f"SELECT 1; ALTER ROLE app PASSWORD '{SECRET}'; SELECT 2",
    f"-- ALTER ROLE app PASSWORD '{SECRET}'",
    f"/* password={SECRET} */ SELECT 1",
    f"UPDATE people SET password = '{SECRET}' WHERE n = 1",
    f'INSERT INTO settings VALUES (\'{{"password": "{SECRET}"}}\')',
    f"ALTER ROLE app PASSWORD '{SECRET}",
    "ALTER ROLE app PASSWORD 'SCRAM-SHA-256$4096:s3cret!",
    f"ALTER ROLE app PASSWORD {' ' * 2000}'{SECRET}'",
    f"CREATE USER MAPPING FOR app SERVER s OPTIONS (\"password\" '{SECRET}')",
    f"DO E'BEGIN ALTER ROLE app PASSWORD \\'{SECRET}\\'; END'",
    f"DO 'BEGIN ALTER ROLE app PASSWORD E''{SECRET}''; END'",
    f"DO 'BEGIN ALTER ROLE app PASSWORD /* it */ ''{SECRET}''; END'",
]
PIECES = [
    f"ALTER ROLE app PASSWORD 'x'\n'{SECRET}'",
    f"ALTER ROLE app PASSWORD 'x' -- it's\n '{SECRET}'",
    f"CREATE SUBSCRIPTION s CONNECTION 'host=h password=x'\n'{SECRET}' PUBLICATION p",
    f"DO $$ BEGIN EXECUTE 'ALTER ROLE ' || quote_ident('a') || ' PASSWORD ' || quote_literal('{SECRET}'); END $$",
    f"SELECT dblink_connect('host=h password=' || '{SECRET}')",
    f"SELECT dblink_connect(concat('host=h password=', '{SECRET}'))",
]
"""Where a password is in more than one literal, or in another than announces it."""
MYSQL = [
    f"CREATE USER app IDENTIFIED BY '{SECRET}'",
    f"create user 'a'@'%' identified by \"{SECRET}\"",
    f"CREATE USER app IDENTIFIED BY PASSWORD '{SECRET}'",
    f"CREATE USER app IDENTIFIED WITH mysql_native_password BY '{SECRET}'",
    f"CREATE USER app IDENTIFIED WITH 'caching_sha2_password' AS '{SECRET}'",
    f"CREATE USER app IDENTIFIED VIA ed25519 USING PASSWORD('{SECRET}')",
    f"CREATE USER app IDENTIFIED VIA ed25519 USING '{SECRET}'",
    f"GRANT ALL ON d.* TO app@localhost IDENTIFIED /* it's */ BY '{SECRET}'",
    f"ALTER USER app IDENTIFIED BY '{SECRET}' REPLACE 'x'",
    f"SET PASSWORD = '{SECRET}'",
    f"SET PASSWORD = PASSWORD('{SECRET}')",
    f"SET PASSWORD FOR 'bob'@'%.example.com' = PASSWORD ( '{SECRET}' )",
    f"SET PASSWORD FOR `bob` @ localhost := '{SECRET}'",
    f"SET PASSWORD TO '{SECRET}'",
    f"CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='{SECRET}'",
    f"CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD '{SECRET}')",
    f"SELECT PASSWORD('{SECRET}')",
    f"SELECT 'a\\' , \"b', 1; SET PASSWORD = '{SECRET}'",
    f"SELECT 'a\\', 1; SET PASSWORD = '{SECRET}'",
    f"/*!50000 SET PASSWORD = '{SECRET}' */",
    f"SET PASSWORD = # it's\n '{SECRET}'",
    f"ALTER USER app IDENTIFIED BY 'x' REPLACE '{SECRET}'",
    f"SET PASSWORD = 'x' /* it's */ REPLACE '{SECRET}'",
    f"SET PASSWORD FOR CURRENT_USER() = '{SECRET}'",
    f"SET PASSWORD FOR CURRENT_USER ( ) = PASSWORD('{SECRET}')",
    f"SET PASSWORD FOR 'bob'@'{'h' * 255}' = '{SECRET}'",
    f"CREATE USER app IDENTIFIED VIA unix_socket OR ed25519 USING '{SECRET}'",
    f"CREATE USER app IDENTIFIED VIA a USING 'x' OR b USING '{SECRET}'",
    f"PREPARE s FROM 'SET PASSWORD FOR a = PASSWORD(\\'{SECRET}\\')'",
    f"EXECUTE IMMEDIATE CONCAT('ALTER USER a IDENTIFIED BY ', QUOTE('{SECRET}'))",
]


@pytest.mark.parametrize("text", POSTGRES)
def test_no_password_of_postgresql_stands_in_a_recorded_text(text: str) -> None:
    said, parts = hidden(text.encode())
    assert b"s3cret" not in said
    assert parts == 1


@pytest.mark.parametrize("text", PIECES)
def test_no_part_of_a_password_stands_in_a_recorded_text(text: str) -> None:
    assert b"s3cret" not in hidden(text.encode())[0]


def test_where_a_backslash_may_escape_or_not_none_of_the_text_is_shown() -> None:
    """As with `standard_conforming_strings = off`."""
    text = b"ALTER ROLE app PASSWORD 'x\\'s3cret!'"
    assert surely_hidden(text, literals, partial(literals, escapes=True)) == (b"/* [masked: 36 bytes] */", 1)
    alike = b"SELECT E'\\n'; ALTER ROLE app PASSWORD 's3cret!'"
    assert surely_hidden(alike, literals, partial(literals, escapes=True)) == hidden(alike)


@pytest.mark.parametrize("text", MYSQL)
def test_no_password_of_mysql_stands_in_a_recorded_text(text: str) -> None:
    said, parts = without_passwords(text.encode())
    assert b"s3cret" not in said
    assert parts >= 1


def test_the_rest_of_the_text_stands_as_it_was() -> None:
    said, _ = hidden(f"ALTER ROLE a PASSWORD '{SECRET}' VALID UNTIL 'tomorrow'; SELECT 'x', $$y$$, 1 -- z".encode())
    assert said.decode() == f"ALTER ROLE a PASSWORD {HIDDEN} VALID UNTIL 'tomorrow'; SELECT 'x', $$y$$, 1 -- z"
    body = f"DO $do$ BEGIN ALTER ROLE a PASSWORD '{SECRET}'; PERFORM 'x'; END $do$".encode()
    assert hidden(body)[0].decode() == f"DO $do$ BEGIN ALTER ROLE a PASSWORD {HIDDEN}; PERFORM 'x'; END $do$"
    twice = hidden(hidden(body)[0])
    assert twice == (hidden(body)[0], 0), "what is masked already is no password"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'x', 1 FROM password",
        "SELECT password FROM people WHERE name = 'x'",
        "INSERT INTO people (name, password) VALUES ('x', 'y')",
        "SELECT 'the password of somebody'",
        "SELECT 'https://example.com/a:b'",
        "ALTER ROLE app PASSWORD NULL",
        "SELECT identified, 'by' FROM t",
        "SELECT 'x' OR 'y' FROM password",
        "SELECT 'forgot password', 'x' FROM t",
    ],
)
def test_what_is_no_password_is_shown(text: str) -> None:
    assert hidden(text.encode()) == (text.encode(), 0)
    assert without_passwords(text.encode()) == (text.encode(), 0)


def test_a_parameter_may_stand_where_a_password_does() -> None:
    assert binds(b"CREATE USER a IDENTIFIED BY ?")
    assert binds(b"SELECT PASSWORD(?)")
    assert binds(b"UPDATE people SET password = $1")
    assert binds(b"SET PASSWORD /* of */ = -- mine\n ?")
    assert not binds(b"SELECT $1 FROM people WHERE password IS NULL")


@given(st.binary(max_size=300))
def test_whatever_a_text_is_its_rest_is_kept(text: bytes) -> None:
    for reads in (hidden, without_passwords):
        said, parts = reads(b"PASSWORD " + text)
        assert parts or said == b"PASSWORD " + text


def test_a_text_of_many_blanks_takes_no_long_time() -> None:
    """Each of these would take hours if a blank could be read in two ways."""
    for text in ("PASSWORD FOR " + " " * 200 + "x '1'", "identified with" + " " * 250 + "x", "password" * 2000 + "'"):
        hidden(text.encode() * 5)


class Kept:
    """Where a long text goes."""

    allowance = Allowance(text=1000)

    def __init__(self) -> None:
        self.step = Step()


@pytest.mark.parametrize("size", [1, 7, 64, 400, 5000])
@pytest.mark.parametrize("first", [0, 618, 622, 626, 630])
def test_of_a_text_that_is_not_read_whole_nothing_is_kept_from_where_a_password_may_stand(
    size: int, first: int
) -> None:
    before = b"SELECT 'the password of all'; " * 20 + b"ALTER ROLE app "
    text = before + b"PASSWORD  's3cret!'; SELECT 1" + b" " * 800
    journal = Kept()
    long = LongText(journal, 1)
    long.take(text[:first])
    for place in range(first, len(text), size):
        long.take(text[place : place + size])
    long.end()
    kept = b"".join(each.text for each in journal.step.events if isinstance(each, Text))
    assert text.startswith(kept)
    assert len(before) <= len(kept) < len(before) + len(b"PASSWORD  '")
    last = journal.step.events[-1]
    words = f"masked: {len(text) - len(kept)} of {len(text)} bytes, for a password may stand there"
    assert last == Hidden("statement", 1, words)


@pytest.mark.parametrize("text", [*POSTGRES, *MYSQL])
def test_in_a_text_that_is_not_read_whole_each_form_of_a_password_is_seen(text: str) -> None:
    assert 0 <= near(text.encode()) < text.index(SECRET if SECRET in text else "SCRAM")


def test_a_long_text_that_has_none_is_kept() -> None:
    for text in ("INSERT INTO people (name, password, n) VALUES", "the password of", "http://localhost:8080/a"):
        assert near(text.encode()) < 0


def test_a_text_whose_passwords_were_taken_out_is_kept_to_its_end() -> None:
    journal = Kept()
    long = LongText(journal, 1, looked=True)
    long.take(b"PASSWORD '[masked: 7 bytes]'; SELECT 1")
    long.end()
    assert b"".join(each.text for each in journal.step.events if isinstance(each, Text)).endswith(b"SELECT 1")


LONG = 64 * 1024


@pytest.mark.parametrize("unit", ["://:", "://u:p", "password for '", 'identified with "', "or password "])
def test_no_text_takes_long_to_be_looked_at(unit: str) -> None:
    """Where what is looked for were looked for from each beginning to the end, this would take minutes."""
    many = (unit * (4 * LONG // len(unit))).encode()
    for text in (b"SELECT $$" + many + b"$$", b"/*" + many, b"SELECT '" + many):
        assert hidden(text)[0]
    assert not binds(b"password " + many)
    assert not binds(b"password " + b"/* " * LONG)


@pytest.mark.parametrize("deep", [1, 8, 9, 3000])
def test_a_password_is_found_however_deep_in_quotes_it_stands(deep: int) -> None:
    begin = "".join(f"$a{each}$ " for each in range(deep))
    end = "".join(f" $a{each}$" for each in reversed(range(deep)))
    said, count = hidden(f"DO {begin} ALTER ROLE app PASSWORD '{SECRET}' {end}".encode())
    assert (SECRET.encode() in said, count) == (False, 1)
    assert (b"ALTER ROLE app" in said) is (deep <= 8)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("password /* /* ?", False), ("'/*' password = -- x\n ?", True), ("password /* c */ for '/*' = ?", True),
        ("password /* a */*/ ?", False), ("password -- a */ b\n ?", True), ("password */*?", False),
    ],
)  # fmt: skip
def test_a_comment_without_an_end_is_none(text: str, right: bool) -> None:
    assert binds(text.encode()) is right


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("see ://u:p@h", True), ("x@y://u:p@h", True), ("a://b://u:p@h", True), ("://:p@", True),
        ("a://u:@h", False), ("a://u:p h@i", False), ("a://u/x:p@h", False), ("a@h://u:p", False),
    ],
)  # fmt: skip
def test_an_address_is_masked_where_it_has_a_password(said: str, masked: bool) -> None:
    assert hidden(f"SELECT '{said}'".encode())[1] == int(masked)
