"""Watching a session while it runs: what its recording gets, as it gets it.

A watcher reads the file that the recorder writes. So nothing that watches stands in the session's way, however many
they are and however slowly they read; whoever is too far behind is told how much is left out, and goes on with what is
new.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from onepam.files.data_file import opened_file
from onepam.gateway.cast import PLAYED, Cast
from onepam.gateway.playback import NoRecording, Playback
from onepam.gateway.recorder import READ_BYTES
from onepam.gateway.statements import Statements, json_line
from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Corrupt, Refused
from onepam.recording import frames
from onepam.recording.following import Follower

MOST_OF_SESSION = 16
MOST_WATCHERS = 64
"""Who watch one session, and all that watch, in one process: each holds a connection and reads a file."""

MOST_BEHIND_BYTES = 512 * 1024
"""Of the recording's file: whoever is further behind than this is not shown what lies between."""

PAUSE_SECONDS = 0.1
"""Between two looks at a recording of which nothing new was there."""

ASK_SECONDS = 2.0
"""Between two questions whether somebody may watch on."""

BEAT_SECONDS = 10.0
"""A line without words comes so often while nothing happens, so that both ends know of each other."""

Allowed = Callable[[], Awaitable[Refused | None]]
"""Whether somebody may watch on: None for yes."""


class Watchers:
    """Who watches which session now, in this process."""

    def __init__(self) -> None:
        self._of: dict[str, list[str]] = {}

    def of(self, session: str) -> tuple[str, ...]:
        """The people who watch a session, each once, in the order in which they came."""
        return tuple(dict.fromkeys(self._of.get(session, ())))

    @contextmanager
    def place(self, session: str, person: str) -> Iterator[Refused | None]:
        """A place among a session's watchers while this is entered; why not, where there are too many."""
        watching = self._of.get(session, [])
        if len(watching) >= MOST_OF_SESSION or sum(map(len, self._of.values())) >= MOST_WATCHERS:
            yield Refused("watch.full", "Too many people watch sessions already.", "Try again when one has left.")
            return
        self._of[session] = watching
        watching.append(person)
        try:
            yield None
        finally:
            watching.remove(person)
            if not watching:
                del self._of[session]


