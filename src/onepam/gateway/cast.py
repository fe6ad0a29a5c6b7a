"""A recorded terminal as asciicast v3."""

import codecs
import json
from collections.abc import Callable, Iterable, Iterator

from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Corrupt
from onepam.recording import frames
from onepam.recording.asciicast import DEFAULT_COLUMNS, DEFAULT_ROWS, MAX_SIZE, bounded


def cast_lines(recorded: Iterable[frames.Frame], gap: Callable[[], str | None], channel: int | None) -> Iterator[str]:
    """The lines of asciicast v3 (docs.asciinema.org/manual/asciicast/v3): a header, then `[interval, code, data]`; of
    the first terminal where `channel` is None, none where there is no such channel. `gap` is asked after the last
    frame: why the recording ends too early."""
    opened: frames.Opened | None = None
    cast: Cast | None = None
    try:
        for frame in recorded:
            if isinstance(frame, frames.Opened):
                opened = frame
            elif cast is None:
                if isinstance(frame, frames.ChannelOpened) and _wanted(frame, channel) and opened is not None:
                    cast = Cast(frame)
                    yield cast.header(opened)
            elif not cast.ended:
                yield from cast.lines(frame)
    except Corrupt as error:
        if cast is None:
            raise
        yield cast.marker(str(error))
        return
    if cast is not None and not cast.ended and (why := gap()):
        yield cast.marker(f"the recording ends here: {why}")


PLAYED = ("pty", "exec")
"""The kinds of channels that have something to show."""


def _wanted(frame: frames.ChannelOpened, channel: int | None) -> bool:
    return frame.channel == channel if channel is not None else frame.kind in PLAYED


class Cast:
    """One channel on its way to asciicast. Without a terminal, line ends are given the carriage return it would add."""

    def __init__(self, opened: frames.ChannelOpened) -> None:
        self._opened = opened
        self.at = opened.at
        self._terminal = opened.columns > 0
        self._text = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in frames.Stream}
        self.ended = False
        self._said = False

    def header(self, session: frames.Opened) -> str:
        columns, rows = self._opened.columns, self._opened.rows
        size = {"cols": bounded(columns, DEFAULT_COLUMNS), "rows": bounded(rows, DEFAULT_ROWS)}
        head: dict[str, object] = {
            "version": 3,
            "term": {**size, "type": self._opened.terminal} if self._opened.terminal else size,
            "timestamp": (session.started + self._opened.at) // SECOND,
            "title": f"{session.login}@{session.resource}",
        }
        if self._opened.command:
            head["command"] = self._opened.command
        return json.dumps(head, ensure_ascii=False) + "\n" + self._bounded(self._opened.at, columns, rows)

    def lines(self, frame: frames.Frame) -> Iterator[str]:
        if isinstance(frame, frames.Marker):
            yield self._line(frame.at, "m", frame.text)
        elif getattr(frame, "channel", None) != self._opened.channel:
            return
        elif isinstance(frame, frames.Output):
            if text := self._shown(self._text[frame.stream].decode(frame.data)):
                yield self._line(frame.at, "o", text)
        elif isinstance(frame, frames.Omitted) and frame.stream != frames.Stream.STDIN:
            yield self._line(frame.at, "m", f"partial by policy: {frame.count:,} bytes are left out here")
        elif isinstance(frame, frames.Signal):
            yield self._line(frame.at, "m", frame.words)
        elif isinstance(frame, frames.Resize):
            size = bounded(frame.columns, DEFAULT_COLUMNS), bounded(frame.rows, DEFAULT_ROWS)
            yield self._line(frame.at, "r", f"{size[0]}x{size[1]}") + self._bounded(frame.at, frame.columns, frame.rows)
        elif isinstance(frame, frames.ChannelClosed):
            for decoder in self._text.values():
                if rest := decoder.decode(b"", final=True):
                    yield self._line(frame.at, "o", rest)
            if frame.status is not None:
                yield self._line(frame.at, "x", str(frame.status))
            self.ended = True

    def _bounded(self, at: int, columns: int, rows: int) -> str:
        """A marker, once, where a terminal was larger than players make one."""
        if max(columns, rows) <= MAX_SIZE or self._said:
            return ""
        self._said = True
        words = f"the terminal was {columns} × {rows}; it is shown with {MAX_SIZE} columns and rows at most"
        return self._line(at, "m", words)

    def marker(self, text: str) -> str:
        return self._line(self.at, "m", text)

    def _shown(self, text: str) -> str:
        return text if self._terminal else text.replace("\r\n", "\n").replace("\n", "\r\n")

    def _line(self, at: int, code: str, data: str) -> str:
        interval, self.at = at - self.at, at
        return f"[{interval / SECOND:.6f}, {json.dumps(code)}, {json.dumps(data, ensure_ascii=False)}]\n"
