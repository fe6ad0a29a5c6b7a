"""Attacks on the stored history: each is found, and named as exactly as what is left allows."""

from collections.abc import Callable

import pytest

from onepam.ledger.check import check
from onepam.ledger.findings import Row, What
from onepam.ledger.tiles import Tile
from tests.ledger.histories import (
    BUNDLES,
    NOTHING,
    PUBLISHED,
    TILES,
    anchor,
    files,
    history,
    named,
    renumber,
    sealed,
    verify,
)


def flip_body(rows: list[Row]) -> None:
    rows[300] = rows[300]._replace(body=rows[300].body.replace(b"true", b"fals"))


def flip_body_and_leaf(rows: list[Row]) -> None:
    flip_body(rows)
    rows[300] = sealed(rows[300])


def flip_time(rows: list[Row]) -> None:
    rows[300] = sealed(rows[300]._replace(time=rows[300].time + 1))


def flip_kind(rows: list[Row]) -> None:
    rows[300] = sealed(rows[300]._replace(kind="request.denied"))


def flip_counter(rows: list[Row]) -> None:
    rows[300] = sealed(rows[300]._replace(class_seq=rows[300].class_seq + 1))


def flip_leaf_column(rows: list[Row]) -> None:
    rows[300] = rows[300]._replace(leaf=bytes(32))


def flip_two(rows: list[Row]) -> None:
    flip_body_and_leaf(rows)
    rows[1399] = sealed(rows[1399]._replace(body=b"{}"))


def drop(rows: list[Row]) -> None:
    del rows[300]


def drop_many(rows: list[Row]) -> None:
    del rows[10:1300]


def drop_the_first(rows: list[Row]) -> None:
    del rows[0]


def drop_the_last_published(rows: list[Row]) -> None:
    del rows[PUBLISHED - 2 : PUBLISHED]


def insert_copy(rows: list[Row]) -> None:
    rows.insert(300, rows[300]._replace(leaf=rows[5].leaf))


def insert_forged(rows: list[Row]) -> None:
    rows.insert(301, sealed(rows[300]._replace(body=b'{"forged":true}')))


def insert_and_renumber(rows: list[Row]) -> None:
    rows.insert(300, rows[299]._replace(time=rows[299].time + 1, body=b'{"forged":true}'))
    renumber(rows)


def drop_and_renumber(rows: list[Row]) -> None:
    del rows[300]
    renumber(rows)


def swap_contents(rows: list[Row]) -> None:
    """Two entries change places, each under the other's number, counter and time."""
    one, other = rows[300], rows[306]
    rows[300] = sealed(one._replace(body=other.body, kind=other.kind))
    rows[306] = sealed(other._replace(body=one.body, kind=one.kind))


def swap_neighbours(rows: list[Row]) -> None:
    one, other = rows[300], rows[301]
    rows[300] = sealed(other._replace(position=300))
    rows[301] = sealed(one._replace(position=301))


def stream_out_of_order(rows: list[Row]) -> None:
    rows.insert(310, rows.pop(300))


def cut_tail(rows: list[Row]) -> None:
    del rows[1390:]


def cut_all(rows: list[Row]) -> None:
    del rows[:]


