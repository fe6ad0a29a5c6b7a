"""Delivering: each receiver's queue on its own, one notice after another, until it is taken or given up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from onepam.app.ports import Ledger
from onepam.domain.telling.outbox import (
    MAIL,
    Channel,
    Notice,
    Occurrence,
    ReceiverQuery,
    Told,
    failed,
    next_notice,
    pause,
    sent,
)
from onepam.egress.outbox.send import Letter, Send
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Fault, Refused

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Connections of the outbox at one time."""

Address = Callable[[str], Awaitable[tuple[str, ...]]]
"""The addresses of a receiver of e-mail; empty where there is none any more."""


@dataclass(slots=True)
class Queue:
    """What one receiver still has to be told, and its tries."""

    receiver: str
    channel: Channel
    told: dict[str, Told]
    waiting: list[Occurrence] = field(default_factory=list)
    failures: int = 0
    next_try: int = 0
    telling: bool = False

    def settle(self, notice: Notice) -> None:
        """The notice was taken, or given up."""
        alike, last = notice.newest.alike, notice.newest.index
        self.told[alike] = Told(notice.first_at, last)
        self.waiting = [each for each in self.waiting if each.alike != alike or each.index > last]


class Deliverer:
    """One for an installation. `senders` are by receiver; that of `MAIL` sends all e-mail."""

    def __init__(
        self, ledger: Ledger, senders: Mapping[str, Send], addresses: Address, letter: Callable[[Notice], Letter],
        settled: Mapping[str, dict[str, Told]],
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._senders = senders
        self._addresses = addresses
        self._letter = letter
        self._settled = settled
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self.queues: dict[str, Queue] = {}

    def add(self, receiver: str, channel: Channel, occurrence: Occurrence) -> None:
        """One more of which a receiver is told, in the ledger's order."""
        queue = self.queues.get(receiver)
        if queue is None:
            queue = self.queues[receiver] = Queue(receiver, channel, dict(self._settled.get(receiver, {})))
        before = queue.told.get(occurrence.alike)
        if before is None or occurrence.index > before.last:
            queue.waiting.append(occurrence)

    async def round(self, now: Instant, wall: Instant, wait_seconds: float | None = None) -> None:
        """Whatever is due, of every receiver whose turn it is. `now` is the ledger's time, `wall` everybody's.

        It waits at most `wait_seconds`: whoever is slow holds up nobody else.
        """
        for each in self.queues.values():
            if each.waiting and each.next_try <= now and not each.telling:
                each.telling = True
                task = asyncio.get_running_loop().create_task(self._drain(each, now, wall))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=wait_seconds)

    async def stop(self) -> None:
        """Breaks off what is being told; it is told again, under the same id."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drain(self, queue: Queue, now: Instant, wall: Instant) -> None:
        try:
            async with self._turns:
                while (notice := next_notice(queue.receiver, queue.waiting, queue.told, now)) is not None:
                    if not await self._deliver(queue, notice, now, wall):
                        return
        except Exception as error:  # of one receiver; the others go on
            queue.failures += 1
            queue.next_try = now + pause(queue.failures)
            log.error("%s is not told: %s", queue.receiver, error, exc_info=not isinstance(error, Fault | OSError))
        finally:
            queue.telling = False

    async def _deliver(self, queue: Queue, notice: Notice, now: Instant, wall: Instant) -> bool:
        """One try. Whether the next notice has its turn."""
        letter = await self._addressed(queue, notice)
        if letter is None:
            queue.settle(notice)
            return True
        sender = self._senders[MAIL if queue.channel is Channel.MAIL else queue.receiver]
        refused = await sender(letter, wall)
        query = ReceiverQuery(queue.receiver, notice.newest.alike)
        if refused is None:
            await self._ledger.commit(query, lambda facts, at: sent(facts, notice, queue.channel))
            queue.failures = 0
            queue.settle(notice)
            return True
        tries = queue.failures = queue.failures + 1
        queue.next_try = now + pause(tries)
        log.error("%s is not told: %s (try %d)", queue.receiver, refused.message, tries)
        done = await self._ledger.commit(
            query, lambda facts, at: failed(facts, notice, queue.channel, refused, tries, at)
        )
        if isinstance(done, Refused) or done.result:
            queue.settle(notice)
        return False

    async def _addressed(self, queue: Queue, notice: Notice) -> Letter | None:
        """None where nobody can be told any more: the person was disabled, or has no address."""
        letter = self._letter(notice)
        if queue.channel is not Channel.MAIL:
            return letter
        to = await self._addresses(queue.receiver)
        return Letter(letter.notice, to, letter.link, letter.origin, letter.host) if to else None
