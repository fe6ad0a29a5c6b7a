"""How a recording is written to its file.

Open for appending, the number of a file's descriptor belongs to nobody else while anybody uses it. The kernel gives the
number of a closed descriptor to whatever is opened next: another recording, a client's socket. So nobody else ever
holds the number. The loop writes, a thread syncs, and whoever of them is last closes it; after `close` nobody begins.
"""

import os
from enum import Enum, auto
from pathlib import Path
from threading import Lock

from onepam.kernel.errors import Fault


class FileEnded(Fault):
    """The file was closed; whoever still writes to it is at fault."""


class _Stage(Enum):
    OPEN = auto()
    CLOSING = auto()
    CLOSED = auto()


class RecordingFile:
    """Make it with `create`. Any thread may call any method."""

    @classmethod
    def create(cls, path: Path) -> "RecordingFile":
        """A new file, for its owner only. Raises `OSError`, also where it exists."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        return cls(path, os.open(path, flags, 0o600))

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = 0
        """Bytes written so far."""
        self._descriptor = descriptor
        self._stage = _Stage.OPEN
        self._users = 0
        self._lock = Lock()

    def write(self, data: bytes | bytearray) -> None:
        """Appends all of `data`. Raises `OSError`, after which a part may be written, and `FileEnded`."""
        with self._lock:  # nobody else holds it for longer than it takes to count
            self._check_open()
            written = os.write(self._descriptor, data)
            self.size += written
            while written < len(data):
                more = os.write(self._descriptor, memoryview(data)[written:])
                self.size += more
                written += more

    def sync(self, *, name: bool) -> None:
        """Returns once the content is on disk; with `name` the file's entry in its folder as well. Raises `OSError` and
        `FileEnded`."""
        descriptor = self._used()
        try:
            os.fdatasync(descriptor)
        finally:
            self._unused()
        if name:
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def close(self) -> None:
        """Nobody begins to use it from now on; it closes at once, or with the last who uses it now. Once is enough."""
        with self._lock:
            if self._stage is _Stage.OPEN:
                self._stage = _Stage.CLOSING
            self._close_if_last()

    def _used(self) -> int:
        """The descriptor, until `_unused`."""
        with self._lock:
            self._check_open()
            self._users += 1
        return self._descriptor

    def _check_open(self) -> None:
        if self._stage is not _Stage.OPEN:
            raise FileEnded(f"the recording {self.path.name} was closed before")

    def _unused(self) -> None:
        with self._lock:
            self._users -= 1
            self._close_if_last()

    def _close_if_last(self) -> None:
        if self._stage is _Stage.CLOSING and not self._users:
            self._stage = _Stage.CLOSED
            os.close(self._descriptor)
