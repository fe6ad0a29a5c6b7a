"""What a recording holds, in numbers: its last frame and the session's closing entry state them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from onepam.recording.frames import NAMES, Closed, Frame, Omitted, Output
from onepam.recording.statements import Finished, StatementText

MOST: Final = (1 << 53) - 1
"""No sum is stated higher, whatever a target says of its rows: JSON has no larger integer that all readers agree on."""


class Counts:
    """Counts frames as they come, in the order of the recording."""

    def __init__(self) -> None:
        self._frames = 0
        self._kinds: dict[type[Frame], int] = {}
        self._bytes = 0
        self._omitted = self._rows = self._row_bytes = 0

    @property
    def begun(self) -> bool:
        """Whether there was a frame."""
        return bool(self._frames)

    def add(self, frame: Frame) -> None:
        """The next frame. `Closed` does not count; a statement counts with the last part of its text."""
        kind = type(frame)
        if kind is Closed:
            return
        self._frames += 1
        if type(frame) is StatementText and frame.more:
            return
        self._kinds[kind] = self._kinds.get(kind, 0) + 1
        if type(frame) is Output:
            self._bytes += len(frame.data)
        elif type(frame) is Finished:
            self._rows += frame.rows
            self._row_bytes += frame.size
        elif type(frame) is Omitted:
            self._omitted += frame.count

    @property
    def stated(self) -> Mapping[str, int]:
        """The number of frames by kind, all `frames`, and the `bytes` of output. Where there are any: `omitted_bytes`
        of output and input that policy left out; of a database's session `rows` and `row_bytes` of its executions."""
        named = {NAMES[kind]: number for kind, number in self._kinds.items()}
        summed = {"omitted_bytes": self._omitted, "rows": self._rows, "row_bytes": self._row_bytes}
        sums = {name: min(number, MOST) for name, number in summed.items() if number}
        return MappingProxyType({**named, "frames": self._frames, "bytes": self._bytes, **sums})
