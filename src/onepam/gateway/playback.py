"""Reading recordings back: what happened when, a terminal as asciicast v3, and whether the ledger vouches for it.

All reading happens in threads and in bounded pieces. A recording that still runs is readable up to what its recorder
has handed over; the same code reads the recording of a gateway that died.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from onepam.files.data_file import opened_file
from onepam.gateway.cast import cast_lines
from onepam.gateway.recorder import READ_BYTES, recording_path
from onepam.gateway.statements import NO_WAITS, Line, Statements, Waits, csv_head, csv_line, csv_note, json_line
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.recording import frames
from onepam.recording.open import Reader
from onepam.recording.seal import Head

T = TypeVar("T")

MAX_ITEMS = 10_000
"""Channels, and file operations, of one timeline; what is beyond is counted, not listed."""

PIECE_BYTES = 64 * 1024
MAX_READERS = 4

_ID = re.compile(r"[a-z]{2,8}_[a-z2-7]{16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Channel:
    """A shell, a command, a file transfer or a connection to a port. Times are microseconds since the recording began.

    `closed` is None while it runs, or where the recording ends before it. `output_bytes` came from the target,
    `input_bytes` went to it; `omitted_bytes` of both are left out of the recording by policy.
    """

    channel: int
    kind: str
    command: str
    columns: int
    rows: int
    opened: int
    closed: int | None = None
    status: int | None = None
    signal: str | None = None
    output_bytes: int = 0
    input_bytes: int = 0
    omitted_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file operation with its outcome; see `recording.frames.FileOperation`."""

    at: int
    channel: int
    operation: str
    path: str
    outcome: str
    target: str
    size: int | None
    sha256: str | None
    sparse: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """A whole recording in order. `gap` says where and why it ends too early; it does while the session runs.

    `unlisted` counts channels and file operations beyond `MAX_ITEMS`. `head` is the chain head that was reached.
    """

    session: str
    started: Instant | None
    lasted: int
    channels: tuple[Channel, ...]
    files: tuple[FileLine, ...]
    unlisted: int
    reason: str | None
    gap: str | None
    head: Head
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which statements: those with `word` in text, words or note, letters of either case; of one outcome, "" for all;
    after a place; at most so many."""

    word: str = ""
    outcome: str = ""
    after: int = 0
    most: int = 50


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Lines of a database's session, `total` of them that are wanted, on this page and elsewhere; `more`: there are
    some after these. `told` is the whole recording."""

    told: Timeline
    lines: tuple[Line, ...]
    total: int
    more: bool


Vouched = tuple[int, str] | None
"""The last (chunk, hex head) of a finished recording, from the ledger; None where there is none yet."""


class NoRecording(LookupError):
    """There is no such recording, or no such channel in it."""


class Playback:
    """Reads the recordings of one folder. `key` gives the 32-byte key of a session's recording.

    Every method raises `NoRecording`, and `Corrupt` where the recording or its key was altered, the disk does not give
    it, or it does not end with the `head` that the ledger vouches for.
    """

    def __init__(self, folder: Path, key: Callable[[str], bytes]) -> None:
        self._folder = folder
        self._key = key
        self._pool = ThreadPoolExecutor(MAX_READERS, thread_name_prefix="playback")

    async def timeline(self, session: str, head: Vouched = None) -> Timeline:
        """What happened in the session."""
        return await self.in_thread(lambda: _timeline(session, self._open(session, head)))

    async def statements(
        self, session: str, wanted: Wanted, head: Vouched = None, waits: Waits = NO_WAITS
    ) -> StatementPage:
        """A page of the statements of a database's session. All of the recording is read for it."""
        return await self.in_thread(lambda: _page(session, self._open(session, head), wanted, waits))

    async def statement_lines(
        self, session: str, sheet: bool, head: Vouched = None, waits: Waits = NO_WAITS
    ) -> AsyncIterator[bytes]:
        """All statements as JSON lines, or as a sheet (CSV), in pieces of about 64 KiB. What turns out to be altered
        only after its beginning has been given is said in a line of its own."""
        pieces = _pieces(_written(self._open(session, head), sheet, waits))
        while (piece := await self.in_thread(lambda: next(pieces, None))) is not None:
            yield piece

    async def asciicast(self, session: str, channel: int | None = None, head: Vouched = None) -> AsyncIterator[bytes]:
        """A channel's terminal (the first one's by default) as asciicast v3, in pieces of about 64 KiB. What turns out
        to be altered only after its beginning has been given is said in a marker."""
        pieces = _pieces(_asciicast(self._open(session, head), channel))
        while (piece := await self.in_thread(lambda: next(pieces, None))) is not None:
            yield piece

    def place(self, session: str) -> tuple[Path, Callable[[], bytes]]:
        """Where a recording lies, and what gives its key, for who reads it as it grows."""
        if not _ID.fullmatch(session):
            raise NoRecording(session)
        return recording_path(self._folder, session), lambda: self._key(session)

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(wait=True)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Reads in one of the threads for reading."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _open(self, session: str, head: Vouched) -> "_Reading":
        if not _ID.fullmatch(session):
            raise NoRecording(session)
        expected = Head(head[0], bytes.fromhex(head[1])) if head else None
        return _Reading(recording_path(self._folder, session), session, self._key, expected)