Names = list[tuple[str, int, int]]
ATTACKS: list[tuple[Callable[[list[Row]], None], Names, Names]] = [
    # attack, what is named with bundles, what is named with tiles alone
    (flip_body, [("flipped", 300, 301)], [("flipped", 300, 301)]),
    (flip_body_and_leaf, [("flipped", 300, 301)], [("flipped", 300, 301)]),
    (flip_time, [("flipped", 300, 301)], [("flipped", 300, 301)]),
    (flip_kind, [("flipped", 300, 301)], [("flipped", 300, 301)]),
    (flip_counter, [("flipped", 300, 301)], [("flipped", 300, 301)]),
    (flip_leaf_column, [("flipped", 300, 301)], [("flipped", 300, 301)]),
    (flip_two, [("flipped", 300, 301), ("flipped", 1399, 1400)], [("flipped", 300, 301), ("flipped", 1399, 1400)]),
    (drop, [("missing", 300, 301)], [("missing", 300, 301)]),
    (drop_many, [("missing", 10, 1300)], [("missing", 10, 1300)]),
    (drop_the_first, [("missing", 0, 1)], [("missing", 0, 1)]),
    (drop_the_last_published, [("missing", 1398, 1400)], [("missing", 1398, 1400)]),
    (insert_copy, [("flipped", 300, 301), ("inserted", 300, 301)], [("flipped", 300, 301), ("inserted", 300, 301)]),
    (insert_forged, [("inserted", 300, 301)], [("inserted", 300, 301)]),
    (swap_contents, [("reordered", 300, 301), ("reordered", 306, 307)], [("flipped", 300, 301), ("flipped", 306, 307)]),
    (swap_neighbours, [("reordered", 300, 301), ("reordered", 301, 302)], [("flipped", 300, 302)]),
    (stream_out_of_order, [("reordered", 300, 301)], [("reordered", 300, 301)]),
    (cut_tail, [("tail_cut", 1390, 1400)], [("tail_cut", 1390, 1400)]),
    (cut_all, [("tail_cut", 0, 1400)], [("tail_cut", 0, 1400)]),
    (
        insert_and_renumber,
        [("inserted", 300, 301), ("renumbered", 300, 1400), ("missing", 1400, 1401)],
        [("flipped", 300, 1400)],
    ),
    (
        drop_and_renumber,
        [("missing", 300, 301), ("renumbered", 301, 1399), ("inserted", 1399, 1400), ("renumbered", 1399, 1400)],
        [("flipped", 300, 1400)],
    ),
]


@pytest.mark.parametrize(("attack", "expected", "_tiles"), ATTACKS)
def test_attacks_are_named_exactly(attack: Callable[[list[Row]], None], expected: Names, _tiles: Names) -> None:
    rows = list(history())
    attack(rows)
    report = verify(rows)
    assert named(report) == expected, report.findings


@pytest.mark.parametrize(("attack", "_bundles", "expected"), ATTACKS)
def test_attacks_are_named_with_tiles_alone(
    attack: Callable[[list[Row]], None], _bundles: Names, expected: Names
) -> None:
    rows = list(history())
    attack(rows)
    report = verify(rows, TILES)
    assert named(report) == expected, report.findings


@pytest.mark.parametrize(("attack", "_bundles", "_tiles"), ATTACKS)
def test_attacks_are_found_without_tiles(attack: Callable[[list[Row]], None], _bundles: Names, _tiles: Names) -> None:
    rows = list(history())
    attack(rows)
    report = verify(rows, NOTHING, (anchor(256, holder="witness w"),))
    assert report.findings
    if attack is not flip_leaf_column:
        assert {finding.what for finding in report.findings} & {What.ROOT, What.FORKED, What.TAIL_CUT}


def test_a_roll_back_is_found_by_what_outsiders_have_seen() -> None:
    """Rows, tiles and checkpoint are all set back to a time when they were true."""
    witness = anchor(1200, holder="witness w")
    report = check(history()[:1000], anchor(1000), (anchor(500, holder="witness v"), witness), files(1000).__getitem__)
    assert named(report) == [("rolled_back", 1000, 1200)]
    assert report.held[-1].size == 1000
    assert named(check(history()[:990], anchor(1000), (witness,), files(1000).__getitem__)) == [
        ("tail_cut", 990, 1000),
        ("rolled_back", 1000, 1200),
    ]


def test_a_history_rewritten_with_the_key_is_found_back_to_the_newest_cosignature() -> None:
    """The attacker holds the signing key: rows, tiles and checkpoint agree with each other."""
    witnessed = tuple(anchor(size, holder="witness w") for size in (600, 900, 1200))
    report = check(history(fork=800), anchor(PUBLISHED, fork=800), witnessed, files(fork=800).__getitem__)
    assert named(report) == [("forked", 600, 1200)]
    assert report.held[-1].size == PUBLISHED


