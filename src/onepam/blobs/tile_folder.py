"""The published log as files: tiles, bundles of entries, checkpoint (C2SP tlog-tiles). Any web server may serve it."""

import contextlib
import os
from pathlib import Path

from onepam.files.data_file import content
from onepam.kernel.errors import Corrupt
from onepam.ledger.merkle import HASH_BYTES
from onepam.ledger.tiles import ENTRIES, MAX_BUNDLE_BYTES, TILE_BYTES, WIDTH, Tile

MAX_CHECKPOINT_BYTES = 64 * 1024


class TileFolder:
    """Files are written beside, synced and renamed: a reader sees the old file or the whole new one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, tile: Tile) -> bytes:
        """A tile's bytes at exactly its width; of a partial tile that grew full, its beginning.

        Raises `FileNotFoundError` when it was never published, `Corrupt` for what no tile is.
        """
        path = self._folder / tile.path()
        if tile.width < WIDTH and tile.level >= 0 and not path.exists():
            whole = content(self._folder / Tile(tile.level, tile.index).path(), TILE_BYTES)
            return whole[: tile.width * HASH_BYTES]
        return content(path, MAX_BUNDLE_BYTES if tile.level == ENTRIES else TILE_BYTES)

    def write(self, tile: Tile, data: bytes) -> None:
        """Publishes a tile; one that is there already with these bytes is left alone (recovery runs the same code)."""
        path = self._folder / tile.path()
        with contextlib.suppress(FileNotFoundError, Corrupt):  # what is no tile gives way to this one
            if content(path, len(data)) == data:
                return
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)

    def drop_partials(self, tile: Tile) -> None:
        """Removes the partial tiles that a full one has replaced."""
        if tile.width != WIDTH:
            return
        folder = (self._folder / tile.path()).with_name(f"{tile.index % 1000:03d}.p")
        if folder.is_dir():
            for each in folder.iterdir():
                each.unlink(missing_ok=True)
            folder.rmdir()

    def checkpoint(self) -> bytes | None:
        """The newest signed note, or None before the first. Raises `Corrupt` for what no note is."""
        try:
            return content(self._folder / "checkpoint", MAX_CHECKPOINT_BYTES)
        except FileNotFoundError:
            return None

    def checkpoint_at(self) -> float | None:
        """When the checkpoint was published, in Unix time; None before the first. The tiles it speaks of are as new."""
        try:
            return (self._folder / "checkpoint").stat().st_mtime
        except FileNotFoundError:
            return None

    def write_checkpoint(self, note: bytes) -> None:
        """Replaces the checkpoint, after everything it speaks of has been written."""
        _replace(self._folder / "checkpoint", note)


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # left over; or a pipe, on which opening would wait
    with beside.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
