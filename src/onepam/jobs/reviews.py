"""Reviews by themselves: they open with their period, end in time, and what was carried out is noted."""

from onepam.app.ports import Ledger, Reader
from onepam.app.reviews.close_review import carry_out, close_review, end_reduced, remind
from onepam.app.reviews.open_review import open_period, open_triggered
from onepam.jobs.job import Job
from onepam.jobs.roster import fresh
from onepam.store.facts.reduced import reduced_due
from onepam.store.read.review_calendar import period_due, triggers_due
from onepam.store.read.reviews import due_to_close, reminders_due

PERIOD_SECONDS = 60.0


class Reviewing:
    """What time does with reviews. It remembers nothing: each turn asks the tables what is due."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self._ledger = ledger
        self._reader = reader

    def job(self) -> Job:
        """Once a minute."""
        return Job("reviews", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Everything that is due."""
        if await self._reader(period_due):
            await open_period(self._ledger, fresh("rev"))
        for trigger in await self._reader(triggers_due):
            await open_triggered(self._ledger, trigger, fresh("rev"))
        for review in await self._reader(reminders_due):
            await remind(self._ledger, review)
        for review in await self._reader(due_to_close):
            await close_review(self._ledger, review)
        if await self._reader(reduced_due):
            await end_reduced(self._ledger)
        await carry_out(self._ledger)
