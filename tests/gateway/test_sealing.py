"""The heads of recordings in the ledger: at most one entry a second, none lost to an outage, none without need."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from onepam.domain.history.commit import Committed, Decider, FactsQuery
from onepam.domain.sessions.events import ChunksSealed, SealedHead
from onepam.gateway import sealing as module
from onepam.gateway.live import Live
from onepam.gateway.sealing import Sealing, root_of_heads
from onepam.kernel.canonical import encode
from onepam.kernel.errors import Refused, Unavailable
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries
from tests.company import Company

pytestmark = pytest.mark.anyio

HEADS = tuple(SealedHead(f"ses_{n}", n + 1, sha256(b"%d" % n).hexdigest()) for n in range(5))


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Company]:
    company = await Company.create(tmp_path)
    yield company
    company.close()


class Counted(Live):
    """Live sessions that only count and remember why they ended."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.ends: list[str] = []

    def __len__(self) -> int:
        return self.count

    def end_all(self, because: str) -> None:
        self.ends.append(because)


class Down:
    """A ledger that is not there for so many commands."""

    def __init__(self, company: Company, times: int) -> None:
        self.company, self.times = company, times

    async def commit(self, query: FactsQuery[Any], decide: Decider[Any, Any]) -> Committed[Any] | Refused:
        if self.times:
            self.times -= 1
            raise Unavailable("away")
        return await self.company.ledger.commit(query, decide)


def sealed(company: Company) -> list[ChunksSealed]:
    with connect(company.path, read_only=True) as db:
        return [each.event for each in entries(db, 0, 1 << 30) if isinstance(each.event, ChunksSealed)]


def test_the_root_is_that_of_rfc_6962_over_the_heads() -> None:
    def leaf(head: SealedHead) -> bytes:
        record = {"chunk": head.chunk, "head": head.head, "session": head.session}
        return sha256(b"\x00" + encode(record)).digest()

    def node(left: bytes, right: bytes) -> bytes:
        return sha256(b"\x01" + left + right).digest()

    one, two, three = map(leaf, HEADS[:3])
    assert root_of_heads(HEADS[:1]) == one.hex()
    assert root_of_heads(HEADS[:3]) == node(node(one, two), three).hex()


async def test_what_moved_is_sealed_once_in_the_order_of_the_sessions(company: Company) -> None:
    sealing = Sealing(company.ledger, Counted(1), "node-1")
    for head in (*reversed(HEADS), SealedHead("ses_1", 9, "ff")):
        sealing.moved(head.session, head.chunk, head.head)
    sealing.closed("ses_4")
    await sealing.flush()
    await sealing.flush()
    (event,) = sealed(company)
    expected = (HEADS[0], SealedHead("ses_1", 9, "ff"), *HEADS[2:4])
    assert (event.node, event.count, event.heads) == ("node-1", 4, expected)
    assert event.root == root_of_heads(expected)


async def test_an_outage_loses_no_head_and_the_newer_one_counts(company: Company) -> None:
    sealing = Sealing(Down(company, 1), Counted(1), "node-1")
    sealing.moved("ses_1", 1, "aa")
    sealing.moved("ses_2", 1, "bb")
    with pytest.raises(Unavailable):
        await sealing.flush()
    sealing.moved("ses_1", 2, "cc")
    await sealing.flush()
    assert sealed(company)[0].heads == (SealedHead("ses_1", 2, "cc"), SealedHead("ses_2", 1, "bb"))


async def running(sealing: Sealing, seconds: float) -> None:
    task = asyncio.get_running_loop().create_task(sealing.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD_SECONDS", 0.01)
    monkeypatch.setattr(module, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(module, "WITHOUT_LEDGER_SECONDS", 0.2)


@pytest.mark.usefixtures("quick")
async def test_without_a_ledger_for_too_long_every_session_ends(company: Company) -> None:
    live = Counted(2)
    await running(Sealing(Down(company, 1 << 30), live, "node-1"), 0.6)
    assert live.ends[0] == "ledger.unavailable"


@pytest.mark.usefixtures("quick")
async def test_a_short_outage_ends_nothing_and_idle_time_is_no_outage(company: Company) -> None:
    live = Counted(0)
    sealing = Sealing(Down(company, 3), live, "node-1")
    task = asyncio.get_running_loop().create_task(sealing.run())
    await asyncio.sleep(0.4)  # nobody is there: nothing is asked of the ledger
    live.count = 1
    await asyncio.sleep(0.4)
    assert live.ends == []
    assert sealed(company) == []
    task.cancel()
