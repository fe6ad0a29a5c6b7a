"""The ledger for asynchronous callers, in one process and between two."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from itertools import pairwise
from pathlib import Path

import pytest

from onepam.app.sessions.close_session import NoFacts
from onepam.domain.history.commit import Placed
from onepam.domain.people.events import PersonDisabled
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.signing.author import NodeAuthor
from onepam.store.engine import ledger as ledgers
from onepam.store.engine.database import connect
from onepam.store.engine.entries import entries, size_at, size_of
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.rebuild import compare
from tests.store.events import clock, events, one_group, person, unprojectable

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqliteLedger]:
    ledger = SqliteLedger(path, NodeAuthor.uncertified("node-1"), clock, bytes)
    yield ledger
    ledger.close()


async def collect(ledger: SqliteLedger, after: int, count: int) -> list[Placed]:
    found = list[Placed]()
    async with asyncio.timeout(20), aclosing(ledger.follow(after)) as batches:  # type: ignore[type-var]
        async for batch in batches:
            found += batch
            if len(found) >= count:
                break
    return found


def other_process(path: Path, name: str, count: int) -> "subprocess.Popen[bytes]":
    """Writes that many commands on the same file, one after another, and prints the longest wait in milliseconds."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.second_process", str(path), name, str(count)], stdout=subprocess.PIPE
    )


async def test_answers_come_back_as_values_and_faults_are_raised(ledger: SqliteLedger) -> None:
    assert (await ledger.commit(NoFacts(), events(person(1)))).size == 1  # type: ignore[union-attr]
    assert await ledger.commit(NoFacts(), lambda facts, now: Refused("no", "No.")) == Refused("no", "No.")
    with pytest.raises(Exception, match="NOT NULL"):
        await ledger.commit(NoFacts(), events(unprojectable()))
    assert ledger.size() == 1


async def test_a_wait_for_the_ledger_is_bounded(ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "COMMIT_WAIT_SECONDS", 0.01)
    with one_group(ledger.writer), pytest.raises(Unavailable, match="did not answer"):
        await ledger.commit(NoFacts(), events(person(1)))


async def test_followers_see_each_event_once_and_in_order(ledger: SqliteLedger) -> None:
    following = [asyncio.create_task(collect(ledger, after, 1200 - after)) for after in (0, 0, 700)]
    for start in range(0, 1200, 100):
        given = [person(number) for number in range(start, start + 100)]
        await asyncio.gather(
            ledger.commit(NoFacts(), events(*given[:60])), *(ledger.commit(NoFacts(), events(x)) for x in given[60:])
        )
    for after, task in zip((0, 0, 700), following, strict=True):
        seen = await task
        assert [each.index for each in seen] == list(range(after, 1200))
        assert [each.event for each in seen] == [person(number) for number in range(after, 1200)]
        assert all(one.time < other.time for one, other in pairwise(seen))


async def test_a_follower_hears_of_another_process_within_a_tenth_of_a_second(path: Path) -> None:
    here, there = (
        SqliteLedger(path, NodeAuthor.uncertified("node-1"), clock, bytes),
        SqliteLedger(path, NodeAuthor.uncertified("node-2"), clock, bytes),
    )
    delays = []
    async with aclosing(here.follow(0)) as batches:  # type: ignore[type-var]
        for number in range(20):
            heard = asyncio.ensure_future(anext(batches))
            await asyncio.sleep(0.02)
            await there.commit(NoFacts(), events(person(number)))
            committed = time.monotonic()
            assert [each.event for each in await heard] == [person(number)]
            delays.append(time.monotonic() - committed)
    here.close()
    there.close()
    assert sorted(delays)[len(delays) // 2] <= 0.1, delays


async def test_a_reader_that_meets_damage_says_so(ledger: SqliteLedger, path: Path) -> None:
    await ledger.commit(NoFacts(), events(PersonDisabled("per_1", None, "left")))
    with closing(connect(path)) as db:
        db.execute("UPDATE entry SET body = 'x'")
    with pytest.raises(Corrupt, match="cannot be read"):
        await anext(ledger.follow(0))
    with closing(connect(path)) as db:
        db.execute("DROP TABLE payload")
    with pytest.raises(Unavailable, match="no such table"):
        await anext(ledger.follow(0))


async def test_two_processes_write_one_ledger(ledger: SqliteLedger, path: Path) -> None:
    others = [other_process(path, name, 100) for name in ("a", "b")]
    for number in range(100):
        await ledger.commit(NoFacts(), events(person(number)))
    for other in others:
        assert other.wait(60) == 0
        other.communicate()
    with closing(connect(path)) as db:
        found = entries(db, 0, size_of(db))
        times = [each.header.time for each in found]
        assert [size_at(db, at) for at in times[:3]] == [1, 2, 3]
    assert [each.header.index for each in found] == [each.header.class_seq for each in found] == list(range(300))
    assert sorted(times) == times
    assert len(set(times)) == 300
    assert compare(path) == []


async def test_a_busy_process_does_not_starve_another(ledger: SqliteLedger, path: Path) -> None:
    """Thirty-two callers keep one process busy; the other gets its turn between two groups."""
    other = other_process(path, "a", 50)

    async def produce(first: int) -> None:
        number = first
        while other.poll() is None:
            await ledger.commit(NoFacts(), events(person(number)))
            number += 1

    await asyncio.gather(*(produce(caller * 1_000_000) for caller in range(32)))
    out, _ = other.communicate()
    assert other.returncode == 0
    assert float(out) < 1_000  # the goal of 250 ms is measured by the benchmark; here other tests are running too
    assert compare(path) == []


def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"nothing" * 1000)

    async def open_it() -> None:
        SqliteLedger(path, NodeAuthor.uncertified("node-1"), clock, bytes)

    with pytest.raises(Corrupt):
        asyncio.run(open_it())
