"""What foreign drivers of MySQL and MariaDB can do, told line by line: the same through the gateway as directly."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.guardrails import PLAIN, Guardrails
from onepam.kernel.clock import HOUR
from onepam.recording.statements import Outcome
from tests.conformance.databases.mysql_ways import DIST, DRIVERS, MysqlWay, MysqlWays, mysql_ways, node
from tests.gateway_fixture import STANDING

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

HERE = Path(__file__).parent
JAVA = ("java", "-cp", f"{DIST}/*", str(HERE / "MysqlJdbcClient.java"))
PROGRAMS = {
    "PyMySQL": (str(DRIVERS), str(HERE / "pymysql_client.py")),
    "asyncmy": (str(DRIVERS), str(HERE / "asyncmy_client.py")),
    "mysql2": ("node", str(HERE / "mysql2_client.mjs")),
    "Connector/J": (*JAVA, "mysql"),
    "MariaDB Connector/J": (*JAVA, "mariadb"),
}
LEAST = {"PyMySQL": 12, "asyncmy": 6, "mysql2": 12, "Connector/J": 18, "MariaDB Connector/J": 17}
"""So many lines at least are told, and in one session at least each."""

DIFFER = {"Connector/J": {"claimed"}, "MariaDB Connector/J": {"claimed"}}
"""The version that they tell is the one that the listener says first."""

DIFFER_AT_MYSQL = {"MariaDB Connector/J": {"calls"}}
"""Without results that have no EOF it does not find there what a procedure gives back."""


UNDER_GUARDRAILS = {
    "PyMySQL": {"transactions", "several_results", "many_rows", "long_values", "commands"},
    "asyncmy": {"values", "transactions", "long_values"},
    "mysql2": {"errors", "long", "reset"},
    "Connector/J": {"prepared", "claimed"},
    "MariaDB Connector/J": {"prepared", "claimed", "timed"},
}
"""What comes out otherwise where each class of statements is allowed: texts that the server would refuse, too, that are
longer than 64 KiB or no UTF-8; a reset of the connection; `SET STATEMENT … FOR`."""


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MysqlWays]:
    async with mysql_ways(tmp_path_factory.mktemp("both")) as found:
        yield found


@pytest.mark.parametrize("name", PROGRAMS)
async def test_the_same_as_directly(both: MysqlWays, name: str) -> None:
    program = PROGRAMS[name]
    if program[0] == "node":
        program = (node(), *program[1:])
    person = await both.person()
    told = []
    for way in (both.direct, await both.through(person)):
        both.fresh()
        done = await both.run(way, *program, more={"DRIVERS": str(DIST), "WAY_STORE": await _store(both, way)})
        assert done.status == 0, done.stderr
        told.append(done.stdout.splitlines())
    direct, through = told
    known = DIFFER.get(name, set()) | (DIFFER_AT_MYSQL.get(name, set()) if both.server.claimed else set())
    assert {each.partition(" ")[0] for each in set(direct) ^ set(through)} == known
    assert len(through) == len(direct)
    assert len(through) >= LEAST[name]
    journals = await both.journals(person)
    assert len(journals) >= LEAST[name]
    outcomes = [finished.outcome for journal in journals for _, _, finished in journal]
    assert outcomes.count(Outcome.OK) > outcomes.count(Outcome.ERROR) > 0


@pytest.mark.parametrize("name", PROGRAMS)
async def test_under_guardrails_that_allow_all_what_can_be_read_is_the_same(both: MysqlWays, name: str) -> None:
    """Batches that are rewritten, cursors, procedures and what drivers ask at their start among it."""
    program = PROGRAMS[name]
    if program[0] == "node":
        program = (node(), *program[1:])
    allowed = replace(STANDING, guardrails=Guardrails(tuple(PLAIN)), longest=8 * HOUR)
    person, told = await both.gateway.person(allowed, certificate=False), []
    for way in (both.direct, await both.through(person)):
        both.fresh()
        done = await both.run(way, *program, more={"DRIVERS": str(DIST), "WAY_STORE": await _store(both, way)})
        assert done.status == 0, done.stderr
        told.append(done.stdout.splitlines())
    begins = {each.partition(" ")[0] for each in set(told[0]) ^ set(told[1]) if each[:1].isalpha()}
    assert begins == UNDER_GUARDRAILS[name]
    refused = "OnePAM: this statement cannot be read"
    assert any(refused in each for each in told[1]) or name == "mysql2"


async def _store(both: MysqlWays, way: MysqlWay) -> str:
    """The root as Connector/J reads it."""
    store = way.root.with_suffix(".p12")
    if not store.exists():
        options = ("-importcert", "-noprompt", "-file", str(way.root), "-keystore", str(store), "-storepass", "public")
        done = await both.run(way, "keytool", *options, "-storetype", "PKCS12", "-alias", "root")
        assert done.status == 0, done.stdout
    return str(store)
