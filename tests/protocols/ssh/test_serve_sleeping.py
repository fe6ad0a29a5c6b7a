"""A client that sleeps keeps its session, and loses it as everybody else does: at once, and without another byte."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.sessions.events import KillOrdered, SessionClosed, SessionOpened
from onepam.protocols.ssh import door
from tests.gateway_fixture import Gateway, Person, outcome, running_gateway
from tests.targets import descendants

pytestmark = pytest.mark.anyio

LISTEN = "0A"


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """Its questions whether the client is alive come every 0.3 s instead of every 30. It is patient: a machine that is
    busy for a while ends nobody who sleeps."""
    monkeypatch.setattr(door, "KEEPALIVE_SECONDS", 0.3)
    async with running_gateway(tmp_path, ssh_silent_seconds=600) as running:
        yield running


@pytest.fixture
async def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """9 s are its 15 minutes."""
    monkeypatch.setattr(door, "KEEPALIVE_SECONDS", 0.3)
    async with running_gateway(tmp_path, ssh_silent_seconds=9) as running:
        yield running


def connections(port: int, column: int = 1) -> list[str]:
    """The states of this machine's TCP connections with a local (1) or remote (2) port, as /proc/net/tcp names them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    return [row[3] for row in rows if int(row[column].split(":")[1], 16) == port and row[3] != LISTEN]


async def closed(gateway: Gateway, person: Person) -> SessionClosed:
    (found,) = await gateway.ended(person)
    assert isinstance(found, SessionClosed)
    return found


async def test_a_client_that_sleeps_goes_on_where_it_was(gateway: Gateway) -> None:
    person = await gateway.person()
    process = await gateway.working(person)
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(4)  # thirteen questions without an answer; the fourth was the end once
    assert not await asyncio.to_thread(gateway.events, SessionClosed)
    process.send_signal(signal.SIGCONT)
    assert (await outcome(process, b"good morning\n")).stdout == b"good morning\n"
    assert (await closed(gateway, person)).because == "client.closed"


async def test_a_client_that_never_wakes_ends_by_the_setting(impatient: Gateway) -> None:
    person = await impatient.person()
    process = await impatient.working(person)
    process.send_signal(signal.SIGSTOP)
    try:
        found = await closed(impatient, person)
        assert (found.because, found.verified) == ("client.closed", True)
    finally:
        process.kill()
        await outcome(process, None)


@pytest.mark.parametrize("busy", [False, True], ids=["silent", "full of output"])
async def test_a_kill_does_not_wait_for_a_client_that_sleeps(gateway: Gateway, busy: bool) -> None:
    """It sleeps on until all is over. Not even our kernel goes on sending: no connection is left that has something for
    the client or the target."""
    person = await gateway.person()
    process = await gateway.working(person, "echo ready; cat /dev/zero" if busy else "echo ready; cat")
    process.send_signal(signal.SIGSTOP)
    try:
        await asyncio.sleep(0.5)
        session = gateway.events(SessionOpened, person)[-1].session
        await gateway.record(KillOrdered(session, "per_ada"))
        found = await closed(gateway, person)
        assert (found.because, found.verified) == ("killed", True)
        assert found.last_byte is not None, "both connections have closed"
        assert connections(gateway.platform.ssh_port) == []
        assert connections(gateway.target.port, 2) == []
    finally:
        process.kill()
        await outcome(process, None)


async def test_a_kill_does_not_wait_for_a_target_that_sleeps(gateway: Gateway) -> None:
    """Megabytes were on their way to it: those that it has not read never come."""
    person = await gateway.person()
    process = await gateway.working(person, "echo ready; cat > /dev/null")
    sleeping = descendants(gateway.target.process.pid)
    for pid in sleeping:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert process.stdin is not None
        process.stdin.write(bytes(16_000_000))
        await asyncio.sleep(0.5)
        session = gateway.events(SessionOpened, person)[-1].session
        await gateway.record(KillOrdered(session, "per_ada"))
        found = await closed(gateway, person)
        assert found.because == "killed"
        assert found.last_byte is not None, "both connections have closed"
        assert connections(gateway.target.port, 2) == []
    finally:
        for pid in sleeping:
            os.kill(pid, signal.SIGCONT)
        assert (await outcome(process, None)).status == 255
