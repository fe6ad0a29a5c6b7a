"""The tree as immutable files: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).

A tile holds up to 256 hashes of every eighth level of the tree; a bundle holds the 256 entries under a level-0 tile.
What a bundle says of an entry is header || SHA-256(body): the leaf without its 0x00. No body, no personal data.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from onepam.kernel.errors import Corrupt
from onepam.ledger.entry import MAX_HEADER_BYTES, Header
from onepam.ledger.merkle import HASH_BYTES, HashReader, perfect_root

WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""
TILE_BYTES = WIDTH * HASH_BYTES
MAX_BUNDLE_BYTES = WIDTH * (2 + MAX_HEADER_BYTES + HASH_BYTES)
ENTRIES = -1
"""The `level` of a bundle of entries."""

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of a tile, or of a bundle where `level` is `ENTRIES`. `width` is 1 to 256; below 256 it is partial."""

    level: int
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """`tile/<L>/<N>[.p/<W>]`, relative to the log's prefix: index 1234067 is `x001/x234/067`."""
        index, name = self.index // 1000, f"{self.index % 1000:03d}"
        while index:
            index, name = index // 1000, f"x{index % 1000:03d}/{name}"
        level = "entries" if self.level == ENTRIES else str(self.level)
        return f"tile/{level}/{name}" + ("" if self.width == WIDTH else f".p/{self.width}")

    @classmethod
    def parse(cls, path: str) -> Self:
        """The tile of a path. Raises `ValueError` unless `path` is exactly as `path()` writes it."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise ValueError("not the path of a tile")
        level, index, width = match.groups()
        tile = cls(
            ENTRIES if level == "entries" else int(level),
            int(index.replace("x", "").replace("/", "")),
            WIDTH if width is None else int(width),
        )
        if tile.path() != path or tile.level > 63 or tile.width == 0 or tile.width > WIDTH:
            raise ValueError("not the path of a tile")
        return tile


TileReader = Callable[[Tile], bytes]
"""The bytes of a tile or bundle at exactly the width asked for. Raises if it is not there."""


def tile_at(level: int, index: int, size: int) -> Tile:
    """The tile `index` of `level` (or of `ENTRIES`) as it stands in a tree of `size`. Raises `ValueError` if empty."""
    width = min(WIDTH, (size >> (8 * max(level, 0))) - index * WIDTH)
    if width <= 0 or index < 0:
        raise ValueError(f"a tree of {size} leaves has no tile {index} of level {level}")
    return Tile(level, index, width)


def grow(size: int, leaves: Sequence[bytes], read: TileReader) -> Iterator[tuple[Tile, bytes]]:
    """What to write when `leaves` (hashes) follow a tree of `size`: full tiles, and the last partial one of each level.

    `read` is asked for the partial tiles of the tree of `size` only. The result is that of building from
    nothing, whatever the steps were. Raises `Corrupt` when a partial tile does not have its length.
    """
    hashes, level = list(leaves), 0
    while hashes:
        index, before = divmod(size, WIDTH)
        if before:
            hashes = [*hashes_of(read(Tile(level, index, before)), before), *hashes]
        above = []
        for begin in range(0, len(hashes), WIDTH):
            row = hashes[begin : begin + WIDTH]
            yield Tile(level, index + begin // WIDTH, len(row)), b"".join(row)
            if len(row) == WIDTH:
                above.append(perfect_root(row))
        hashes, size, level = above, size // WIDTH, level + 1


def grow_entries(size: int, preimages: Sequence[bytes], read: TileReader) -> Iterator[tuple[Tile, bytes]]:
    """The same for bundles: `preimages` are header || SHA-256(body) of the entries that follow a tree of `size`."""
    index, before = divmod(size, WIDTH)
    entries = [*preimages]
    if before and entries:
        entries = [*entries_of(read(Tile(ENTRIES, index, before)), before), *entries]
    for begin in range(0, len(entries), WIDTH):
        row = entries[begin : begin + WIDTH]
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in row)
        yield Tile(ENTRIES, index + begin // WIDTH, len(row)), bundle


def hashes_of(data: bytes, width: int) -> list[bytes]:
    """The hashes of a tile. Raises `Corrupt` when its length is not that of `width` hashes."""
    if len(data) != width * HASH_BYTES:
        raise Corrupt(f"a tile of width {width} has {len(data)} bytes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def entries_of(data: bytes, width: int) -> list[bytes]:
    """The preimages of a bundle. Raises `Corrupt` unless it holds exactly `width` of them, and nothing else."""
    entries: list[bytes] = []
    at = 0
    while at + 2 <= len(data) <= MAX_BUNDLE_BYTES and len(entries) < width:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) != width:
        raise Corrupt(f"a bundle does not hold exactly {width} entries")
    return entries


def split(preimage: bytes) -> tuple[Header, bytes]:
    """(header, SHA-256(body)) of an entry in a bundle. Raises `Corrupt` if it is not one."""
    try:
        return Header.decode(preimage[:-HASH_BYTES]), preimage[-HASH_BYTES:]
    except ValueError as error:
        raise Corrupt(f"an entry of a bundle: {error}") from None


def hash_reader(size: int, read: TileReader) -> HashReader:
    """Reads the subtrees of a tree of `size` out of its tiles, keeping the last 64 tiles.

    The reader raises `ValueError` for a subtree outside the tree and `Corrupt` for a tile of the wrong length.
    """
    tile_hashes = lru_cache(maxsize=64)(lambda tile: hashes_of(read(tile), tile.width))

    def hash_at(level: int, index: int) -> bytes:
        tile_level, rest = divmod(level, 8)
        if index < 0 or (index + 1) << level > size:
            raise ValueError(f"subtree {index} of level {level} is outside a tree of {size}")
        first = index << rest
        row = tile_hashes(tile_at(tile_level, first // WIDTH, size))
        begin = first % WIDTH
        return perfect_root(row[begin : begin + (1 << rest)])

    return hash_at
