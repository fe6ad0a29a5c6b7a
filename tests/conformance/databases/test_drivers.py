"""What foreign drivers can do, told line by line: the same through the whole gateway as directly. Their packages bring
no tests along."""

from pathlib import Path

import pytest

from onepam.recording.statements import Outcome
from tests.conformance.databases.both_ways import DRIVERS, BothWays

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

HERE, DIST = Path(__file__).parent, DRIVERS.parents[2]
PROGRAMS = {
    "psycopg": (str(DRIVERS), str(HERE / "psycopg_client.py")),
    "node-postgres": ("node", str(HERE / "node_client.mjs")),
    "pgjdbc": ("java", "-cp", f"{DIST}/*", str(HERE / "JdbcClient.java")),
}
LEAST = {"psycopg": 12, "node-postgres": 13, "pgjdbc": 22}
"""So many lines at least are told, and in one session at least each."""


@pytest.mark.parametrize("name", PROGRAMS)
async def test_the_same_as_directly(both: BothWays, name: str) -> None:
    program = PROGRAMS[name]
    if name == "node-postgres":
        program = ((DIST / ".node").read_text("utf-8").strip(), *program[1:])
    person = await both.person()
    told = []
    for way in (both.direct, await both.through(person)):
        both.fresh()
        done = await both.run(way, *program, more={"DRIVERS": str(DIST)})
        assert done.status == 0, done.stderr
        told.append(done.stdout.splitlines())
    direct, through = told
    assert through == direct
    assert len(through) >= LEAST[name]
    journals = await both.journals(person)
    assert len(journals) >= LEAST[name]
    outcomes = [finished.outcome for journal in journals for _, _, finished in journal]
    assert outcomes.count(Outcome.OK) > outcomes.count(Outcome.ERROR) > 0
