"""The job that hands out checkpoints; mail and syslog carry them, each by following the ledger."""

import asyncio

from onepam.app.history.hand_out_anchor import hand_out_anchor
from onepam.app.ports import Ledger
from onepam.jobs.anchors import Anchors
from onepam.jobs.job import Job

PERIOD_SECONDS = 60.0


class HandingOut:
    """One installation hands out one checkpoint an hour, however many processes it has: the ledger decides."""

    def __init__(self, ledger: Ledger, anchors: Anchors, origin: str) -> None:
        self._ledger = ledger
        self._anchors = anchors
        self._origin = origin

    def job(self) -> Job:
        """The first one when the process has run for a minute."""
        return Job("handing out", self.turn, PERIOD_SECONDS, pause_seconds=PERIOD_SECONDS)

    async def turn(self) -> None:
        """Hands out what is published, if it is due."""
        found = await asyncio.to_thread(self._anchors.newest)
        if found is not None:
            checkpoint, note = found
            await hand_out_anchor(
                self._ledger, self._origin, checkpoint.size, checkpoint.root.hex(), note.decode("utf-8")
            )
