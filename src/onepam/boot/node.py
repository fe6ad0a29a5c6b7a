"""This process among the others on the same data: its lasting name, and what its last life left open."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from onepam.kernel.errors import Fault
from onepam.kernel.ids import RandomBytes, new_id

MAX_NODES = 64


class Node:
    """A name that no other living process on this data folder has; it is kept over restarts.

    Whoever holds a name may conclude that every session still open under it belongs to a process that died.
    """

    def __init__(self, folder: Path, random: RandomBytes) -> None:
        """Takes the first free name. Raises `Fault` when all are taken."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        for number in range(1, MAX_NODES + 1):
            held = hold(folder / f"{number}", create=True)
            if held is None:
                continue
            self._held = held
            self.name = _read(held) or _write(held, new_id("nod", random))
            return
        raise Fault(f"{MAX_NODES} processes run on this data already")

    @contextmanager
    def abandoned(self) -> Iterator[list[str]]:
        """The names of processes that are gone; nobody takes one of them meanwhile."""
        held = {}
        for number in range(1, MAX_NODES + 1):
            file = hold(self._folder / f"{number}")
            if file is not None:
                held[file] = _read(file)
        try:
            yield [name for name in held.values() if name]
        finally:
            for file in held:
                file.close()

    def release(self) -> None:
        """Lets another process have the name, for good."""
        self._held.close()


def hold(path: Path, *, create: bool = False) -> FileIO | None:
    """The open file, locked; None where another process holds it, or there is none."""
    try:
        file = FileIO(os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600), "r+")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _read(file: FileIO) -> str:
    return os.pread(file.fileno(), 64, 0).decode("ascii", "replace").strip()


def _write(file: FileIO, name: str) -> str:
    os.pwrite(file.fileno(), name.encode("ascii"), 0)
    os.fsync(file.fileno())
    return name
