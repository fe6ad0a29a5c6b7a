"""The numbers by which KILL knows connections: ours, and the target's own for sessions of the same person's there.
Others may have the same login."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import count
from typing import Final

FIRST: Final = 1_000_000_000
"""Our first number: no server has had so many connections, so that a number is either ours or a target's. It is below
2^31, for clients that keep it as a signed one."""


@dataclass(frozen=True, slots=True)
class _Held:
    person: str
    there: tuple[Hashable, int]
    cancel: Callable[[], object]
    end: Callable[[], object]


class Threads:
    """Those of this process."""

    def __init__(self) -> None:
        self._numbers = count(FIRST)
        self._held: dict[int, _Held] = {}

    def next(self) -> int:
        """A number that no connection has (4 bytes)."""
        while (found := next(self._numbers) & 0xFFFF_FFFF) in self._held or not found:
            pass
        return found

    def hold(
        self,
        thread: int,
        person: str,
        there: tuple[Hashable, int],
        cancel: Callable[[], object],
        end: Callable[[], object],
    ) -> None:
        """A session of this person has begun: `cancel` ends its statement, `end` itself. `there` is its target, and its
        number at that."""
        self._held[thread] = _Held(person, there, cancel, end)

    def drop(self, thread: int) -> None:
        """The session is over."""
        self._held.pop(thread, None)

    def kill(self, thread: int, person: str, target: Hashable, whole: bool) -> bool:
        """Whether it was a session of this person's that lives, by our number or by the one that it has at this
        target (`CONNECTION_ID()`); its statement ends, and with `whole` itself."""
        found = self._held.get(thread) or self._at((target, thread), person)
        if found is None or found.person != person:
            return False
        found.cancel()
        if whole:
            found.end()
        return True

    def _at(self, there: tuple[Hashable, int], person: str) -> _Held | None:
        return next((each for each in self._held.values() if each.person == person and each.there == there), None)
