"""The ledger's time: never backwards, and suspicious of jumps."""

import time

from onepam.domain.system import ClockJumped
from onepam.kernel.clock import SECOND, Clock, Instant
from onepam.kernel.errors import Refused

ALERT = 5 * SECOND
STOP = 60 * SECOND


def steady() -> Instant:
    """The monotonic clock of this machine, in microseconds."""
    return Instant(time.monotonic_ns() // 1000)


class ClockGuard:
    """Holds the wall clock against the monotonic one. One thread uses it.

    A jump of more than 5 s is an event. A jump forward of more than 60 s would silently end grants and sessions, and
    the ledger's time cannot go back: so commands are refused until an operator confirms the clock, and until then the
    ledger's time goes on as if there had been no jump.
    """

    def __init__(self, node: str, clock: Clock, monotonic: Clock = steady) -> None:
        self.node = node
        self._clock = clock
        self._monotonic = monotonic
        self._wall, self._steady = clock(), monotonic()
        self._doubted = 0
        self._unrecorded = 0
        self.stopped: Refused | None = None

    def now(self, head: Instant) -> Instant:
        """The wall clock without what is doubted, and later than the head: times of entries strictly increase.

        A jump forward between two checks counts for no more than a minute.
        """
        expected = self._wall + self._monotonic() - self._steady
        return Instant(max(min(self._clock(), expected + STOP) - self._doubted, head + 1))

    def check(self) -> ClockJumped | None:
        """The event of a jump since the last one that was recorded, if there was one."""
        wall, passed = self._clock(), self._monotonic()
        jump = (wall - self._wall) - (passed - self._steady)
        self._wall, self._steady = wall, passed
        if abs(jump) <= ALERT:
            jump = 0
        self._unrecorded += jump
        if jump > STOP:
            self.stopped = Refused(
                "clock.jumped",
                f"The gateway's clock jumped forward by {jump // SECOND} s; nothing is decided until it is confirmed.",
                "Check the clock, then run: onepam ledger confirm-clock",
            )
        if self.stopped is not None:
            self._doubted += jump
        return ClockJumped(self.node, self._unrecorded) if self._unrecorded else None

    def recorded(self) -> None:
        """The event of the last check is durable."""
        self._unrecorded = 0

    def confirm(self) -> None:
        """The ledger holds no jump of this node that nobody has confirmed: commands run again."""
        if not self._unrecorded:
            self.stopped, self._doubted = None, 0
