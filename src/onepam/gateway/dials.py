"""How many targets are dialled at once, for all protocols of this process.

A dial is little work that waits for answers. Hundreds at one instant (a pool that starts, everybody after a pause of
the network) would share two processors until none of them was done in its time. So each waits for a place, people in
turn, and its time begins when it has one. Whoever waits on a target that does not answer does no work: after
`HANGING_SECONDS` such a dial goes on without a place, and targets that hang keep nobody from others.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.turns import Fair
from onepam.kernel.errors import Refused

AT_ONCE = 16
"""Dials that have a place."""

HANGING_SECONDS = 3.0
"""How long a dial keeps its place."""

WAITING_SECONDS = 120.0
"""How long somebody may wait for a place."""

MOST_WAITING, MOST_OF_ONE = 4096, 256
"""How many may wait for a place: in all, and of one person."""

BUSY = Refused(
    SessionEnd.GATEWAY_UNAVAILABLE,
    "too many sessions are being opened at this moment",
    "connect again in a moment, fewer at once",
)


class Dials:
    """The places of one process."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        most_of_one: int = MOST_OF_ONE,
        hanging_seconds: float = HANGING_SECONDS,
        waiting_seconds: float = WAITING_SECONDS,
    ) -> None:
        self._free = at_once
        self._most_of_one = most_of_one
        self._hanging_seconds, self._waiting_seconds = hanging_seconds, waiting_seconds
        self._queue: Fair[asyncio.Future[None]] = Fair()
        self._waiting: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, person: str, resource: str) -> AsyncIterator[Refused | None]:
        """Within is whoever has a place, or is told that there are too many. People get places in turn, and of one
        person the resources."""
        refused = await self._enter(person, resource)
        if refused is not None:
            yield refused
            return
        place = _Place(self)
        hanging = asyncio.get_running_loop().call_later(self._hanging_seconds, place.leave)
        try:
            yield None
        finally:
            hanging.cancel()
            place.leave()

    async def _enter(self, person: str, resource: str) -> Refused | None:
        """Returns with a place, or why there is none."""
        if self._free:
            self._free -= 1
            return None
        if self._waiting.total() >= MOST_WAITING or self._waiting[person] >= self._most_of_one:
            return BUSY
        mine = asyncio.get_running_loop().create_future()
        self._queue.put((person, resource), mine)
        self._waiting[person] += 1
        try:
            async with asyncio.timeout(self._waiting_seconds):
                await mine
        except TimeoutError:
            if mine.cancelled():
                return BUSY
        except asyncio.CancelledError:
            if not mine.cancelled():
                self.leave()  # it was given at this moment
            raise
        finally:
            self._waiting.subtract((person,))
            if not self._waiting[person]:
                del self._waiting[person]
        return None

    def leave(self) -> None:
        """A place is free: the next one who still waits has it."""
        while self._queue:
            following = self._queue.take()
            if not following.done():
                following.set_result(None)
                return
        self._free += 1


class _Place:
    """A place that is left once."""

    def __init__(self, dials: Dials) -> None:
        self._dials: Dials | None = dials

    def leave(self) -> None:
        if self._dials is not None:
            self._dials.leave()
        self._dials = None
