"""Statements that ask first, in the batches of drivers that nobody here wrote: each waits and runs after its yes, none
is lost and none runs twice, however many of them a driver sends at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.app.open_session import Opened
from onepam.domain.access.guardrails import PLAIN, Guardrails, StatementClass
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import session as mysql_session
from onepam.protocols.postgres import session as postgres_session
from onepam.protocols.sql.events import Wanted
from onepam.recording.frames import Marker
from onepam.recording.statements import Outcome
from tests.conformance.databases.both_ways import DRIVERS
from tests.conformance.databases.mysql_ways import DIST as MYSQL_DIST
from tests.protocols.mysql import server as mysql_server
from tests.protocols.mysql import small as mysql_small
from tests.protocols.postgres import server as postgres_server
from tests.protocols.postgres import small as postgres_small

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(1800)]

HERE, DIST = Path(__file__).parent, DRIVERS.parents[2]
ASKS = Guardrails((*(each for each in PLAIN if each is not StatementClass.WRITE), StatementClass.ASK_WRITE))
ROWS = [*(("bound", each) for each in range(1, 7)), ("plain", 7), ("plain", 8)]


class Asker:
    """In the place of the real one: says yes once it has looked how many rows are at the server."""

    asked: list[tuple[Wanted, int]] = []  # noqa: RUF012 - of one test
    look: Callable[[], Awaitable[int]] | None = None

    def __init__(self, *of: object) -> None:
        self.asks = False

    def ask(self, wanted: Wanted, tell: Callable[[str], None], decided: Callable[[Refused | None], None]) -> None:
        self.asks = True

        async def look() -> None:
            assert self.look is not None
            self.asked.append((wanted, await self.look()))
            self.asks = False
            decided(None)

        self._looking = asyncio.get_running_loop().create_task(look())

    def withdraw(self, because: str) -> bool:
        return False


@pytest.fixture(autouse=True)
def asks(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = postgres_small._opened

    def opened(server: Any, login: str) -> Opened:
        return replace(usual(server, login), guardrails=ASKS)

    monkeypatch.setattr(postgres_small, "_opened", opened)
    for module in (postgres_session, mysql_session):
        monkeypatch.setattr(module, "Asker", Asker)
    monkeypatch.setattr(Asker, "asked", [])


TABLE = "CREATE TABLE said (word TEXT, n INT)"


@pytest.fixture(scope="module")
def postgres() -> Iterator[postgres_server.Server]:
    with postgres_server.running_server() as running:
        running.sql(f"\\c app\n{TABLE}; GRANT ALL ON said TO app;")
        yield running


@pytest.fixture(scope="module")
def mariadb() -> Iterator[mysql_server.Server]:
    with mysql_server.running_server() as running:
        running.sql(TABLE.replace("said", "app.said"))
        yield running


@pytest.fixture
async def before_postgres(postgres: postgres_server.Server, tmp_path: Path) -> AsyncIterator[postgres_small.Small]:
    postgres.sql("\\c app\nTRUNCATE said")
    async with postgres_small.running_door(postgres, tmp_path) as running:
        yield running


@pytest.fixture
async def before_mariadb(mariadb: mysql_server.Server, tmp_path: Path) -> AsyncIterator[mysql_small.Small]:
    mariadb.sql("TRUNCATE app.said")
    async with mysql_small.running_door(mariadb, tmp_path) as running:
        yield running


def looks(monkeypatch: pytest.MonkeyPatch, sql: Callable[[str], str], table: str) -> None:
    async def look() -> int:
        return int((await asyncio.to_thread(sql, f"SELECT count(*) FROM {table}")).split()[-1])

    monkeypatch.setattr(Asker, "look", staticmethod(look))


def asked_rows(journal: postgres_small.Journal) -> int:
    """Checks that what was asked is what ran, each once and none before its yes; how many rows these were."""
    ran = [each for each in journal.statements() if "INSERT INTO said" in each[0].replace('"', "")]
    assert [each.text.decode() for each, _ in Asker.asked] == [text for text, _, _ in ran]
    assert [[one.value for one in each.parameters] for each, _ in Asker.asked] == [[*bound] for _, bound, _ in ran]
    marked = [each.text for each in journal.frames if isinstance(each, Marker) and "said yes" in each.text]
    assert marked == [f"execution {each.execution}: somebody has said yes" for each, _ in Asker.asked]
    ends = [end for _, _, end in ran]
    assert all(end is not None and end.outcome is Outcome.OK for end in ends)
    rows = [end.rows for end in ends if end is not None]
    assert all(count <= sum(rows[:place]) for place, (_, count) in enumerate(Asker.asked))
    return sum(rows)


JDBC = ("java", "-cp", f"{DIST}/*:{MYSQL_DIST}/*", str(HERE / "BatchClient.java"))
PYTHON = (str(DRIVERS), str(HERE / "batch_client.py"))
POSTGRES: dict[str, tuple[str, ...]] = {
    "psycopg": (*PYTHON, "psycopg"),
    "asyncpg": (*PYTHON, "asyncpg"),
    "pgjdbc": JDBC,
    "pgjdbc, rewritten": (*JDBC, "reWriteBatchedInserts=true"),
    "pgjdbc, in a transaction": (*JDBC, "transaction=1"),
    "pgjdbc, prepared at once": (*JDBC, "prepareThreshold=-1"),
    "pgjdbc, by simple queries": (*JDBC, "preferQueryMode=simple"),
}


@pytest.mark.parametrize("name", POSTGRES)
async def test_a_batch_before_postgresql(
    before_postgres: postgres_small.Small, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    small = before_postgres
    looks(monkeypatch, lambda text: small.server.sql(f"\\c app\n{text}"), "said")
    program = POSTGRES[name]
    if program[0] == "java":
        where = f"jdbc:postgresql://localhost:{small.port}/app"
        settings = (
            "user=app@db-1", f"password={postgres_small.TOKEN}", "sslmode=verify-full", f"sslrootcert={small.root}",
            "gssEncMode=disable",
        )  # fmt: skip
        program = (*program[:4], where, *settings, *program[4:])
    status, out, err = await small.run(*program)
    assert (status, err) == (0, "")
    assert "OnePAM" not in out
    found = small.server.sql("\\c app\nSELECT word, n FROM said").split()[-8:]
    assert found == [f"{word}|{n}" for word, n in ROWS], "each once, in order"
    assert asked_rows(small.journals[0]) == len(ROWS)


MYSQL = {
    "as it is": (),
    "rewritten": ("rewriteBatchedStatements=true",),
    "prepared at the server": ("useServerPrepStmts=true",),
    "prepared at the server and rewritten": ("useServerPrepStmts=true", "rewriteBatchedStatements=true"),
    "in a transaction": ("transaction=1",),
}


@pytest.mark.parametrize("name", MYSQL)
async def test_a_batch_before_mariadb(
    before_mariadb: mysql_small.Small, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    small = before_mariadb
    looks(monkeypatch, small.server.sql, "app.said")
    settings = (
        "user=app@db-1", f"password={postgres_small.TOKEN}", "sslMode=REQUIRED",
    )  # fmt: skip
    where = f"jdbc:mysql://localhost:{small.port}/app"
    status, out, err = await small.run(*JDBC, where, *settings, *MYSQL[name])
    assert (status, err) == (0, "")
    assert "OnePAM" not in out
    found = small.server.sql("SELECT word, n FROM app.said").split()
    assert found == [part for word, n in ROWS for part in (word, str(n))], "each once, in order"
    assert asked_rows(small.journals[0]) == len(ROWS)
