"""Whole commands: facts at the head, the decision, canonical form, projection, fsync. The command is `open_session`."""

import asyncio
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from bench import Figure, Progress
from bench.company import knocks, settle
from bench.room import room
from bench.yardstick import durable_inserts, interpreter
from onepam.app.open_session import Knock, Opened, open_session
from onepam.boot.demo.company import company
from onepam.kernel.clock import Instant
from onepam.signing.author import NodeAuthor
from onepam.store.db import Db
from onepam.store.engine.batches import Author, seal
from onepam.store.engine.database import connect
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer

NAME = "Ledger: whole commands"
PEOPLE, RESOURCES = 5_000, 10_000
ROUNDS = 5
WARM = 18_000
"""Commands before the first round, so that the writer remembers most people and resources, as it does in service."""
ROUND = 1.5
"""Seconds of one round."""


@dataclass(frozen=True, slots=True)
class Load:
    """One round of knocking: commands a second, each command's wait in seconds, which share of the processor's time
    went into signing batches, and how many entries a batch had."""

    rate: float
    waits: list[float]
    sealing: float
    batch: float

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        return sorted(self.waits)[int(len(self.waits) * share)] * 1000


@dataclass(slots=True)
class Sealing:
    """Seals batches as the writer does, and notes the processor seconds that they take and how many there were."""

    seconds: float = 0.0
    batches: int = 0

    def __call__(self, db: Db, author: Author, first: int, leaves: Sequence[bytes]) -> None:
        began = time.thread_time()
        seal(db, author, first, leaves)
        self.seconds, self.batches = self.seconds + time.thread_time() - began, self.batches + 1


SEALING = Sealing()


def clock() -> Instant:
    """The wall clock."""
    return Instant(time.time_ns() // 1000)


def run(progress: Progress) -> list[Figure]:
    """One and 32 producers in one process, then two processes with 8 producers each."""
    with room() as folder:
        path = folder / "ledger.sqlite"
        progress(f"a company of {PEOPLE:,} people and {RESOURCES:,} resources")
        founding = found(path)
        with patch("onepam.store.engine.writer.seal", SEALING):
            return asyncio.run(_measure(path, founding, progress))


def found(path: Path) -> float:
    """Creates the company's ledger; events a second in commands of 5,000."""
    with closing(connect(path)) as db:
        create(db)
    began = time.perf_counter()
    with closing(Writer(path, NodeAuthor.uncertified("bench"), clock, secrets.token_bytes)) as writer:
        return settle(writer, company(PEOPLE, RESOURCES)) / (time.perf_counter() - began)


async def _measure(path: Path, founding: float, progress: Progress) -> list[Figure]:
    ledger = SqliteLedger(path, NodeAuthor.uncertified("gateway-1"), clock, secrets.token_bytes)
    knocking = knocks(PEOPLE, RESOURCES)
    progress("warming up")
    await asyncio.gather(*(open_session(ledger, knock) for knock in islice(knocking, WARM)))
    bare, python, one, many = [], [], [], []
    for number in range(ROUNDS):
        progress(f"round {number + 1} of {ROUNDS}")
        bare.append(durable_inserts(path.parent))
        python.append(interpreter())
        one.append(await _knock(ledger, knocking, 1, ROUND))
        many.append(await _knock(ledger, knocking, 32, ROUND))
    progress("two processes")
    waits = await _two_processes(ledger, knocking, path)
    ledger.close()
    return [
        *_rates(one, many, bare, python),
        Figure("longest wait, two processes with 8 producers each", waits, "ms", "≤ 250", waits <= 250),
        Figure("founding the company, 5,000 events a command", founding, "events/s"),
    ]


def _rates(one: list[Load], many: list[Load], bare: list[float], python: list[float]) -> list[Figure]:
    single = statistics.median(each.rate for each in one)
    group = statistics.median(each.rate for each in many)
    late_single = statistics.median(each.percentile(0.99) for each in one)
    late = statistics.median(each.percentile(0.99) for each in many)
    yard, work = statistics.median(bare), statistics.median(python)
    signing = [statistics.median(each.sealing for each in some) * 100 for some in (one, many)]
    batch = [statistics.median(each.batch for each in some) for some in (one, many)]
    return [
        Figure("bare SQLite, one synchronised row a transaction (yardstick)", yard, "/s"),
        Figure("bare Python, small objects as JSON (yardstick)", work, "/s"),
        Figure("commands, 1 producer", single, "/s", "≥ 1,500", single >= 1_500),
        Figure("the same, best of the rounds", max(each.rate for each in one), "/s"),
        Figure("commands, 1 producer, over bare SQLite", single / yard, "ratio"),
        Figure("wait of a command, 1 producer, p99", late_single, "ms", "≤ 20", late_single <= 20),
        Figure("commands, 32 producers", group, "/s", "≥ 7,000", group >= 7_000),
        Figure("the same, best of the rounds", max(each.rate for each in many), "/s"),
        Figure("commands, 32 producers, in small JSON objects of bare Python", work / group, "objects"),
        Figure("wait of a command, 32 producers, p99", late, "ms", "≤ 20", late <= 20),
        Figure("batch signatures of a command's processor time, 1 producer", signing[0], "%"),
        Figure("mean batch, 1 producer", batch[0], "entries"),
        Figure("batch signatures of a command's processor time, 32 producers", signing[1], "%", "≤ 3", signing[1] <= 3),
        Figure("mean batch, 32 producers", batch[1], "entries"),
    ]


async def _knock(ledger: SqliteLedger, knocking: Iterator[Knock], producers: int, seconds: float) -> Load:
    """Every producer opens one session after another for so long."""
    waits = list[float]()
    sealed, batches, size = SEALING.seconds, SEALING.batches, ledger.size()
    began, worked = time.perf_counter(), time.process_time()

    async def produce() -> None:
        while (sent := time.perf_counter()) < began + seconds:
            assert isinstance(await open_session(ledger, next(knocking)), Opened)
            waits.append(time.perf_counter() - sent)

    await asyncio.gather(*(produce() for _ in range(producers)))
    rate, worked = len(waits) / (time.perf_counter() - began), time.process_time() - worked
    sealed, batches = SEALING.seconds - sealed, SEALING.batches - batches
    return Load(rate, waits, sealed / worked, (ledger.size() - size) / max(batches, 1))


async def _two_processes(ledger: SqliteLedger, knocking: Iterator[Knock], path: Path) -> float:
    """The longest wait in either, in milliseconds."""
    command = [sys.executable, "-m", "bench.ledger", str(path)]
    other = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert other.stdout is not None
    await other.stdout.readline()  # it has begun
    here = await _knock(ledger, knocking, 8, 4.0)
    there, _ = await other.communicate()
    return max(max(here.waits) * 1000, float(there))


async def _second_process(path: Path) -> None:
    ledger = SqliteLedger(path, NodeAuthor.uncertified("gateway-2"), clock, secrets.token_bytes)
    print("begun", flush=True)
    load = await _knock(ledger, knocks(PEOPLE, RESOURCES, seed=2), 8, 4.0)
    ledger.close()
    print(max(load.waits) * 1000)


if __name__ == "__main__":
    asyncio.run(_second_process(Path(sys.argv[1])))
