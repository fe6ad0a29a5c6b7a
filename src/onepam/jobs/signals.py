"""Fetching signals from the transmitters that do not push them (RFC 8936)."""

import asyncio
import logging

from onepam.app.ports import Reader
from onepam.domain.providers.signals import Stream
from onepam.identity.signals.receiver import Polled, Receiver, error_of
from onepam.identity.signals.transmitter import Batch
from onepam.jobs.job import Job
from onepam.kernel.clock import Clock
from onepam.kernel.errors import Fault, Refused
from onepam.store.read.signals import Addressed, polled

log = logging.getLogger(__name__)

PERIOD_SECONDS = 3.0
MOST_IN_A_ROW = 20
"""Polls one after another of a transmitter that says more is waiting."""


class Poller:
    """Asks every stream's transmitter in turn. A signal is acknowledged once it is in the ledger; what was not
    acknowledged comes again, and is known again."""

    def __init__(self, receiver: Receiver, reader: Reader, clock: Clock) -> None:
        self._receiver = receiver
        self._reader = reader
        self._clock = clock
        self._done: dict[str, tuple[str, ...]] = {}
        self._wrong: dict[str, dict[str, tuple[str, str]]] = {}

    def job(self) -> Job:
        """Every few seconds."""
        return Job("signals", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """Every stream once; one that fails does not hold up the others."""
        await asyncio.gather(*(self._stream(each) for each in await self._reader(polled, None)))

    async def _stream(self, found: Addressed) -> None:
        stream = found.stream
        try:
            trouble = await self._drain(found, stream)
        except Fault as fault:
            log.error("stream %s: %s", stream.stream, fault)
            trouble = "OnePAM cannot take signals right now."
        self._receiver.polled[stream.stream] = Polled(self._clock(), trouble)

    async def _drain(self, found: Addressed, stream: Stream) -> str:
        secret = self._receiver.secret(stream)
        if secret is None:
            return "There is no token to ask with."
        for _ in range(MOST_IN_A_ROW):
            ident = stream.stream
            done, wrong = self._done.pop(ident, ()), self._wrong.pop(ident, {})
            batch = await self._receiver.transmitter(stream.issuer).poll(stream.endpoint, secret, done, wrong)
            if isinstance(batch, Refused):
                self._done[ident], self._wrong[ident] = done, wrong
                return batch.message
            trouble = await self._take(found, batch)
            if not batch.more and not batch.sets:
                return ""
            if trouble:
                return trouble
        return ""

    async def _take(self, found: Addressed, batch: Batch) -> str:
        done, wrong, trouble = [], {}, ""
        for ident, token in batch.sets:
            taken = await self._receiver.take(found.stream, found.provider_issuer, token, self._clock())
            if not isinstance(taken, Refused):
                done.append(ident)
            elif error := error_of(taken):
                wrong[ident] = (error, taken.message)
                log.warning("stream %s: a signal was refused: %s", found.stream.stream, taken.code)
            else:
                trouble = taken.message
        self._done[found.stream.stream], self._wrong[found.stream.stream] = tuple(done), wrong
        return trouble
