"""Histories to be attacked: rows, their published tiles, and the tree heads that somebody holds."""

from functools import cache
from hashlib import sha256

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.ledger.check import Anchor, Report, check
from onepam.ledger.entry import Entry, Header
from onepam.ledger.findings import Row
from onepam.ledger.merkle import Frontier
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


def renumber(rows: list[Row]) -> None:
    counters = dict.fromkeys(CLASSES, 0)
    for at, row in enumerate(rows):
        rows[at] = sealed(row._replace(position=at, class_seq=counters[row.klass]))
        counters[row.klass] += 1
