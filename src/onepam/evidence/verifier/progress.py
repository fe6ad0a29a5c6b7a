"""How far it is, for whoever watches at a terminal: on standard error, and of large files only."""

from __future__ import annotations

import sys

LARGE = 1 << 24  # bytes
STEP = 1 << 20  # bytes


class Progress:
    """Of reading one file of so many bytes."""

    def __init__(self, what: str, size: int) -> None:
        self._what, self._size, self._told = what, size, 0
        self._watched = size >= LARGE and sys.stderr.isatty()

    def at(self, done: int) -> None:
        """So many bytes are done."""
        if self._watched and (done - self._told >= STEP or done == self._size):
            self._told = done
            sys.stderr.write(f"\r{self._what}: {100 * done // self._size} %" + "\n" * (done == self._size))
