"""What a process does again and again by itself, as one noun: a name, a turn, and how often it comes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""How soon after a failed turn the next one comes; after each further failure twice as long, up to the job's period."""

STOP_SECONDS = 10.0
"""How long a stop waits for turns that were broken off, and for what finishes them."""


@dataclass(frozen=True, slots=True)
class Job:
    """`turn` does what there is to do now and comes back; the next one begins `period_seconds` after it ended, the
    first one `pause_seconds` after the start.

    What one turn leaves for the next (a cursor, a connection) is a field of the object whose method the turn is.
    `finish` is awaited after the last turn. A turn that follows something does not come back by itself; its period is
    how soon it is begun again after it broke off.
    """

    name: str
    turn: Callable[[], Awaitable[object]]
    period_seconds: float
    pause_seconds: float = 0.0
    finish: Callable[[], Awaitable[object]] | None = None


class Jobs:
    """Runs jobs side by side, each in a task that bears its name, from `start` to `stop`."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, *jobs: Job) -> None:
        """Begins them. A turn that fails is logged, and the job goes on."""
        loop = asyncio.get_running_loop()
        self._tasks += [loop.create_task(_run(each), name=each.name) for each in jobs]

    async def stop(self) -> None:
        """Breaks off every turn and waits until all have ended, yet not for ever: who does not end is named in the log,
        and left."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            ended, stuck = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            await asyncio.gather(*ended, return_exceptions=True)
            for task in stuck:
                log.error("%s does not end: it is left after %g seconds", task.get_name(), STOP_SECONDS)


async def _run(job: Job) -> None:
    retry = RETRY_SECONDS
    try:
        await asyncio.sleep(job.pause_seconds)
        while True:
            try:
                await job.turn()
                wait, retry = job.period_seconds, RETRY_SECONDS
            except (Exception, asyncio.CancelledError):
                if _stopped():
                    raise
                wait, retry = min(retry, job.period_seconds), min(2 * retry, job.period_seconds)
                log.exception("%s failed; its next turn is in %g seconds", job.name, wait)
            await asyncio.sleep(wait)
    finally:
        await _finish(job)


def _stopped() -> bool:
    """Whether this task itself was cancelled: else it is a task or future that the turn waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _finish(job: Job) -> None:
    try:
        if job.finish is not None:
            await job.finish()
    except (Exception, asyncio.CancelledError):
        log.exception("%s did not finish as it should", job.name)
