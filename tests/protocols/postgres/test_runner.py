"""Our own client at the door, against a server that says whatever a test wants."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from errno import EMFILE

import pytest

from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres import runner, wire
from onepam.protocols.postgres.runner import Connection, Result, Runner
from onepam.protocols.postgres.said import Key, Notice
from tests.protocols.postgres import messages as pg
from tests.protocols.postgres.test_said import column, columns, row

pytestmark = pytest.mark.anyio

IN = wire.message(ord("R"), bytes(4)) + wire.message(ord("K"), b"\0\0\0\7" + b"k" * 32) + pg.ready()
Says = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def against(*says: bytes) -> AsyncIterator[tuple[Runner, list[bytes]]]:
    """A runner that is in, at a server that answers each flush or sync with the next of these; and what it was sent."""
    sent: list[bytes] = []
    ends: list[asyncio.StreamWriter] = []

    async def serve(theirs: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=theirs)
        ends.append(writer)
        sent.append(await reader.read(65536))
        writer.write(wire.notice("confirm") + wire.message(ord("R"), b"\0\0\0\3"))
        sent.append(await reader.read(65536))
        writer.write(IN)
        for each in says:
            sent.append(await reader.read(65536))
            writer.write(each)
        while data := await reader.read(65536):
            sent.append(data)

    tasks: list[asyncio.Task[None]] = []

    async def connect() -> Connection:
        ours, theirs = socket.socketpair()
        tasks.append(asyncio.create_task(serve(theirs)))
        return await asyncio.open_connection(sock=ours)

    made = Runner(connect)
    assert [each async for each in made.start("app@orders", Secret(b"opl_word"), "shop")] == [
        Notice("NOTICE", "OnePAM: confirm")
    ]
    assert made.over is None
    try:
        yield made, sent
    finally:
        await made.close()
        for writer in ends:
            writer.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def results(made: Runner, text: str) -> list[Result]:
    async with asyncio.timeout(60):
        return [each async for each in made.run(text) if isinstance(each, Result)]


async def test_it_says_who_comes_and_the_word_when_it_is_asked() -> None:
    async with against() as (_, sent):
        assert b"user\0app@orders\0database\0shop\0application_name\0OnePAM console\0" in sent[0]
        assert sent[1] == wire.message(ord("p"), b"opl_word\0")


async def test_a_database_that_breaks_the_protocol_ends_it() -> None:
    async with against(wire.HEAD.pack(wire.ROW, 1)) as (made, _):
        [found] = await results(made, "SELECT 1; SELECT 2")
        assert found.wrong is not None
        assert found.wrong.sqlstate == "08P01"
        assert made.over == found.wrong
        assert await results(made, "SELECT 3") == []


async def test_an_end_in_the_middle_is_said() -> None:
    async with against(wire.error("57P01", "killed", severity="FATAL")) as (made, _):
        [found] = await results(made, "SELECT 1")
        assert found.wrong is not None
        assert found.wrong.words == "OnePAM: killed"
        assert not made.running


async def test_who_closes_while_something_is_waited_for_ends_the_wait() -> None:
    async with against(b"") as (made, _):
        waiting = asyncio.create_task(results(made, "SELECT 1"))
        while not made.running:  # noqa: ASYNC110
            await asyncio.sleep(0)
        made._key = Key(0, b"")  # nobody to ask for a cancel
        await made.close()
        [found] = await waiting
        assert found.wrong is not None
        assert found.wrong.sqlstate == "08006"


async def test_it_is_closed_also_where_no_socket_is_left_to_cancel_by() -> None:
    async with against(b"") as (made, sent):
        waiting = asyncio.create_task(results(made, "SELECT 1"))
        while not made.running:  # noqa: ASYNC110
            await asyncio.sleep(0)

        async def none_left() -> Connection:
            raise OSError(EMFILE, "too many open files")

        made._connect = none_left
        await made.close()
        [found] = await waiting
        assert found.wrong is not None
        async with asyncio.timeout(60):
            while not sent[-1].endswith(wire.message(wire.TERMINATE, b"")):  # noqa: ASYNC110
                await asyncio.sleep(0)


async def test_data_are_not_copied_through_it() -> None:
    refused = wire.error("57014", "no data")
    async with against(
        wire.message(wire.COPY_OUT, b"\0\0\0") + wire.message(wire.DATA, b"1\n") + pg.complete("COPY 1"), pg.ready(),
        wire.message(wire.COPY_IN, b"\0\0\0"), refused, pg.ready(),
    ) as (made, sent):  # fmt: skip
        one, two = await results(made, "COPY t TO STDOUT; COPY t FROM STDIN; SELECT 1")
        assert (one.copied, one.tag) == (True, "COPY 1")
        assert two.wrong is not None
        assert any(each.startswith(b"f") for each in sent)


async def test_of_a_wide_result_so_many_values_are_kept() -> None:
    """So a page of it is drawn in bounded time."""
    wide = 1_600
    rows = b"".join(row(*[None] * wide) for _ in range(20))
    described = columns(*[column(b"c", 23)] * wide)
    async with against(pg.PARSED + pg.BOUND + described + rows + pg.complete("SELECT 20"), pg.ready()) as (made, _):
        [found] = await results(made, "SELECT")
        assert len(found.rows) * wide <= runner.MOST_CELLS + wide
        assert len(found.rows) < 20
        assert found.more


async def test_of_a_large_result_so_many_characters_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "MOST_BYTES", 10)
    rows = b"".join(row(b"four") for _ in range(4))
    described = columns(column(b"c", 25))
    async with against(pg.PARSED + pg.BOUND + described + rows + pg.complete("SELECT 4"), pg.ready()) as (made, _):
        [found] = await results(made, "SELECT")
        assert (len(found.rows), found.more) == (2, True)


async def test_behind_a_cancel_nothing_runs() -> None:
    """Also where it comes when a statement is over, and the next one is not under way."""
    done = pg.PARSED + pg.BOUND + pg.complete("SELECT 0")
    async with against(done, pg.ready(), done, pg.ready()) as (made, sent):
        ran = list[Result]()
        async for each in made.run("SELECT 'one'; SELECT 'two'"):
            assert isinstance(each, Result)
            ran.append(each)
            await made.cancel()
        assert [each.tag for each in ran] == ["SELECT 0"]
        assert b"'two'" not in b"".join(sent)


async def test_what_is_run_next_waits_for_a_cancel_that_is_under_way() -> None:
    """Else it would hit what it was not meant for."""
    done = pg.PARSED + pg.BOUND + pg.complete("SELECT 0")
    async with against(b"", done, pg.ready(), done, pg.ready()) as (made, sent):
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def slow() -> Refused:
            asked.set()
            await go_on.wait()
            return Refused("door.crowded", "Too many wait.", "")

        first = asyncio.create_task(results(made, "SELECT 'one'"))
        while b"'one'" not in sent[-1]:  # noqa: ASYNC110
            await asyncio.sleep(0)
        made._connect = slow
        cancel = asyncio.create_task(made.cancel())
        await asked.wait()
        made._send(wire.message(wire.FLUSH, b""))  # the server answers now: the statement is over by itself
        await first
        second = asyncio.create_task(results(made, "SELECT 'two'"))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not made.running
        assert not second.done()
        go_on.set()
        await cancel
        assert [each.tag for each in await second] == ["SELECT 0"]


async def test_what_is_told_while_nothing_runs_is_told_with_what_runs_next() -> None:
    done = pg.PARSED + pg.BOUND + pg.complete("SELECT 0")
    async with against(done, pg.ready(), wire.notice("late"), done, pg.ready()) as (made, _):
        await results(made, "SELECT 1")
        made._send(wire.message(wire.FLUSH, b""))  # the server answers with the notice
        while not made._late:  # noqa: ASYNC110
            await asyncio.sleep(0)
        async with asyncio.timeout(60):
            told = [each async for each in made.run("SELECT 2")]
        assert told[0] == Notice("NOTICE", "OnePAM: late")
        assert isinstance(told[1], Result)


async def test_of_too_many_statements_none_runs() -> None:
    async with against() as (made, sent):
        before = len(sent)
        [found] = await results(made, "SELECT 1;" * (runner.MOST_STATEMENTS + 1))
        assert found.wrong is not None
        assert found.wrong.sqlstate == "54000"
        assert len(sent) == before


async def test_where_the_door_is_full_it_says_so() -> None:
    async def connect() -> Refused:
        return Refused("door.crowded", "Too many wait.", "Try again.")

    made = Runner(connect)
    assert [each async for each in made.start("app@orders", Secret(b"x"), "")] == []
    assert made.over is not None
    assert (made.over.words, made.over.hint) == ("Too many wait.", "Try again.")
    await made.close()
