"""Faults of our own parts, the same for every protocol: said at the client, written as soon as the ledger answers."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionFailed, SessionOpened
from onepam.gateway import sealing as sealing_module
from onepam.protocols.mysql.relay import Relay as MysqlRelay
from onepam.protocols.mysql.session import MysqlLegs
from onepam.protocols.postgres.relay import Relay as PostgresRelay
from onepam.protocols.postgres.session import PostgresLegs
from onepam.protocols.ssh.relay import Relay as SshRelay
from onepam.protocols.ssh.session import SshLegs
from onepam.recording.frames import Closed
from onepam.store.engine import ledger as ledger_module
from tests.gateway_fixture import SECONDS, Person
from tests.protocols.echo.gateway import EchoLegs, EchoRelay
from tests.protocols.sockets import connections
from tests.protocols.ways import WAYS, Way, heard, held, said_back, way_through

pytestmark = pytest.mark.anyio


@pytest.fixture(params=list(WAYS))
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    async with way_through(request.param, tmp_path) as running:
        yield running


@pytest.fixture(params=list(WAYS))
async def impatient(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Way]:
    """A gateway that gives its ledger a second and a half for a command, and two to answer at all."""
    monkeypatch.setattr(ledger_module, "COMMIT_WAIT_SECONDS", 1.5)
    monkeypatch.setattr(sealing_module, "WITHOUT_LEDGER_SECONDS", 2.0)
    monkeypatch.setattr(sealing_module, "PROBE_SECONDS", 0.5)
    async with way_through(request.param, tmp_path) as running:
        yield running


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[None]:
    """The folder's disk takes `size` more bytes from now on, of whatever file."""
    left, write = size, os.write

    def bounded(file: int, data: bytes) -> int:
        nonlocal left
        if Path(os.readlink(f"/proc/self/fd/{file}")).is_relative_to(folder):
            if not left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = bytes(data[:left])
            left -= len(data)
        return write(file, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", bounded)
        yield


def fails(*given: object) -> None:
    raise LookupError("a fault of our own")


async def only_end(way: Way, person: Person) -> SessionClosed:
    (found,) = await way.gateway.ended(person)
    assert isinstance(found, SessionClosed), found
    return found


async def test_a_full_disk(way: Way) -> None:
    """The recordings' file system is full: what runs ends, and nothing begins; with space all is as before."""
    person = await way.gateway.person()
    process = await way.working(person)
    with small_disk(way.gateway.platform.recordings, 256 * 1024):
        assert process.stdin is not None
        process.stdin.write(way.filling)
        assert "cannot be recorded any more" in await heard(process)
        closed = await only_end(way, person)
        assert (closed.because, closed.verified) == (SessionEnd.RECORDER_FAILED, False)
        assert closed.gap == "the disk that holds the recordings is full"
        second = await way.gateway.person()
        assert "This session cannot be recorded, so it is not opened." in await heard(await way.start(second))
        (failed,) = await way.gateway.ended(second)
        assert isinstance(failed, SessionFailed)
        assert failed.code is SessionEnd.RECORDER_FAILED
    third = await way.working(await way.gateway.person())
    assert await said_back(third, b"in\n") == b"in\n"


@pytest.mark.claim(
    "every session is recorded, or it does not open",
    altered="a session went on with a recorder that keeps nothing",
)
async def test_recordings_that_are_gone(way: Way) -> None:
    """The dial had begun beside: it is hung up, and nothing has passed."""
    shutil.rmtree(way.gateway.platform.recordings)
    person = await way.gateway.person()
    assert "cannot be recorded, so it is not opened" in await heard(await way.start(person))
    assert isinstance((await way.gateway.ended(person))[0], SessionFailed)
    async with asyncio.timeout(SECONDS):
        while connections(theirs=way.target_port):  # noqa: ASYNC110 - what was cut is soon gone
            await asyncio.sleep(0.05)
    assert len(way.gateway.platform.live) == 0


async def test_a_relay_that_cannot_be_made(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder is there already: its recording ends, the dial is hung up, and the next session is as ever."""
    person = await way.gateway.person()
    with monkeypatch.context() as patch:
        for legs in (SshLegs, EchoLegs, PostgresLegs, MysqlLegs):
            patch.setattr(legs, "relay", fails)
        assert "The gateway failed, so this session is not opened." in await heard(await way.start(person))
    (failed,) = await way.gateway.ended(person)
    assert isinstance(failed, SessionFailed)
    assert failed.code is SessionEnd.GATEWAY_FAILED
    frames = way.gateway.recorded(failed.session)
    assert isinstance(frames[-1], Closed)
    assert frames[-1].reason == SessionEnd.GATEWAY_FAILED
    async with asyncio.timeout(SECONDS):
        while connections(theirs=way.target_port):  # noqa: ASYNC110 - what was cut is soon gone
            await asyncio.sleep(0.05)
    assert len(way.gateway.platform.live) == 0
    again = await way.working(person)
    assert await said_back(again, b"in\n") == b"in\n"


async def test_a_relay_that_cannot_hang_up(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its session has a last word all the same, and neither leg stays."""
    person = await way.gateway.person()
    process = await way.working(person)
    with monkeypatch.context() as patch:
        for relay in (SshRelay, EchoRelay, PostgresRelay, MysqlRelay):
            patch.setattr(relay, "close", fails)
        process.kill()
        await process.wait()
        assert (await only_end(way, person)).because is SessionEnd.CLIENT_LEFT
    async with asyncio.timeout(SECONDS):
        while connections(theirs=way.target_port):  # noqa: ASYNC110 - what was cut is soon gone
            await asyncio.sleep(0.05)


async def test_a_ledger_that_another_process_holds(impatient: Way) -> None:
    """A knock is refused in bounded time; whatever the ledger makes of it later is closed."""
    person = await impatient.gateway.person()
    start = await impatient.poised(person)
    with held(impatient.gateway):
        assert "The gateway cannot open sessions now." in await heard(await start())
    for opened in impatient.gateway.events(SessionOpened, person):  # it took effect afterwards
        ends = [each for each in await impatient.gateway.ended(person) if each.session == opened.session]
        assert [each.code for each in ends if isinstance(each, SessionFailed)] == [SessionEnd.GATEWAY_UNAVAILABLE]
    again = await impatient.working(person)
    assert await said_back(again, b"in\n") == b"in\n"


async def test_sessions_end_without_a_ledger_and_their_end_is_written_when_it_is_back(impatient: Way) -> None:
    person = await impatient.gateway.person()
    process = await impatient.working(person)
    with held(impatient.gateway):
        assert "the ledger does not answer" in await heard(process)
        await asyncio.sleep(1)
    closed = await only_end(impatient, person)
    assert (closed.because, closed.gap, closed.verified) == (SessionEnd.LEDGER_UNAVAILABLE, None, True)


async def test_a_ledger_that_is_gone(impatient: Way) -> None:
    """Nothing is acknowledged into a file that nobody finds any more: no session begins, and what runs ends."""
    person, database = await impatient.gateway.person(), impatient.gateway.platform.database
    process, start = await impatient.working(person), await impatient.poised(person)
    away = database.rename(database.with_name("away"))
    assert "The gateway cannot open sessions now." in await heard(await start())
    assert "the ledger does not answer" in await heard(process)
    away.rename(database)
    assert (await only_end(impatient, person)).because is SessionEnd.LEDGER_UNAVAILABLE


@pytest.mark.parametrize("name", list(WAYS))
async def test_a_gateway_that_stops(name: str, tmp_path: Path) -> None:
    """Whoever is in hears it and has an end; whoever comes is not admitted."""
    async with AsyncExitStack() as running:
        way = await running.enter_async_context(way_through(name, tmp_path))
        person, late = await way.gateway.person(), await way.gateway.person()
        process = await way.working(person)
        way.gateway.platform.gateway.tasks.stop()
        assert "The gateway is being stopped." in await heard(await way.start(late))
        assert await said_back(process, b"still here\n") == b"still here\n"
        await running.aclose()
        assert "the gateway is being stopped" in await heard(process)
        closed = await only_end(way, person)
        assert (closed.because, closed.gap, closed.verified) == (SessionEnd.GATEWAY_STOPPED, None, True)
        assert way.gateway.events(SessionOpened, late) == []
