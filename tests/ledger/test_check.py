"""Every attack on stored history is found, and named: with tiles and bundles, with tiles alone, and with neither."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.ledger.check import Anchor, check, is_canonical
from onepam.ledger.findings import MAX_FINDINGS, Finding, Findings, Row, What
from onepam.ledger.merkle import EMPTY_ROOT
from onepam.ledger.tiles import ENTRIES, Tile, entries_of
from tests.ledger.histories import (
    BUNDLES,
    NOTHING,
    PUBLISHED,
    SIZE,
    TILES,
    anchor,
    files,
    history,
    named,
    renumber,
    root_of,
    sealed,
    verify,
)


@pytest.mark.parametrize("known", [BUNDLES, TILES, NOTHING])
def test_an_untouched_history_verifies(known: str) -> None:
    report = verify(history(), known, (anchor(0), anchor(700, holder="witness w"), anchor(1450, holder="witness v")))
    assert report.findings == ()
    assert (report.rows, report.held[-1].size) == (SIZE, 1450)
    assert report.position.frontier.root() == root_of(history())
    assert report.position.time == history()[-1].time
    assert sum(report.position.counters.values()) == SIZE


def test_a_check_goes_on_where_the_last_one_ended() -> None:
    first = check(history()[:777], anchor(700), (), files(700).__getitem__)
    assert first.findings == ()
    second = check(
        history()[777:], anchor(PUBLISHED), (anchor(100, holder="old"),), files().__getitem__, first.position
    )
    assert (second.findings, second.rows, second.held[-1].size) == ((), SIZE - 777, PUBLISHED)
    assert second.position.frontier.root() == root_of(history())
    assert check([]).position.frontier.size == 0
    assert check([], Anchor(0, EMPTY_ROOT, "checkpoint")).findings == ()
    assert named(check([], Anchor(0, bytes(32), "checkpoint"))) == [("root", 0, 0)]


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
    first = report.findings[0]
    begin = 300 if field != "position" else 256  # without its place, the tile's beginning
    assert (first.what, first.begin, first.end) == (What.HEADER, begin, begin + 1)
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


def test_an_entry_at_the_time_of_the_one_before_is_named() -> None:
    rows = list(history())
    rows[700] = sealed(rows[700]._replace(time=rows[699].time))
    found = [each for each in verify(rows, NOTHING).findings if each.what is What.TIME]
    assert [(each.begin, each.end) for each in found] == [(700, 701)]


def test_a_leaf_column_is_named_by_what_the_entry_is_held_against() -> None:
    rows = list(history())
    for at in (7, PUBLISHED + 7):
        rows[at] = rows[at]._replace(leaf=bytes(32))
    assert [(each.what, each.begin, each.message) for each in verify(rows).findings] == [
        (What.FLIPPED, 7, "its stored leaf was changed"),
        (What.FLIPPED, PUBLISHED + 7, "the entry does not hash to its stored leaf"),
    ]


def test_a_bundle_that_does_not_hash_to_its_leaves_says_nothing() -> None:
    forged = dict(files())
    entries = entries_of(forged[Tile(ENTRIES, 1)], 256)
    entries[44], entries[45] = entries[45], entries[44]
    forged[Tile(ENTRIES, 1)] = b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)
    rows = list(history())
    rows[300:302] = [sealed(row._replace(version=2)) for row in rows[300:302]]
    report = check(rows, anchor(PUBLISHED), (), forged.__getitem__)
    assert [(each.what, each.begin, each.end, each.message) for each in report.findings] == [
        (What.FLIPPED, 300, 302, "the entry is not what was published")
    ]


def test_of_a_tile_that_is_gone_only_its_own_entries_are_named() -> None:
    first = check(history()[:777], anchor(700), (), files(700).__getitem__)
    left = {tile: data for tile, data in files().items() if tile != Tile(0, 3)}
    report = check(history()[777:], anchor(PUBLISHED), (), left.__getitem__, first.position)
    assert named(report) == [("tile", 777, 1024)]


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
