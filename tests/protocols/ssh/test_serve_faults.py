"""Faults that need an SSH client or a second program; those of every protocol are in tests/protocols/test_faults.py."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from onepam.domain.sessions.events import SessionClosed, SessionOpened
from onepam.gateway import sealing as sealing_module
from onepam.store.engine import ledger as ledger_module
from tests.gateway_fixture import Gateway, Person, outcome, running_gateway
from tests.protocols.ways import held

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
