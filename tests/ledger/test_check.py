"""Every attack on stored history is found, and named: with tiles and bundles, with tiles alone, and with neither."""

import json
from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.ledger.check import Anchor, Report, check, is_canonical
from onepam.ledger.entry import Entry, Header
from onepam.ledger.findings import MAX_FINDINGS, Finding, Findings, Row, What
from onepam.ledger.merkle import EMPTY_ROOT, Frontier
from onepam.ledger.tiles import Tile, grow, grow_entries

SIZE = 1500
PUBLISHED = 1400
"""The last hundred rows are newer than the checkpoint."""
CLASSES = ("request", "session", "grant")


def row_of(header: Header, body: bytes) -> Row:
    leaf = Entry(header, body).leaf()
    return Row(header.index, header.time, header.kind, header.version, header.klass, header.class_seq, body, leaf)


def sealed(row: Row) -> Row:
    """The row with the leaf that its fields now have: the attacker recomputes what he can."""
    header = Header(row.position, Instant(row.time), row.kind, row.version, row.klass, row.class_seq)
    return row_of(header, row.body)


@cache
def history(size: int = SIZE, fork: int | None = None) -> tuple[Row, ...]:
    """`size` entries; those from `fork` on tell another story."""
    rows, counters = [], dict.fromkeys(CLASSES, 0)
    for index in range(size):
        klass = CLASSES[index * 7 % 3]
        story = "other" if fork is not None and index >= fork else "true"
        body = canonical.encode({"n": index, "story": story, "who": ["per_a", None, True]})
        rows.append(row_of(Header(index, Instant(1000 + index * 3), klass + ".made", 1, klass, counters[klass]), body))
        counters[klass] += 1
    return tuple(rows)


def root_of(rows: tuple[Row, ...]) -> bytes:
    frontier = Frontier()
    frontier.extend([row.leaf for row in rows])
    return frontier.root()


@cache
def files(size: int = PUBLISHED, fork: int | None = None, bundles: bool = True) -> dict[Tile, bytes]:
    rows = history(SIZE, fork)[:size]
    tiles = dict(grow(0, [row.leaf for row in rows], unread))
    if bundles:
        preimages = [
            Header(row.position, Instant(row.time), row.kind, row.version, row.klass, row.class_seq).encode()
            + sha256(row.body).digest()
            for row in rows
        ]
        tiles |= dict(grow_entries(0, preimages, unread))
    return tiles


def unread(tile: Tile) -> bytes:
    raise AssertionError(tile)


def anchor(size: int, fork: int | None = None, holder: str = "checkpoint") -> Anchor:
    return Anchor(size, root_of(history(SIZE, fork)[:size]), holder)


BUNDLES, TILES, NOTHING = "bundles", "tiles", "nothing"


def verify(rows: list[Row] | tuple[Row, ...], known: str = BUNDLES, anchors: tuple[Anchor, ...] = ()) -> Report:
    read = None if known == NOTHING else files(bundles=known == BUNDLES).__getitem__
    return check(rows, anchor(PUBLISHED), anchors, read)


def named(report: Report) -> list[tuple[str, int, int]]:
    return [(finding.what.value, finding.begin, finding.end) for finding in report.findings]


@pytest.mark.parametrize("known", [BUNDLES, TILES, NOTHING])
def test_an_untouched_history_verifies(known: str) -> None:
    report = verify(history(), known, (anchor(0), anchor(700, holder="witness w"), anchor(1450, holder="witness v")))
    assert report.findings == ()
    assert (report.rows, report.anchored) == (SIZE, 1450)
    assert report.position.frontier.root() == root_of(history())
    assert report.position.time == history()[-1].time
    assert sum(report.position.counters.values()) == SIZE


def test_a_check_goes_on_where_the_last_one_ended() -> None:
    first = check(history()[:777], anchor(700), (), files(700).__getitem__)
    assert first.findings == ()
    second = check(
        history()[777:], anchor(PUBLISHED), (anchor(100, holder="old"),), files().__getitem__, first.position
    )
    assert (second.findings, second.rows, second.anchored) == ((), SIZE - 777, PUBLISHED)
    assert second.position.frontier.root() == root_of(history())
    assert check([]).position.frontier.size == 0
    assert check([], Anchor(0, EMPTY_ROOT, "checkpoint")).findings == ()
    assert named(check([], Anchor(0, bytes(32), "checkpoint"))) == [("root", 0, 0)]


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


