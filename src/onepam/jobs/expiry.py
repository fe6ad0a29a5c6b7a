"""What ends by itself gets its receipt: access, proposals, overdue people, holds that have lapsed."""

from onepam.app.leaving.decide_hold import lapse_person_hold, remind_of
from onepam.app.people.end_overdue_person import end_overdue_person
from onepam.app.ports import Ledger, Reader
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.lapse_proposals import lapse_proposals
from onepam.jobs.job import Job
from onepam.jobs.roster import fresh
from onepam.store.read.directory_brake import lapsed_holds, reminders_due
from onepam.store.read.overdue import overdue_people

PERIOD_SECONDS = 15.0


class Expiry:
    """Receipts for what has ended by itself; nothing depends on their being on time."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self._ledger = ledger
        self._reader = reader

    def job(self) -> Job:
        """Every few seconds."""
        return Job("expiry", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Everything that is due."""
        await expire_access(self._ledger)
        await lapse_proposals(self._ledger)
        for person in await self._reader(overdue_people):
            await end_overdue_person(self._ledger, person, fresh)
        for person in await self._reader(lapsed_holds):
            await lapse_person_hold(self._ledger, person, fresh)
        for hold in await self._reader(reminders_due):
            await remind_of(self._ledger, hold)
