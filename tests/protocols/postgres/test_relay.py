"""Stock clients through door and relay to a real PostgreSQL: what they do works, and every statement is kept."""

import asyncio
import os
import re
import resource
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.statements import Statements
from onepam.protocols.postgres import dial
from onepam.recording.statements import Outcome
from tests.protocols.postgres import small as small_door
from tests.protocols.postgres.server import PASSWORD, PROGRAMS, Server, running_server
from tests.protocols.postgres.small import Small, running_door

pytestmark = pytest.mark.anyio

SECONDS = 60.0
BIN = max(PROGRAMS.glob("*/bin"), key=lambda each: int(each.parent.name))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        running.sql("GRANT ALL ON DATABASE app TO app; GRANT pg_read_all_stats TO app;")
        running.sql("\\c app\nGRANT ALL ON SCHEMA public TO app;")
        yield running


@pytest.fixture
async def small(server: Server, tmp_path: Path) -> AsyncIterator[Small]:
    async with running_door(server, tmp_path) as running:
        yield running


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


# Stock clients --------------------------------------------------------------------------------------------------------


async def test_what_psql_did_reads_as_lines(small: Small) -> None:
    await small.psql("SELECT generate_series(1, 3); TABLE nowhere;")
    statements = Statements()
    lines = [line for frame in small.journals[0].frames for line in statements.add(frame)]
    assert [(each.text, each.outcome, each.rows, each.words) for each in lines] == [
        ("SELECT generate_series(1, 3);", "ok", 3, "SELECT 3"),
        ("TABLE nowhere;", "error", 0, '42P01 relation "nowhere" does not exist'),
    ]
    assert not [*statements.rest()]


async def test_psql(small: Small) -> None:
    status, out, err = await small.psql(
        "SELECT 1; CREATE TEMP TABLE t (a int); INSERT INTO t SELECT generate_series(1, 5); TABLE nowhere;\n\\d t\n"
    )
    assert (status, out.split("\n")[0]) == (0, "1")
    assert 'relation "nowhere" does not exist' in err
    (journal,) = small.journals
    found = journal.statements()
    assert found[0][0] == "SELECT 1;"
    ends = [(text, end.outcome, end.rows, end.words) for text, _, end in found[:4] if end]
    assert ends == [
        ("SELECT 1;", Outcome.OK, 1, "SELECT 1"),
        ("CREATE TEMP TABLE t (a int);", Outcome.OK, 0, "CREATE TABLE"),
        ("INSERT INTO t SELECT generate_series(1, 5);", Outcome.OK, 5, "INSERT 0 5"),
        ("TABLE nowhere;", Outcome.ERROR, 0, '42P01 relation "nowhere" does not exist'),
    ]
    assert len(small.gateway.keys) == 0


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
async def test_pgbench(small: Small, mode: str) -> None:
    """Four clients, a thousand transactions each: all are kept, each once."""
    assert (await small.run(str(BIN / "pgbench"), "-i", "-s", "1", "-q"))[0] == 0
    status, out, err = await small.run(str(BIN / "pgbench"), "-n", "-S", "-M", mode, "-c", "4", "-j", "2", "-t", "250")
    assert status == 0, err
    assert "number of transactions actually processed: 1000/1000" in out
    found = [
        each for journal in small.journals for each in journal.statements() if each[0].startswith("SELECT abalance")
    ]
    assert len(found) == 1000
    assert {(end.outcome, end.rows, end.words) for _, _, end in found if end} == {(Outcome.OK, 1, "SELECT 1")}
    if mode != "simple":
        assert all(len(bound) == 1 for _, bound, _ in found)


async def test_pg_dump_with_four_jobs_and_back(small: Small, tmp_path: Path) -> None:
    """By one token several connections come, each a session."""
    await small.psql("CREATE TABLE big AS SELECT i, repeat('x', 100) AS t FROM generate_series(1, 20000) i;")
    folder = tmp_path / "dump"
    status, _, err = await small.run("pg_dump", "-Fd", "-j", "4", "-f", str(folder), "-t", "big")
    assert status == 0, err
    assert len(small.journals) >= 3
    await small.psql("DROP TABLE big;")
    status, _, err = await small.run("pg_restore", "-d", "app", "-j", "2", str(folder))
    assert status == 0, err
    assert (await small.psql("SELECT count(*), sum(length(t)) FROM big; DROP TABLE big;"))[1] == "20000|2000000\n"


