"""Masked columns in the results of a real MariaDB, in both forms of the protocol; and ways round the mask."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask, Results
from onepam.domain.access.model import Action
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import guarding, session
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.sql.events import Allowance, Kept
from onepam.recording.frames import Marker
from tests.protocols.mysql import messages as my
from tests.protocols.mysql.server import Server
from tests.protocols.mysql.small import Small
from tests.protocols.mysql.told import Talk
from tests.protocols.postgres import small as small_door

pytestmark = pytest.mark.anyio

SECRET = "joe@example.com"
MASK = Mask(("customers.email", "ssn", "born"))


@pytest.fixture(scope="module", autouse=True)
def tables(server: Server) -> None:
    server.sql(
        "USE app; CREATE TABLE customers (id INT PRIMARY KEY, name TEXT, email VARCHAR(40), ssn BIGINT, born DATE,"
        " kind ENUM('a', 'b'), lower_email VARCHAR(40) AS (LOWER(email)) STORED, UNIQUE (kind, email));"
        f"INSERT INTO customers (id, name, email, ssn, born, kind) VALUES (1, 'Joe', '{SECRET}', 987654321,"
        " '1990-01-02', 'a'), (2, 'Ann', NULL, NULL, NULL, 'b');"
        "CREATE TABLE orders (id INT, customer INT, email TEXT); INSERT INTO orders VALUES (7, 1, 'shop@orders');"
        "CREATE VIEW mails AS SELECT id, email AS contact FROM customers; CREATE VIEW ids AS SELECT id FROM customers;"
    )


def permitted(monkeypatch: pytest.MonkeyPatch, **changed: Any) -> None:
    usual = small_door._opened
    monkeypatch.setattr(small_door, "_opened", lambda *these: replace(usual(*these), **{"mask": MASK, **changed}))


@pytest.fixture
def masked(small: Small, monkeypatch: pytest.MonkeyPatch) -> Small:
    permitted(monkeypatch)
    return small


@pytest.mark.claim(
    "A masked column of text comes as [masked], of every other type as NULL",
    altered="a value of another type than text passed",
)
async def test_masked_columns_come_masked_and_others_as_they_are(masked: Small) -> None:
    script = "SELECT * FROM customers; SELECT email AS x, name FROM customers AS y; SELECT id, email FROM orders;"
    status, said, errors = await masked.mariadb(script, "app")
    assert (status, errors) == (0, "")
    assert said == (
        "1\tJoe\t[masked]\tNULL\tNULL\ta\t[masked]\n2\tAnn\tNULL\tNULL\tNULL\tb\tNULL\n"
        "[masked]\tJoe\nNULL\tAnn\n7\tshop@orders\n"
    )


async def test_the_binary_form_is_masked_too(masked: Small) -> None:
    client = Path(__file__).with_name("prepared_client.py")
    text = "SELECT id, email, ssn, born, name, kind, lower_email FROM customers WHERE id < ?"
    status, said, errors = await masked.run(sys.executable, str(client), str(masked.port), str(masked.root), text, "9")
    assert (status, errors) == (0, "")
    assert json.loads(said) == [
        ["1", "[masked]", None, None, "Joe", "a", "[masked]"], ["2", None, None, None, "Ann", "b", None],
    ]  # fmt: skip


async def test_whoever_may_sees_all_and_recordings_are_masked(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    permitted(monkeypatch, actions=(Action.QUERY, Action.UNMASKED))
    script = f"SELECT id FROM customers WHERE email = '{SECRET}'; SELECT email FROM customers WHERE id = 1;"
    status, said, _ = await small.mariadb(script, "app")
    assert (status, said) == (0, f"1\n{SECRET}\n")
    assert SECRET not in repr(small.journals[-1].frames)
    assert any("[masked: 15 bytes]" in each[0] for each in small.journals[-1].statements())


async def test_where_nobody_knows_what_is_masked_nothing_stays_open(
    masked: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    legs = list[TargetLeg]()

    async def look_up(leg: TargetLeg, columns: tuple[str, ...]) -> Refused:
        legs.append(leg)
        return Refused("target.refusing", "nobody says")

    monkeypatch.setattr(session, "look_up", look_up)
    status, shown, _ = await masked.mariadb("SELECT email FROM customers", "app")
    assert (status, shown) == (1, "")
    assert [each.is_closed() for each in legs] == [True]


@pytest.mark.claim(
    "A view whose text names a masked column, or is not shown to the login, cannot be used",
    altered="such a view was known like a table",
)
async def test_ways_round_the_mask(masked: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is refused, or says nothing of it."""
    permitted(monkeypatch, guardrails=Guardrails((StatementClass.READ, StatementClass.WRITE, StatementClass.OTHER)))
    ways = (
        "SELECT UPPER(email) FROM customers", "SELECT contact FROM mails", "SELECT * FROM mails",
        "SELECT x FROM (SELECT email AS x FROM customers) d", "WITH q AS (SELECT * FROM customers) SELECT * FROM q",
        "SELECT email FROM customers UNION SELECT 'x'", "SELECT MAX(email) FROM customers",
        "SELECT id FROM customers ORDER BY email", "SELECT id FROM customers WHERE email LIKE 'j%'",
        "INSERT INTO orders (email) SELECT email FROM customers", "UPDATE customers SET name = email",
        "UPDATE orders SET email = (SELECT email FROM customers WHERE id = 1)", "SELECT email INTO @a FROM customers",
        "HANDLER customers OPEN", "SHOW WARNINGS", "SELECT JSON_OBJECT('a', email) FROM customers",
        "SELECT * FROM customers PROCEDURE ANALYSE()", "CREATE VIEW v AS SELECT email AS e FROM customers",
        "SELECT INFO FROM information_schema.processlist", "PREPARE x FROM 'SELECT UPPER(email) FROM customers'",
        "SELECT @@version", "SELECT id FROM ids",
    )  # fmt: skip
    _, said, errors = await masked.mariadb("".join(f"{each};\n" for each in ways), "app", "--force")
    assert SECRET not in said + errors
    assert "OE@EXAMPLE" not in said + errors
    assert sorted(said.split()[-2:]) == ["1", "2"]
    assert (await masked.mariadb("SELECT email FROM orders; SELECT name FROM customers", "app"))[1].split() == [
        "shop@orders", "Joe", "Ann",
    ]  # fmt: skip


