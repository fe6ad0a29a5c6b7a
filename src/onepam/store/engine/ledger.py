"""The ledger for asynchronous callers, and its tail for those who follow it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from onepam.domain.history.commit import Committed, Decider, FactsQuery, Placed
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Refused, Unavailable
from onepam.kernel.ids import RandomBytes
from onepam.store.engine.batches import Author
from onepam.store.engine.clock_guard import steady
from onepam.store.engine.database import DatabaseError, connect, fault
from onepam.store.engine.entries import entries, size_of
from onepam.store.engine.schema import create
from onepam.store.engine.writer import Writer

F = TypeVar("F")
R = TypeVar("R")

COMMIT_WAIT_SECONDS = 30.0
POLL_SECONDS = 0.05
TAIL_BATCH = 500

_Answer = Committed[Any] | Refused | Exception


class SqliteLedger:
    """Adapter of the port `Ledger` for one event loop. Create it inside the loop that uses it."""

    def __init__(
        self, path: Path, author: Author, clock: Clock, random: RandomBytes, monotonic: Clock = steady
    ) -> None:
        self.node = author.node
        self.took: Callable[[float], None] = _nobody_measures
        self._loop = asyncio.get_running_loop()
        self._answers: deque[tuple[asyncio.Future[Any], _Answer]] = deque()
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._late: asyncio.TimerHandle | None = None
        self._grown = asyncio.Event()
        first = connect(path)
        create(first)
        first.close()
        self._tail_db = connect(path, read_only=True)
        self.writer = Writer(path, author, clock, random, monotonic, self._wake)

    async def commit(self, query: FactsQuery[F], decide: Decider[F, R]) -> Committed[R] | Refused:
        """See the port. A wait beyond 30 s raises `Unavailable`; the command may still take effect afterwards."""
        future: asyncio.Future[Any] = self._loop.create_future()
        begun = self._loop.time()
        self.writer.submit(query, decide, lambda answer: self._answers.append((future, answer)))
        self._limit(future)
        answer = await future
        self.took(self._loop.time() - begun)
        if isinstance(answer, Exception):
            raise answer
        result: Committed[R] | Refused = answer
        return result

    async def follow(self, after: int) -> AsyncIterator[list[Placed]]:
        """See the port: at once after a commit here, within 50 ms of one by another process."""
        while True:
            self._grown.clear()
            try:
                batch = entries(self._tail_db, after, after + TAIL_BATCH)
            except DatabaseError as error:
                raise fault(error) from error
            if batch:
                after = batch[-1].header.index + 1
                yield [Placed(each.header.index, each.header.time, each.event) for each in batch]
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._grown.wait()

    def time(self) -> Instant:
        """The ledger's time now: what its entries are compared with. Any thread may ask."""
        return self.writer.guard.time()

    def seconds_until(self, ends: Instant) -> float:
        """How many seconds are left until the ledger's time is `ends`; 0.0 when it is over."""
        return self.writer.guard.seconds_until(ends)

    def size(self) -> int:
        """How many entries there are."""
        return size_of(self._tail_db)

    def close(self) -> None:
        """Finishes what waits and closes the connections."""
        self.writer.close()
        self._tail_db.close()
        if self._late is not None:
            self._late.cancel()

    def _limit(self, future: asyncio.Future[Any]) -> None:
        """One timer for all that wait, and it is set for the one who waits longest: all waits have the same limit."""
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()
        self._waiting.append((self._loop.time() + COMMIT_WAIT_SECONDS, future))
        if self._late is None:
            self._late = self._loop.call_at(self._waiting[0][0], self._give_up)

    def _give_up(self) -> None:
        """Answers those who have waited too long."""
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._loop.time()):
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_result(Unavailable(f"the ledger did not answer within {COMMIT_WAIT_SECONDS:.0f} s"))
        self._late = self._loop.call_at(self._waiting[0][0], self._give_up) if self._waiting else None

    def _wake(self) -> None:
        """On the writer's thread: one wake-up of the loop for a whole group."""
        self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        while self._answers:
            future, answer = self._answers.popleft()
            if not future.done():
                future.set_result(answer)
        self._grown.set()


def _nobody_measures(seconds: float) -> None:
    """Of how long a command took; who wants to know sets `took`."""