async def test_two_hundred_clients_at_once(small: Small) -> None:
    """Each statement stands in the journal of its session, in order, none lost and none twice."""
    most = 200

    async def one(number: int) -> None:
        status, out, err = await small.psql("".join(f"SELECT {number} * 1000 + {each};\n" for each in range(20)))
        assert status == 0, err
        assert out.split() == [str(number * 1000 + each) for each in range(20)]

    waits = asyncio.Semaphore(25)

    async def in_turn(number: int) -> None:
        async with waits:
            await one(number)

    await asyncio.gather(*(in_turn(number) for number in range(most)))
    assert len(small.journals) == most
    seen = []
    for journal in small.journals:
        texts = [text for text, _, end in journal.statements() if end and end.outcome is Outcome.OK]
        number = int(texts[0].split()[1])
        assert texts == [f"SELECT {number} * 1000 + {each};" for each in range(20)]
        seen.append(number)
    assert sorted(seen) == list(range(most))


# Cancel ---------------------------------------------------------------------------------------------------------------


async def test_who_holds_the_key_cancels_and_nobody_else(small: Small, server: Server) -> None:
    """D1: somebody else's key, an old one, one from elsewhere cancel nothing."""
    sleeping = asyncio.create_task(small.psql("SELECT pg_sleep(30);"))
    await until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").strip() == "1")
    ((process, (held,)),) = small.gateway.keys._held.items()
    asleep = server.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    assert process == int(asleep), "what notifications and the server's tables name it by"
    for number, key, source in ((process, b"guess", "127.0.0.1"), (process, held.key, "127.0.0.2"), (1, held.key, "")):
        assert not small.gateway.keys.cancel(number, key, source)
    await asyncio.sleep(0.5)
    assert not sleeping.done()
    reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
    writer.write(b"\0\0\0\x10\x04\xd2\x16\x2e" + process.to_bytes(4, "big") + held.key)
    assert await reader.read() == b""
    writer.close()
    assert "canceling statement due to user request" in (await sleeping)[2]
    assert not small.gateway.keys.cancel(process, held.key, "127.0.0.1")


