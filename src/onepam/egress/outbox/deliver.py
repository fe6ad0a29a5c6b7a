"""Delivering: each receiver's queue on its own, one notice after another, until it is taken or given up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from onepam.app.ports import Ledger
from onepam.domain.telling.choosing import LOOKED_AGAIN, Plan
from onepam.domain.telling.outbox import (
    LONGEST_PAUSE,
    MAIL,
    Channel,
    Digest,
    Notice,
    Occurrence,
    ReceiverQuery,
    Told,
    digest_of,
    failed,
    next_notice,
    pause,
    sent,
)
from onepam.egress.outbox.send import Later, Letter, Send
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Fault, Refused

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Connections of the outbox at one time."""

Address = Callable[[str], Awaitable[tuple[str, ...]]]
"""The addresses of a receiver of e-mail; empty where there is none any more."""

Planned = Callable[[str, Sequence[Occurrence]], Awaitable[Plan]]
"""What becomes, now, of all that waits for a receiver."""

Write = Callable[[Sequence[Notice], Digest | None], Letter]
"""The letter of a notice, or of a digest of several; to nobody yet."""


@dataclass(slots=True)
class Queue:
    """What one receiver still has to be told, and its tries. What is held is looked at again at `next_look`."""

    receiver: str
    channel: Channel
    told: dict[str, Told]
    waiting: list[Occurrence] = field(default_factory=list)
    failures: int = 0
    next_try: int = 0
    next_look: int = 0
    telling: bool = False

    def settle(self, notices: Sequence[Notice]) -> None:
        """The notices were taken, or given up."""
        for notice in notices:
            alike, last = notice.newest.alike, notice.newest.index
            self.told[alike] = Told(notice.first_at, last)
            self.waiting = [each for each in self.waiting if each.alike != alike or each.index > last]


class Deliverer:
    """One for an installation. `senders` are by receiver; that of `MAIL` sends all e-mail."""

    def __init__(
        self, ledger: Ledger, senders: Mapping[str, Send], addresses: Address, letter: Write, plan: Planned,
        settled: Mapping[str, dict[str, Told]],
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._senders = senders
        self._addresses = addresses
        self._letter = letter
        self._plan = plan
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
            queue.next_look = 0

    async def round(self, now: Instant, wall: Instant, wait_seconds: float | None = None) -> None:
        """Whatever is due, of every receiver whose turn it is. `now` is the ledger's time, `wall` everybody's.

        It waits at most `wait_seconds`: whoever is slow holds up nobody else.
        """
        for each in self.queues.values():
            if each.waiting and max(each.next_try, each.next_look) <= now and not each.telling:
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
                while next_notice(queue.receiver, queue.waiting, queue.told, now) is not None:
                    plan = await self._plan(queue.receiver, tuple(queue.waiting))
                    queue.waiting = [each for each in queue.waiting if each.index not in plan.dropped]
                    found = self._due(queue, plan, now)
                    if found is None:
                        queue.next_look = now + LOOKED_AGAIN
                        return
                    if not await self._deliver(queue, *found, now, wall):
                        return
        except Exception as error:  # of one receiver; the others go on
            queue.failures += 1
            queue.next_try = now + pause(queue.failures)
            log.error("%s is not told: %s", queue.receiver, error, exc_info=not isinstance(error, Fault | OSError))
        finally:
            queue.telling = False

    def _due(self, queue: Queue, plan: Plan, now: Instant) -> tuple[Letter, tuple[Notice, ...]] | None:
        """What is told next, and what is settled by it; None where all that waits is held."""
        now_told = [each for each in queue.waiting if each.index in plan.at_once]
        notice = next_notice(queue.receiver, now_told, queue.told, now)
        if notice is not None:
            return self._letter((notice,), None), (notice,)
        held = [each for each in queue.waiting if each.index in plan.digest]
        digest = digest_of(queue.receiver, held, queue.told, plan.slot)
        return (self._letter(digest.notices, digest), digest.notices) if digest is not None else None

    async def _deliver(
        self, queue: Queue, letter: Letter, notices: tuple[Notice, ...], now: Instant, wall: Instant
    ) -> bool:
        """One try. Whether the next has its turn."""
        to = await self._addresses(queue.receiver) if queue.channel is Channel.MAIL else ()
        if queue.channel is Channel.MAIL and not to:
            queue.settle(notices)  # nobody can be told any more: the person was disabled, or has no address
            return True
        sender = self._senders[MAIL if queue.channel is Channel.MAIL else queue.receiver]
        answer = await sender(replace(letter, to=to), wall)
        query = ReceiverQuery(queue.receiver, tuple(each.newest.alike for each in notices))
        along = letter.id
        if answer is None:
            await self._ledger.commit(query, lambda facts, at: sent(facts, notices, along, queue.channel))
            queue.failures = 0
            queue.settle(notices)
            return True
        refused, wait = (answer.refused, answer.seconds) if isinstance(answer, Later) else (answer, 0)
        tries = queue.failures = queue.failures + 1
        queue.next_try = now + max(pause(tries), min(wait * SECOND, LONGEST_PAUSE))
        log.error("%s is not told: %s (try %d)", queue.receiver, refused.message, tries)
        done = await self._ledger.commit(
            query, lambda facts, at: failed(facts, notices, along, queue.channel, refused, tries, at)
        )
        if isinstance(done, Refused) or done.result:
            queue.settle(notices)
        return False
