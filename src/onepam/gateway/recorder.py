"""Writes one session's recording to disk: nothing is forwarded that is not recorded, and nothing recorded is rewritten.

In strict mode `record` hands every frame to the kernel before it returns, so a SIGKILL loses nothing of what was
forwarded. Otherwise frames are handed over chunk by chunk (at most one second or 64 KiB apart). In both modes a sealed
chunk is synced to disk in a thread, one sync at a time and not for every chunk of a bulk stream, and its head is
reported only then.

A recorder's end is final: its last frame is `Closed`, its timer stops, its thread's work is waited for, then its file
is closed. What comes later is refused and logged, for somebody believed that it would be recorded.
"""

import asyncio
import errno
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from time import monotonic_ns

from onepam.files.data_file import opened_file
from onepam.gateway.disk import Share
from onepam.gateway.recording_file import RecordingFile
from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Corrupt, Fault
from onepam.recording.frames import Closed, Frame, Opened
from onepam.recording.open import Reader
from onepam.recording.seal import MAX_CHUNK_TIME, Head, Sealer

log = logging.getLogger(__name__)

MAX_UNSYNCED_BYTES = 8 * 1024 * 1024
"""Bytes handed to the kernel and not yet on disk at which reading pauses."""

SYNC_SECONDS = 0.1
SYNC_BYTES = 4 * 1024 * 1024
"""A sync begins so long after the one before, or once so much waits for it."""

READ_BYTES = 256 * 1024
SUFFIX = ".rec"
_FULL = "the disk that holds the recordings is full"


class RecorderFailed(Fault):
    """The recording cannot go on (disk full, write error): the session must end."""


class RecorderEnded(RecorderFailed):
    """The recording has its last frame: this one came too late and is not in it. Nothing may be forwarded."""


