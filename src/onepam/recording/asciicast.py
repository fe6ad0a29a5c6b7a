"""A channel as asciicast v3 (https://docs.asciinema.org/manual/asciicast/v3/), and as text that a terminal may show.

What a target sent is hostile to whoever watches it: a title, a query that types its answer, a clipboard write. The
export is faithful and is played in a sandbox; `Player` lets through text, colours, cursor, erase and scroll only.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator

from onepam.kernel.clock import SECOND
from onepam.recording.frames import (
    ChannelClosed,
    ChannelOpened,
    Frame,
    Marker,
    Omitted,
    Opened,
    Output,
    Resize,
    Signal,
    Stream,
)

DEFAULT_COLUMNS, DEFAULT_ROWS = 80, 24
"""The size of a channel without a terminal."""

MAX_SIZE = 1000
"""Most columns or rows that a player is asked to make."""

MAX_SEQUENCE_CHARACTERS = 4096
"""After so many characters without its end a control string is given up, so that nothing hides behind it."""


def export(frames: Iterable[Frame], channel: int) -> Iterator[bytes]:
    """The lines of an asciicast v3 of `channel`: a header once the channel opens, then its events; nothing without it.

    Times are relative to the event before, exact to the microsecond. Output that is no UTF-8 shows U+FFFD.
    """
    started = 0
    last: int | None = None
    decoders: dict[Stream, codecs.IncrementalDecoder] = {}
    for frame in frames:
        if isinstance(frame, Opened):
            started = frame.started // SECOND
        elif isinstance(frame, ChannelOpened) and frame.channel == channel:
            last = frame.at
            decoders = {stream: codecs.getincrementaldecoder("utf-8")("replace") for stream in Stream}
            yield _header(frame, started)
        elif last is not None:
            for code, data in _events(frame, channel, decoders):
                yield _line(frame.at - last, code, data)
                last = frame.at


def _events(frame: Frame, channel: int, decoders: dict[Stream, codecs.IncrementalDecoder]) -> Iterator[tuple[str, str]]:
    if isinstance(frame, Marker):
        yield "m", frame.text
    elif isinstance(frame, Output) and frame.channel == channel:
        if text := decoders[frame.stream].decode(frame.data):
            yield "o", text
    elif isinstance(frame, Omitted) and frame.channel == channel and frame.stream != Stream.STDIN:
        yield "m", f"partial by policy: {frame.count:,} bytes are left out here"
    elif isinstance(frame, Signal) and frame.channel == channel:
        yield "m", frame.words
    elif isinstance(frame, Resize) and frame.channel == channel:
        yield "r", f"{bounded(frame.columns, DEFAULT_COLUMNS)}x{bounded(frame.rows, DEFAULT_ROWS)}"
    elif isinstance(frame, ChannelClosed) and frame.channel == channel:
        for decoder in decoders.values():
            if rest := decoder.decode(b"", final=True):
                yield "o", rest
        if frame.status is not None:
            yield "x", str(frame.status)


def _header(opened: ChannelOpened, started: int) -> bytes:
    size = {"cols": bounded(opened.columns, DEFAULT_COLUMNS), "rows": bounded(opened.rows, DEFAULT_ROWS)}
    term = {**size, "type": opened.terminal} if opened.terminal else size
    header: dict[str, object] = {"version": 3, "term": term, "timestamp": started}
    if opened.command:
        header["command"] = opened.command
    return json.dumps(header, separators=(",", ":")).encode() + b"\n"


def _line(interval: int, code: str, data: str) -> bytes:
    return f'[{interval // SECOND}.{interval % SECOND:06d}, "{code}", {json.dumps(data)}]\n'.encode()


def bounded(size: int, otherwise: int) -> int:
    """A number of columns or rows that a player can make; `otherwise` in place of none."""
    return min(size, MAX_SIZE) or otherwise


# C0 and C1 controls and DEL; everything else is text.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_PLAIN = frozenset("\n\r\t\b")
# After ESC: save and restore the cursor, index, next line, reverse index.
_SIMPLE = frozenset("78DEM")
# CSI: cursor, erase, insert and delete lines or characters; scroll (T with more parameters tracks the mouse); SGR.
_CSI = re.compile(
    r"\x1b\[(?:[0-9]{0,4}(?:;[0-9]{0,4})?[A-HJKLMPX@`adef]|[0-9]{0,4}[ST]|[0-9:;]{0,64}m)",
)
_CSI_BODY = re.compile("[\x20-\x3f]*")
_STRING_STARTS = frozenset("]PX^_")
_C1 = {"\x90": "P", "\x98": "X", "\x9b": "[", "\x9d": "]", "\x9e": "^", "\x9f": "_"}
_STRING_END = re.compile("[\x07\x18\x1a\x1b\x9c]")


class Player:
    """Turns what a target sent into what a terminal may be shown; pieces of any size give the same text."""

    def __init__(self) -> None:
        self._held = ""
        self._string = 0

    def feed(self, text: str) -> str:
        """The harmless part of what is known so far."""
        data, self._held = self._held + text, ""
        shown: list[str] = []
        at = 0
        while at < len(data):
            if self._string:
                at = self._skipped(data, at)
                continue
            step = self._shown(data, at, shown)
            if step == at:
                self._held = data[at:]
                break
            at = step
        return "".join(shown)

    def _shown(self, data: str, at: int, shown: list[str]) -> int:
        """Shows from `at` on; where it came to. The same `at` means that more is needed."""
        control = _CONTROL.search(data, at)
        if control is None:
            shown.append(data[at:])
            return len(data)
        start = control.start()
        if start > at:
            shown.append(data[at:start])
            return start
        char = data[at]
        if char == "\x1b":
            if at + 1 == len(data):
                return at
            return self._escape(data, at, data[at + 1], at + 2, shown)
        if char in _C1:
            return self._escape(data, at, _C1[char], at + 1, shown)
        if char in _PLAIN:
            shown.append(char)
        return at + 1

    def _escape(self, data: str, at: int, kind: str, after: int, shown: list[str]) -> int:
        if kind == "[":
            return self._control_sequence(data, at, after, shown)
        if kind in _STRING_STARTS:
            self._string = 1
            return after
        if "\x20" <= kind <= "\x2f":  # a character set or the like: intermediates, then one final
            end = after
            while end < len(data) and end - at < MAX_SEQUENCE_CHARACTERS and "\x20" <= data[end] <= "\x2f":
                end += 1
            if end - at == MAX_SEQUENCE_CHARACTERS:
                return end
            if end == len(data):
                return at
            return end + 1 if "\x30" <= data[end] <= "\x7e" else end
        if kind in _SIMPLE:
            shown.append("\x1b" + kind)
        return after if "\x30" <= kind <= "\x7e" else after - 1

    def _control_sequence(self, data: str, at: int, after: int, shown: list[str]) -> int:
        body = _CSI_BODY.match(data, after)
        assert body is not None
        end = body.end()
        if end - after > MAX_SEQUENCE_CHARACTERS:
            return after + MAX_SEQUENCE_CHARACTERS
        if end == len(data):
            return at
        if not "\x40" <= data[end] <= "\x7e":
            return end
        sequence = "\x1b[" + data[after : end + 1]
        if _CSI.fullmatch(sequence):
            shown.append(sequence)
        return end + 1

    def _skipped(self, data: str, at: int) -> int:
        """Skips a control string up to its end, an interruption, or the bound."""
        limit = at + MAX_SEQUENCE_CHARACTERS - self._string + 1
        end = _STRING_END.search(data, at, limit)
        if end is not None:
            self._string = 0
            return end.start() if end.group() == "\x1b" else end.end()  # ST is ESC \\; other escapes interrupt as well
        if limit <= len(data):
            self._string = 0
            return limit
        self._string += len(data) - at
        return len(data)
