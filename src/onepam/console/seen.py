"""What serves once: the ids of messages that providers send us by themselves, until their age refuses them anyway."""

from onepam.kernel.clock import Instant

MOST = 20_000


class Seen:
    """The ids of this process. When it is full of what is still good, nothing more is believed."""

    def __init__(self) -> None:
        self._until: dict[str, Instant] = {}

    def first(self, key: str, until: Instant, now: Instant) -> bool:
        """Whether the id comes for the first time; it is remembered until `until`."""
        if key in self._until:
            return False
        if len(self._until) >= MOST:
            self._until = {each: end for each, end in self._until.items() if end > now}
        if len(self._until) >= MOST:
            return False
        self._until[key] = until
        return True
