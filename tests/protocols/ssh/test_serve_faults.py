"""Faults of our own parts while sessions run and begin: said at the client, written as soon as the ledger answers."""

import asyncio
import errno
import fcntl
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.sessions.events import SessionClosed, SessionFailed, SessionOpened
from onepam.gateway import sealing as sealing_module
from onepam.store.engine import ledger as ledger_module
from tests.gateway_fixture import Gateway, Person, outcome, running_gateway

pytestmark = pytest.mark.anyio


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path) as running:
        yield running


@pytest.fixture
async def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """A gateway that gives its ledger a second and a half for a command."""
    monkeypatch.setattr(ledger_module, "COMMIT_WAIT_SECONDS", 1.5)
    async with running_gateway(tmp_path) as running:
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


async def only_end(gateway: Gateway, person: Person) -> SessionClosed:
    (found,) = await gateway.ended(person)
    assert isinstance(found, SessionClosed), found
    return found


async def test_what_is_left_is_the_ledgers(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recordings have come to the reserve: who would write on ends, and whatever they saw is there."""
    disk, person = gateway.platform.disk, await gateway.person()
    left = replace(disk.marks, reserve=disk.space.free - 64 * 1024)
    monkeypatch.setattr(disk, "_look", lambda folder: disk.space)
    monkeypatch.setattr(disk, "marks", left)
    flood = "echo ready; sleep 0.3; head -c 9000000 /dev/urandom | base64; echo the end"
    process = await gateway.working(person, flood)
    done = await outcome(process, None)
    assert done.status == 255
    assert "cannot be recorded any more" in done.stderr
    assert b"the end" not in done.stdout
    closed = await only_end(gateway, person)
    assert (closed.because, closed.verified) == ("recorder.failed", False)
    assert closed.gap == "the disk that holds the recordings is full"
    shown = b"".join(getattr(frame, "data", b"") for frame in gateway.recorded(closed.session))
    assert done.stdout in shown  # whatever the person saw is there


async def test_a_full_disk(gateway: Gateway) -> None:
    """The recordings' file system is full: what runs ends, and nothing begins."""
    recordings = gateway.platform.recordings
    person = await gateway.person()
    with small_disk(recordings, 256 * 1024):
        flood = "echo ready; sleep 0.3; head -c 2000000 /dev/urandom | base64; echo the end"
        process = await gateway.working(person, flood)
        done = await outcome(process, None)
        assert "cannot be recorded any more" in done.stderr
        closed = await only_end(gateway, person)
        assert (closed.because, closed.gap) == ("recorder.failed", "the disk that holds the recordings is full")
        second = await gateway.person()
        done = await gateway.run(*gateway.ssh(second, "echo in"))
        assert (done.status, done.stdout) == (255, b"")
        assert "This session cannot be recorded, so it is not opened." in done.stderr
        (failed,) = await gateway.ended(second)
        assert isinstance(failed, SessionFailed)
        assert failed.code == "recorder.failed"
    third = await gateway.person()
    assert (await gateway.run(*gateway.ssh(third, "echo in"))).stdout == b"in\n"


@pytest.mark.claim(
    "every session is recorded, or it does not open",
    altered="a session went on with a recorder that keeps nothing",
)
async def test_recordings_that_are_gone(gateway: Gateway) -> None:
    shutil.rmtree(gateway.platform.recordings)
    person = await gateway.person()
    done = await gateway.run(*gateway.ssh(person, "echo in"))
    assert "cannot be recorded, so it is not opened" in done.stderr
    assert isinstance((await gateway.ended(person))[0], SessionFailed)


@contextmanager
def held(gateway: Gateway) -> Iterator[None]:
    """The ledger's lock in other hands, as when another process hangs in the middle of a command."""
    file = os.open(f"{gateway.platform.database}.lock", os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)


async def test_a_ledger_that_another_process_holds(impatient: Gateway) -> None:
    """A knock is refused in bounded time; whatever the ledger makes of it later is closed."""
    person = await impatient.person()
    with held(impatient):
        done = await impatient.run(*impatient.ssh(person, "echo in"))
        assert (done.status, done.stdout) == (255, b"")
        assert "The gateway cannot open sessions now." in done.stderr
    for opened in impatient.events(SessionOpened, person):  # it took effect afterwards
        failed = [each for each in await impatient.ended(person) if each.session == opened.session]
        assert [each.code for each in failed if isinstance(each, SessionFailed)] == ["gateway.unavailable"]
    assert (await impatient.run(*impatient.ssh(person, "echo in"))).stdout == b"in\n"


async def test_a_database_that_is_locked(impatient: Gateway) -> None:
    """Somebody holds a transaction open with another program."""
    person = await impatient.person()
    with closing(sqlite3.connect(impatient.platform.database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        done = await impatient.run(*impatient.ssh(person, "echo in"))
        assert "The gateway cannot open sessions now." in done.stderr
        db.execute("ROLLBACK")
    async with asyncio.timeout(20):
        while (await impatient.run(*impatient.ssh(person, "echo in"))).stdout != b"in\n":  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    sessions = {each.session for each in impatient.events(SessionOpened, person)}
    assert {each.session for each in await impatient.ended(person, len(sessions))} == sessions


async def test_sessions_end_without_a_ledger_and_their_end_is_written_when_it_is_back(
    impatient: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing_module, "WITHOUT_LEDGER_SECONDS", 2.0)
    monkeypatch.setattr(sealing_module, "PROBE_SECONDS", 0.5)
    person = await impatient.person()
    process = await impatient.working(person)
    with held(impatient):
        done = await outcome(process, None)
        assert "the ledger does not answer" in done.stderr
        await asyncio.sleep(1)
    closed = await only_end(impatient, person)
    assert (closed.because, closed.gap, closed.verified) == ("ledger.unavailable", None, True)


async def test_a_short_absence_of_the_ledger_disturbs_nobody(
    impatient: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing_module, "PROBE_SECONDS", 0.5)
    person = await impatient.person()
    process = await impatient.working(person)
    with held(impatient):
        await asyncio.sleep(2)
    assert (await outcome(process, b"still\n")).stdout == b"still\n"
    assert (await only_end(impatient, person)).because == "client.closed"


async def test_a_ledger_that_is_gone(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is acknowledged into a file that nobody finds any more: no session begins, and what runs ends."""
    monkeypatch.setattr(sealing_module, "WITHOUT_LEDGER_SECONDS", 2.0)
    monkeypatch.setattr(sealing_module, "PROBE_SECONDS", 0.5)
    person, database = await gateway.person(), gateway.platform.database
    process = await gateway.working(person)
    away = database.rename(database.with_name("away"))
    done = await gateway.run(*gateway.ssh(person, "echo in"))
    assert (done.status, done.stdout) == (255, b"")
    assert "The gateway cannot open sessions now." in done.stderr
    assert "the ledger does not answer" in (await outcome(process, None)).stderr
    away.rename(database)
    assert (await only_end(gateway, person)).because == "ledger.unavailable"
    assert (await gateway.run(*gateway.ssh(person, "echo in"))).stdout == b"in\n"


async def test_a_client_that_leaves_while_the_ledger_writes_leaves_no_open_session(gateway: Gateway) -> None:
    """At every moment of the way in: what was opened is closed, and nothing stays registered."""
    person = await gateway.person()
    for number in range(25):
        process = await gateway.start(*gateway.ssh(person, "sleep 60"))
        await asyncio.sleep(0.06 + 0.006 * number)
        process.kill()
        await outcome(process, None)
    async with asyncio.timeout(10):
        while len(gateway.platform.live):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    opened = gateway.events(SessionOpened, person)
    assert opened
    assert len(await gateway.ended(person, len(opened))) == len(opened)
