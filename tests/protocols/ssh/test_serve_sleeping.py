"""A client that sleeps keeps its session, and loses it as everybody else does: at once, and without another byte."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onepam.domain.sessions.events import SessionClosed
from onepam.protocols.ssh import door
from tests.gateway_fixture import Gateway, Person, outcome, running_gateway

pytestmark = pytest.mark.anyio

LISTEN = "0A"


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """Its questions whether the client is alive come every 0.3 s instead of every 30. It is patient: a machine that is
    busy for a while ends nobody who sleeps."""
    monkeypatch.setattr(door, "KEEPALIVE_SECONDS", 0.3)
    async with running_gateway(tmp_path, silent_seconds=600) as running:
        yield running


@pytest.fixture
async def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """9 s are its 15 minutes."""
    monkeypatch.setattr(door, "KEEPALIVE_SECONDS", 0.3)
    async with running_gateway(tmp_path, silent_seconds=9) as running:
        yield running


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
