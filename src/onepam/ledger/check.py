"""Verification of stored entries against what was published, on another code path than the writer's.

Rows are read once, in the order of their index. Every leaf is recomputed and compared with the tile that published
it; the root over them is held against each anchor: the log's own checkpoint, and what outsiders have seen.
If the rows give the root, they are intact whatever the tiles say; if the tiles give it, each row that differs is named.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.kernel.limits import MAX_BODY_BYTES
from onepam.ledger.align import Published, align
from onepam.ledger.entry import Header
from onepam.ledger.findings import Finding, Findings, Row, What
from onepam.ledger.merkle import Frontier
from onepam.ledger.tiles import ENTRIES, WIDTH, TileReader, entries_of, hashes_of, split, tile_at

WINDOW = 2 * WIDTH
"""How many rows are looked at together once a row differs from its tile."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A tree head that somebody holds: `size` entries under `root`. `holder` is for people: "witness w.example/1".

    `outside` is whether it lies where whoever writes to the database and its folder does not reach.
    """

    size: int
    root: bytes
    holder: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a check begins or ended: the tree before it, the time of its last entry, the next number of each class."""

    frontier: Frontier = field(default_factory=Frontier)
    time: int = -1
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. `rows` were read; `held` are the anchors that the entries give, by size.

    `position` is where the next check may begin; it is only worth something when there are no findings.
    """

    findings: tuple[Finding, ...]
    rows: int
    held: tuple[Anchor, ...]
    position: Position


def check(
    rows: Iterable[Row],
    checkpoint: Anchor | None = None,
    anchors: Sequence[Anchor] = (),
    read: TileReader | None = None,
    start: Position | None = None,
) -> Report:
    """Verifies `rows`, the stored entries from `start` (default: the beginning) to the newest, by index.

    `checkpoint` is the log's own newest, up to which `read` gives tiles and, if there are any, bundles (it raises
    `Corrupt`, `LookupError` or `OSError` for what is gone); rows after it are not published yet and are checked for
    their own sake. `anchors` are held by others and may be newer or older than the checkpoint.
    """
    return _Check(rows, checkpoint, anchors, read, start or Position()).run()


class _Check:
    """One run. `_rows` is the tree over the rows; None once rows are missing, moved or inserted.

    Where rows and tiles have parted, `_tiles` is the tree over the tiles (None before, and once one is gone), and
    `_suspected` waits for the next anchor to say which of the two is true.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        checkpoint: Anchor | None,
        anchors: Sequence[Anchor],
        read: TileReader | None,
        start: Position,
    ) -> None:
        self._source = iter(rows)
        self._ahead: list[Row] = []
        self._read = read
        self._published = checkpoint.size if checkpoint else 0
        self._checkpoint = checkpoint
        self._at = self._anchored = start.frontier.size
        known = (*anchors, *([checkpoint] if checkpoint else []))
        self._anchors = sorted((a for a in known if a.size >= self._at), key=lambda anchor: anchor.size)
        self._rows: Frontier | None = start.frontier.copy()
        self._tiles: Frontier | None = None
        self._parted = False
        self._time = start.time
        self._counters = dict(start.counters)
        self._lenient = False
        self._words: set[tuple[str, str, int]] = set()
        self._findings = Findings()
        self._suspected = Findings()
        self._gaps: list[tuple[int, int]] = []
        self._count = 0
        self._held: list[Anchor] = []

    def run(self) -> Report:
        """Reads all rows, a tile's worth at a time."""
        self._hold_anchors()
        while rows := self._take(self._room()):
            leaves = [_leaf(row) for row in rows]
            published = self._hashes(self._at, self._at + len(rows))
            if not published:
                self._follow(rows, leaves, None)
            elif published == leaves:
                self._follow(rows, leaves, leaves)
            else:
                self._part(rows)
        self._hold_the_end()
        self._findings.extend(self._suspected.all())
        position = Position(self._rows or Frontier(), self._time, self._counters)
        return Report(self._findings.all(), self._count, tuple(self._held), position)

    def _room(self) -> int:
        """How many rows are judged together: to the end of the tile, or of what is published."""
        room = WIDTH - self._at % WIDTH
        return min(room, self._published - self._at) if self._at < self._published else room

    def _take(self, count: int) -> list[Row]:
        """The next rows, at most `count`, with every field of its type."""
        rows = self._ahead[:count]
        self._ahead = self._ahead[count:]
        for row in islice(self._source, count - len(rows)):
            rows.append(self._readable(row))
            self._count += 1
        return rows

    def _readable(self, row: Row) -> Row:
        index, time, kind, version, klass, class_seq, body, leaf = row
        if (
            type(index) is type(time) is type(version) is type(class_seq) is int
            and type(kind) is type(klass) is str
            and type(body) is type(leaf) is bytes
        ):
            return row
        place = index if type(index) is int else self._at
        self._findings.add(What.HEADER, place, place + 1, "the row's fields are not of their types")
        return Row(place, 0, "", 0, "", 0, b"", b"")

    def _hashes(self, begin: int, end: int) -> list[bytes]:
        """The published hashes of [begin, end), which lie in one tile; none where there is no tile."""
        if self._read is None or end > self._published:
            return []
        tile = tile_at(0, begin // WIDTH, self._published)
        try:
            hashes = hashes_of(self._read(tile), tile.width)
        except (Corrupt, LookupError, OSError):
            self._findings.add(What.TILE, begin, end, "the published hash is gone")
            return []
        first = tile.index * WIDTH
        return hashes[begin - first : end - first]

    def _entries(self, begin: int, leaves: Sequence[bytes]) -> list[tuple[Header, bytes]] | None:
        """(header, body hash) of each of `leaves` out of one bundle; None unless all of it is there and true."""
        assert self._read is not None
        tile = tile_at(ENTRIES, begin // WIDTH, self._published)
        first = begin - tile.index * WIDTH
        try:
            preimages = entries_of(self._read(tile), tile.width)[first : first + len(leaves)]
            if [sha256(b"\x00" + preimage).digest() for preimage in preimages] != leaves:
                return None
            return [split(preimage) for preimage in preimages]
        except (Corrupt, LookupError, OSError):
            return None

    def _follow(self, rows: Sequence[Row], leaves: list[bytes], published: list[bytes] | None) -> None:
        """Goes past rows that agree with their tile, or that have none."""
        if [row[7] for row in rows] != leaves:
            self._compare_columns(rows, leaves, published is not None)
        after = self._number(rows)
        if after != self._at + len(rows):
            self._rows = None
        self._grow(leaves, published)
        self._at = after
        self._hold_anchors()

    def _compare_columns(self, rows: Sequence[Row], leaves: Sequence[bytes], published: bool) -> None:
        message = "its stored leaf was changed" if published else "the entry does not hash to its stored leaf"
        for row, leaf in zip(rows, leaves, strict=True):
            if row.leaf != leaf:
                self._findings.add(What.FLIPPED, row.position, row.position + 1, message)

    def _number(self, rows: Sequence[Row]) -> int:
        """Bodies canonical, headers of their form, indexes and counters gapless, time increasing; the next index."""
        findings, counters, words, at, time = self._findings, self._counters, self._words, self._at, self._time
        for index, moment, kind, version, klass, class_seq, body, _ in rows:
            if not is_canonical(body):
                findings.add(What.BODY, index, index + 1, "the body is not canonical JSON")
            if (kind, klass, version) not in words:
                if _is_header(kind, klass, version):
                    words.add((kind, klass, version))
                else:
                    findings.add(What.HEADER, index, index + 1, "the header is not of its form")
            at = at + 1 if index == at else self._misplaced(index, at)
            expected = counters.get(klass, class_seq if self._lenient else 0)
            if class_seq != expected:
                findings.add(What.COUNTER, index, index + 1, f"it is number {class_seq} of {klass}, not {expected}")
            counters[klass] = class_seq + 1
            if moment <= time:
                findings.add(What.TIME, index, index + 1, "its time is not after that of the entry before")
            time = moment
        self._time = time
        return at

    def _misplaced(self, index: int, at: int) -> int:
        """Names an index that is not the next one; which index is then the next."""
        if index > at:
            self._gaps.append((at, index))
            self._findings.add(What.MISSING, at, index, "the entry is gone")
            return index + 1
        late = any(begin <= index < end for begin, end in self._gaps)
        message = "the entry stands after later ones" if late else "the row stands in another entry's place"
        self._findings.add(What.REORDERED if late else What.INSERTED, index, index + 1, message)
        return at

    def _part(self, rows: list[Row]) -> None:
        """Names what differs, in a window from the first tile that its rows do not give."""
        rows += self._take(WINDOW - len(rows))
        leaves = [_leaf(row) for row in rows]
        if not self._parted:
            self._parted = True
            self._tiles = self._rows.copy() if self._rows is not None else None
        first = rows[0].position
        if self._at + WINDOW <= first < self._published and self._hashes(first, first + 1) == leaves[:1]:
            self._lose(first)
            self._ahead = rows + self._ahead
            return
        published = self._window(self._at, min(self._at + 2 * WINDOW, self._published))
        result = align(rows, leaves, published)
        self._ahead = rows[result.used :] + self._ahead
        if not result.used:
            self._lose(self._published)
            return
        self._suspected.extend(result.findings)
        intact = [rows[at] for at in result.intact]
        self._compare_columns(intact, [leaves[at] for at in result.intact], True)
        count = result.position - self._at
        if not result.in_place:
            self._rows = None
        self._forget()
        self._grow(leaves[: result.used], published.leaves[:count])

    def _forget(self) -> None:
        """After a difference that is named anyway, counters and time go on from whatever comes next."""
        self._counters, self._time, self._lenient = {}, -1, True

    def _window(self, begin: int, end: int) -> Published:
        """What was published of [begin, end), as far as its tiles are there."""
        leaves: list[bytes] = []
        entries: list[tuple[Header, bytes]] | None = []
        at = begin
        while at < end and (more := self._hashes(at, min(end, at - at % WIDTH + WIDTH))):
            found = self._entries(at, more) if entries is not None else None
            entries = entries + found if entries is not None and found is not None else None
            leaves += more
            at += len(more)
        return Published(begin, leaves, entries)

    def _lose(self, end: int) -> None:
        """The entries from here to `end` are gone."""
        self._suspected.add(What.MISSING, self._at, end, "the entry is gone")
        self._rows = None
        self._forget()
        while self._at < end:
            stop = min(end, self._at - self._at % WIDTH + WIDTH)
            hashes = self._hashes(self._at, stop)
            self._grow([], hashes or None, stop - self._at)

    def _grow(self, leaves: Sequence[bytes], published: Sequence[bytes] | None, count: int = 0) -> None:
        """Moves on past rows and past the tiles' hashes, and holds every anchor on the way against both trees."""
        count = count or len(leaves if published is None else published)
        done = 0
        while done < count:
            step = min(anchor.size - self._at for anchor in self._anchors) if self._anchors else count
            step = min(step, count - done)
            if self._rows is not None:
                self._rows.extend(leaves[done : done + step])
            if self._parted and published is None:
                self._tiles = None
            if self._parted and self._tiles is not None and published is not None:
                self._tiles.extend(published[done : done + step])
            done += step
            self._at += step
            self._hold_anchors()

    def _hold_anchors(self) -> None:
        """Holds the trees against the anchors that have been reached."""
        while self._anchors and self._anchors[0].size <= self._at:
            anchor = self._anchors.pop(0)
            suspected = self._suspected.all()
            judged = [finding for finding in suspected if finding.begin < anchor.size]
            self._suspected = Findings()
            self._suspected.extend(finding for finding in suspected if finding.begin >= anchor.size)
            if _gives(self._rows, anchor):
                for finding in judged:
                    self._findings.add(What.TILE, finding.begin, finding.end, "the published hash was changed")
                self._parted = len(judged) < len(suspected)
                self._tiles = self._rows.copy() if self._parted and self._rows is not None else None
                self._held.append(anchor)
            elif _gives(self._tiles, anchor):
                self._findings.extend(judged)
                self._rows = None
                self._held.append(anchor)
            else:
                self._findings.extend(judged)
                what = What.ROOT if anchor is self._checkpoint else What.FORKED
                message = f"the entries are not those of the {anchor.holder}, or their hashes were changed too"
                self._findings.add(what, min(self._anchored, anchor.size), anchor.size, message)
            self._anchored = anchor.size

    def _hold_the_end(self) -> None:
        """What the anchors that were not reached say: the newest entries are gone."""
        end = self._at
        if self._published > end:
            self._findings.add(
                What.TAIL_CUT, end, self._published, "the log's own checkpoint covers it, and it is gone"
            )
            end = self._published
        newest = self._anchors[-1] if self._anchors else None
        if newest is not None and newest.size > end:
            self._findings.add(What.ROLLED_BACK, end, newest.size, f"the {newest.holder} has seen it, and it is gone")


def _gives(tree: Frontier | None, anchor: Anchor) -> bool:
    return tree is not None and tree.size == anchor.size and tree.root() == anchor.root


def _leaf(row: Row) -> bytes:
    index, time, kind, version, klass, class_seq, body, _ = row
    header = (
        f'{{"class":"{klass}","class_seq":{class_seq},"index":{index},"kind":"{kind}","time":{time},"v":{version}}}'
    ).encode("utf-8", "surrogatepass")
    return sha256(b"\x00" + header + sha256(body).digest()).digest()


def _is_header(kind: str, klass: str, version: int) -> bool:
    try:
        header = Header(0, Instant(0), kind, version, klass, 0)
        return Header.decode(header.encode()) == header
    except ValueError:
        return False


def is_canonical(body: bytes) -> bool:
    """Whether a body is canonical JSON (kernel.canonical) of at most 65,535 bytes."""
    if len(body) > MAX_BODY_BYTES:
        return False
    try:
        canonical.decode(body)
    except canonical.NotCanonical:
        return False
    return True
