"""The ledger's time beside a clock that was wrong: it never goes back, so after a false future it runs slower.

An entry's time is later than every earlier one's. Once entries were written under a clock that was two hours ahead,
the right clock stands two hours behind the ledger. An operator's word (`ClockConfirmed`) then records how far the
ledger was ahead, and from there on its time passes at nine tenths of the clock's pace until both agree again: what
has an end ends.
"""

from dataclasses import dataclass

from onepam.kernel.clock import Instant

APART = 2
"""A command begins this much later than the newest entry, or more (microseconds). Its own entries are one microsecond
apart, so anybody can see where one command ends (docs/decisions/0041)."""

PACE = 10
"""One part in `PACE` of the passing time is saved while the ledger is ahead."""


@dataclass(frozen=True, slots=True)
class Offset:
    """At the instant `wall` of the clock the ledger's time was `ahead` microseconds later than the clock."""

    wall: Instant
    ahead: int

    def left(self, wall: Instant) -> int:
        """How far the ledger is still ahead when the clock says `wall` (microseconds)."""
        return max(0, self.ahead - max(0, wall - self.wall) // PACE)

    def ledger(self, wall: Instant) -> Instant:
        """The ledger's time when the clock says `wall`."""
        return Instant(wall + self.left(wall))

    def until(self, ends: Instant, wall: Instant) -> int:
        """How long (microseconds of a steady clock) until the ledger's time is `ends`; 0 when it is over."""
        lasts = max(0, ends - self.ledger(wall))
        return min(-(-lasts * PACE // (PACE - 1)), lasts + self.left(wall))


AGREED = Offset(Instant(0), 0)
"""Nobody ever had to confirm: the ledger's time is the clock's."""
