"""This process among the others on the same data: its lasting name, and what its last life left open."""

import fcntl
import os
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
        for number in range(1, MAX_NODES + 1):
            held = os.open(folder / f"{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(held)
                continue
            self._held = held
            self.name = self._read() or self._write(new_id("nod", random))
            return
        raise Fault(f"{MAX_NODES} processes run on this data already")

    def release(self) -> None:
        """Lets another process have the name."""
        os.close(self._held)

    def _read(self) -> str:
        return os.pread(self._held, 64, 0).decode("ascii", "replace").strip()

    def _write(self, name: str) -> str:
        os.pwrite(self._held, name.encode("ascii"), 0)
        os.fsync(self._held)
        return name
