"""How far it is, for whoever watches at a terminal: on standard error, and of what takes long only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Optional

LARGE = 1 << 24  # bytes


class Progress:
    """Of `size` bytes of a file, or of so many things; shown where these are at least `large`. In a process that works
    beside the one that is watched, `elsewhere` takes what is shown."""

    elsewhere: Optional[Callable[[str], object]] = None

    def __init__(self, what: str, size: int, large: int = LARGE) -> None:
        self._what, self._size, self._step, self._told = what, size, max(1, size // 100), 0
        self._watched = size >= large and sys.stderr.isatty()

    def at(self, done: int) -> None:
        """So many are done."""
        if self._watched and (done - self._told >= self._step or done == self._size):
            self._told = done
            show_progress(f"\r{self._what}: {100 * done // self._size} %" + "\n" * (done == self._size))


def show_progress(text: str) -> None:
    """Shows it, or hands it on."""
    (Progress.elsewhere or sys.stderr.write)(text)
