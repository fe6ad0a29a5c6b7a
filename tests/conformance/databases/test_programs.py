"""PostgreSQL's own programs through the whole gateway: pgbench in its three modes, a dump and a restore in parallel.
Nothing here is timed; `DUMP_MIB` says how large the database is that is dumped."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.recording.statements import Form, Outcome
from tests.conformance.databases.both_ways import SLICE, BothWays
from tests.gateway_fixture import STANDING

pytestmark = [pytest.mark.anyio, pytest.mark.conformance, pytest.mark.timeout(3600)]

DUMP_MIB = int(os.environ.get("DUMP_MIB", "24"))
CLIENTS, TRANSACTIONS = 8, 25
SAME_CONTENT = """
SELECT 'lines', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM lines t
UNION ALL SELECT 'small', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM small t
UNION ALL SELECT 'odd', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM odd t
UNION ALL SELECT 'objects', count(*), sum(hashtextextended(lo_get(oid)::text, 0)::numeric) FROM pg_largeobject_metadata
"""


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
async def test_pgbench(both: BothWays, mode: str) -> None:
    """Each statement of each transaction is in the journal of its connection, with what came of it."""
    person = await both.person()
    both.fresh()
    way = await both.through(person)
    assert (await both.run(way, "pgbench", "-i", "-q", "-s", "1")).status == 0
    done = await both.run(way, "pgbench", "-n", "-M", mode, "-c", str(CLIENTS), "-j", "2", "-t", str(TRANSACTIONS))
    total = CLIENTS * TRANSACTIONS
    assert done.status == 0, done.stderr
    assert f"number of transactions actually processed: {total}/{total}" in done.stdout
    journals = await both.journals(person)
    assert len(journals) == 2 + CLIENTS  # the filling, a look at the scale, the clients
    executed = [(text.split()[0], finished) for journal in journals for text, _, finished in journal]
    assert {finished.outcome for _, finished in executed} == {Outcome.OK}
    assert [finished.rows for word, finished in executed if word == "UPDATE"] == [1] * 3 * total
    assert [word for word, _ in executed].count("END;") == total
    assert both.server.sql("\\connect suite\nSELECT count(*) FROM pgbench_history").strip() == str(total)


async def test_a_dump_and_a_restore_in_parallel(both: BothWays, tmp_path: Path) -> None:
    """What was dumped and restored, four connections at a time, is what was there."""
    person = await both.person()
    both.fresh(_content(DUMP_MIB))
    both.fresh(database="restored")
    way = await both.through(person)
    folder = str(tmp_path / "dump")
    done = await both.run(way, "pg_dump", "-Fd", "-j", "4", "-f", folder, "suite")
    assert done.status == 0, done.stderr
    done = await both.run(way, "pg_restore", "-j", "4", "-d", "restored", folder)
    assert done.status == 0, done.stderr
    before, after = (both.server.sql(f"\\connect {name}\n{SAME_CONTENT}") for name in ("suite", "restored"))
    assert before == after
    assert _schema(both, "suite") == _schema(both, "restored")
    executed = [each for journal in await both.journals(person) for each in journal]
    assert {finished.outcome for _, _, finished in executed} == {Outcome.OK}
    copied = sum(finished.rows for _, run, finished in executed if run.form is Form.COPY)
    assert copied == 2 * sum(int(line.split("|")[1]) for line in before.split() if not line.startswith("objects"))


def _schema(both: BothWays, name: str) -> list[str]:
    server = both.server
    dump = server.run("pg_dump", "-s", "-h", str(server.folder), "-p", str(server.port), "-U", "postgres", name)
    return [line for line in dump.splitlines() if not line.startswith(("\\restrict ", "\\unrestrict "))]  # by chance


def _content(mib: int) -> str:
    """About so many MiB: half of it many short rows, half long ones, and what is odd to copy."""
    return f"""
    CREATE TABLE lines (id bigserial PRIMARY KEY, at timestamptz, words text);
    INSERT INTO lines (at, words) SELECT timestamptz '2026-01-01' + each * interval '1 s', repeat(md5(each::text), 30)
        FROM generate_series(1, {mib} * 512) each;
    CREATE TABLE small (id int PRIMARY KEY, half int);
    INSERT INTO small SELECT each, each / 2 FROM generate_series(1, {mib} * 15000) each;
    CREATE INDEX ON small (half);
    CREATE TABLE odd (id int REFERENCES small, words text, bytes bytea, list int[]);
    INSERT INTO odd VALUES (1, E'\\\\.\\n\\t\\r\\\\N', '\\x00ff', '{{1,NULL}}'), (2, NULL, NULL, NULL),
        (3, '', '', '{{}}'),
        (4, repeat('\u00fc\U0001f600', 300000), decode(repeat('00ff', 200000), 'hex'), NULL);
    CREATE VIEW seen AS SELECT id, left(words, 3) FROM odd;
    CREATE FUNCTION half(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 / 2 $$;
    SELECT lo_from_bytea(0, decode(repeat('00ff', each * 50000), 'hex')) FROM generate_series(1, 5) each;
    """


@pytest.mark.parametrize(("name", "least"), [("psycopg", 12), ("asyncpg", 7)])
async def test_a_driver_tells_the_same_as_directly(both: BothWays, name: str, least: int) -> None:
    program, person, told = str(Path(__file__).with_name(f"{name}_client.py")), await both.person(), []
    for way in (both.direct, await both.through(person)):
        both.fresh()
        done = await both.run(way, str(SLICE), program)
        assert done.status == 0, done.stderr
        told.append(done.stdout.splitlines())
    assert told[0] == told[1]
    assert len(told[1]) >= least
    assert len(await both.journals(person)) >= least


async def test_a_driver_has_of_a_result_as_many_bytes_as_may_be_given(both: BothWays) -> None:
    """In whichever form it asks; the row that leads beyond them it has not, and its connection goes on."""
    reads = (StatementClass.READ, StatementClass.OTHER)
    bounded = replace(STANDING, guardrails=Guardrails(reads, bytes=100 << 10))
    person = await both.gateway.person(bounded, certificate=False)
    program = str(Path(__file__).with_name("bounded_psycopg.py"))
    done = await both.run(await both.through(person), str(SLICE), program)
    assert (done.status, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "few 50 ok (7,)",
        "many 0 54000 (7,)",
        "prepared_and_binary 0 54000 (7,)",
        "one_by_one 101 54000 (7,)",
        "copied 101 54000 (7,)",
        "pages_of_a_cursor 150 54000 (7,)",
        "one_that_is_larger 0 54000 (7,)",
        "the_first_of_a_pipeline 0 54000 (7,)",
    ]
    ((*journal,),) = await both.journals(person)
    cut = [(finished.rows, finished.size) for _, _, finished in journal if finished.outcome is Outcome.ERROR]
    assert len(cut) == 7
    assert all(rows <= 150 and size <= 100 << 10 for rows, size in cut), cut
