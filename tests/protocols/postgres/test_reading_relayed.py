"""What comes while a long text is read beside the loop, from a stock client to a real PostgreSQL: who cancels, who goes
and who is ended."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.protocols.postgres import texts
from onepam.protocols.postgres.dial import TargetLeg
from tests.protocols.postgres import small as small_door
from tests.protocols.postgres.server import Server, running_server
from tests.protocols.postgres.small import Small, running_door
from tests.protocols.postgres.test_relay import until

pytestmark = pytest.mark.anyio

LONG = f"/* password {'x' * 600} */"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        running.sql("\\c app\nCREATE TABLE said (word text); GRANT ALL ON said TO app;")
        yield running


@pytest.fixture
async def small(server: Server, tmp_path: Path) -> AsyncIterator[Small]:
    async with running_door(server, tmp_path) as running:
        yield running


class Held:
    """Holds the reading of long texts until the test lets it go on."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()
        self.threads: list[str] = []

    def __call__(self, text: bytes, *how: Any) -> tuple[bytes, int]:
        self.threads.append(threading.current_thread().name)
        self.begun.set()
        assert self.goes_on.wait(60)
        return text, 0


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    reading = Held()
    monkeypatch.setattr(texts, "surely_hidden", reading)
    yield reading
    reading.goes_on.set()


async def test_who_cancels_a_text_that_is_read_cancels_it_once_it_runs(
    small: Small, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before that the server would have nothing to cancel."""
    order: list[str] = []
    send, cancel = TargetLeg.send, TargetLeg.cancel

    def sent(leg: TargetLeg, data: bytes) -> None:
        order.append("sent" if b"pg_sleep" in data else "")
        send(leg, data)

    def cancelled(leg: TargetLeg, *tasks: Any) -> Any:
        order.append("cancelled")
        return cancel(leg, *tasks)

    monkeypatch.setattr(TargetLeg, "send", sent)
    monkeypatch.setattr(TargetLeg, "cancel", cancelled)
    running = asyncio.create_task(small.psql(f"SELECT pg_sleep(600) {LONG};"))
    await until(held.begun.is_set)
    ((process, (key,)),) = small.gateway.keys._held.items()
    assert small.gateway.keys.cancel(process, key.key, "127.0.0.1")
    assert not {"sent", "cancelled"} & {*order}
    held.goes_on.set()
    await until(lambda: "cancelled" in order)
    assert [each for each in order if each] == ["sent", "cancelled"]
    assert [each.startswith("sql") for each in held.threads] == [True], "not on the loop"
    while not running.done():  # a server that has not begun it yet passes over who cancels it
        small.gateway.keys.cancel(process, key.key, "127.0.0.1")
        await asyncio.sleep(0.1)
    assert "canceling statement due to user request" in (await running)[2]


async def test_who_cancels_a_text_that_is_read_and_then_refused_cancels_nothing(
    small: Small, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hit what the client sends next."""
    usual, cancels = small_door._opened, list[str]()
    reader = Guardrails((StatementClass.READ,))
    monkeypatch.setattr(small_door, "_opened", lambda *of: replace(usual(*of), guardrails=reader))
    monkeypatch.setattr(TargetLeg, "cancel", lambda *_: cancels.append("cancelled"))
    running = asyncio.create_task(small.psql(f"DELETE FROM said {LONG};\nSELECT 'and then';"))
    await until(held.begun.is_set)
    ((process, (key,)),) = small.gateway.keys._held.items()
    assert small.gateway.keys.cancel(process, key.key, "127.0.0.1")
    held.goes_on.set()
    status, out, errors = await running
    assert (status, out.strip(), cancels) == (0, "and then", [])
    assert "OnePAM: this access" in errors


@pytest.mark.parametrize("how", ["gone", "ended"])
async def test_what_a_client_sent_that_has_gone_runs_and_what_one_sent_that_is_ended_does_not(
    small: Small, server: Server, held: Held, how: str
) -> None:
    text = f"INSERT INTO said VALUES ('{how}') {LONG}"
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.protocols.postgres.leaving_client", small.words(database="app"), text
    )
    assert await client.wait() == 0
    await until(held.begun.is_set)
    if how == "ended":
        small.relays[0].abort()
    else:
        await until(small.doors[0].is_closed)
    held.goes_on.set()
    await until(lambda: small.relays[0]._ended)
    count = f"SELECT count(*) FROM said WHERE word = '{how}'"
    running = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'"
    await until(lambda: server.sql(running).strip() == "0")
    assert server.sql(f"\\c app\n{count}").strip().endswith("1" if how == "gone" else "0")
    assert len(small.journals[0].statements()) == (how == "gone")
