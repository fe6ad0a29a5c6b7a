"""This process learns that a newer release has made the tables its own."""

import asyncio
import logging

from onepam.app.ports import Reader
from onepam.jobs.job import Job
from onepam.store.engine.release import OtherRelease

log = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0


class ReleaseWatch:
    """Sets `replaced` once a newer release has the tables: nothing of this process works any more."""

    def __init__(self, reader: Reader, replaced: asyncio.Event) -> None:
        self._reader = reader
        self._replaced = replaced

    def job(self) -> Job:
        """Every two seconds."""
        return Job("release", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Asks for nothing, which tells whose tables they are."""
        if self._replaced.is_set():
            return
        try:
            await self._reader(lambda db, at: None)
        except OtherRelease as error:
            log.error("this process ends: %s", error)
            self._replaced.set()
