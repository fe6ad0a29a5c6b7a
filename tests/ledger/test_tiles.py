from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.ledger.entry import Header, leaf_hash
from onepam.ledger.merkle import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from onepam.ledger.tiles import (
    ENTRIES,
    MAX_BUNDLE_BYTES,
    Tile,
    entries_of,
    grow,
    grow_entries,
    hash_reader,
    hashes_of,
    split,
    tile_at,
)

LEAVES = [sha256(b"leaf %d" % index).digest() for index in range(70_000)]
Files = dict[str, bytes]


def nothing(tile: Tile) -> bytes:
    raise AssertionError(f"{tile} was not there to be read")


@cache
def built(size: int) -> Files:
    return {tile.path(): data for tile, data in grow(0, LEAVES[:size], nothing)}


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(1, 999, 255), "tile/1/999.p/255"),
        (Tile(63, 1000, 1), "tile/63/x001/000.p/1"),
        (Tile(ENTRIES, 67), "tile/entries/067"),
        (Tile(ENTRIES, 67_000, 9), "tile/entries/x067/000.p/9"),
    ],
)
def test_paths(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/1234",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000/../001",
        "tile/-1/000",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/x001/x001/x001/x001/x001/x001/001",
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        Tile.parse(path)


@given(st.integers(0, 63) | st.just(ENTRIES), st.integers(0, 10**12), st.integers(1, 256))
def test_a_path_comes_back(level: int, index: int, width: int) -> None:
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path()) == tile


def test_the_example_of_the_specification() -> None:
    files = built(70_000)
    assert sum(path.startswith("tile/0/") and ".p/" not in path for path in files) == 273
    assert sorted(path for path in files if ".p/" in path) == ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert len(files["tile/1/000"]) == 8192
    assert sorted(built(256)) == ["tile/0/000", "tile/1/000.p/1"]


@given(st.lists(st.integers(0, 700), max_size=8))
def test_any_steps_of_growth_give_the_tiles_of_building_at_once(steps: list[int]) -> None:
    files: Files = {}
    size = 0
    for step in steps:
        for tile, data in grow(size, LEAVES[size : size + step], lambda tile: files[tile.path()]):
            files[tile.path()] = data
        size += step
        assert files.items() >= built(size).items()


@cache
def widest() -> dict[tuple[int, int], bytes]:
    return {(tile.level, tile.index): data for tile, data in grow(0, LEAVES, nothing)}


@settings(max_examples=30)
@given(st.integers(0, 70_000), st.integers(0, 70_000), st.integers(0, 69_999))
def test_proofs_read_from_tiles(one: int, other: int, leaf: int) -> None:
    old, size = sorted((one, other))
    frontier, before = Frontier(), Frontier()
    frontier.extend(LEAVES[:size])
    before.extend(LEAVES[:old])
    # A partial tile is the beginning of the wider one.
    read = hash_reader(size, lambda tile: widest()[tile.level, tile.index][: tile.width * 32])
    assert verify_consistency(old, before.root(), size, frontier.root(), consistency_proof(read, old, size))
    if leaf < size:
        assert verify_inclusion(LEAVES[leaf], leaf, size, inclusion_proof(read, leaf, size), frontier.root())


def test_nothing_is_read_outside_the_tree() -> None:
    reader = hash_reader(5, lambda tile: built(5)[tile.path()])
    assert reader(0, 4) == LEAVES[4]
    with pytest.raises(ValueError, match="outside"):
        reader(1, 2)
    with pytest.raises(ValueError, match="outside"):
        reader(0, -1)
    with pytest.raises(ValueError, match="no tile"):
        tile_at(0, 1, 256)
    with pytest.raises(ValueError, match="no tile"):
        tile_at(0, -1, 256)
    assert tile_at(ENTRIES, 1, 300) == Tile(ENTRIES, 1, 44)


def test_a_tile_of_the_wrong_length_is_corrupt() -> None:
    with pytest.raises(Corrupt):
        hashes_of(bytes(33), 1)
    with pytest.raises(Corrupt):
        list(grow(1, LEAVES[:1], lambda tile: b""))
    with pytest.raises(Corrupt):
        hash_reader(5, lambda tile: bytes(31))(0, 0)


def preimage(index: int) -> bytes:
    return Header(index, Instant(index + 1), "a.b", 1, "a", index).encode() + sha256(b"%d" % index).digest()


@given(st.lists(st.integers(0, 300), max_size=5))
def test_bundles_hold_the_preimages_of_the_leaves(steps: list[int]) -> None:
    files: Files = {}
    size = 0
    for step in steps:
        entries = [preimage(index) for index in range(size, size + step)]
        for tile, data in grow_entries(size, entries, lambda tile: files[tile.path()]):
            files[tile.path()] = data
        size += step
    for index in range(0, size, 97):
        tile = tile_at(ENTRIES, index // 256, size)
        entry = entries_of(files[tile.path()], tile.width)[index % 256]
        header, body_hash = split(entry)
        assert header.index == index
        assert leaf_hash(header.encode(), body_hash) == sha256(b"\x00" + entry).digest()


@pytest.mark.parametrize(
    ("data", "width"),
    [
        (b"", 1),
        (b"\0", 1),
        (b"\0\1", 1),
        (b"\0\1a\0", 1),
        (b"\0\1a", 2),
        (b"\0\1a\0\1b", 1),
        (b"\0\2a", 1),
        (b"\0\1a" * 200_000, 256),
        ((b"\3\xe8" + bytes(1000)) * 256, 256),
    ],
)
def test_a_bundle_is_exactly_its_entries(data: bytes, width: int) -> None:
    assert len(b"\0\1a" * 200_000) > MAX_BUNDLE_BYTES
    with pytest.raises(Corrupt):
        entries_of(data, width)


def test_the_last_entry_of_a_bundle_may_be_empty_and_is_then_no_entry() -> None:
    assert entries_of(b"\0\1a\0\0", 2) == [b"a", b""]
    with pytest.raises(Corrupt):
        split(b"")


def test_an_entry_of_a_bundle_is_a_header_and_a_hash() -> None:
    with pytest.raises(Corrupt):
        split(b"{}" + bytes(32))
