"""The ledger's time: never backwards, and suspicious of jumps."""

import time
from typing import Any

from onepam.domain.system import ClockConfirmed, ClockJumped
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Refused

ALERT_MICROSECONDS = 5_000_000
STOP_MICROSECONDS = 60_000_000


def steady() -> Instant:
    """The monotonic clock of this machine, in microseconds."""
    return Instant(time.monotonic_ns() // 1000)


class ClockGuard:
    """Holds the wall clock against the monotonic one.

    A jump of more than 5 s is an event. A jump forward of more than 60 s would silently end grants and sessions, so
    commands are refused until an operator confirms the clock (`onepam ledger confirm-clock`).
    """

    def __init__(self, node: str, clock: Clock, monotonic: Clock = steady) -> None:
        self._node = node
        self._clock = clock
        self._monotonic = monotonic
        self._wall, self._steady = clock(), monotonic()
        self.stopped: Refused | None = None

    def now(self, head: Instant) -> Instant:
        """max(wall clock, time of the head + 1 us): times of entries strictly increase."""
        return max(self._clock(), Instant(head + 1))

    def check(self) -> ClockJumped | None:
        """The event of a jump since the last call, if there was one."""
        wall, steady = self._clock(), self._monotonic()
        jump = (wall - self._wall) - (steady - self._steady)
        self._wall, self._steady = wall, steady
        if abs(jump) <= ALERT_MICROSECONDS:
            return None
        if jump > STOP_MICROSECONDS:
            self.stopped = Refused(
                "clock.jumped",
                f"The gateway's clock jumped forward by {jump // 1_000_000} s; nothing is decided until it is confirmed.",
                "Check the clock, then run: onepam ledger confirm-clock",
            )
        return ClockJumped(self._node, jump)

    def admits(self, decide: Any) -> bool:
        """Whether a command may run although the clock is in doubt: only the confirmation itself."""
        return bool(getattr(decide, "confirms_clock", False))

    def confirm(self, by: str) -> ClockConfirmed:
        """The operator's word that the clock is right."""
        self.stopped = None
        return ClockConfirmed(self._node, by)
