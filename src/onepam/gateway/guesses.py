"""Failed tries of factors by address and by network: who guesses at many accounts is stopped, too.

Operational and in memory: what is counted here can deny a try, never allow one. The count of each account stands in the
ledger (`domain/signing_in/gate.py`).
"""

from collections import OrderedDict

from onepam.gateway.crowd import Origin
from onepam.kernel.clock import MINUTE, Instant

WINDOW = 10 * MINUTE
OF_ADDRESS = 30
"""Failed tries from one address within `WINDOW`, after which none from there is judged."""
OF_NETWORK = 120
MOST_REMEMBERED = 20_000


class Guesses:
    """Counts failures in windows of fixed length; the oldest origins are forgotten first."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[Instant, int]] = OrderedDict()

    def admit(self, source: str, now: Instant) -> bool:
        """Whether a try from this address is judged at all."""
        origin = Origin.of(source)
        return self._count(origin.address, now) < OF_ADDRESS and self._count(origin.network, now) < OF_NETWORK

    def failed(self, source: str, now: Instant) -> None:
        """One more failure from there."""
        origin = Origin.of(source)
        for place in {origin.address, origin.network}:
            began, count = self._failed.pop(place, (now, 0))
            self._failed[place] = (began, count + 1) if now < began + WINDOW else (now, 1)
        while len(self._failed) > MOST_REMEMBERED:
            self._failed.popitem(last=False)

    def _count(self, place: str, now: Instant) -> int:
        began, count = self._failed.get(place, (now, 0))
        return count if now < began + WINDOW else 0
