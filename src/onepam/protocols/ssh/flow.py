"""One direction of a channel: its source is read only while nothing holds it."""

from enum import Enum, auto
from typing import Any

from asyncssh.channel import SSHChannel


class Hold(Enum):
    """Why reading waits."""

    OPENING = auto()
    CHANNEL = auto()
    TRANSPORT = auto()
    RECORDER = auto()
    ANSWERS = auto()


class Flow:
    """Pauses the source at the first hold and resumes it after the last one."""

    def __init__(self, *holds: Hold) -> None:
        self._holds = set(holds)
        self._source: SSHChannel[Any] | None = None

    def flows_from(self, source: SSHChannel[Any]) -> None:
        """The channel to read."""
        self._source = source
        if self._holds:
            source.pause_reading()

    def renew(self) -> None:
        """Somebody else has resumed the source: paused again where something holds it."""
        if self._holds and self._source is not None:
            self._source.pause_reading()

    def holds(self, why: Hold) -> bool:
        """Whether this one is among the holds."""
        return why in self._holds

    def set(self, why: Hold, held: bool) -> None:
        """Hold or release for one reason."""
        if held == (why in self._holds):
            return
        if held:
            self._holds.add(why)
        else:
            self._holds.remove(why)
        if self._source is not None:
            if len(self._holds) == 1 and held:
                self._source.pause_reading()
            elif not self._holds:
                self._source.resume_reading()
