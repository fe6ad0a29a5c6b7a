"""Work of a gateway that is not the client's to cancel, and that a stop waits for."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """The tasks of one gateway. Once it is stopping nothing begins that would not be waited for by itself: whoever
    starts a chain of tasks looks at `stopping` first, and what such a chain spawns until its end is waited for, too."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether the gateway has been told to stop; for good."""
        return self._stopping

    def spawn(self, job: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """A task that lives as long as it must."""
        task = asyncio.get_running_loop().create_task(job)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def stop(self) -> None:
        """From now on no chain of tasks begins."""
        self._stopping = True

    async def over(self, most_seconds: float) -> bool:
        """Waits until no task runs, those included that others spawn meanwhile; whether that came in time."""
        deadline = time.monotonic() + most_seconds
        while self._running and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(self._running, timeout=left)
        return not self._running
