"""The Merkle tree of RFC 6962, section 2.1 (RFC 9162, section 2.1): roots, proofs and compact ranges over SHA-256.

Hashes are 32 bytes. A perfect subtree is named by (level, index): it covers the 2^level leaves from index * 2^level.
Proofs read such subtrees through a `HashReader`, so that the same code proves from tiles, a database or a test's list.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

HashReader = Callable[[int, int], bytes]
"""(level, index) -> the 32-byte hash of that perfect subtree. Raises if it is not there; never asked past the tree."""

HASH_BYTES = 32
MAX_SIZE = (1 << 53) - 1
"""Largest tree: the largest integer of an entry's header."""
MAX_PROOF_HASHES = 63
"""No inclusion or consistency proof of any tree is longer (C2SP tlog-witness has the same bound)."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of no leaves."""

_BATCH = 256


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over 2^n hashes of one level, n >= 0: level by level, the fastest way through many leaves."""
    while len(hashes) > 1:
        hashes = [
            sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]


class Frontier:
    """The right edge of a growing tree: its size and the roots of its perfect subtrees, largest first.

    Enough to append and to know the root, small enough (at most 53 hashes) for one row of a database.
    """

    __slots__ = ("_peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """`peaks` as `peaks()` gives them. Raises `ValueError` when their number is not that of `size`."""
        self.size = size
        self._peaks = list(peaks)
        if not 0 <= size <= MAX_SIZE or size.bit_count() != len(self._peaks):
            raise ValueError(f"a tree of {size} leaves does not have {len(self._peaks)} perfect subtrees")
        if any(len(peak) != HASH_BYTES for peak in self._peaks):
            raise ValueError("a hash is not 32 bytes long")

    def append(self, leaf: bytes) -> None:
        """Adds one leaf hash."""
        size, peaks = self.size, self._peaks
        self.size = size + 1
        while size & 1:
            leaf = sha256(b"\x01" + peaks.pop() + leaf).digest()
            size >>= 1
        peaks.append(leaf)

    def push(self, level: int, subtree: bytes) -> None:
        """Adds the 2^level leaves under `subtree` at once. Raises `ValueError` where such a subtree cannot stand."""
        if self.size & ((1 << level) - 1):
            raise ValueError(f"no subtree of level {level} stands at {self.size}")
        size, peaks = self.size >> level, self._peaks
        self.size += 1 << level
        while size & 1:
            subtree = node_hash(peaks.pop(), subtree)
            size >>= 1
        peaks.append(subtree)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Adds many leaf hashes, whole aligned blocks of 256 at a time."""
        done = min(-self.size % _BATCH, len(leaves))
        for leaf in leaves[:done]:
            self.append(leaf)
        while len(leaves) - done >= _BATCH:
            self.push(8, perfect_root(leaves[done : done + _BATCH]))
            done += _BATCH
        for leaf in leaves[done:]:
            self.append(leaf)

    def root(self) -> bytes:
        """The root hash of the tree so far."""
        return _bag(self._peaks)

    def peaks(self) -> tuple[bytes, ...]:
        """The roots of the perfect subtrees that [0, size) falls into, largest first."""
        return tuple(self._peaks)

    def copy(self) -> "Frontier":
        """An independent frontier at the same size, for work that may have to be given up."""
        return Frontier(self.size, self._peaks)

    def encode(self) -> bytes:
        """The size as 8 bytes big-endian, then the peaks."""
        return self.size.to_bytes(8, "big") + b"".join(self._peaks)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The frontier of `encode()`'s bytes. Raises `ValueError` for anything else."""
        if len(data) < 8 or len(data) % HASH_BYTES != 8:
            raise ValueError(f"{len(data)} bytes are not a frontier")
        return cls(
            int.from_bytes(data[:8], "big"), (data[at : at + HASH_BYTES] for at in range(8, len(data), HASH_BYTES))
        )


