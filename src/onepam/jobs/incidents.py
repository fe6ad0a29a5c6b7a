"""Telling whoever answers for an incident that it waits for them."""

from onepam.app.incidents.keep_incident import remind_owners
from onepam.app.ports import Ledger, Reader
from onepam.jobs.job import Job
from onepam.store.read.incidents import is_anybody_due

PERIOD_SECONDS = 60.0


class IncidentReminders:
    """It remembers nothing: the ledger has whom it told, how often and when."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self._ledger = ledger
        self._reader = reader

    def job(self) -> Job:
        """Every minute."""
        return Job("incidents", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Everybody who is due, a few hundred by one command."""
        while await self._reader(is_anybody_due) and await remind_owners(self._ledger):
            pass
