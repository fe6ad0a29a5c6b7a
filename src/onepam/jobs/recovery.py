"""Sessions that a process left open when it died are closed, and the gap in their recordings is named."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from onepam.app.ports import Ledger, Reader
from onepam.gateway.recheck import Key
from onepam.gateway.recover import recover
from onepam.jobs.job import Job
from onepam.jobs.recording_check import sealed_by
from onepam.store.read.live import open_sessions

PERIOD_SECONDS = 15.0

Abandoned = Callable[[], AbstractContextManager[list[str]]]
"""The names of processes that are gone; nobody takes one of them until the context is left."""


class Recovery:
    """Closes what dead processes have left open: this one's last life by `of`, others that were not started again by
    the job."""

    def __init__(self, ledger: Ledger, reader: Reader, recordings: Path, key: Key, abandoned: Abandoned) -> None:
        self._ledger = ledger
        self._reader = reader
        self._recordings = recordings
        self._key = key
        self._abandoned = abandoned

    def job(self) -> Job:
        """Every few seconds."""
        return Job("recovery", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """What is abandoned now."""
        with self._abandoned() as nodes:
            await self.of(nodes)

    async def of(self, nodes: Iterable[str]) -> None:
        """What these processes have left; they must be dead."""
        for node in nodes:
            left = await self._reader(open_sessions, None, node)
            await recover(self._ledger, left, self._recordings, self._key, sealed_by(self._reader))
