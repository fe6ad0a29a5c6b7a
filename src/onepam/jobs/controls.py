"""The tests of controls by themselves: each once a day, over its whole population."""

import logging

from onepam.app.controls.record_runs import record_runs
from onepam.app.controls.tell_owners import tell_owners
from onepam.app.ports import Ledger, Reader
from onepam.jobs.job import Job
from onepam.store.read.controls.board import due_now, is_anybody_untold
from onepam.store.read.controls.populations import run_of

log = logging.getLogger(__name__)

PERIOD_SECONDS = 300.0
PAUSE_SECONDS = 60.0


class ControlTests:
    """Runs each test whose turn it is, one at a time. It remembers nothing: the ledger has when each ran."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self._ledger = ledger
        self._reader = reader

    def job(self) -> Job:
        """Every few minutes; what of a day ran already is not run again."""
        return Job("controls", self.turn, PERIOD_SECONDS, pause_seconds=PAUSE_SECONDS)

    async def turn(self) -> None:
        """All that are due; then whoever answers for what fails is told. One that breaks keeps no other from running,
        and has no run: EVD-01 finds that."""
        for control in await self._reader(due_now):
            try:
                found = await self._reader(run_of, None, control)
            except Exception:
                log.exception("the test of the control %s failed", control)
                continue
            await record_runs(self._ledger, None, [found])
        if await self._reader(is_anybody_untold):
            await tell_owners(self._ledger)