def renumber(rows: list[Row]) -> None:
    counters = dict.fromkeys(CLASSES, 0)
    for at, row in enumerate(rows):
        rows[at] = sealed(row._replace(position=at, class_seq=counters[row.klass]))
        counters[row.klass] += 1


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
    assert report.anchored == 1000
    assert named(check(history()[:990], anchor(1000), (witness,), files(1000).__getitem__)) == [
        ("tail_cut", 990, 1000),
        ("rolled_back", 1000, 1200),
    ]


def test_a_history_rewritten_with_the_key_is_found_back_to_the_newest_cosignature() -> None:
    """The attacker holds the signing key: rows, tiles and checkpoint agree with each other."""
    witnessed = tuple(anchor(size, holder="witness w") for size in (600, 900, 1200))
    report = check(history(fork=800), anchor(PUBLISHED, fork=800), witnessed, files(fork=800).__getitem__)
    assert named(report) == [("forked", 600, 1200)]
    assert report.anchored == PUBLISHED


def test_rows_and_tiles_changed_together_leave_the_lost_range() -> None:
    report = check(
        history(fork=800), anchor(PUBLISHED), (anchor(700, holder="witness w"),), files(fork=800).__getitem__
    )
    assert named(report) == [("root", 700, PUBLISHED)]
    assert report.anchored == 700


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
    assert report.anchored == PUBLISHED


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
    assert report.anchored == PUBLISHED
    tiles = dict(files())
    tiles[Tile(0, 1)] = bytes(32) + tiles[Tile(0, 1)][32:-32] + bytes(32)
    report = check(history(), anchor(PUBLISHED), (anchor(300, holder="witness w"),), tiles.__getitem__)
    assert named(report) == [("tile", 256, 257), ("tile", 511, 512)]


def unpublished(change: Callable[[list[Row]], None]) -> list[tuple[str, int, int]]:
    rows = list(history(40))
    change(rows)
    return named(check(rows))


def test_rows_that_are_not_published_yet_are_checked_for_their_own_sake() -> None:
    def odd(field: str, value: object) -> Callable[[list[Row]], None]:
        def change(rows: list[Row]) -> None:
            rows[7] = sealed(rows[7]._replace(**{field: value}))  # type: ignore[arg-type]

        return change

    def swap(rows: list[Row]) -> None:
        rows[7], rows[8] = rows[8], rows[7]

    assert unpublished(lambda rows: None) == []
    assert unpublished(odd("time", 1)) == [("time", 7, 8)]
    assert unpublished(odd("kind", "Bad Kind")) == [("header", 7, 8)]
    assert unpublished(odd("version", -1)) == [("header", 7, 8)]
    assert unpublished(odd("class_seq", 9)) == [("counter", 7, 8), ("counter", 10, 11)]
    assert unpublished(odd("body", b'{"a": 1}')) == [("body", 7, 8)]
    assert unpublished(flip_leaf_of_seven) == [("flipped", 7, 8)]
    assert unpublished(lambda rows: rows.__delitem__(7))[0] == ("missing", 7, 8)
    assert ("reordered", 7, 8) in unpublished(swap)
    assert ("inserted", 7, 8) in unpublished(lambda rows: rows.insert(7, rows[7]))


def flip_leaf_of_seven(rows: list[Row]) -> None:
    rows[7] = rows[7]._replace(leaf=bytes(32))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("position", "300"),
        ("time", "1"),
        ("version", None),
        ("body", "text"),
        ("leaf", None),
        ("kind", 7),
        ("class_seq", True),
    ],
)
def test_a_row_whose_fields_have_other_types_is_named(field: str, value: object) -> None:
    rows = list(history())
    rows[300] = rows[300]._replace(**{field: value})  # type: ignore[arg-type]
    report = verify(rows)
    assert report.findings[0].what is What.HEADER
    assert {finding.what for finding in report.findings} & {What.FLIPPED, What.MISSING}


def test_a_kind_that_is_not_text_is_hashed_and_named() -> None:
    rows = list(history())
    rows[300] = rows[300]._replace(kind="\ud800")
    assert named(verify(rows)) == [("flipped", 300, 301)]


