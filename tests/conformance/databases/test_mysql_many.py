"""A thousand sessions of MySQL that idle, two hundred of which come at one instant, and newcomers beside them: all are
let in, answered and recorded, and the gateway's memory stays in bounds. Two hundred that work at once, of four people:
the journals have each statement with its person, in order, none lost and none doubled, and say what a stranger reads
from the wire."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.recording.statements import Outcome
from tests.conformance.databases.both_ways import Journal
from tests.conformance.databases.mysql_plain_leg import plain_leg, read_by_tshark
from tests.conformance.databases.mysql_ways import DIST, DRIVERS, MysqlWays, mysql_ways, node

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

CLIENTS, PEOPLE, STEPS = 200, 4, 4
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


async def test_each_statement_is_its_persons(both: MysqlWays, tmp_path: Path) -> None:
    people = {f"p{number}": await both.person() for number in range(PEOPLE)}
    ways = {name: await both.through(person) for name, person in people.items()}
    lines = "".join(f"p{number % PEOPLE}\n" for number in range(CLIENTS))
    program = (node(), str(Path(__file__).with_name("many_mysql2.mjs")), str(STEPS))
    async with plain_leg(ways, tmp_path / "capture.pcap") as port:
        more = {"DRIVERS": str(DIST), "PLAIN_PORT": str(port)}
        done = await both.run(ways["p0"], *program, stdin=lines, seconds=1500.0, more=more)
        assert done.status == 0, done.stderr
        journals = [await both.journals(each) for each in people.values()]
    asked = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(asked) == CLIENTS
    for number, mine in enumerate(journals):
        assert {each[0][0]: _told(each) for each in mine} == {each[0][0]: each for each in asked[number::PEOPLE]}
        assert len(mine) == CLIENTS // PEOPLE
    read = await read_by_tshark(tmp_path / "capture.pcap")
    assert sorted(read.values()) == sorted([text for text, _, _ in each] for mine in journals for each in mine)


def _told(journal: Journal) -> list[list[object]]:
    """A journal in the words of the program that asked."""
    assert {(finished.outcome, finished.rows) for _, _, finished in journal} == {(Outcome.OK, 1)}
    return [[text, [bytes(each.value or b"").decode() for each in run.parameters]] for text, run, _ in journal]
