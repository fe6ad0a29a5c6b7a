"""The disk under the recordings: who writes how much, who waits when it runs low, and what is the ledger's alone.

Three marks of free space. Below `alarm` it is said (an event, and so a banner and a notice), and nobody is disturbed.
Below `low` whoever writes most is paused: their client and their target wait, as for a slow disk, one more each time
that another part of the space is gone; who has waited for `PATIENCE_SECONDS` in vain is ended. Below `reserve` no
recording is written at all: that space is the ledger's, so that ends, kills and refusals can still be told. Who writes
most is a person first, then one of their sessions. With new space all go on.
"""

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from time import monotonic

from onepam.app.host.report_disk import report_disk
from onepam.app.ports import Ledger
from onepam.domain.host.disk import DiskStage
from onepam.domain.sessions.ends import SessionEnd
from onepam.kernel.errors import Fault

log = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
PATIENCE_SECONDS = 30.0
"""How long a session may be paused before it is ended."""

RATE_SECONDS = 10.0
"""A rate is what was written in about so many seconds: each second counts for a tenth less than the one after it."""

QUIET_BYTES = 16 * 1024
"""Whoever wrote less in that time is a person at a keyboard, and no reason for a full disk."""

LOOK_BYTES = 1024 * 1024
"""So much may be written between two looks at the disk."""

STEPS = 16
"""One session more is paused for each such part of the space between `low` and `reserve`."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Bytes of free space."""

    alarm: int
    low: int
    reserve: int


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system: what we may still use of it, and all."""

    free: int
    total: int


def space_of(folder: Path) -> Space:
    """Raises `OSError`."""
    found = os.statvfs(folder)
    return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


class _Stage(Enum):
    WRITING = auto()
    PAUSED = auto()
    ENDED = auto()


class Share:
    """One session's part in the disk; `Disk.share` makes it, and `leave` is its end.

    `on_resume` is called when a pause is over, `on_end` once when the session must end, with the reason.
    """

    def __init__(self, disk: "Disk", session: str, person: str, on_end: Callable[[SessionEnd], None]) -> None:
        self.session = session
        self.person = person
        self.on_resume: Callable[[], None] = lambda: None
        self.rate = 0.0
        self._disk = disk
        self._on_end = on_end
        self._stage = _Stage.WRITING
        self._since = 0.0

    @property
    def paused(self) -> bool:
        """Whether the session must wait."""
        return self._stage is _Stage.PAUSED

    def admits(self, size: int) -> bool:
        """Whether `size` bytes may be written now; they count as written."""
        self.rate += size
        return self._disk.admits(size)

    def leave(self) -> None:
        """The recording is over; nothing is heard of this share any more."""
        self._stage = _Stage.ENDED
        self._disk.forget(self)

    def pause(self, now: float) -> None:
        """Wait for space."""
        if self._stage is _Stage.WRITING:
            self._stage, self._since = _Stage.PAUSED, now

    def resume(self) -> None:
        """There is space."""
        if self._stage is _Stage.PAUSED:
            self._stage = _Stage.WRITING
            self.on_resume()

    def waited(self, now: float) -> float:
        """Seconds of this pause."""
        return now - self._since if self.paused else 0.0

    def end(self) -> None:
        """It waited in vain."""
        if self._stage is not _Stage.ENDED:
            self._stage = _Stage.ENDED
            self._on_end(SessionEnd.DISK_LOW)


class Disk:
    """The disk of one process's recordings. All methods are the loop's."""

    def __init__(
        self,
        folder: Path,
        marks: Marks,
        look: Callable[[Path], Space] = space_of,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self.marks = marks
        self.stage = DiskStage.ENOUGH
        self._folder = folder
        self._look = look
        self._seconds = seconds
        self._shares: set[Share] = set()
        self._next = marks.low
        self._unseen = 0
        self.written = 0
        self.space = look(folder)
        self.look()

    def share(self, session: str, person: str, on_end: Callable[[SessionEnd], None]) -> Share:
        """The part of a session that begins."""
        share = Share(self, session, person, on_end)
        self._shares.add(share)
        return share

    def forget(self, share: Share) -> None:
        """The session is over."""
        self._shares.discard(share)

    def admits(self, size: int) -> bool:
        """Whether `size` bytes leave the reserve as it is."""
        self._unseen += size
        if self._unseen >= LOOK_BYTES or self.stage is DiskStage.LOW:
            self.look()
            self._unseen = size
        admitted = self.space.free - self._unseen >= self.marks.reserve
        self.written += size if admitted else 0
        return admitted

    def look(self) -> None:
        """Measures, and pauses, or lets go on."""
        self.space, self._unseen = self._look(self._folder), 0
        free, marks = self.space.free, self.marks
        if free < marks.low:
            self.stage = DiskStage.LOW
            if free < self._next:
                self._pause_the_largest()
                self._next = free - (marks.low - marks.reserve) // STEPS
        elif self.stage is DiskStage.LOW and free < marks.low + marks.low // 4:
            pass  # not twice a second around the mark
        else:
            still = marks.alarm + (marks.alarm // 10 if self.stage is not DiskStage.ENOUGH else 0)
            self.stage = DiskStage.ALARM if free < still else DiskStage.ENOUGH
            self._next = marks.low
            for share in self._shares:
                share.resume()

    def tick(self) -> None:
        """Once a second: rates fade, and who has waited in vain is ended, one at a time."""
        for share in self._shares:
            share.rate *= 1 - PERIOD_SECONDS / RATE_SECONDS
        self.look()
        now = self._seconds()
        waiting = [share for share in self._shares if share.waited(now) >= PATIENCE_SECONDS]
        if waiting:
            share = max(waiting, key=lambda each: each.waited(now))
            log.error("session %s ends: the disk has %d bytes left", share.session, self.space.free)
            share.end()

    async def run(self, ledger: Ledger, node: str) -> None:
        """For ever: looks, and tells the ledger what is new."""
        told: DiskStage | None = None
        while True:
            self.tick()
            stage = self.stage
            if stage is not told:
                try:
                    await report_disk(ledger, node, stage, self.space.free, self.space.total)
                    told = stage
                except Fault as fault:
                    log.error("the ledger is not told of the disk (%s): %s", stage, fault)
            await asyncio.sleep(PERIOD_SECONDS)

    def _pause_the_largest(self) -> None:
        """Of those that write: the one who writes most, of the person who does."""
        people = Counter[str]()
        for share in self._shares:
            people[share.person] += int(share.rate)
        writing = [each for each in self._shares if each.rate >= QUIET_BYTES and not each.paused]
        if writing:
            largest = max(writing, key=lambda each: (people[each.person], each.rate))
            log.warning("session %s waits: the disk has %d bytes left", largest.session, self.space.free)
            largest.pause(self._seconds())
