"""The keys by which clients cancel what runs (PostgreSQL, "Canceling Requests in Progress"): ours, never the target's.

A key is good from the address of its session alone, and as long as that lives.
"""

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
    cancel: Callable[[], object]


class Keys:
    """Those of this process."""

    def __init__(self, random: RandomBytes) -> None:
        self._random = random
        self._held: dict[int, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def make(self, source: str, minor: int, cancel: Callable[[], object]) -> tuple[int, bytes]:
        """A process and a key for a session from `source` that speaks version 3.`minor`."""
        while True:
            process = int.from_bytes(self._random(4), "big") >> 1  # a positive Int32
            if process and process not in self._held:
                break
        key = self._random(LONG_BYTES if minor >= 2 else SHORT_BYTES)
        self._held[process] = _Held(key, source, cancel)
        return process, key

    def drop(self, process: int) -> None:
        """The session is over."""
        self._held.pop(process, None)

    def cancel(self, process: int, key: bytes, source: str) -> bool:
        """Whether it was a key of a session that lives, from where that comes."""
        held = self._held.get(process)
        if held is None or not compare_digest(held.key, key) or held.source != source:
            return False
        held.cancel()
        return True
