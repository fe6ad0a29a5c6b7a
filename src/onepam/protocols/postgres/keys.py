"""The keys by which clients cancel what runs (PostgreSQL, "Canceling Requests in Progress"): ours, never the target's.

A key is good from the address of its session alone, and as long as that lives. The process beside it is the target's
own, by which notifications and the server's tables name it, too; so those of two targets may be one.
"""

from asyncio import Future
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from onepam.kernel.ids import RandomBytes

SHORT_BYTES, LONG_BYTES = 4, 32
"""What version 3.0 has room for, and what 3.2 gets."""


@dataclass(frozen=True, slots=True)
class _Held:
    key: bytes
    source: str
    cancel: Callable[[], Future[None] | None]


class Keys:
    """Those of this process."""

    def __init__(self, random: RandomBytes) -> None:
        self._random = random
        self._held: dict[int, list[_Held]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    def make(
        self, source: str, minor: int, cancel: Callable[[], Future[None] | None], process: int = 0
    ) -> tuple[int, bytes]:
        """A process and a key for a session from `source` that speaks version 3.`minor`. `process` is the target's; 0
        where it told of none."""
        while not process:
            found = int.from_bytes(self._random(4), "big") >> 1  # a positive Int32
            process = 0 if found in self._held else found
        held, size = self._held.setdefault(process, []), LONG_BYTES if minor >= 2 else SHORT_BYTES
        key = self._random(size)
        while any(each.key == key for each in held):
            key = self._random(size)
        held.append(_Held(key, source, cancel))
        return process, key

    def drop(self, process: int, key: bytes) -> None:
        """The session is over."""
        left = [each for each in self._held.pop(process, ()) if each.key != key]
        if left:
            self._held[process] = left

    def cancel(self, process: int, key: bytes, source: str, heard: Callable[[], None] = lambda: None) -> bool:
        """Whether it was a key of a session that lives, from where that comes. `heard` is called once its target has
        heard of it: what the client sends from then on is not cancelled in its place. Where there is nothing to hear it
        is called at once."""
        for each in self._held.get(process, ()):
            if compare_digest(each.key, key) and each.source == source:
                asked = each.cancel()
                if asked is None:
                    heard()
                else:
                    asked.add_done_callback(lambda _: heard())
                return True
        heard()
        return False
