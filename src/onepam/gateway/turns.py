"""Fair turns: what costs something is done for one network after the other, whoever asks most.

Everything that strangers can make the process do on its event loop (a step of an SSH key exchange, a request to the
console or the API) is one *turn*; one is given in each round of the loop, so that the bytes of live sessions wait for
one at most; and after a stranger's turn the loop is left to others for as long as it has worked since. Slow hashing
has a queue of the same kind before its threads.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from onepam.gateway.crowd import Origin

T = TypeVar("T")

MOST_SECONDS = 0.01
"""Nobody waits longer than this for one stranger before them."""

Path = tuple[str, ...]
"""How something is counted: the kind of origin, its network, its address. Each level is served in turn."""

KNOWN = "known"

STANDING: ContextVar[Path] = ContextVar("STANDING", default=(KNOWN, "", ""))
"""Of the request that is being answered."""


def path(known: bool, origin: Origin) -> Path:
    """Known addresses and strangers are served alternately, however many strangers there are."""
    return KNOWN if known else "strangers", origin.network, origin.address


class Fair(Generic[T]):
    """A queue that serves round robin: between kinds of origin, within them between networks, then addresses."""

    def __init__(self) -> None:
        self._root: OrderedDict[str, Any] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, path: Path, item: T) -> None:
        """Last in the row of its address."""
        node = self._root
        for step in path[:-1]:
            node = node.setdefault(step, OrderedDict())
        node.setdefault(path[-1], deque()).append(item)
        self._count += 1

    def take(self) -> T:
        """The next one. Raises `StopIteration` when there is none."""
        node: Any = self._root
        trail: list[tuple[OrderedDict[str, Any], str]] = []
        while isinstance(node, OrderedDict):
            key = next(iter(node))
            node.move_to_end(key)
            trail.append((node, key))
            node = node[key]
        item: T = node.popleft()
        self._count -= 1
        for parent, key in reversed(trail):
            if not parent[key]:
                del parent[key]
        return item


class Pace:
    """Of what strangers cost one event loop: at least as long as the loop has worked since one of them was served, it
    is left to others, and its processor to the kernel. `busy` is the time that the loop's thread has worked, `now` a
    monotonic clock (both seconds)."""

    def __init__(self, busy: Callable[[], float] = time.thread_time, now: Callable[[], float] = time.monotonic) -> None:
        self._busy = busy
        self._now = now
        self._worked = busy()
        self._began = now()

    def served(self) -> None:
        """One of them is served now."""
        self._worked, self._began = self._busy(), self._now()

    def wait(self) -> float:
        """How many seconds the next one waits; 0 if none."""
        worked = self._busy() - self._worked
        return max(0.0, self._began + min(2 * worked, MOST_SECONDS) - self._now())


class Turns:
    """Of one event loop: one job in each of its rounds, of known addresses and of strangers alternately; and strangers
    at their pace."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._known: Fair[Callable[[], object]] = Fair()
        self._strangers: Fair[Callable[[], object]] = Fair()
        self._pace = pace or Pace()
        self._last = self._strangers
        self._round_ahead: asyncio.Handle | None = None

    def put(self, path: Path, job: Callable[[], object]) -> None:
        """The job is called when it is its turn."""
        known = path[0] == KNOWN
        (self._known if known else self._strangers).put(path, job)
        ahead = self._round_ahead
        if ahead is None or (known and isinstance(ahead, asyncio.TimerHandle)):
            if ahead is not None:
                ahead.cancel()
            self._round_ahead = asyncio.get_running_loop().call_soon(self._round)

    async def turn(self, path: Path) -> None:
        """Returns when it is the caller's turn."""
        mine = asyncio.get_running_loop().create_future()

        def given() -> None:
            if not mine.done():
                mine.set_result(None)

        self.put(path, given)
        await mine

    def _round(self) -> None:
        loop = asyncio.get_running_loop()
        pause = self._pace.wait() if self._strangers else 0.0
        ready = [queue for queue in (self._known, *(() if pause else (self._strangers,))) if queue]
        if not ready:
            self._round_ahead = loop.call_later(pause, self._round)
            return
        queue = next((each for each in ready if each is not self._last), ready[0])
        self._last = queue
        job = queue.take()
        if queue is self._strangers:
            self._pace.served()
        self._round_ahead = loop.call_soon(self._round) if self._known or self._strangers else None
        job()
