"""Telling whoever has not confirmed a policy that it waits to be read."""

from onepam.app.policies.keep_policy import remind_readers
from onepam.app.ports import Ledger, Reader
from onepam.jobs.job import Job
from onepam.store.read.policies import is_anybody_due

PERIOD_SECONDS = 60.0


class PolicyReminders:
    """It remembers nothing: the ledger has whom it told, how often and when."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self._ledger = ledger
        self._reader = reader

    def job(self) -> Job:
        """Every minute."""
        return Job("policies", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Everybody who is due, a few hundred by one command."""
        while await self._reader(is_anybody_due) and await remind_readers(self._ledger):
            pass
