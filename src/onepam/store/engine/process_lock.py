"""The lock between the processes that write one database: each in its turn."""

import fcntl
import os
from io import FileIO
from pathlib import Path
from types import TracebackType


class ProcessLock:
    """A blocking and fair lock: `flock` on two files beside the database. One thread at a time may use an instance.

    A released `flock` goes to whoever asks first, which is nearly always the process that has just let it go. So one
    waits for the lock only while holding the *turn*, and the busy process finds the turn taken by the one that waits.
    """

    def __init__(self, database: Path) -> None:
        self._turn = _open(f"{database}.turn")
        self._lock = _open(f"{database}.lock")

    def __enter__(self) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Gives the files back, for good: a `FileIO` that is closed knows no descriptor any more."""
        self._turn.close()
        self._lock.close()


def _open(path: str) -> FileIO:
    return FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
