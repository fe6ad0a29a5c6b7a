"""Two hundred clients at once, of four people: the journals have each statement with its person, in order, none lost
and none doubled, and say what a stranger reads from the wire and what the server's own log says."""

import json
import re
from pathlib import Path

import pytest

from onepam.recording.statements import Outcome
from tests.conformance.databases.both_ways import DRIVERS, BothWays, Journal
from tests.conformance.databases.plain_leg import plain_leg, read_by_tshark

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

CLIENTS, PEOPLE, STEPS = 200, 4, 4
_LOGGED = re.compile(r"LOG: {2}(?:statement|execute [^:]+): (.*client|.*\$1::text)")


async def test_each_statement_is_its_persons(both: BothWays, tmp_path: Path) -> None:
    people = [await both.person() for _ in range(PEOPLE)]
    ways = [await both.through(each) for each in people]
    logged = len(both.server.log)
    program = str(Path(__file__).parent / "many_clients.py")
    async with plain_leg(ways[0], tmp_path / "capture.pcap") as port:
        words = [
            f"host=127.0.0.1 port={port} user={way.user} password={way.password} dbname={way.database} sslmode=disable"
            for way in ways
        ]
        lines = "".join(f"{words[number % PEOPLE]}\n" for number in range(CLIENTS))
        done = await both.run(ways[0], str(DRIVERS), program, str(STEPS), stdin=lines, seconds=1500.0)
        assert done.status == 0, done.stderr
        journals = [await both.journals(each) for each in people]
    asked = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(asked) == CLIENTS
    for number, mine in enumerate(journals):
        assert {each[0][0]: _told(each) for each in mine} == {each[0][0]: each for each in asked[number::PEOPLE]}
        assert len(mine) == CLIENTS // PEOPLE

    read = await read_by_tshark(tmp_path / "capture.pcap")
    assert sorted(read.values()) == sorted([text for text, _, _ in each] for mine in journals for each in mine)
    assert len(_LOGGED.findall(both.server.log[logged:])) == sum(map(len, asked))


def _told(journal: Journal) -> list[list[object]]:
    """A journal in the words of the program that asked."""
    assert {(finished.outcome, finished.rows) for _, _, finished in journal} == {(Outcome.OK, 1)}
    assert all(type(each.value) is bytes for _, run, _ in journal for each in run.parameters)
    return [[text, [bytes(each.value or b"").decode() for each in run.parameters]] for text, run, _ in journal]