def subtrees(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The fewest perfect subtrees (level, index) that [begin, end) falls into, from left to right."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        yield level, begin >> level
        begin += 1 << level


def inclusion_proof(read: HashReader, index: int, size: int) -> list[bytes]:
    """The path from leaf `index` to the root of `size` leaves (RFC 9162, section 2.1.3.1), from the leaf upwards."""
    if not 0 <= index < size <= MAX_SIZE:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_root(read, middle, end))
            end = middle
        else:
            path.append(_root(read, begin, middle))
            begin = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows `leaf` at `index` under `root` of `size` leaves (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size <= MAX_SIZE or not _bounded(proof):
        return False
    at, last, value = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            value = node_hash(step, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, step)
        at, last = at >> 1, last >> 1
    return last == 0 and value == root


def consistency_proof(read: HashReader, old: int, new: int) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with that of `old` (RFC 9162, section 2.1.4.1); empty from 0."""
    if not 0 <= old <= new <= MAX_SIZE:
        raise ValueError(f"a tree of {new} does not extend one of {old}")
    if old == 0:
        return []
    proof = []
    begin, end = 0, new
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(_root(read, middle, end))
            end = middle
        else:
            proof.append(_root(read, begin, middle))
            begin = middle
    if begin:
        proof.append(_root(read, begin, end))
    return proof[::-1]


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the `new` tree extends the `old` one (RFC 9162, section 2.1.4.2).

    The empty tree is extended by any, with an empty proof; a tree extends itself, with an empty proof.
    """
    if not 0 <= old <= new <= MAX_SIZE or not _bounded(proof):
        return False
    if old == 0 and old_root != EMPTY_ROOT:
        return False
    if old == 0 or old == new:
        return not proof and (old < new or old_root == new_root)
    steps = list(proof)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, step)
        at, last = at >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The proof that some leaves are *exactly* [begin, end) of the tree of `size` leaves: none missing, none added.

    `left` are the perfect subtrees of [0, begin), `right` those of [end, size); with the leaves between them
    they give the root.
    """

    begin: int
    end: int
    size: int
    left: tuple[bytes, ...]
    right: tuple[bytes, ...]

    @classmethod
    def prove(cls, read: HashReader, begin: int, end: int, size: int) -> Self:
        """Raises `ValueError` unless 0 <= begin <= end <= size."""
        if not 0 <= begin <= end <= size <= MAX_SIZE:
            raise ValueError(f"no range {begin}:{end} in a tree of {size}")
        left = tuple(read(level, index) for level, index in subtrees(0, begin))
        right = tuple(read(level, index) for level, index in subtrees(end, size))
        return cls(begin, end, size, left, right)

    def root(self, leaves: Sequence[bytes]) -> bytes | None:
        """The root over `left`, `leaves` and `right`; None when their numbers do not make a tree of `size`."""
        if not 0 <= self.begin <= self.end <= self.size <= MAX_SIZE or len(leaves) != self.end - self.begin:
            return None
        after = list(subtrees(self.end, self.size))
        if len(after) != len(self.right):
            return None
        try:
            frontier = Frontier(self.begin, self.left)
        except ValueError:
            return None
        frontier.extend(leaves)
        for (level, _), subtree in zip(after, self.right, strict=True):
            frontier.push(level, subtree)
        return frontier.root()

    def verify(self, leaves: Sequence[bytes], root: bytes) -> bool:
        """Whether `leaves` are exactly the range under `root`."""
        return self.root(leaves) == root


def _split(count: int) -> int:
    """The largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _root(read: HashReader, begin: int, end: int) -> bytes:
    """The hash of the subtree over [begin, end); begin is a multiple of the power of two at or above its width."""
    return _bag([read(level, index) for level, index in subtrees(begin, end)])


def _bag(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    value = peaks[-1]
    for peak in peaks[-2::-1]:
        value = node_hash(peak, value)
    return value


def _bounded(proof: Sequence[bytes]) -> bool:
    return len(proof) <= MAX_PROOF_HASHES and all(len(step) == HASH_BYTES for step in proof)
