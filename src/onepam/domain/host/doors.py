"""The listeners' doors under a crowd: when that is said, and when it is over."""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.history.event import event
from onepam.kernel.clock import MINUTE, SECOND


class Door(StrEnum):
    """A listener."""

    SSH = "ssh"
    POSTGRES = "postgres"
    MYSQL = "mysql"
    WEB = "web"


@event(
    "door.pressed",
    klass="system",
    alarm=True,
    control="MON-05",
    words="A crowd came to the {door} listener of {node}: {turned_away} were turned away",
)
@dataclass(frozen=True, slots=True)
class DoorPressed:
    """More came to a listener of `node` than it lets wait: within `seconds` it turned away `turned_away` connections or
    requests; `waiting` connections from `networks` networks were there then. Nothing says from which."""

    node: str
    door: Door
    turned_away: int
    seconds: int
    waiting: int
    networks: int


@event(
    "door.calm",
    klass="system",
    control="MON-05",
    words="The crowd at the {door} listener of {node} is over: {turned_away} were turned away",
)
@dataclass(frozen=True, slots=True)
class DoorCalm:
    """The crowd at that listener is over: it lasted `seconds`, and `turned_away` were turned away in all. Both are 0
    where the process ended meanwhile."""

    node: str
    door: Door
    turned_away: int
    seconds: int


WINDOW = MINUTE
MANY = 50
"""So many turned away within so long is a crowd; a browser too eager is none."""

CALM = 5 * MINUTE
"""Without anybody turned away for so long it is over. So a door says at most two things in this time."""


class DoorWatch:
    """One listener of one process, looked at again and again. Times are microseconds of a clock that never jumps."""

    def __init__(self, node: str, door: Door, now: int) -> None:
        self._node = node
        self._door = door
        self._window, self._before, self._seen = now, 0, 0
        self._pressed: int | None = None
        self._last = now

    def look(self, turned_away: int, waiting: int, networks: int, now: int) -> DoorPressed | DoorCalm | None:
        """What there is to say; `turned_away` counts since the process began."""
        more, self._seen = turned_away > self._seen, turned_away
        if self._pressed is None:
            found = turned_away - self._before
            if found >= MANY:
                seconds = max(1, (now - self._window) // SECOND)
                self._pressed = self._last = now
                return DoorPressed(self._node, self._door, found, seconds, waiting, networks)
            if now - self._window >= WINDOW:
                self._window, self._before = now, turned_away
            return None
        if more:
            self._last = now
        if now - self._last < CALM:
            return None
        calm = DoorCalm(self._node, self._door, turned_away - self._before, (self._last - self._window) // SECOND)
        self._pressed, self._window, self._before = None, now, turned_away
        return calm
