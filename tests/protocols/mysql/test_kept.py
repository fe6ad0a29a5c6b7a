"""Guardrails before a real MariaDB: what the gateway refuses, what the server holds itself, and what asks first."""

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import PLAIN, Guardrails, StatementClass
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import session, texts
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.sql.conversation import AT_ONCE_BYTES
from onepam.protocols.sql.events import Allowance, Wanted
from onepam.protocols.sql.judging import Judged, judged
from onepam.recording.frames import Marker
from onepam.recording.statements import Outcome
from tests.protocols.mysql.read_texts import DOES, READS
from tests.protocols.mysql.server import Server
from tests.protocols.mysql.small import Small
from tests.protocols.postgres import small as small_door
from tests.protocols.postgres.server import PASSWORD

pytestmark = pytest.mark.anyio

READ, WRITE, OTHER, SEVERAL = (
    StatementClass.READ, StatementClass.WRITE, StatementClass.OTHER, StatementClass.SEVERAL,
)  # fmt: skip
READER = Guardrails((READ, OTHER))
LOOK = "CHECKSUM TABLE app.t, app.s; SHOW TABLES FROM app; SHOW CREATE TABLE app.t; SHOW DATABASES"
"""What a statement could have changed, beside users and settings."""

Narrow = Callable[[Guardrails], None]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Narrow:
    """Whoever comes has no more than this."""
    usual = small_door._opened

    def narrow(guardrails: Guardrails) -> None:
        def opened(server: Any, login: str) -> Opened:
            return replace(usual(server, login), guardrails=guardrails)

        monkeypatch.setattr(small_door, "_opened", opened)

    return narrow


@pytest.fixture(scope="module")
def mighty(server: Server) -> str:
    """A login that may do everything, and two tables."""
    server.sql(
        f"CREATE USER mighty IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO mighty WITH GRANT OPTION;"
        "CREATE TABLE app.t (a INT, b VARCHAR(20), i INT); INSERT INTO app.t VALUES (1, 'x', 1), (2, 'y', 2);"
        "CREATE TABLE app.s (a INT, i INT);\ndelimiter //\nCREATE FUNCTION app.own(x INT) RETURNS INT MODIFIES SQL DATA"
        " BEGIN DELETE FROM app.s; RETURN 1; END//\n"
    )
    return "mighty@db-1"


def refused(small: Small, place: int = -1) -> list[str]:
    """Texts that were refused."""
    return [each[0] for each in small.journals[place].statements() if each[2] and each[2].outcome is Outcome.REFUSED]


@pytest.mark.claim
async def test_what_is_read_changes_nothing_and_the_server_holds_that(
    small: Small, server: Server, mighty: str, narrow: Narrow
) -> None:
    narrow(READER)
    before = server.sql(LOOK + server.everything)
    asked = [each for each in READS if each.strip("; ") and "KILL" not in each]
    script = "".join(f"{each}\n;\n" for each in asked)
    _, _, errors = await small.mariadb(script, "app", "--force", "--comments", user=mighty)
    assert refused(small) == [], errors
    assert server.sql(LOOK + server.everything) == before
    done = [each for each in small.journals[-1].statements() if each[2] is not None and each[2].outcome is Outcome.OK]
    assert len(done) > 0.9 * len(asked), errors


@pytest.mark.claim
async def test_what_does_more_is_refused(small: Small, server: Server, mighty: str, narrow: Narrow) -> None:
    narrow(replace(READER, timeout=100_000_000))  # what would lift that does more, too
    before = server.sql(LOOK + server.everything)
    asked = [each for each, does in DOES.items() if does != "read" and ";" not in each and "#" not in each]
    script = "".join(f"{each}\n;\n" for each in asked)
    _, _, errors = await small.mariadb(script, "app", "--force", "--comments", user=mighty)
    assert len(refused(small)) == len(asked)
    assert errors.count("OnePAM: this access does not allow statements of the kind") == len(asked)
    assert server.sql(LOOK + server.everything) == before


