"""The log: every header of the range, the hashes of all bodies, and the proof that ties them to the checkpoint.

Leaf = SHA-256(0x00, header, SHA-256(body)) (RFC 6962, section 2.1, over our header and the hash of the body). Because
all headers are there and every class is counted, none of a class can be missing, doubled or hidden.
"""

from __future__ import annotations

import array
import hashlib
import re
from typing import Dict, List, Set, Tuple

from onepam.evidence.verifier.archive import Archive
from onepam.evidence.verifier.canonical import MAX_INTEGER, members, parse, whole_lines
from onepam.evidence.verifier.merkle import Tree, spans
from onepam.evidence.verifier.note import Checkpoint
from onepam.evidence.verifier.refusal import Refused, need

HEADER = re.compile(
    rb'(\{"class":"([a-z][a-z0-9_.]{0,99})","class_seq":(0|[1-9]\d{0,15}),"index":(0|[1-9]\d{0,15}),'
    rb'"kind":"([a-z][a-z0-9_.]{0,99})","time":(0|[1-9]\d{0,15}),"v":([1-9]\d{0,8})\})\n'
)


class Log:
    """What the headers of the range [first, end) say. `counters` maps a class to (first, next) of its sequence; `roots`
    a size to the root of the tree of so many entries: of the checkpoint, and of `sizes` as far as the range gives them.
    `leaves` are their hashes, 32 bytes each.
    """

    def __init__(self, files: Archive, checkpoint: Checkpoint, sizes: Tuple[int, ...] = ()) -> None:
        self.roots = {checkpoint.size: checkpoint.root}
        proof = parse(files["range.json"], "range.json")
        members(proof, "range.json", first=int, end=int, left=list, right=list)
        self.first, self.end, self.bodies = proof["first"], proof["end"], files["bodies.sha256"]
        need(self.first < self.end <= checkpoint.size, "range.json: the range is empty or beyond the checkpoint")
        need(len(self.bodies) == 32 * (self.end - self.first), "bodies.sha256: not one hash per entry of the range")
        self.times = array.array("q")
        self.leaves = bytearray()
        self.kinds: List[str] = []
        self.versions: Dict[int, int] = {}
        self.counters: Dict[str, Tuple[int, int]] = {}
        tree = Tree()
        self._left = list(zip(spans(0, self.first), proof["left"]))
        for side, begin, end in (("left", 0, self.first), ("right", self.end, checkpoint.size)):
            levels = list(spans(begin, end))
            fits = len(levels) == len(proof[side]) and all(re.fullmatch("[0-9a-f]{64}", str(h)) for h in proof[side])
            need(fits, f"range.json: {side} is not a proof for [{begin}, {end})")
            if side == "right":
                self._keep_root(tree, sizes)
                self._read(files, tree, sizes)
            for level, node in zip(levels, proof[side]):
                tree.push(level, bytes.fromhex(node))
        fits = tree.root() == checkpoint.root
        need(fits, "headers and hashes do not give the checkpoint's root: an entry was changed, added or removed")

    def _keep_root(self, tree: Tree, sizes: Tuple[int, ...]) -> None:
        if tree.roots and tree.size in sizes:
            self.roots[tree.size] = tree.root()

    def _read(self, files: Archive, tree: Tree, sizes: Tuple[int, ...]) -> None:
        known: Dict[bytes, str] = {}
        started: Dict[bytes, int] = {}
        next_of: Dict[bytes, int] = {}
        count = self.first
        for chunk in whole_lines(files, "headers.jsonl"):
            rows = HEADER.findall(chunk)
            broken = sum(len(row[0]) + 1 for row in rows) != len(chunk)
            need(not broken, f"headers.jsonl: a broken line after entry {count - 1}")
            self._count(rows, count, started, next_of)
            leaves = self._leaves(rows, count, known)
            count += len(rows)
            need(count <= self.end, "headers.jsonl: more headers than the range has")
            for size in sorted(size for size in set(sizes) if tree.size < size < tree.size + len(leaves)):
                cut = size - tree.size
                tree.extend(leaves[:cut])
                leaves = leaves[cut:]
                self._keep_root(tree, sizes)
            tree.extend(leaves)
            self._keep_root(tree, sizes)
        need(count == self.end, f"headers.jsonl: entry {count} is missing")
        self.counters = {klass.decode(): (started[klass], next_of[klass]) for klass in started}

    def _count(
        self, rows: List[Tuple[bytes, ...]], count: int, started: Dict[bytes, int], next_of: Dict[bytes, int]
    ) -> None:
        """Indexes without a gap, times that increase, and the numbers within each class."""
        last = self.times[-1] if self.times else -1
        for _, klass, seq, index, _, time, _ in rows:
            now, number = int(time), int(seq)
            if int(index) != count:
                raise Refused(f"headers.jsonl: entry {count} is missing, doubled or out of order")
            if now <= last or now > MAX_INTEGER:
                raise Refused(f"headers.jsonl: entry {count} is not later than the one before")
            due = next_of.get(klass)
            if due is None:
                started[klass], due = number, number if self.first else 0
            if due != number:
                raise Refused(f"headers.jsonl: entry {count} is number {number} of its class, {due} is due")
            next_of[klass] = number + 1
            self.times.append(now)
            count, last = count + 1, now

    def _leaves(self, rows: List[Tuple[bytes, ...]], count: int, known: Dict[bytes, str]) -> List[bytes]:
        """The hashes of the leaves; keeps the kinds and versions."""
        sha, bodies, leaves, at = hashlib.sha256, self.bodies, [], 32 * (count - self.first)
        for line, _, _, _, kind, _, version in rows:
            leaves.append(sha(b"\0" + line + bodies[at : at + 32]).digest())
            at += 32
            self.kinds.append(known.get(kind) or known.setdefault(kind, kind.decode()))
            if version != b"1":
                self.versions[self.first + len(self.kinds) - 1] = int(version)
        self.leaves += b"".join(leaves)
        return leaves

    def roots_of(self, sizes: Set[int]) -> Dict[int, bytes]:
        """The roots over so many entries from the log's first on, of the sizes for which the range gives them."""
        tree, found, at = Tree(), {}, self.first
        for level, node in self._left:
            tree.push(level, bytes.fromhex(node))
        for size in sorted(size for size in sizes if max(1, self.first) <= size <= self.end):
            tree.extend(self._hashes(at, size))
            found[size], at = tree.root(), size
        return found

    def _hashes(self, begin: int, end: int) -> List[bytes]:
        """The leaves of the entries [begin, end)."""
        first, last = 32 * (begin - self.first), 32 * (end - self.first)
        return [bytes(self.leaves[at : at + 32]) for at in range(first, last, 32)]

    def root_over(self, first: int, last: int) -> bytes:
        """The root of the tree over the leaves of these entries alone."""
        tree = Tree()
        tree.extend(self._hashes(first, last + 1))
        return tree.root()

    def time(self, index: int) -> int:
        """When the entry was made: microseconds since 1970 in UTC."""
        at: int = self.times[index - self.first]
        return at

    def kind(self, index: int) -> str:
        """The kind of the entry."""
        kind: str = self.kinds[index - self.first]
        return kind

    def version(self, index: int) -> int:
        """The version of its kind in which the entry was written."""
        return self.versions.get(index, 1)

    def all_of(self, kinds: Tuple[str, ...], begin: int, end: int) -> List[int]:
        """The indexes of all entries of these kinds with begin <= time < end."""
        found = (self.first + i for i, kind in enumerate(self.kinds) if kind in kinds)
        return [index for index in found if begin <= self.time(index) < end]