class _Reading:
    """One pass over a recording's frames; `reader` tells afterwards how far it came."""

    def __init__(self, path: Path, session: str, key: Callable[[str], bytes], expected: Head | None) -> None:
        self._path = path
        self._session = session
        self._key = key
        self._expected = expected
        self.reader: Reader | None = None

    def __iter__(self) -> Iterator[frames.Frame]:
        try:
            with opened_file(self._path) as file:
                source = iter(lambda: file.read(READ_BYTES), b"")
                key, expected = self._key(self._session), self._expected
                self.reader = Reader(source, key, expected, final=expected is not None, named=self._session)
                yield from self.reader
        except FileNotFoundError as error:
            raise NoRecording(str(error)) from None
        except OSError as error:
            raise Corrupt(f"the disk does not give it: {error.strerror}") from error

    @property
    def gap(self) -> str | None:
        """Why it ends too early."""
        return self.reader.gap.what if self.reader and self.reader.gap else None


def _timeline(session: str, reading: _Reading) -> Timeline:
    found = _Found()
    for frame in reading:
        found.add(frame)
    return _told(session, reading, found)


def _page(session: str, reading: _Reading, wanted: Wanted, waits: Waits) -> StatementPage:
    found, lines, total, more = _Found(), list[Line](), 0, False
    word = wanted.word.casefold()
    for line in _lines(reading, found, waits):
        if wanted.outcome not in ("", line.outcome) or not _says(line, word):
            continue
        total += 1
        if line.place > wanted.after:
            more = len(lines) >= wanted.most
            if not more:
                lines.append(line)
    return StatementPage(_told(session, reading, found), tuple(lines), total, more)


def _lines(reading: _Reading, found: "_Found", waits: Waits) -> Iterator[Line]:
    statements = Statements(waits)
    for frame in reading:
        found.add(frame)
        yield from statements.add(frame)
    yield from statements.rest()


def _says(line: Line, word: str) -> bool:
    notes = f"{line.cut} masked" if line.masked else line.cut
    return not word or any(word in each.casefold() for each in (line.words, line.text or "", notes))


def _written(reading: _Reading, sheet: bool, waits: Waits) -> Iterator[str]:
    found, write = _Found(), csv_line if sheet else json_line
    note = ""
    if sheet:
        yield csv_head()
    try:
        for line in _lines(reading, found, waits):
            yield write(line, found.started or Instant(0))
    except Corrupt as error:
        if found.started is None:
            raise
        note = str(error)
    if reading.gap and not note:
        note = f"the recording ends here: {reading.gap}"
    if note:
        yield csv_note(note) if sheet else json.dumps({"note": note}) + "\n"


def _told(session: str, reading: _Reading, found: "_Found") -> Timeline:
    assert reading.reader is not None  # without a file NoRecording was raised
    return Timeline(
        session=session,
        started=found.started,
        lasted=found.at,
        channels=tuple(found.channels.values()),
        files=tuple(found.files.values()),
        unlisted=found.unlisted,
        reason=found.reason,
        gap=reading.gap,
        head=reading.reader.head,
        counts=dict(reading.reader.counts),
    )


class _Found:
    """The timeline as it grows."""

    def __init__(self) -> None:
        self.started: Instant | None = None
        self.at = 0
        self.channels: dict[int, Channel] = {}
        self.files: dict[tuple[int, int], FileLine] = {}
        self.unlisted = 0
        self.reason: str | None = None

    def add(self, frame: frames.Frame) -> None:
        """The next frame."""
        self.at = frame.at
        match frame:
            case frames.Opened(started=started):
                self.started = started
            case frames.ChannelOpened(channel=channel) as it:
                if len(self.channels) < MAX_ITEMS:
                    self.channels[channel] = Channel(channel, it.kind, it.command, it.columns, it.rows, it.at)
                else:
                    self.unlisted += 1
            case frames.Output(channel=channel, data=data):
                self._count(channel, output=len(data))
            case frames.Omitted(channel=channel, stream=stream, count=count):
                sent = 0 if stream == frames.Stream.STDIN else count
                known = self.channels.get(channel)  # of a command's input the bytes are counted as they are typed
                typed = count - sent if known is not None and known.kind == "forward" else 0
                self._count(channel, output=sent, typed=typed, omitted=count)
            case frames.TypedInput(channel=channel, count=count):
                self._count(channel, typed=count)
            case frames.ChannelClosed(channel=channel) as it:
                if (known := self.channels.get(channel)) is not None:
                    typed = known.input_bytes or it.input_bytes
                    self.channels[channel] = replace(
                        known, closed=it.at, status=it.status, signal=it.signal, input_bytes=typed
                    )
            case frames.FileOperation(channel=channel, number=number) as it:
                self._file((channel, number), it)
            case frames.Closed(reason=reason):
                self.reason = reason
            case _:
                pass

    def _count(self, channel: int, output: int = 0, typed: int = 0, omitted: int = 0) -> None:
        if (known := self.channels.get(channel)) is not None:
            self.channels[channel] = replace(
                known,
                output_bytes=known.output_bytes + output,
                input_bytes=known.input_bytes + typed,
                omitted_bytes=known.omitted_bytes + omitted,
            )

    def _file(self, key: tuple[int, int], it: frames.FileOperation) -> None:
        """The answer takes the place of the question, and keeps its time."""
        asked = self.files.get(key)
        if asked is None and len(self.files) >= MAX_ITEMS:
            self.unlisted += it.outcome == "asked"
            return
        at = asked.at if asked else it.at
        self.files[key] = FileLine(
            at, it.channel, it.operation, it.path, it.outcome, it.target, it.size, it.sha256, it.sparse
        )


def _asciicast(reading: _Reading, channel: int | None) -> Iterator[str]:
    lines = cast_lines(reading, lambda: reading.gap, channel)
    if (header := next(lines, None)) is None:
        raise NoRecording("it has no such channel")
    yield header
    yield from lines


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line.encode("utf-8"))
        size += len(waiting[-1])
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