@pytest.mark.claim("it is told SET SESSION TRANSACTION READ ONLY", altered="the server was not told so")
async def test_where_nothing_may_change_the_server_says_so_too(
    small: Small, server: Server, mighty: str, narrow: Narrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of what is not seen: a function that writes, of a name that looks harmless."""
    narrow(READER)
    monkeypatch.setattr("onepam.protocols.mysql.calling.HARMLESS", frozenset(("OWN",)))
    status, _, errors = await small.mariadb("SELECT own(11)", "app", user=mighty)
    assert (status, "READ ONLY transaction" in errors) == (1, True), errors
    status, said, _ = await small.mariadb(
        "SELECT own(2); COMMIT; SELECT own(3); SELECT 5", "app", "--force", user=mighty
    )
    assert said == "5\n"
    assert refused(small) == []


async def test_a_server_of_other_quotes_reads_as_we_do(
    small: Small, server: Server, mighty: str, narrow: Narrow
) -> None:
    """Whatever is set there for all: what hides a statement from one who reads quotes otherwise hides it from both."""
    narrow(Guardrails((READ, OTHER, SEVERAL, WRITE)))
    usual = server.sql("SELECT @@GLOBAL.sql_mode").strip()
    for mode in ("ANSI_QUOTES,NO_BACKSLASH_ESCAPES", *server.modes, usual):
        server.sql(f"SET GLOBAL sql_mode = '{mode}'")
        status, said, errors = await small.mariadb("SELECT \"a'\", 'it\\'s', @@sql_mode", user=mighty)
        assert (status, errors) == (0, "")
        first, second, found = said.rstrip("\n").split("\t")
        assert (first, second) == ("a'", "it's")
        assert {"ANSI", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ORACLE", "MSSQL"}.isdisjoint(found.split(","))
    assert found == usual


async def test_rows_and_time_are_bound(small: Small, mighty: str, narrow: Narrow) -> None:
    narrow(Guardrails((READ, OTHER, WRITE, SEVERAL), rows=10, timeout=1_000_000))
    _, said, errors = await small.mariadb("SELECT seq FROM seq_1_to_1000; SELECT 7", "app", "--force", user=mighty)
    assert "OnePAM: This access allows 10 rows of a statement." in errors
    assert said.endswith("7\n")
    narrow(Guardrails((READ, OTHER, WRITE, SEVERAL), timeout=1_000_000, bytes=10_000))
    many = "SELECT seq, REPEAT('x', 100) FROM seq_1_to_{}"
    script = f"{many.format(90)}; {many.format(1000000)}; SELECT REPEAT('x', 10000); SELECT 8"
    _, said, errors = await small.mariadb(script, "app", "--force", "--quick", user=mighty)
    assert errors.count("OnePAM: This access allows 10,000 bytes of a statement.") == 2, errors
    assert (said.count("xxx\n"), said.endswith("\n8\n")) == (90 + 96, True)
    slow = "SELECT COUNT(*) FROM seq_1_to_100000000 WHERE SQRT(seq) < 0"
    status, _, errors = await small.mariadb(slow, "app", user=mighty)
    assert (status, re.search("(max_statement_time|execution time) exceeded", errors) is not None) == (1, True), errors


@pytest.mark.claim
async def test_several_statements_are_one_for_the_server_where_they_are_not_allowed(
    small: Small, server: Server, mighty: str, narrow: Narrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where our reading of them were wrong."""
    narrow(Guardrails((READ, OTHER, WRITE)))
    monkeypatch.setattr("onepam.protocols.mysql.guarding.classify", lambda text: frozenset((READ,)))
    status, _, errors = await small.mariadb("delimiter //\nSELECT 1; SELECT 2//", user=mighty)
    assert (status, "error in your SQL syntax" in errors) == (1, True)


async def test_many_rows_are_written_in_one_statement(
    small: Small, server: Server, mighty: str, narrow: Narrow
) -> None:
    """It is read beside the loop, and of its rows the first ones."""
    narrow(Guardrails((WRITE, READ)))
    server.sql("DROP TABLE IF EXISTS app.many; CREATE TABLE app.many (a INT, b TEXT, c INT)")
    rows = ", ".join(f"({each}, 'it''s', NULL)" for each in range(2000))
    script = (
        f"INSERT INTO many VALUES {rows}; SELECT COUNT(*) FROM many; INSERT INTO many VALUES {rows}, (own(1), 1, 1)"
    )
    status, said, errors = await small.mariadb(script, "app", user=mighty)
    assert (said, status, errors) == ("2000\n", 0, "")
    long = " OR ".join(f"a = {each}" for each in range(500))
    assert (await small.mariadb(f"SELECT COUNT(*) FROM many WHERE {long}", "app", user=mighty))[1] == "1001\n"


async def test_a_session_whose_text_cannot_be_read_by_our_fault_ends(
    small: Small, mighty: str, narrow: Narrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(READER)

    def fails(allowance: Allowance, words: str | None, size: int, unreadable: Refused) -> Judged:
        if size > AT_ONCE_BYTES:
            raise ValueError("of ours")
        return judged(allowance, words, size, unreadable)

    monkeypatch.setattr(texts, "judged", fails)
    status, _, errors = await small.mariadb(f"SELECT {'1 + ' * 200} 1", "app", user=mighty)
    assert (status, "the gateway failed at reading this statement" in errors) == (1, True), errors


async def test_a_kill_of_a_text_that_is_read_comes_behind_it(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server would have nothing to kill before, and the statement would run."""
    begun, goes_on = threading.Event(), threading.Event()

    def held(text: bytes, *how: object) -> tuple[bytes, int]:
        begun.set()
        assert goes_on.wait(60)
        return text, 0

    monkeypatch.setattr(texts, "surely_hidden", held)
    running = asyncio.create_task(small.mariadb(f"SELECT SLEEP(600), 'password {'x' * 600}';"))

    assert await asyncio.to_thread(begun.wait, 60)
    [relay] = small.relays
    there = relay._target.result()
    assert isinstance(there, TargetLeg)
    order: list[str] = []
    send, cancel = there.send, there.cancel

    def noted(word: str, does: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def does_it(what: Any) -> Any:
            order.append(word)
            return does(what)

        return does_it

    monkeypatch.setattr(there, "send", noted("sent", send))
    monkeypatch.setattr(there, "cancel", noted("cancelled", cancel))
    relay._killed(there)  # as another session's KILL does
    assert order == []
    goes_on.set()
    while not running.done():  # a server that has not begun it yet has nothing to kill
        await asyncio.sleep(0.1)
        relay._killed(there)
    assert order[:2] == ["sent", "cancelled"]
    status, said, errors = await running
    assert (status, said[:1]) in ((0, "1"), (1, "")), errors


class Asker:
    """In the place of the real one: says what a text in its statement wants it to."""

    asked: list[Wanted] = []  # noqa: RUF012 - of one test

    def __init__(self, *of: object, longest: int = 0) -> None:
        self.asks = False

    def ask(self, wanted: Wanted, tell: Callable[[str], None], decided: Callable[[Refused | None], None]) -> None:
        self.asks = True
        self.asked.append(wanted)

        def over() -> None:
            self.asks = False
            decided(Refused("statement.denied", "max said no.") if b"'no'" in wanted.text else None)

        tell("it waits")
        asyncio.get_running_loop().call_soon(over)

    def withdraw(self, because: str) -> bool:
        return False


@pytest.mark.claim
async def test_what_asks_first_runs_once_somebody_has_said_yes(
    small: Small, server: Server, mighty: str, narrow: Narrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "Asker", Asker)
    narrow(Guardrails((*(each for each in PLAIN if each is not WRITE), StatementClass.ASK_WRITE)))
    server.sql("DROP TABLE IF EXISTS app.asked; CREATE TABLE app.asked (b TEXT)")
    script = "SELECT 1; INSERT INTO asked VALUES ('no'); INSERT INTO asked VALUES ('yes'); SELECT b FROM asked"
    _, said, errors = await small.mariadb(script, "app", "--force", user=mighty)
    assert said == "1\nyes\n"
    assert "OnePAM: max said no." in errors
    assert [each.text for each in Asker.asked] == [
        b"INSERT INTO asked VALUES ('no')", b"INSERT INTO asked VALUES ('yes')",
    ]  # fmt: skip
    marked = [each.text for each in small.journals[-1].frames if isinstance(each, Marker)]
    assert [each for each in marked if "yes" in each] == [
        f"execution {Asker.asked[1].execution}: somebody has said yes"
    ]


class Waits(Asker):
    """Nobody says anything."""

    def ask(self, wanted: Wanted, tell: Callable[[str], None], decided: Callable[[Refused | None], None]) -> None:
        self.asks = True
        self.asked.append(wanted)

    def withdraw(self, because: str) -> bool:
        waited, self.asks = self.asks, False
        return waited


async def test_a_kill_takes_back_what_waits(
    small: Small, server: Server, mighty: str, narrow: Narrow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "Asker", Waits)
    monkeypatch.setattr(Waits, "asked", [])
    narrow(Guardrails((READ, OTHER, StatementClass.ASK_WRITE)))
    server.sql("DROP TABLE IF EXISTS app.asked; CREATE TABLE app.asked (b TEXT)")
    client = asyncio.create_task(
        small.mariadb("INSERT INTO asked VALUES ('x'); SELECT 5", "app", "--force", user=mighty)
    )
    async with asyncio.timeout(60):
        while not Waits.asked:  # noqa: ASYNC110 - the door knows it
            await asyncio.sleep(0.05)
    assert (await small.mariadb(f"KILL QUERY {small.doors[0].thread}", user=mighty))[0] == 0
    _, said, errors = await client
    assert said == "5\n"
    assert "ERROR 1317 (70100)" in errors
    assert server.sql("SELECT COUNT(*) FROM app.asked") == "0\n"
