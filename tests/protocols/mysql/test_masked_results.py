"""Masked columns in the results of a real MariaDB, in both forms of the protocol; and ways round the mask."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.masking import Mask
from onepam.domain.access.model import Action
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import session
from onepam.protocols.mysql.dial import TargetLeg
from tests.protocols.mysql.server import Server
from tests.protocols.mysql.small import Small
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


@pytest.mark.claim
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


@pytest.mark.claim
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
