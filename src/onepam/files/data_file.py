"""How a file of the data folder is opened and read.

Whoever can write to the folder puts what they like in the place of a file: a link, a pipe that never ends, a file
without end. So everything that reads one reads it by this.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from onepam.kernel.errors import Corrupt

_NO_FILE = {errno.ELOOP: "it is a link", errno.ENXIO: "it is no file"}


@contextmanager
def opened_file(path: Path) -> Iterator[BinaryIO]:
    """The file, never a link and nothing that makes its reader wait. Raises `Corrupt` for what is no file of ours, and
    `OSError`, which reading it does, too, where the disk does not give it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise Corrupt(_NO_FILE[error.errno]) from None
        raise
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Corrupt("it is no file")
    with os.fdopen(fd, "rb", buffering=0) as file:
        yield file


def content(path: Path, most: int) -> bytes:
    """What stands in a small file. Raises `Corrupt` for more than `most` bytes and for what is no file, `OSError` where
    it is not there or cannot be read."""
    try:
        with opened_file(path) as file:
            data = b""
            while len(data) <= most and (piece := file.read(most + 1 - len(data))):
                data += piece
    except Corrupt as error:
        raise Corrupt(f"{path.name}: {error}") from None
    if len(data) > most:
        raise Corrupt(f"{path.name}: it is larger than {most} bytes")
    return data