@settings(max_examples=60)
@given(st.integers(0, PUBLISHED - 1), st.integers(0, 3), st.booleans())
def test_any_single_change_is_named(place: int, change: int, bundles: bool) -> None:
    rows = list(history())
    expected = ("flipped", place, place + 1)
    if change == 0:
        rows[place] = sealed(rows[place]._replace(body=b"{}"))
    elif change == 1:
        rows[place] = sealed(rows[place]._replace(version=2))
    elif change == 2:
        del rows[place]
        expected = ("missing", place, place + 1)
    else:
        rows.insert(place, sealed(rows[place]._replace(body=b"{}")))
        expected = ("inserted", place, place + 1)
    assert expected in named(verify(rows, BUNDLES if bundles else TILES))


mangles = st.lists(
    st.tuples(
        st.sampled_from(["drop", "copy", "forge", "swap", "flip", "reseal", "number", "cut"]),
        st.integers(0),
        st.integers(0),
    ),
    min_size=1,
    max_size=8,
)


def mangle(rows: list[Row], how: str, one: int, other: int) -> None:
    one, other = one % len(rows), other % len(rows)
    match how:
        case "drop":
            del rows[one : one + 1 + other % 600]
        case "copy":
            rows.insert(one, rows[other])
        case "forge":
            rows.insert(one, sealed(rows[other]._replace(body=b'{"forged":1}')))
        case "swap":
            rows[one], rows[other] = rows[other], rows[one]
        case "flip":
            rows[one] = rows[one]._replace(body=b'{"n":1}')
        case "reseal":
            rows[one] = sealed(rows[one]._replace(time=rows[one].time + other))
        case "number":
            renumber(rows)
        case _:
            del rows[one:]
    rows[:] = rows or [history()[0]]


@settings(max_examples=30)
@given(mangles, st.sampled_from([BUNDLES, TILES]))
def test_whatever_was_done_every_entry_that_is_not_intact_is_covered_by_a_finding(
    steps: list[tuple[str, int, int]], known: str
) -> None:
    rows = list(history())
    for step in steps:
        mangle(rows, *step)
    report = verify(rows, known)
    covered = {index for finding in report.findings for index in range(finding.begin, finding.end)}
    there = set(rows)
    lost = {row.position for row in history()[:PUBLISHED] if row not in there}
    assert lost <= covered
    assert report.findings or rows[:PUBLISHED] == list(history()[:PUBLISHED])
    assert verify(rows, NOTHING).findings or rows[:PUBLISHED] == list(history()[:PUBLISHED])


bodies = st.sampled_from(
    [
        b"",
        b"{",
        b"1.0",
        b"1e3",
        b"-0",
        b"NaN",
        b"Infinity",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a":1} ',
        b'"\\u0041"',
    ]
    + [b'"\\ud800"', b'"\xff"', b"9007199254740991", b"9007199254740992", b"-9007199254740992", b"9" * 5000]
    + [b"[" * depth + b"]" * depth for depth in (31, 32, 33, 5000)]
    + [b"[" * 20 + b"]" * 20, '{"\u00e9":1}'.encode(), '"\u00e9"'.encode(), b'"' + b"[" * 40 + b'"', b'{"\x7f":"\x7f"}']
) | st.recursive(
    st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])) | st.floats() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u00e9", max_size=2), inner, max_size=3),
).map(lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


@given(bodies)
def test_the_fast_test_of_canonical_form_is_that_of_the_kernel(body: bytes) -> None:
    try:
        canonical.decode(body)
    except canonical.NotCanonical:
        assert not is_canonical(body)
    else:
        assert is_canonical(body)


def test_a_body_is_bounded() -> None:
    assert is_canonical(b'"' + b"a" * 65533 + b'"')
    assert not is_canonical(b'"' + b"a" * 65534 + b'"')


def test_findings_are_bounded_and_merge() -> None:
    findings = Findings()
    for index in range(MAX_FINDINGS + 5):
        findings.add(What.FLIPPED, index * 2, index * 2 + 1, "m")
    listed = findings.all()
    assert len(listed) == MAX_FINDINGS + 1
    assert (listed[-1].what, listed[-1].begin, listed[-1].end) == (What.MORE, 2 * MAX_FINDINGS, 2 * MAX_FINDINGS + 9)
    merged = Findings()
    merged.extend(
        [Finding(What.FLIPPED, 1, 2, "m"), Finding(What.FLIPPED, 2, 3, "m"), Finding(What.FLIPPED, 3, 4, "n")]
    )
    assert [(finding.begin, finding.end) for finding in merged.all()] == [(1, 3), (3, 4)]
