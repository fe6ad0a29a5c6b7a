"""A thousand sessions of MySQL that idle, two hundred of which come at one instant, and newcomers beside them: all are
let in, answered and recorded, and the gateway's memory stays in bounds."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conformance.databases.mysql_ways import DRIVERS, MysqlWays, mysql_ways

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

IDLE, AT_ONCE, NEWCOMERS = int(os.environ.get("MANY_IDLE", "1000")), 200, 5
OF_ONE_TOKEN = 60
MOST_BYTES = 200_000
"""Of memory for each that idles; bench/postgres.py measures it."""


@pytest.fixture(scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MysqlWays]:
    async with mysql_ways(tmp_path_factory.mktemp("both")) as found:
        yield found


async def test_many_idle_and_newcomers_come_in(both: MysqlWays) -> None:
    person = await both.person()
    ways = [await both.through(person) for _ in range((IDLE + OF_ONE_TOKEN - 1) // OF_ONE_TOKEN)]
    newcomer = await both.through(await both.person())
    lines = [f"{ways[number // OF_ONE_TOKEN].user} {ways[number // OF_ONE_TOKEN].password}" for number in range(IDLE)]
    lines += [f"+{newcomer.user} {newcomer.password}"] * NEWCOMERS
    before, program = both.resident, str(Path(__file__).with_name("many_mysql.py"))
    done = await both.run(ways[0], str(DRIVERS), program, str(AT_ONCE), stdin="\n".join(lines), seconds=3000)
    assert done.status == 0, done.stderr
    told = [f"in {IDLE}", *(f"newcomer {each}" for each in range(NEWCOMERS)), "asked True"]
    assert done.stdout.splitlines() == told
    assert (both.resident - before) / IDLE < MOST_BYTES
    journals = await both.journals(person)
    texts = [text for journal in journals for text, _, _ in journal]
    assert len(journals) == IDLE
    assert sorted(each for each in texts if each.startswith("SELECT ")) == sorted(f"SELECT {n}" for n in range(IDLE))
