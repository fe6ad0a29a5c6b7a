"""The ledger's time: never backwards, and suspicious of jumps."""

import time
from typing import NamedTuple

from onepam.app.history.confirm_clock import ClockFacts
from onepam.domain.history.ledger_time import AGREED, APART
from onepam.domain.history.system import ClockJumped
from onepam.kernel.clock import SECOND, Clock, Instant
from onepam.kernel.errors import Refused

ALERT = 5 * SECOND
STOP = 60 * SECOND

_HINT = "Check the clock, then run on the gateway's host: onepam ledger confirm-clock"


def steady() -> Instant:
    """The monotonic clock of this machine, in microseconds."""
    return Instant(time.monotonic_ns() // 1000)


class ClockGuard:
    """Holds the wall clock against the monotonic one and against the newest entry. One thread uses it, except for
    `time` and `seconds_until`, which any thread may ask.

    A jump of more than 5 s is an event. A jump forward of more than 60 s would silently end grants and sessions, and
    the ledger's time cannot go back: so commands are refused until an operator confirms the clock, and until then the
    ledger's time goes on as if there had been no jump. A clock more than 60 s behind the newest entry means that some
    earlier time was wrong: commands are refused, too, and once confirmed the ledger's time runs on from the newest
    entry at nine tenths of the clock's pace until both agree (`domain/history/ledger_time.py`).
    """

    def __init__(self, node: str, clock: Clock, monotonic: Clock = steady) -> None:
        self.node = node
        self._clock = clock
        self._monotonic = monotonic
        self._seen = _Seen(clock(), monotonic(), 0, Instant(0))
        self._unrecorded = 0
        self._offset = AGREED
        self.stopped: Refused | None = None

    def now(self, head: Instant) -> Instant:
        """The time of the next command: `APART` from the head, because times of entries strictly increase, and those of
        one command are told by theirs.

        A jump forward between two checks counts for no more than a minute.
        """
        return Instant(max(self._offset.ledger(self._believed(self._seen)), head + APART))

    def time(self) -> Instant:
        """The ledger's time now, for whoever compares with what the ledger says; never before its newest entry."""
        seen = self._seen
        return max(self._offset.ledger(self._believed(seen)), seen.head)

    def seconds_until(self, ends: Instant) -> float:
        """How many seconds of a steady clock are left until the ledger's time is `ends`; 0.0 when it is over."""
        return self._offset.until(ends, self._believed(self._seen)) / SECOND

    def check(self, head: Instant) -> ClockJumped | None:
        """The event that is to be recorded, if the clock jumped since the last one or stands behind the head."""
        wall, passed, doubted = self._clock(), self._monotonic(), self._seen.doubted
        jump = (wall - self._seen.wall) - (passed - self._seen.steady)
        if abs(jump) <= ALERT:
            jump = 0
        self._unrecorded += jump
        behind = head - self._offset.ledger(Instant(wall - doubted))
        if jump > STOP:
            self._stop("clock.jumped", f"The gateway's clock jumped forward by {jump // SECOND} s")
        elif behind > STOP and self.stopped is None:
            self._stop("clock.behind", f"The gateway's clock stands {behind // SECOND} s behind the newest entry")
            self._unrecorded = self._unrecorded or -behind
        if self.stopped is not None and (jump > 0 or doubted):
            doubted += jump
        self._seen = _Seen(wall, passed, doubted, head)
        return ClockJumped(self.node, self._unrecorded, self.stopped is not None) if self._unrecorded else None

    def recorded(self) -> None:
        """The event of the last check is durable."""
        self._unrecorded = 0

    def heed(self, facts: ClockFacts) -> None:
        """What the ledger says of the clocks: a doubt of this node that nobody has confirmed outlives its process;
        without one commands run again."""
        self._offset = facts.offset
        if self.node in facts.doubted:
            if self.stopped is None:
                self._stop("clock.doubted", "The gateway's clock was in doubt when the gateway stopped")
        elif not self._unrecorded:
            self.stopped, self._seen = None, self._seen._replace(doubted=0)

    def _believed(self, seen: "_Seen") -> Instant:
        expected = seen.wall + self._monotonic() - seen.steady
        return Instant(min(self._clock(), expected + STOP) - seen.doubted)

    def _stop(self, code: str, what: str) -> None:
        self.stopped = Refused(code, f"{what}; nothing is decided until it is confirmed.", _HINT)


class _Seen(NamedTuple):
    """The last check, replaced as a whole: both clocks, how much of one is doubted, and the newest entry's time."""

    wall: Instant
    steady: Instant
    doubted: int
    head: Instant
