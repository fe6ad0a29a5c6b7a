"""What foreign drivers can do, told line by line: the same through the whole gateway as directly. Their packages bring
no tests along."""

from pathlib import Path

import pytest

from onepam.domain.sessions.events import EntryPoint, SessionOpened
from onepam.recording.statements import Outcome
from tests.conformance.databases.both_ways import DRIVERS, BothWays

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

HERE, DIST = Path(__file__).parent, DRIVERS.parents[2]
PROGRAMS = {
    "psycopg": (str(DRIVERS), str(HERE / "psycopg_client.py")),
    "node-postgres": ("node", str(HERE / "node_client.mjs")),
    "postgres.js": ("node", str(HERE / "postgres_js_client.mjs")),
    "pgjdbc": ("java", "-cp", f"{DIST}/*", str(HERE / "JdbcClient.java")),
}
LEAST = {"psycopg": 12, "node-postgres": 13, "postgres.js": 20, "pgjdbc": 22}
"""So many lines at least are told, and in one session at least each."""


@pytest.mark.parametrize("name", PROGRAMS)
async def test_the_same_as_directly(both: BothWays, name: str) -> None:
    program = PROGRAMS[name]
    if program[0] == "node":
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


async def test_tools_for_people_see_the_same_catalogue(both: BothWays) -> None:
    """All metadata of pgjdbc, and what DBeaver asks at its start: directly, by a token and by a certificate."""
    both.fresh(_CATALOGUE)
    person = await both.person()
    told = []
    for way in (both.direct, await both.through(person), await both.certified(person)):
        done = await both.run(way, *PROGRAMS["pgjdbc"], "walked")
        assert done.status == 0, done.stderr
        told.append(done.stdout.splitlines())
    direct, *through = told
    assert direct[-1] == f"walked {len(direct) - 1}"
    assert len(direct) > 150
    assert through == [direct, direct]
    entries = [each.entry for each in both.gateway.events(SessionOpened, person)]
    assert entries == [EntryPoint.POSTGRES_TOKEN, EntryPoint.POSTGRES_CERTIFICATE]


_CATALOGUE = """
CREATE TABLE people (id int PRIMARY KEY, name text NOT NULL, born date DEFAULT now(), UNIQUE (name, born));
CREATE TABLE papers (id bigserial PRIMARY KEY, owner int REFERENCES people ON DELETE CASCADE, "odd "" name" varchar(9));
CREATE INDEX upper_case ON people (upper(name)) WHERE id > 0;
CREATE VIEW named AS SELECT name FROM people;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM papers;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN small AS int CHECK (VALUE < 9);
CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE FUNCTION half(a int, b text DEFAULT 'x', OUT c int) LANGUAGE sql AS $$ SELECT a / 2 $$;
CREATE PROCEDURE nothing(a int) LANGUAGE sql AS $$ SELECT a $$;
COMMENT ON TABLE people IS 'who';
GRANT SELECT (name) ON people TO app;
"""
