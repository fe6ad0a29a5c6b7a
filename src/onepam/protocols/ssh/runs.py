"""What a target sends in one batch of packets, as runs of one stream each, in the order in which it came."""

from typing import Final

import asyncssh

from onepam.recording.frames import Stream

Run = tuple[Stream, list[bytes]]

STDERR: Final = asyncssh.EXTENDED_DATA_STDERR
DATATYPES: Final[dict[Stream, asyncssh.DataType]] = {Stream.STDOUT: None, Stream.STDERR: STDERR}


class Runs:
    """Collects output until it is recorded and forwarded. A target that changes the stream with every byte makes many
    runs, yet one batch of them: what a batch costs, it costs once."""

    def __init__(self) -> None:
        self.bytes = 0
        self._runs: list[Run] = []

    def add(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """More of what the target sent."""
        stream = Stream.STDERR if datatype == STDERR else Stream.STDOUT
        if self._runs and self._runs[-1][0] is stream:
            self._runs[-1][1].append(data)
        else:
            self._runs.append((stream, [data]))
        self.bytes += len(data)

    def taken(self) -> list[Run]:
        """All runs so far, which are no longer kept here."""
        runs, self._runs, self.bytes = self._runs, [], 0
        return runs
