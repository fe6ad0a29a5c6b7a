"""Which published entry a row is, once rows and published hashes differ: the naming half of verification.

A row that still hashes to a published leaf is that entry, wherever it stands. Otherwise a body with a published hash
is that entry under a changed header, and a row in the place of an entry found nowhere else is that entry, changed.
What is left was inserted, or is missing. Published positions are counted from the log's beginning.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from onepam.ledger.entry import Header
from onepam.ledger.findings import Finding, Row, What


@dataclass(frozen=True, slots=True)
class Published:
    """What was published from position `begin` on. `entries` is (header, body hash) of each; None without bundles."""

    begin: int
    leaves: Sequence[bytes]
    entries: Sequence[tuple[Header, bytes]] | None

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.begin + len(self.leaves)


@dataclass(frozen=True, slots=True)
class Alignment:
    """`used` rows, counted from the first, account for the published positions before `position`.

    `intact` are the rows among them that are exactly a published entry. `in_place`: nothing is missing, inserted or
    moved, so that row n is position n.
    """

    findings: list[Finding]
    used: int
    position: int
    intact: list[int]
    in_place: bool


def align(rows: Sequence[Row], leaves: Sequence[bytes], published: Published) -> Alignment:
    """Accounts for `rows` (with their recomputed `leaves`) against what was published.

    Rows at the end that are not published yet are left over. An entry that stands further away from its place than
    the window reaches is reported as missing in one place and inserted in the other.
    """
    exact = {leaf: published.begin + at for at, leaf in enumerate(published.leaves)}
    places: list[int | None] = [exact.pop(leaf, None) for leaf in leaves]
    intact = [at for at, place in enumerate(places) if place is not None]
    taken = {place for place in places if place is not None}
    _match_bodies(rows, places, taken, published)
    changed = _match_places(rows, places, taken, published)
    used = len(rows)
    while used and places[used - 1] is None and rows[used - 1].position >= published.end:
        used -= 1
    places = places[:used]
    ordered = _longest_increasing(places)
    position = max((place + 1 for place in places if place is not None), default=published.begin)
    findings = [
        finding
        for at, place in enumerate(places)
        if (finding := _judge(rows, places, at, place, at in ordered, at in changed, leaves, published)) is not None
    ]
    gone = [place for place in range(published.begin, position) if place not in taken]
    findings += [Finding(What.MISSING, place, place + 1, "the entry is gone") for place in gone]
    findings.sort(key=lambda finding: (finding.begin, finding.what))
    in_place = places == list(range(published.begin, published.begin + used))
    return Alignment(findings, used, position, intact, in_place)


def _match_bodies(rows: Sequence[Row], places: list[int | None], taken: set[int], published: Published) -> None:
    """Finds the entries whose body is intact under a changed header: by time, by place, else the next."""
    if published.entries is None:
        return
    by_body: dict[bytes, list[int]] = {}
    for at, (_, body_hash) in enumerate(published.entries):
        if published.begin + at not in taken:
            by_body.setdefault(body_hash, []).append(published.begin + at)
    for at, row in enumerate(rows):
        candidates = by_body.get(sha256(row.body).digest()) if places[at] is None else None
        if candidates:
            times: dict[int, int] = {published.entries[place - published.begin][0].time: place for place in candidates}
            place = times.get(row.time, row.position if row.position in candidates else candidates[0])
            candidates.remove(place)
            places[at] = place
            taken.add(place)


def _match_places(rows: Sequence[Row], places: list[int | None], taken: set[int], published: Published) -> set[int]:
    """Takes a row in the place of an entry that is found nowhere else for that entry; which rows these are."""
    changed = set()
    for at, row in enumerate(rows):
        if places[at] is None and published.begin <= row.position < published.end and row.position not in taken:
            places[at] = row.position
            taken.add(row.position)
            changed.add(at)
    return changed


def _judge(
    rows: Sequence[Row],
    places: Sequence[int | None],
    at: int,
    place: int | None,
    ordered: bool,
    changed: bool,
    leaves: Sequence[bytes],
    published: Published,
) -> Finding | None:
    """What is wrong with one row, if anything."""
    row = rows[at]
    if place is None:
        return Finding(What.INSERTED, row.position, row.position + 1, "the row was never published")
    if changed:
        return Finding(What.FLIPPED, place, place + 1, "the entry is not what was published")
    if not ordered or _swapped(rows, places, row.position, place):
        return Finding(What.REORDERED, place, place + 1, f"the entry stands in the place of entry {row.position}")
    if leaves[at] == published.leaves[place - published.begin]:
        return None
    if row.position != place:
        return Finding(What.RENUMBERED, place, place + 1, "the entry carries other numbers than were published")
    return Finding(What.FLIPPED, place, place + 1, "the header is not what was published")


def _swapped(rows: Sequence[Row], places: Sequence[int | None], index: int, place: int) -> bool:
    """Whether the entry that belongs at `index` stands in turn at `place`."""
    return index != place and index in places and rows[places.index(index)].position == place


def _longest_increasing(places: Sequence[int | None]) -> set[int]:
    """The positions in `places` of one longest increasing subsequence, None left out (patience sorting)."""
    tails: list[int] = []
    heads: list[int] = []
    before: dict[int, int | None] = {}
    for at, place in enumerate(places):
        if place is not None:
            pile = bisect_left(tails, place)
            tails[pile : pile + 1] = [place]
            heads[pile : pile + 1] = [at]
            before[at] = heads[pile - 1] if pile else None
    chain = set()
    link = heads[-1] if heads else None
    while link is not None:
        chain.add(link)
        link = before[link]
    return chain
