"""How far it is, for whoever watches at a terminal: on standard error, and of what takes long only."""

from __future__ import annotations

import sys

LARGE = 1 << 24  # bytes


class Progress:
    """Of `size` bytes of a file, or of so many things; shown where these are at least `large`."""

    def __init__(self, what: str, size: int, large: int = LARGE) -> None:
        self._what, self._size, self._step, self._told = what, size, max(1, size // 100), 0
        self._watched = size >= large and sys.stderr.isatty()

    def at(self, done: int) -> None:
        """So many are done."""
        if self._watched and (done - self._told >= self._step or done == self._size):
            self._told = done
            sys.stderr.write(f"\r{self._what}: {100 * done // self._size} %" + "\n" * (done == self._size))