@pytest.mark.claim
async def test_an_error_repeats_no_value(masked: Small, server: Server) -> None:
    server.sql("UPDATE app.customers SET email = 'joe@example.com', kind = 'b' WHERE id = 2")
    try:
        status, _, errors = await masked.mariadb("UPDATE customers SET kind = 'a'", "app")
    finally:
        server.sql("UPDATE app.customers SET email = NULL, kind = 'b' WHERE id = 2")
    assert status == 1
    assert "Duplicate entry '[masked]'" in errors
    assert SECRET not in errors
    assert SECRET not in repr(masked.journals[-1].frames)


async def test_rows_are_bound_and_a_long_one_is_not_given(masked: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    permitted(monkeypatch, guardrails=Guardrails((StatementClass.READ,), rows=1))
    _, said, errors = await masked.mariadb("SELECT id, email FROM customers; SELECT 5", "app", "--force", "--quick")
    assert "This access allows 1 rows" in errors
    assert said == "1\t[masked]\n5\n"
    text = "SELECT email, REPEAT('x', 5000000) FROM customers; SELECT 5"
    _, said, errors = await masked.mariadb(text, "app", "--force", "--max-allowed-packet=64M")
    assert "A row is too long for its columns to be masked" in errors
    assert said == "5\n"


# Rows that are kept --------------------------------------------------------------------------------------------------


def kept(small: Small) -> list[tuple[str, Any]]:
    """The rows that the last recording has: which, and its cells."""
    texts = [each.text for each in small.journals[-1].frames if isinstance(each, Marker)]
    found = [re.fullmatch(r"(execution \d+: row \d+): (.*)", text) for text in texts]
    return [(each[1], json.loads(each[2])) for each in found if each is not None]


async def test_the_first_rows_are_kept_with_what_is_masked_as_its_size(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    permitted(monkeypatch, mask=Mask(("customers.email",), (r"\d{9}",)), results=Results(3, 64))
    script = "SELECT id, email, ssn FROM customers; SELECT id FROM orders UNION ALL SELECT id FROM customers;"
    _, said, _ = await small.mariadb(script + "SELECT REPEAT('x', 60); SELECT REPEAT('y', 65);", "app")
    assert said.startswith("1\t[masked]\t987654321\n")
    rows = [cells for _, cells in kept(small)]
    at = rows.index(["id", "email", "ssn"])
    assert rows[at : at + 3] == [["id", "email", "ssn"], ["1", 15, 9], ["2", None, None]]
    assert rows[at + 3 :] == [["id"], ["7"], ["1"], ["2"], ["REPEAT('x', 60)"], ["x" * 60]]


async def test_of_who_sees_all_what_is_masked_is_not_kept_nor_what_a_view_makes_of_it(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    permitted(monkeypatch, actions=(Action.QUERY, Action.UNMASKED), results=Results(9, 1024))
    script = "SELECT email, name, born FROM customers; SELECT contact, id FROM mails;"
    _, said, _ = await small.mariadb(
        f"{script} SELECT id FROM ids; SELECT email FROM orders;"
        f"SELECT email = '{SECRET}', id FROM customers WHERE id = 1", "app"
    )  # fmt: skip
    assert said.count(SECRET) == 2
    rows = [cells for _, cells in kept(small)]
    at = rows.index(["email", "name", "born"])
    assert rows[at + 1 : at + 3] == [[15, "Joe", 10], [None, "Ann", None]]
    assert rows[at + 4 : at + 6] == [[15, 1], [None, 1]], "of such a view nothing is known"
    assert rows[at + 6 : -2] == [["id"], ["1"], ["2"], ["email"], ["shop@orders"]]
    assert rows[-2:] == [["[masked: 25 bytes]", "id"], ["1", "1"]]


async def test_the_binary_form_is_kept_as_it_is_written(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    permitted(monkeypatch, mask=None, results=Results(9, 1024))
    text = (
        "SELECT -1, 18446744073709551615, CAST(1.5 AS DOUBLE), CAST(0.1 AS FLOAT), DATE '2026-03-04', NULL, 'a',"
        " TIMESTAMP '2026-03-04 05:06:07.000008', TIME '-27:00:01', x'0700', 1.10, YEAR('2026-03-04'), ?"
    )
    client = Path(__file__).with_name("prepared_client.py")
    status, _, errors = await small.run(sys.executable, str(client), str(small.port), str(small.root), text, "v")
    assert (status, errors) == (0, "")
    (_, row) = [cells for about, cells in kept(small) if len(cells) == 13]
    assert row == [
        "-1", "18446744073709551615", "1.5", "0.100000001", "2026-03-04", None, "a", "2026-03-04 05:06:07.000008",
        "-27:00:01", "\\x0700", "1.10", "2026", "v",
    ]  # fmt: skip


async def test_no_row_is_kept_that_is_not_given(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    rails = Guardrails((StatementClass.READ, StatementClass.OTHER), rows=2)
    permitted(monkeypatch, mask=None, results=Results(9, 1024), guardrails=rails)
    _, _, errors = await small.mariadb("SELECT id FROM customers UNION ALL SELECT 7 UNION ALL SELECT 8", "app")
    assert "allows 2 rows" in errors
    assert [cells for _, cells in kept(small)][-3:] == [["id"], ["1"], ["2"]]


def test_a_long_row_is_not_waited_for_where_it_is_not_kept() -> None:
    talk = Talk(Allowance(results=Results(9, 1024))).client(my.query(b"SELECT"))
    head = my.packet(1, b"\1") + my.column(2) + my.eof(3)
    begins = (5000).to_bytes(3, "little") + b"\4" + b"\xfc" + (4997).to_bytes(2, "little")
    talk.target(head + begins)
    assert talk.to_client == head + begins
    talk.target(b"x" * 4997)
    assert not [each for each in talk.events if isinstance(each, Kept)]


def test_a_row_that_comes_in_pieces_is_kept_once_it_is_whole() -> None:
    talk = Talk(Allowance(results=Results(9, 1024))).client(my.query(b"SELECT"))
    whole = my.packet(1, b"\1") + my.column(2, b"n") + my.eof(3) + my.packet(4, b"\3abc") + my.eof(5)
    for each in whole:
        talk.target(bytes((each,)))
    assert talk.to_client == whole
    assert [each for each in talk.events if isinstance(each, Kept)] == [Kept(1, 0, ("n",)), Kept(1, 1, ("abc",))]
    assert [each.rows for each in talk.ends] == [1]


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [(b"SELECT PASSWORD('s3cret!')", b"PASSWORD('s3cret!')", "[masked: 19 bytes]"),
     (b"SELECT 1 + 1", b"1 + 1", "1 + 1"), (b"SELECT 987654321 + 1", b"987654321 + 1", "[masked: 13 bytes]")],
)  # fmt: skip
def test_the_name_of_what_is_computed_does_not_say_what_the_text_does_not(text: bytes, name: bytes, said: str) -> None:
    """A server names it by the text that was asked for."""
    talk = Talk(replace(guarding.allowance(None, Mask((), (r"\d{9}",))), results=Results(9, 1024)))
    talk.client(my.query(text))
    talk.target(my.packet(1, b"\1") + my.column(2, name) + my.eof(3) + my.packet(4, b"\3abc") + my.eof(5))
    assert [each for each in talk.events if isinstance(each, Kept)] == [Kept(1, 0, (said,)), Kept(1, 1, ("abc",))]


def test_a_password_that_the_server_has_made_up_is_not_kept() -> None:
    talk = Talk(Allowance(results=Results(9, 1024))).client(my.query(b"EXECUTE what_alters_a_user"))
    head = my.packet(1, b"\1") + my.column(2, b"generated password") + my.eof(3)
    talk.target(head + my.packet(4, b"\7s3cret!") + my.eof(5))
    assert talk.to_client.endswith(b"s3cret!" + my.eof(5)), "its client has it"
    assert [each for each in talk.events if isinstance(each, Kept)][1] == Kept(1, 1, (7,))
