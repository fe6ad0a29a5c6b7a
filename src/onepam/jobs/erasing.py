"""Erasures that two administrators agreed to, carried out: portion after portion, and on from wherever a stop came."""

import asyncio
from collections.abc import Callable

from onepam.app.leaving.erase_person import erase_portion, finish_erasure
from onepam.app.ports import Ledger, Reader
from onepam.domain.leaving.erasing import Erasure
from onepam.jobs.job import Job
from onepam.kernel.errors import Refused
from onepam.store.read.erasing import erasures_to_do, linked, naming, speaking

PERIOD_SECONDS = 5.0
FROM_THE_BEGINNING = -1


class Erasing:
    """Takes the payloads of whoever is erased. What is still to go is asked of the ledger each time, so a turn may
    break off anywhere, and several processes may do the same."""

    def __init__(self, ledger: Ledger, reader: Reader, forget: Callable[[], bool]) -> None:
        """`forget` takes out of the database's log what was deleted; False where it must be tried again."""
        self._ledger = ledger
        self._reader = reader
        self._forget = forget
        self._remembered = True  # a stop may have come between the last portion and that

    def job(self) -> Job:
        """Every few seconds."""
        return Job("erasing", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """All that was agreed to."""
        for each in await self._reader(erasures_to_do):
            self._remembered = True
            await self._carry_out(each)
        if self._remembered:
            self._remembered = not await asyncio.to_thread(self._forget)

    async def _carry_out(self, erasure: Erasure) -> None:
        """What names them goes first: once their own payloads are gone, nobody knows how they were called."""
        name, person, after = erasure.erasure, erasure.person, FROM_THE_BEGINNING
        for read in (naming, linked):
            while indexes := await self._reader(read, None, person):
                if not await self._erase(name, indexes, naming=read is naming):
                    return
        while indexes := await self._reader(speaking, None, person, after):
            if not await self._erase(name, indexes, naming=False):
                return
            after = indexes[-1]
        await finish_erasure(self._ledger, name)

    async def _erase(self, erasure: str, indexes: tuple[int, ...], *, naming: bool) -> bool:
        """False where nothing can be decided now, or somebody else has finished it: the next turn looks again."""
        return not isinstance(await erase_portion(self._ledger, erasure, indexes, naming=naming), Refused)
