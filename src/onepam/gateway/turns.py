"""Fair turns: what costs something is done for one network after the other, whoever asks most.

Everything that strangers can make the process do on its event loop (a step of an SSH key exchange, a request to the
console or the API) is one *turn*; one is given in each round of the loop, so that the bytes of live sessions wait for
one at most. Slow hashing has a queue of the same kind before its threads.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from onepam.gateway.crowd import Origin

T = TypeVar("T")

Path = tuple[str, ...]
"""How something is counted: the kind of origin, its network, its address. Each level is served in turn."""

STANDING: ContextVar[Path] = ContextVar("STANDING", default=("known", "", ""))
"""Of the request that is being answered."""


def path(known: bool, origin: Origin) -> Path:
    """Known addresses and strangers are served alternately, however many strangers there are."""
    return "known" if known else "strangers", origin.network, origin.address


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


class Turns:
    """Of one event loop: one job in each of its rounds."""

    def __init__(self) -> None:
        self._waiting: Fair[Callable[[], object]] = Fair()
        self._running = False

    def put(self, path: Path, job: Callable[[], object]) -> None:
        """The job is called when it is its turn."""
        self._waiting.put(path, job)
        if not self._running:
            self._running = True
            asyncio.get_running_loop().call_soon(self._round)

    async def turn(self, path: Path) -> None:
        """Returns when it is the caller's turn."""
        mine = asyncio.get_running_loop().create_future()

        def given() -> None:
            if not mine.done():
                mine.set_result(None)

        self.put(path, given)
        await mine

    def _round(self) -> None:
        job = self._waiting.take()
        self._running = bool(self._waiting)
        if self._running:
            asyncio.get_running_loop().call_soon(self._round)
        job()