def test_rows_and_tiles_changed_together_leave_the_lost_range() -> None:
    report = check(
        history(fork=800), anchor(PUBLISHED), (anchor(700, holder="witness w"),), files(fork=800).__getitem__
    )
    assert named(report) == [("root", 700, PUBLISHED)]
    assert report.held[-1].size == 700


def test_rows_and_tiles_changed_apart_are_both_named() -> None:
    rows, tiles = list(history()), dict(files())
    flip_body_and_leaf(rows)
    tiles[Tile(0, 3)] = bytes(32) + tiles[Tile(0, 3)][32:]
    report = check(rows, anchor(PUBLISHED), (), tiles.__getitem__)
    assert named(report) == [("flipped", 300, 301), ("flipped", 768, 769), ("root", 0, PUBLISHED)]


def test_a_damaged_tile_does_not_accuse_the_rows() -> None:
    tiles = dict(files())
    tiles[Tile(0, 1)] = bytes(32) + tiles[Tile(0, 1)][32:]
    report = check(history(), anchor(PUBLISHED), (anchor(600, holder="witness w"),), tiles.__getitem__)
    assert named(report) == [("tile", 256, 257)]
    assert report.held[-1].size == PUBLISHED


@pytest.mark.parametrize("damage", [{}, {Tile(0, 1): b"short"}])
def test_a_lost_tile_does_not_accuse_the_rows(damage: dict[Tile, bytes]) -> None:
    tiles = dict(files())
    del tiles[Tile(0, 1)]
    tiles |= damage
    assert named(check(history(), anchor(PUBLISHED), (), tiles.__getitem__)) == [("tile", 256, 512)]
    rows = list(history())
    rows[10] = sealed(rows[10]._replace(body=b"{}"))
    report = check(rows, anchor(PUBLISHED), (), tiles.__getitem__)
    assert {("tile", 256, 512), ("flipped", 10, 11), ("root", 0, PUBLISHED)} == set(named(report))


def test_many_are_lost_across_a_lost_tile() -> None:
    rows, tiles = list(history()), dict(files())
    drop_many(rows)
    del tiles[Tile(0, 2)]
    report = check(rows, anchor(PUBLISHED), (), tiles.__getitem__)
    assert {("missing", 10, 1300), ("root", 0, PUBLISHED)} < set(named(report))


@pytest.mark.parametrize("bundle", [None, b"short", "forged", "no header"])
def test_a_damaged_bundle_is_not_believed(bundle: bytes | str | None) -> None:
    rows, tiles = list(history()), dict(files())
    swap_contents(rows)
    if bundle is None:
        del tiles[Tile(-1, 1)]
    elif isinstance(bundle, bytes):
        tiles[Tile(-1, 1)] = bundle
    elif bundle == "forged":
        tiles[Tile(-1, 1)] = tiles[Tile(-1, 0)]
    report = check(rows, anchor(PUBLISHED), (), tiles.__getitem__)
    expected = "reordered" if bundle == "no header" else "flipped"
    assert named(report) == [(expected, 300, 301), (expected, 306, 307)]


def test_an_anchor_inside_the_window_is_held_on_the_way() -> None:
    rows = list(history())
    flip_body_and_leaf(rows)
    report = verify(rows, BUNDLES, (anchor(310, holder="witness w"), anchor(290, holder="witness v")))
    assert named(report) == [("flipped", 300, 301)]
    assert report.held[-1].size == PUBLISHED
    tiles = dict(files())
    tiles[Tile(0, 1)] = bytes(32) + tiles[Tile(0, 1)][32:-32] + bytes(32)
    report = check(history(), anchor(PUBLISHED), (anchor(300, holder="witness w"),), tiles.__getitem__)
    assert named(report) == [("tile", 256, 257), ("tile", 511, 512)]
