"""Writes one session's recording to disk: nothing is forwarded that is not recorded, and nothing recorded is rewritten.

In strict mode `record` hands every frame to the kernel before it returns, so a SIGKILL loses nothing of what was
forwarded. Otherwise frames are handed over chunk by chunk (at most one second or 64 KiB apart). In both modes a sealed
chunk is synced to disk in a thread, one sync at a time, and its head is reported only then.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from onepam.kernel.clock import SECOND
from onepam.kernel.errors import Corrupt, Fault
from onepam.recording.frames import Closed, Frame, Opened
from onepam.recording.open import Reader
from onepam.recording.seal import MAX_CHUNK_TIME, Head, Sealer

MAX_UNSYNCED_BYTES = 8 * 1024 * 1024
"""Bytes handed to the kernel and not yet on disk at which reading pauses."""

READ_BYTES = 1024 * 1024
SUFFIX = ".rec"


class RecorderFailed(Fault):
    """The recording cannot go on (disk full, write error, quota): the session must end."""


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
        quota_bytes: int,
        pool: Executor,
        on_head: Callable[[Head], None],
        on_failure: Callable[[RecorderFailed], None],
    ) -> "Recorder":
        """Create the file, with `opened` in it. Raises `RecorderFailed`: then no session may begin."""
        path = recording_path(folder, recording)
        loop = asyncio.get_running_loop()
        try:
            fd = await loop.run_in_executor(pool, _created, path)
        except OSError as error:
            raise RecorderFailed(_worded(error)) from error
        recorder = cls(path, fd, recording, key, strict, quota_bytes, pool, on_head, on_failure)
        try:
            recorder._write(recorder._sealer.header)
            recorder.record(opened)
            recorder._seal()
        except RecorderFailed:
            os.close(fd)
            raise
        return recorder

    def __init__(
        self,
        path: Path,
        fd: int,
        recording: str,
        key: bytes,
        strict: bool,
        quota_bytes: int,
        pool: Executor,
        on_head: Callable[[Head], None],
        on_failure: Callable[[RecorderFailed], None],
    ) -> None:
        self.path = path
        self.failure: RecorderFailed | None = None
        self._fd = fd
        self._key = key
        self._sealer = Sealer(recording, key)
        self._strict = strict
        self._quota = quota_bytes
        self._pool = pool
        self._on_head = on_head
        self._on_failure = on_failure
        self._loop = asyncio.get_running_loop()
        self._began = monotonic()
        self._at = 0
        self._size = 0
        self._synced_size = 0
        self._synced_seq = 0
        self._sync: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: list[Callable[[], None]] = []

    @property
    def at(self) -> int:
        """The time for the next frame: microseconds since the recording began, never going back."""
        self._at = max(self._at, int((monotonic() - self._began) * SECOND))
        return self._at

    @property
    def size(self) -> int:
        """Bytes of the file so far."""
        return self._size

    @property
    def full(self) -> bool:
        """Whether the disk lags so far behind that reading must pause until `when_drained` calls back."""
        return self._size - self._synced_size > MAX_UNSYNCED_BYTES

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back once when `full` has ended, or the recorder has failed."""
        self._waiting.append(callback)

    def record(self, *frames: Frame) -> None:
        """Take the next frames; in strict mode they are with the kernel on return. Raises `RecorderFailed`."""
        if self.failure:
            raise self.failure
        sealer = self._sealer
        for frame in frames:
            sealer.append(frame)
        if sealer.due(frames[-1].at):
            self._seal()
            return
        if self._strict:
            self._write(sealer.flush())
        if self._timer is None:
            self._timer = self._loop.call_later(MAX_CHUNK_TIME / SECOND, self._elapsed)

    async def close(self, reason: str) -> Recorded:
        """Record the end, sync, read the file back and compare. Never raises for what the disk does: see `problem`."""
        if not self.failure:
            with suppress(RecorderFailed):
                self.record(Closed(self.at, reason, self._sealer.counts))
                if self._sealer.unsealed:
                    self._seal()
        self._stop_timer()
        while self._sync:
            await asyncio.wait([self._sync])
        problem = await self._loop.run_in_executor(self._pool, self._read_back)
        return Recorded(self._sealer.head, self._sealer.counts, self._size, str(self.failure or problem))

    def _elapsed(self) -> None:
        self._timer = None
        if self._sealer.unsealed and not self.failure:
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
        self._start_sync()

    def _write(self, data: bytes) -> None:
        if self._size + len(data) > self._quota:
            raise self._failed(f"the recording has reached its quota of {self._quota} bytes")
        view = memoryview(data)
        try:
            while view:
                written = os.write(self._fd, view)
                self._size += written
                view = view[written:]
        except OSError as error:
            raise self._failed(_worded(error)) from error

    def _start_sync(self) -> None:
        if self._sync or self.failure or self._sealer.head.seq == self._synced_seq:
            return
        head, size = self._sealer.head, self._size
        folder = None if self._synced_seq else self.path.parent
        self._sync = self._loop.run_in_executor(self._pool, _synced_to_disk, self._fd, folder)
        self._sync.add_done_callback(lambda done: self._synced(done, head, size))

    def _synced(self, done: asyncio.Future[None], head: Head, size: int) -> None:
        self._sync = None
        error = done.exception()
        if error is not None:
            self._failed(_worded(error))
            return
        self._synced_seq, self._synced_size = head.seq, size
        self._on_head(head)
        self._start_sync()
        if not self.full:
            self._release()

    def _failed(self, what: str) -> RecorderFailed:
        if not self.failure:
            self.failure = RecorderFailed(what)
            self._stop_timer()
            self._loop.call_soon(self._on_failure, self.failure)
            self._release()
        return self.failure

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def _read_back(self) -> str:
        """In a thread: close the file, open it again, read it to its end."""
        try:
            os.close(self._fd)
            with self.path.open("rb") as file:
                reader = Reader(_pieces(file.fileno()), self._key, self._sealer.head, final=True)
                for _ in reader:
                    pass
        except (OSError, Corrupt) as error:
            return str(error)
        return reader.gap.what if reader.gap else ""


def _pieces(fd: int) -> Iterator[bytes]:
    while piece := os.read(fd, READ_BYTES):
        yield piece


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _synced_to_disk(fd: int, folder: Path | None) -> None:
    """In a thread; the folder, where it is given, holds the file's name and is synced as well."""
    os.fdatasync(fd)
    if folder is not None:
        entry = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(entry)
        finally:
            os.close(entry)


def _worded(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk that holds the recordings is full"
    return f"the recording cannot be written: {error}"