class Growing:
    """One pass over a recording that grows. `ended`: its last frame was given. Raises as `Playback`."""

    def __init__(self, playback: Playback, session: str) -> None:
        self._path, self._key = playback.place(session)
        self._session = session
        self._in_thread = playback.in_thread
        self._offset = 0
        self._follower: Follower | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing can follow."""
        return self._follower is not None and self._follower.ended

    async def more(self) -> tuple[list[frames.Frame], int]:
        """The frames that came since, of one piece of the file at most, and how many bytes lie unread behind it."""
        return await self._in_thread(self._more)

    def _more(self) -> tuple[list[frames.Frame], int]:
        try:
            with opened_file(self._path) as file:
                self._follower = self._follower or Follower(self._key(), self._session)
                file.seek(self._offset)
                piece = file.read(READ_BYTES)
                size = os.fstat(file.fileno()).st_size
        except FileNotFoundError as error:
            raise NoRecording(str(error)) from None
        except OSError as error:
            raise Corrupt(f"the disk does not give it: {error.strerror}") from error
        self._offset += len(piece)
        return self._follower.feed(piece), max(0, size - self._offset)


class LiveCast:
    """A session's terminal as asciicast v3, whose header comes first. It shows the newest shell or command that was
    opened and goes on, or the one named; others, and operations on files, are markers."""

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._cast: Cast | None = None
        self._shown = -1
        self._open: dict[int, frames.ChannelOpened] = {}
        self._at = 0
        self._skipped = 0

    def add(self, frame: frames.Frame, *, skip: bool) -> str:
        """What the next frame gives. To `skip` leaves output out and counts it."""
        if isinstance(frame, frames.Opened):
            return json.dumps(
                {
                    "version": 3,
                    "term": {"cols": 80, "rows": 24},
                    "timestamp": frame.started // SECOND,
                    "title": f"{frame.login}@{frame.resource}",
                }
            ) + "\n"  # fmt: skip
        if skip and isinstance(frame, frames.Output):
            self._skipped += len(frame.data) if frame.channel == self._shown else 0
            return ""
        return self._caught_up(frame.at, skip=skip) + self._lines(frame)

    def _caught_up(self, at: int, *, skip: bool) -> str:
        if skip or not self._skipped:
            return ""
        count, self._skipped = self._skipped, 0
        return self._marker(at, f"{count:,} bytes of output are not shown: they came faster than they were read")

    def _lines(self, frame: frames.Frame) -> str:
        match frame:
            case frames.ChannelOpened():
                return self._opened(frame)
            case frames.FileOperation(outcome=outcome) if outcome != "asked":
                words = " ".join(filter(None, (frame.operation, frame.path, frame.target, outcome)))
                return self._marker(frame.at, f"file: {words}")
            case frames.ChannelClosed(channel=channel):
                return self._closed(frame, channel)
            case frames.Resize(channel=channel) if channel in self._open and channel != self._shown:
                self._open[channel] = replace(self._open[channel], columns=frame.columns, rows=frame.rows)
                return ""
            case frames.Closed(reason=reason):
                return self._marker(frame.at, f"the session ended: {reason}")
            case _ if self._cast is not None:
                return "".join(self._cast.lines(frame))
            case frames.Marker(text=text):
                return self._marker(frame.at, text)
            case _:
                return ""

    def _opened(self, frame: frames.ChannelOpened) -> str:
        words = self._marker(frame.at, f"channel {frame.channel}: {frame.kind} {frame.command}".rstrip())
        wanted = frame.kind in PLAYED if self._channel is None else frame.channel == self._channel
        if not wanted:
            return words
        self._open[frame.channel] = frame
        return words + self._show(frame, frame.at)

    def _closed(self, frame: frames.ChannelClosed, channel: int) -> str:
        """Where it was the one shown, the newest that goes on is again: nobody leads a watcher away by a command."""
        self._open.pop(channel, None)
        if channel != self._shown:
            return self._marker(frame.at, f"channel {channel} ended")
        words = "".join(self._cast.lines(frame)) if self._cast is not None else ""
        if not self._open:
            return words
        newest = self._open[max(self._open)]
        text = f"channel {newest.channel} again: {newest.kind} {newest.command}".rstrip()
        return words + self._marker(frame.at, text) + self._show(newest, frame.at)

    def _show(self, opened: frames.ChannelOpened, at: int) -> str:
        self._cast, self._shown = Cast(opened), opened.channel
        self._cast.at = at
        if not opened.columns:
            return ""
        return "".join(self._cast.lines(frames.Resize(at, opened.channel, opened.columns, opened.rows)))

    def _marker(self, at: int, text: str) -> str:
        since = self._at if self._cast is None else self._cast.at
        self._at = at
        if self._cast is not None:
            self._cast.at = at
        return f'[{max(0, at - since) / SECOND:.6f}, "m", {json.dumps(text, ensure_ascii=False)}]\n'

    def last(self, text: str) -> str:
        """A last line that says why there are no more."""
        return self._marker(self._at, text)


class LiveStatements:
    """A database's session as lines of JSON, one for each statement when it has ended."""

    def __init__(self) -> None:
        self._statements = Statements()
        self._started = Instant(0)
        self._skipped = 0

    def add(self, frame: frames.Frame, *, skip: bool) -> str:
        """What the next frame gives. To `skip` leaves statements out and counts them."""
        if isinstance(frame, frames.Opened):
            self._started = frame.started
        lines = list(self._statements.add(frame))
        if skip:
            self._skipped += len(lines)
            return ""
        words = [json_line(line, self._started) for line in lines]
        if self._skipped:
            count, self._skipped = self._skipped, 0
            words.insert(0, self.last(f"{count:,} statements are not shown: they came faster than they were read"))
        if isinstance(frame, frames.Closed):
            words += [json_line(line, self._started) for line in self._statements.rest()]
            words.append(self.last(f"the session ended: {frame.reason}"))
        return "".join(words)

    def last(self, text: str) -> str:
        """A line that says something, and is no statement."""
        return json.dumps({"note": text}) + "\n"


async def watched(growing: Growing, lines: LiveCast | LiveStatements, allowed: Allowed) -> AsyncIterator[bytes]:
    """The lines of a session as they come, until it ends, or its watcher may watch no more."""
    loop = asyncio.get_running_loop()
    asked = beat = loop.time()
    while True:
        try:
            found, behind = await growing.more()
        except Corrupt as error:
            yield lines.last(str(error)).encode()
            return
        skip = behind > MOST_BEHIND_BYTES
        text = "".join([lines.add(frame, skip=skip) for frame in found])
        now = loop.time()
        if text or now - beat >= BEAT_SECONDS:
            yield (text or "\n").encode()
            beat = now
        if growing.ended:
            return
        if now - asked >= ASK_SECONDS:
            if (refused := await allowed()) is not None:
                yield lines.last(refused.message).encode()
                return
            asked = now
        if not found and not behind:
            await asyncio.sleep(PAUSE_SECONDS)
