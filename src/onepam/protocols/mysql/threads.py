"""The numbers by which KILL knows connections: ours, never the target's, where others may have the same login."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class _Held:
    person: str
    cancel: Callable[[], object]
    end: Callable[[], object]


class Threads:
    """Those of this process."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._held: dict[int, _Held] = {}

    def next(self) -> int:
        """A number that no connection has (4 bytes)."""
        while (found := next(self._numbers) & 0xFFFF_FFFF) in self._held or not found:
            pass
        return found

    def hold(self, thread: int, person: str, cancel: Callable[[], object], end: Callable[[], object]) -> None:
        """A session of this person has begun: `cancel` ends its statement, `end` itself."""
        self._held[thread] = _Held(person, cancel, end)

    def drop(self, thread: int) -> None:
        """The session is over."""
        self._held.pop(thread, None)

    def kill(self, thread: int, person: str, whole: bool) -> bool:
        """Whether it was a session of this person's that lives; its statement ends, and with `whole` itself."""
        found = self._held.get(thread)
        if found is None or found.person != person:
            return False
        found.cancel()
        if whole:
            found.end()
        return True
