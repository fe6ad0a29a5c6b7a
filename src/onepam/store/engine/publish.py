"""Publishing: what was committed becomes tiles, a signed checkpoint and, where there is a witness, its cosignature.

The transaction's commit is the commit point; tiles and checkpoint lag by a second. After a crash the same code runs
again: a tile that is there already is the same tile. One process publishes (it holds a lock on the folder).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.authors import KINDS, Batch
from onepam.ledger.checkpoint import Checkpoint, open_checkpoint
from onepam.ledger.entry import leaf_hash
from onepam.ledger.merkle import Frontier, consistency_proof, subtrees
from onepam.ledger.note import Note, Signature, VerifierKey
from onepam.ledger.tiles import Tile, grow, grow_entries, hash_reader
from onepam.store.db import Db
from onepam.store.engine.batches import batches, end_within, size_and_end
from onepam.store.engine.entries import entries

STEP = 20_000
"""Entries published at a time: bounds the memory of a first publication."""

SHOWN_TOGETHER = 500
"""Entries that the signer is shown in one line."""


class Tiles(Protocol):
    """Where tiles and the checkpoint lie."""

    def read(self, tile: Tile) -> bytes: ...

    def write(self, tile: Tile, data: bytes) -> None: ...

    def drop_partials(self, tile: Tile) -> None: ...

    def checkpoint(self) -> bytes | None: ...

    def write_checkpoint(self, note: bytes) -> None: ...


Prove = Callable[[int], list[bytes]]
"""The consistency proof from any earlier size: signer and witness remember for themselves what they last saw."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries from index `begin` on as the signer is shown them, each as header || SHA-256(body); the bodies of those
    that say whose signatures count; and the batches that end among them."""

    begin: int
    preimages: list[bytes]
    bodies: list[tuple[int, bytes]]
    batches: list[Batch]


Show = Callable[[int], Iterator[Stretch]]
"""The entries from any batch's beginning up to the checkpoint, a stretch at a time."""

Sign = Callable[[Checkpoint, Show], bytes | Refused]
"""The signer's note for a checkpoint, or why not. Raises `Unavailable` when it cannot be reached."""

Cosign = Callable[[bytes, Prove], tuple[Signature, ...] | Refused]
"""A witness's cosignatures for a note, or why not. Raises `Unavailable` when it cannot be reached."""


@dataclass(frozen=True, slots=True)
class Published:
    """A publication: the tree's size, whether a witness cosigned it, and what went wrong where it did not."""

    size: int
    cosigned: bool
    trouble: str = ""


class Publisher:
    """Grows the published log to the size of the ledger."""

    def __init__(self, db: Db, tiles: Tiles, origin: str, key: VerifierKey, sign: Sign, cosign: Cosign | None) -> None:
        self._db = db
        self._tiles = tiles
        self._origin = origin
        self._key = key
        self._sign = sign
        self._cosign = cosign

    def published_size(self) -> int:
        """The size of the newest checkpoint. Raises `BadNote` when the file is not one of ours."""
        note = self._tiles.checkpoint()
        return 0 if note is None else open_checkpoint(note, [self._key], self._origin).checkpoint.size

    def publish(self) -> Published | None:
        """One step. None when there is nothing new.

        Raises `Corrupt` when the ledger is shorter than what was published, or when a stored leaf is not that of its
        row, and `Unavailable` when the signer refuses or cannot be reached: nothing is published then.
        """
        old = self.published_size()
        size, written_to = size_and_end(self._db)
        if size < old:
            raise Corrupt(f"the ledger has {size} entries, but {old} were published: its tail was cut")
        if size == old:
            return None
        new = min(size, written_to) if size - old <= STEP else end_within(self._db, old, old + STEP)
        if not old < new <= size:
            raise Corrupt(f"entries {old} to {size - 1} were written by no node of this ledger: nobody signs them")
        written = self._grow(old, new)
        root = self._root(new)
        read = hash_reader(new, self._tiles.read)

        def prove(since: int) -> list[bytes]:
            return consistency_proof(read, since, new)

        note = self._sign(Checkpoint(self._origin, new, root), lambda begin: shown(self._db, begin, new))
        if isinstance(note, Refused):
            raise Unavailable(f"the signer refused: {note.message}")
        published = self._witnessed(note, prove, new)
        for tile in written:
            self._tiles.drop_partials(tile)
        return published

    def _grow(self, old: int, new: int) -> list[Tile]:
        leaves, preimages = [], []
        for stored in entries(self._db, old, new):
            header, body_hash = stored.header.encode(), sha256(stored.body).digest()
            if leaf_hash(header, body_hash) != stored.leaf:
                raise Corrupt(f"entry {stored.header.index} was changed after it was written")
            leaves.append(stored.leaf)
            preimages.append(header + body_hash)
        if len(leaves) != new - old:
            raise Corrupt(f"of the entries {old} to {new - 1}, {new - old - len(leaves)} are missing")
        written = [*grow(old, leaves, self._tiles.read), *grow_entries(old, preimages, self._tiles.read)]
        for tile, data in written:
            self._tiles.write(tile, data)
        return [tile for tile, _ in written]

    def _root(self, size: int) -> bytes:
        read = hash_reader(size, self._tiles.read)
        return Frontier(size, [read(level, index) for level, index in subtrees(0, size)]).root()

    def _witnessed(self, note: bytes, prove: Prove, size: int) -> Published:
        """The checkpoint is published with or without its cosignature; a witness that lags catches up by itself."""
        trouble, lines = "", tuple[Signature, ...]()
        if self._cosign is not None:
            try:
                answer = self._cosign(note, prove)
                trouble = answer.message if isinstance(answer, Refused) else ""
                lines = () if isinstance(answer, Refused) else answer
            except Unavailable as error:
                trouble = str(error)
        signed = Note.parse(note)
        for line in lines:
            signed = signed.signed(line)
        self._tiles.write_checkpoint(signed.encode())
        return Published(size, bool(lines), trouble)


def shown(db: Db, begin: int, end: int) -> Iterator[Stretch]:
    """The entries of [begin, end) for the signer; both are ends of batches."""
    left = _batches(db, begin, end)
    batch = next(left, None)
    for at in range(begin, end, SHOWN_TOGETHER):
        until = min(at + SHOWN_TOGETHER, end)
        found = entries(db, at, until)
        closed = []
        while batch is not None and batch.last < until:
            closed.append(batch)
            batch = next(left, None)
        yield Stretch(
            at,
            [each.header.encode() + sha256(each.body).digest() for each in found],
            [(each.header.index, each.body) for each in found if each.header.kind in KINDS],
            closed,
        )


def _batches(db: Db, begin: int, end: int) -> Iterator[Batch]:
    while begin < end and (found := batches(db, begin, SHOWN_TOGETHER)):
        yield from (each for each in found if each.first < end)
        begin = found[-1].first + 1
