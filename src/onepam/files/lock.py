"""A file or a folder as a lock between processes, which ends with whoever holds it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onepam.kernel.errors import Unavailable


@contextmanager
def locked(path: Path, otherwise: str, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Holds a folder, or a file, which is made if there is none; `how` is `LOCK_EX` or `LOCK_SH` of fcntl. Raises
    `Unavailable` with the words `otherwise` while another process has it in another way."""
    kind = os.O_RDONLY | os.O_DIRECTORY if path.is_dir() else os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, kind | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(otherwise) from None
        yield
    finally:
        os.close(descriptor)
