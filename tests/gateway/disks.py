"""Disks for recorders under test."""

from collections.abc import Callable
from pathlib import Path

from onepam.gateway.disk import Disk, Marks, Share, Space

NO_MARKS = Marks(0, 0, 0)


def plenty(folder: Path, on_end: Callable[[str], None] = lambda because: None) -> Share:
    """A share of a disk that never runs low."""
    return bounded(folder, 1 << 50, on_end)


def bounded(folder: Path, size: int, on_end: Callable[[str], None] = lambda because: None) -> Share:
    """A share of a disk of `size` bytes, on which nothing lies but the folder's files."""

    def look(folder: Path) -> Space:
        used = sum(each.stat().st_size for each in folder.iterdir()) if folder.is_dir() else 0
        return Space(size - used, size)

    return Disk(folder, NO_MARKS, look).share("ses_1", "per_1", on_end)
