"""Every finished recording is opened again and held against the ledger: new ones at once, all of them in turns.

The turns take at most `SHARE` of one core; what a stop interrupts goes on from the last entry that told of it.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from onepam.app.ports import Ledger, Reader
from onepam.app.sessions.check_recordings import check_recordings
from onepam.domain.sessions.recordings import Checked, Condition
from onepam.files.data_file import content
from onepam.files.private_file import create_private
from onepam.gateway.recheck import Key, claimed, recheck
from onepam.gateway.recover import Sealed
from onepam.jobs.job import Job
from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Fault, Unavailable
from onepam.kernel.ids import RandomBytes
from onepam.recording.seal import Head
from onepam.store.engine.entries import size_of
from onepam.store.read.recordings import Progress, Vouched, progress, sealed_head, vouched
from onepam.vault.envelope import Envelope

log = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0
SHARE = 0.02
"""Of one core, for the turns."""
FRESH_SHARE = 0.25
"""Of one core, for new recordings."""
MOST = 64
"""Recordings of one entry."""
SLICE_SECONDS = 300.0
"""After so long an entry tells what has been checked so far."""
TURN_MICROSECONDS = 86400 * SECOND
"""A turn begins at most so often."""

MAX_WRAPPED_BYTES = 4096
"""Of the key beside a recording."""

CheckProgress = Callable[[int, int], None]


class RecordingChecks:
    """The job of one process. `stopping` ends it in the middle of a recording."""

    def __init__(
        self,
        ledger: Ledger,
        reader: Reader,
        recordings: Path,
        key: Key,
        node: str,
        stopping: threading.Event,
    ) -> None:
        self._ledger = ledger
        self._reader = reader
        self._recordings = recordings
        self._key = key
        self._node = node
        self._stopping = stopping

    def job(self) -> Job:
        """For as long as the process lives."""
        return Job("recordings", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """New recordings as they come, and after them a part of all."""
        while await self.check_new():
            pass
        await self.check_part()

    async def check_new(self) -> int:
        """Checks recordings that were closed since the last time; how many there were."""
        known = await self._reader(progress)
        found = await self._reader(vouched, None, known.fresh, 1 << 53, MOST)
        if found:
            await self._check(0, known.fresh, found, FRESH_SHARE)
        return len(found)

    async def check_part(self) -> int:
        """Checks the next few recordings of the turn, when one is due; how many there were."""
        known = await self._reader(progress)
        turn, begin = _next(known)
        found = await self._reader(vouched, None, begin, known.fresh, MOST)
        if not found and known.turn and await self._reader(_due, None, known):
            turn, begin = known.turn + 1, 0
            found = await self._reader(vouched, None, begin, known.fresh, MOST)
        if found:
            await self._check(turn, begin, found, SHARE)
        return len(found)

    async def _check(self, turn: int, begin: int, found: tuple[Vouched, ...], share: float) -> None:
        results = await asyncio.to_thread(lambda: tuple(self._results(found, share)))
        until = found[len(results) - 1].closing + 1
        bad = await check_recordings(self._ledger, self._node, turn, begin, until, results)
        if bad:
            log.error("%d of %d recordings are not what the ledger says of them", bad, len(results))

    def _results(self, found: Iterable[Vouched], share: float) -> Iterator[Checked]:
        pace, until = Pace(share, self._stopping), time.monotonic() + SLICE_SECONDS
        for each in found:
            yield check_one(self._recordings, self._key, each, pace.wait)
            if time.monotonic() > until:
                return


def key_beside(recordings: Path, envelope: Envelope) -> Key:
    """The keys that lie wrapped beside the recordings."""

    def key(session: str) -> bytes:
        wrapped = content(recordings / f"{session}.key", MAX_WRAPPED_BYTES)
        return envelope.unwrap(wrapped, f"recording/{session}".encode("ascii")).reveal()

    return key


def new_key_beside(recordings: Path, envelope: Envelope, random: RandomBytes) -> Key:
    """Makes the key of a recording that begins, and lays it wrapped beside it. Raises `OSError`, `Fault`."""

    def new_key(session: str) -> bytes:
        key, wrapped = envelope.new_data_key(f"recording/{session}".encode("ascii"))
        if not create_private(recordings / f"{session}.key", wrapped, random):
            raise Fault(f"there is a key beside the recording {session} already")
        return key.reveal()

    return new_key


def sealed_by(reader: Reader) -> Sealed:
    """The newest head of a recording that the ledger has sealed, for whoever recovers a dead process's sessions."""

    async def newest(session: str) -> Head | None:
        found = await reader(sealed_head, None, session)
        return Head(found[0], bytes.fromhex(found[1])) if found else None

    return newest


class Pace:
    """Keeps the thread that waits on it to a share of one core. Begins with the first wait."""

    def __init__(self, share: float, stopping: threading.Event) -> None:
        self._share = share
        self._stopping = stopping
        self._used = time.thread_time()

    def wait(self) -> None:
        """Waits as long as what was used since the last wait takes at this share. Raises `Unavailable` on a stop."""
        used = time.thread_time() - self._used
        if self._stopping.wait(used * (1 / self._share - 1)):
            raise Unavailable("the gateway is being stopped")
        self._used = time.thread_time()


def check_one(recordings: Path, key: Key, of: Vouched, pace: Callable[[], None] = lambda: None) -> Checked:
    """One recording, held against what the ledger says of it."""
    try:
        exact = of.verified or of.died
        claim = claimed(of.session, of.head, of.chunks, of.counts, exact, of.sealed, of.waits)
    except ValueError:
        return Checked(of.session, Condition.ALTERED, "the ledger's entries claim nothing that a recording could be")
    return recheck(recordings, key, claim, pace)


def check_all(
    reader: Reader, recordings: Path, key: Key, told: CheckProgress = lambda done, of: None
) -> Iterator[Checked]:
    """Every finished recording, one after the other, as fast as it goes. `told` is given the index of
    the closing entry that it has come to, and how many entries there are."""
    begin, size = 0, reader.now(lambda db, at: size_of(db))
    while found := reader.now(vouched, None, begin, size, MOST):
        for each in found:
            told(each.closing, size)
            yield check_one(recordings, key, each)
        begin = found[-1].closing + 1
    told(size, size)


def _next(known: Progress) -> tuple[int, int]:
    return (known.turn, known.until) if known.turn else (1, 0)


def _due(db: object, at: int, known: Progress) -> bool:
    return known.began is not None and at - known.began >= TURN_MICROSECONDS