async def test_who_cancels_is_hung_up_on_once_the_server_has_heard_of_it(
    small: Small, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server does it: drivers wait for that, and what they send then is not cancelled in its place."""
    asked, may, cancel = asyncio.Event(), asyncio.Event(), dial._cancel

    async def late(*of: Any) -> None:
        asked.set()
        await may.wait()
        await cancel(*of)

    monkeypatch.setattr(dial, "_cancel", late)
    sleeping = asyncio.create_task(small.psql("SELECT pg_sleep(30);"))
    await until(lambda: server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'").strip() == "1")
    ((process, (held,)),) = small.gateway.keys._held.items()
    reader, writer = await asyncio.open_connection("127.0.0.1", small.port)
    writer.write(b"\0\0\0\x10\x04\xd2\x16\x2e" + process.to_bytes(4, "big") + held.key)
    ended = asyncio.create_task(reader.read())
    await asked.wait()
    assert (await small.psql("SELECT 1;"))[1] == "1\n"
    assert not ended.done()
    may.set()
    assert await ended == b""
    writer.close()
    assert "canceling statement due to user request" in (await sleeping)[2]


async def test_what_follows_a_statement_with_too_many_rows_is_not_cancelled_in_its_place(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request to cancel goes over a connection of its own, which may be slower than the next statement is."""
    cancels = []

    async def slow(where: Any, process: int, key: bytes) -> None:
        cancels.append(process)
        await asyncio.sleep(0.4)
        await cancel(where, process, key)

    bound = Guardrails(tuple(StatementClass), 10)
    cancel, usual = dial._cancel, small_door._opened
    monkeypatch.setattr(dial, "_cancel", slow)
    monkeypatch.setattr(small_door, "_opened", lambda *these: replace(usual(*these), guardrails=bound))
    async with running_door(server, tmp_path) as small:
        for many in (11, 30_000):
            text = f"SELECT generate_series(1, {many});\nSELECT pg_sleep(0.8), 'second';\n"
            _, out, err = await small.psql(text)
            assert (out.strip(), err.count("at most 10 rows"), err.count("user request")) == ("|second", 1, 0)
    assert len(cancels) == 1  # of the short one the end had come with the rows


async def test_bytes_beyond_the_bound_are_not_given_to_psql_in_any_form(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million rows, one large one, copied ones and those of a cursor: and behind each the session goes on."""
    bound = Guardrails((StatementClass.READ, StatementClass.OTHER), bytes=100_000)
    usual = small_door._opened
    monkeypatch.setattr(small_door, "_opened", lambda *these: replace(usual(*these), guardrails=bound))
    text = "SELECT n, repeat('x', 1000) FROM generate_series(1, {}) n"
    many = text.format(1_000_000)
    script = f"""{text.format(90)} \\g /dev/null
{many};
SELECT repeat('x', 100000);
COPY ({many}) TO STDOUT;
\\copy ({many}) TO /dev/null
BEGIN;
DECLARE c CURSOR FOR {many};
FETCH 90 FROM c \\g /dev/null
FETCH 100 FROM c;
ROLLBACK;
SELECT 'goes on';
"""
    _, out, err = await small.psql(script)
    assert out.endswith("\ngoes on\n")
    assert err.count("ERROR:  OnePAM: this access gives at most 100,000 bytes of a result") == 5, err
    ends = [end for _, _, end in small.journals[0].statements() if end is not None]
    cut = [(end.rows, end.size) for end in ends if end.outcome is Outcome.ERROR]
    assert [rows for rows, _ in cut] == [98, 0, 99, 99, 98]
    assert all(size <= 100_000 for _, size in cut)


async def test_a_session_that_is_ended_leaves_nothing_running(small: Small, server: Server) -> None:
    sleeping = asyncio.create_task(small.psql("SELECT pg_sleep(30);"))
    count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND usename = 'app'"
    await until(lambda: server.sql(count).strip() == "1")
    began = asyncio.get_running_loop().time()
    small.doors[0].part("this session was ended by order")
    small.relays[0].abort()
    await until(lambda: server.sql(count).strip() == "0")
    assert asyncio.get_running_loop().time() - began < 10  # the goal is one second; the machine may be busy
    assert "OnePAM: this session was ended by order." in (await sleeping)[2]
    ((text, _, end),) = small.journals[0].statements()
    assert end is not None
    assert (text, end.outcome) == ("SELECT pg_sleep(30);", Outcome.UNFINISHED)


# What is bounded, what is secret --------------------------------------------------------------------------------------


async def test_the_targets_password_goes_to_nobody(small: Small, caplog: pytest.LogCaptureFixture) -> None:
    """Neither to the client, by whatever it asks, nor into what is kept, nor into the log."""
    heard = bytearray()
    status, out, err = await small.psql("SELECT current_setting('is_superuser'); TABLE nowhere;\n\\conninfo\n")
    heard += (out + err).encode()
    kept = repr(small.journals[0].frames)
    for where in (
        heard.decode(),
        kept,
        caplog.text,
        repr(small.gateway),
        repr(small.relays),
        repr(vars(small.doors[0])),
    ):
        assert PASSWORD not in where
    assert status == 0


async def test_a_client_that_does_not_read_fills_no_memory(small: Small) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("line_client.py")), small.words(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    os.kill(process.pid, 19)
    process.stdin.write(b"flood\n")
    os.kill(process.pid, 18)
    await asyncio.sleep(0.5)
    os.kill(process.pid, 19)
    await asyncio.sleep(0.5)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.sleep(2)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024  # KiB
    assert small.doors[0].transport.get_write_buffer_size() < 2 * 1024 * 1024
    process.kill()
    await process.wait()


async def test_nothing_passes_while_the_recorder_is_full(small: Small) -> None:
    working = asyncio.create_task(small.psql("SELECT 1;\n\\! sleep 1\nSELECT 2;\n"))
    await until(lambda: small.journals and small.journals[0].statements() and small.journals[0].statements()[0][2])
    journal = small.journals[0]
    journal.full = True
    small.relays[0]._brake()
    await asyncio.sleep(2)
    assert len(journal.statements()) == 1
    journal.drained()
    assert (await working)[1] == "1\n2\n"
    assert len(journal.statements()) == 2


@pytest.mark.parametrize("how", ["ended by the server", "lost"])
async def test_a_client_hears_at_once_that_its_target_has_gone(
    small: Small, server: Server, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """It is hung up with the target and not only when the session ends: pools ask whether a connection still stands."""
    monkeypatch.setattr(small_door, "LINGER_SECONDS", 3600.0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("line_client.py")), small.words(),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    there = small.relays[0]._there
    assert there is not None
    if how == "lost":
        there.cut()
    else:
        server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
    async with asyncio.timeout(SECONDS):
        said = await process.stdout.read()
        await process.wait()
    assert (b"OnePAM: the connection to the target was lost." in said) is (how == "lost")
    assert (b"terminating connection due to administrator command" in said) is (how != "lost"), "the last word"
    assert small.doors[0].left is there.left is SessionEnd.TARGET_LOST


async def test_many_that_idle_cost_little(small: Small) -> None:
    """So much memory for each, both TLS connections and the conversation included."""
    many = 60
    clients = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__).with_name("line_client.py")), small.words(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]  # fmt: skip
    await until(lambda: len(small.gateway.keys) == 3)
    before = _resident()
    clients += [
        await asyncio.create_subprocess_exec(
            sys.executable, str(Path(__file__).with_name("line_client.py")), small.words(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(many)
    ]  # fmt: skip
    await until(lambda: len(small.gateway.keys) == many + 3)
    assert (_resident() - before) / many < 400  # KiB
    for each in clients:
        each.kill()
        await each.wait()


def _resident() -> int:
    """KiB of this process."""
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return int(found[1])
