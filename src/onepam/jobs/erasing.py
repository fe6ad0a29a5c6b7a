"""Erasures that two administrators agreed to, carried out: portion after portion, and on from wherever a stop came."""

import asyncio
import logging
from collections.abc import Callable

from onepam.app.leaving.erase_person import erase_portion, finish_erasure
from onepam.app.ports import Ledger, Reader
from onepam.domain.leaving.erasing import Erasure
from onepam.jobs.job import Job
from onepam.kernel.errors import Corrupt, Refused
from onepam.store.read.erasing import Goes, erasures_to_do, linked, speaking

log = logging.getLogger(__name__)

PERIOD_SECONDS = 5.0
FROM_THE_BEGINNING = -1

MOST_DOCUMENTS = 50
"""Documents that one command erases: each may be as large as a payload can be, and is read once more before it goes."""


class Erasing:
    """Takes the payloads of whoever is erased. What is still to go is asked of the ledger each time, so a turn may
    break off anywhere, and several processes may do the same. Where an entry is not what it was, nothing goes: what
    would go may be another's."""

    def __init__(
        self, ledger: Ledger, reader: Reader, forget: Callable[[], bool], altered: Callable[[], None] = lambda: None
    ) -> None:
        """`forget` takes out of the database's log what was deleted; False where it must be tried again. `altered` is
        called once for each alteration that stops an erasure: somebody verifies everything, and tells people."""
        self._ledger = ledger
        self._reader = reader
        self._forget = forget
        self._altered = altered
        self._found = set[str]()
        self._remembered = True  # a stop may have come between the last portion and that

    def job(self) -> Job:
        """Every few seconds."""
        return Job("erasing", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """All that was agreed to."""
        for each in await self._reader(erasures_to_do):
            self._remembered = True
            try:
                await self._carry_out(each)
            except Corrupt as error:
                self._tell(each, str(error))
        if self._remembered:
            self._remembered = not await asyncio.to_thread(self._forget)

    async def _carry_out(self, erasure: Erasure) -> None:
        name, person, after = erasure.erasure, erasure.person, FROM_THE_BEGINNING
        for begin in range(0, len(erasure.documents), MOST_DOCUMENTS):
            portion = tuple((each, each) for each in erasure.documents[begin : begin + MOST_DOCUMENTS])
            if not await self._erase(name, portion, naming=True):
                return
        while portion := await self._reader(linked, None, person):
            if not await self._erase(name, portion, naming=False):
                return
        while portion := await self._reader(speaking, None, person, after):
            if not await self._erase(name, portion, naming=False):
                return
            after = portion[-1][0]
        await finish_erasure(self._ledger, name)

    async def _erase(self, erasure: str, portion: tuple[Goes, ...], *, naming: bool) -> bool:
        """False where nothing can be decided now, or somebody else has finished it: the next turn looks again."""
        return not isinstance(await erase_portion(self._ledger, erasure, portion, naming=naming), Refused)

    def _tell(self, erasure: Erasure, why: str) -> None:
        log.error("the erasure %s waits, for the ledger was altered: %s", erasure.erasure, why)
        if why not in self._found:
            self._found.add(why)
            self._altered()
