"""Users of databases whose session is over and who are still there, as after a crash, are dropped."""

from collections.abc import Awaitable, Callable

from onepam.app.ports import Reader
from onepam.domain.sessions.session_users import LeftBecause
from onepam.jobs.job import Job
from onepam.kernel.clock import MINUTE, Clock
from onepam.store.read.session_users import over_users

PERIOD_SECONDS = 30.0

OTHERS = 2 * MINUTE
"""So long after its session's end a user is its own process's to drop (microseconds); that dials no longer by then."""

_OF_ALL = frozenset((LeftBecause.DOWN, LeftBecause.REFUSING, LeftBecause.SECRET, LeftBecause.RESOURCE))
"""Why one is left behind that holds for all of its resource."""


class SessionUserSweep:
    """Drops what sessions of this process's earlier life have left, and after a while what others did.

    `drop` says why a user is left behind, None where it is gone, or its own process is at it; it is told what holds for
    the resource.
    """

    def __init__(
        self,
        reader: Reader,
        node: str,
        drop: Callable[[str, LeftBecause | None], Awaitable[LeftBecause | None]],
        clock: Clock,
    ) -> None:
        self._reader, self._node, self._drop, self._clock = reader, node, drop, clock

    def job(self) -> Job:
        """Every half minute, and at the start."""
        return Job("session users", self.turn, PERIOD_SECONDS)

    async def turn(self) -> None:
        """All that are due; a server that does not answer is asked once."""
        away: dict[str, LeftBecause] = {}
        for each in await self._reader(over_users):
            if each.node != self._node and each.over + OTHERS > self._clock():
                continue
            because = await self._drop(each.user, away.get(each.resource))
            if because in _OF_ALL:
                away[each.resource] = because