class _Stage(Enum):
    RECORDING = auto()
    FAILED = auto()
    CLOSING = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A finished recording. `problem` is empty when the file was read back whole and leads to `head`."""

    head: Head
    counts: Mapping[str, int]
    size: int
    problem: str

    @property
    def verified(self) -> bool:
        """Whether the file was read back whole."""
        return not self.problem


def recording_path(folder: Path, recording: str) -> Path:
    """Where a recording lies."""
    return folder / (recording + SUFFIX)


class Recorder:
    """The recorder of one session; make it with `start`.

    `on_head` is told the newest head that is on disk (not every one), `on_failure` once that the session must end. Both
    are called on the loop and must not block.
    """

    @classmethod
    async def start(
        cls,
        folder: Path,
        recording: str,
        key: bytes,
        opened: Opened,
        *,
        strict: bool,
        share: Share,
        pool: Executor,
        on_head: Callable[[Head], None],
        on_failure: Callable[[RecorderFailed], None],
    ) -> "Recorder":
        """Create the file, with `opened` in it. Raises `RecorderFailed`: then no session may begin."""
        path = recording_path(folder, recording)
        loop = asyncio.get_running_loop()
        try:
            file = await loop.run_in_executor(pool, RecordingFile.create, path)
        except OSError as error:
            share.leave()
            raise RecorderFailed(_worded(error)) from error
        recorder = cls(file, recording, key, strict, share, pool, on_head, on_failure)
        try:
            recorder._write(recorder._sealer.header)
            recorder.record(opened)
            recorder._seal()
        except RecorderFailed:
            file.close()
            share.leave()
            raise
        return recorder

    def __init__(
        self,
        file: RecordingFile,
        recording: str,
        key: bytes,
        strict: bool,
        share: Share,
        pool: Executor,
        on_head: Callable[[Head], None],
        on_failure: Callable[[RecorderFailed], None],
    ) -> None:
        self.path = file.path
        self.failure: RecorderFailed | None = None
        self._stage = _Stage.RECORDING
        self._file = file
        self._key = key
        self._sealer = Sealer(recording, key)
        self._strict = strict
        self._share = share
        self._pool = pool
        self._on_head = on_head
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        share.on_resume = self._drained_soon
        self._began = monotonic_ns()
        self._synced_size = 0
        self._synced_seq = 0
        self._sync: asyncio.Future[None] | None = None
        self._sync_began = -SYNC_SECONDS
        self._sync_timer: asyncio.TimerHandle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[Callable[[], None]] = []

    @property
    def at(self) -> int:
        """The time for the next frame: microseconds since the recording began, never going back."""
        return (monotonic_ns() - self._began) // 1000

    @property
    def size(self) -> int:
        """Bytes of the file so far."""
        return self._file.size

    @property
    def full(self) -> bool:
        """Whether the disk lags so far behind, or has so little space, that reading must pause until `when_drained`
        calls back."""
        lags = self._file.size - self._synced_size > MAX_UNSYNCED_BYTES
        return (lags or self._share.paused) and self._stage is _Stage.RECORDING

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once when `full` has ended, or the recorder has failed."""
        self._waiting.append(callback)

    def record(self, *frames: Frame) -> None:
        """Take the next frames; in strict mode they are with the kernel on return. Raises `RecorderFailed`."""
        self.note(*frames)
        if self._strict and (data := self._sealer.flush()):
            self._write(data)

    def note(self, *frames: Frame) -> None:
        """Take the next frames, of which nothing goes to a target: in strict mode, too, the kernel has them with those
        that are recorded next, or within a second. Raises `RecorderFailed`."""
        if self._stage is not _Stage.RECORDING:
            raise self._refused(frames)
        sealer = self._sealer
        for frame in frames:
            sealer.append(frame)
        if sealer.due(frames[-1].at):
            self._seal()
        elif self._timer is None:
            self._timer = self._loop.call_later(MAX_CHUNK_TIME / SECOND, self._elapsed)

    async def close(self, reason: str) -> Recorded:
        """Record the end, sync, close the file, read it back and compare. To be called once; never raises for what the
        disk does: see `problem`."""
        if self._stage in (_Stage.CLOSING, _Stage.CLOSED):
            raise RecorderEnded(f"the recording {self.path.name} was closed before")
        if self._stage is _Stage.RECORDING:
            with suppress(RecorderFailed):
                self.record(Closed(self.at, reason, self._sealer.counts))
                if self._sealer.unsealed:
                    self._seal()
        self._stage = _Stage.CLOSING
        self._share.leave()
        self._stop_timer()
        self._release()
        self._start_sync()
        try:
            while self._sync:
                await asyncio.wait([self._sync])
        finally:
            self._file.close()
        problem = await self._loop.run_in_executor(self._pool, self._read_back)
        self._stage = _Stage.CLOSED
        return Recorded(self._sealer.head, self._sealer.counts, self.size, str(self.failure or problem))

    def _refused(self, frames: tuple[Frame, ...]) -> RecorderFailed:
        """Why nothing is recorded any more."""
        if self._stage is _Stage.FAILED and self.failure:
            return self.failure
        kinds = ", ".join(type(frame).__name__ for frame in frames)
        log.error("the recording %s has ended: %s came too late and is not forwarded", self.path.name, kinds)
        return RecorderEnded("the recording has ended")

    def _elapsed(self) -> None:
        self._timer = None
        if self._sealer.unsealed:
            with suppress(RecorderFailed):  # on_failure was told
                self._seal()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _seal(self) -> None:
        self._stop_timer()
        data, _ = self._sealer.seal()
        self._write(data)
        self._sync_soon()

    def _write(self, data: bytes | bytearray) -> None:
        if not self._share.admits(len(data)):
            raise self._failed(_FULL)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._failed(_worded(error)) from error

    def _sync_soon(self) -> None:
        """Now, or a while after the sync before."""
        waits = self._sync_began + SYNC_SECONDS - self._loop.time()
        if waits <= 0 or self.size - self._synced_size >= SYNC_BYTES or self._stage is not _Stage.RECORDING:
            self._start_sync()
        elif not (self._sync_timer or self._sync or self._sealer.head.seq == self._synced_seq):
            self._sync_timer = self._loop.call_later(waits, self._start_sync)

    def _start_sync(self) -> None:
        if self._sync_timer:
            self._sync_timer.cancel()
            self._sync_timer = None
        if self._sync or self.failure or self._sealer.head.seq == self._synced_seq:
            return
        self._sync_began = self._loop.time()
        head, size = self._sealer.head, self.size
        first = not self._synced_seq
        self._sync = self._loop.run_in_executor(self._pool, lambda: self._file.sync(name=first))
        self._sync.add_done_callback(lambda done: self._synced(done, head, size))

    def _synced(self, done: asyncio.Future[None], head: Head, size: int) -> None:
        self._sync = None
        error = done.exception()
        if error is not None:
            self._failed(_worded(error))
            return
        self._synced_seq, self._synced_size = head.seq, size
        self._on_head(head)
        self._sync_soon()
        self._drained()

    def _failed(self, what: str) -> RecorderFailed:
        self.failure = self.failure or RecorderFailed(what)
        if self._stage is _Stage.RECORDING:
            self._stage = _Stage.FAILED
            self._stop_timer()
            self._loop.call_soon(self._on_failure, self.failure)
            self._release()
        return self.failure

    def _drained_soon(self) -> None:
        """Space may be found within a `record` of ours, and whoever waits records at once: never inside another."""
        self._loop.call_soon(self._drained)

    def _drained(self) -> None:
        if not self.full:
            self._release()

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def _read_back(self) -> str:
        """In a thread: open the file again, read it to its end."""
        try:
            with opened_file(self.path) as file:
                reader = Reader(iter(lambda: file.read(READ_BYTES), b""), self._key, self._sealer.head, final=True)
                for _ in reader:
                    pass
        except (OSError, Corrupt) as error:
            return str(error)
        return reader.gap.what if reader.gap else ""


def _worded(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _FULL
    return f"the recording cannot be written: {error}"
