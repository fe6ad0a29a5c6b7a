"""How much of a stream is taken in one turn of the loop: whoever else presses a key waits for so long."""

BULK_BYTES = 256 * 1024
"""Taken at once while nobody else needs the loop: each turn has a price of its own."""

SHARED_BYTES = 64 * 1024
"""Taken at once while somebody else types."""

KEY_BYTES = 1024
"""Whoever sends or receives less at once is typing, and waits for the answer."""

TYPING_SECONDS = 5.0
"""Who has typed within that time may go on."""

_NEVER = float("-inf")


class Portions:
    """Who types. A party is whatever has its own keyboard: the two connections of one session are one."""

    def __init__(self) -> None:
        self._last: object = None
        self._last_at = _NEVER
        self._others_at = _NEVER

    def typed(self, party: object, now: float) -> None:
        """A few bytes came. `now`: seconds of the loop's clock."""
        if party is not self._last:
            self._last, self._others_at = party, self._last_at
        self._last_at = now

    def most(self, party: object, now: float) -> int:
        """Bytes that `party` may take now."""
        at = self._others_at if party is self._last else self._last_at
        return SHARED_BYTES if now - at < TYPING_SECONDS else BULK_BYTES
