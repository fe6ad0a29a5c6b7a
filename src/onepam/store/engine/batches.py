"""Batches: what a group commit wrote bears the signature of the node that wrote it, inside the same transaction."""

from collections.abc import Sequence
from typing import Protocol

from onepam.app.ports import Snapshot
from onepam.kernel.clock import FOREVER
from onepam.kernel.errors import Corrupt
from onepam.ledger.authors import SEAM, SIGNATURE_BYTES, Batch, batch_text, root_of
from onepam.store.db import Db, row, rows

_AFTER_A_LOSS = (SEAM, "ledger.continuation_announced")
"""What is written where the signed entries before it are lost, or nobody can say who wrote those that are there."""


class Author(Protocol):
    """Whoever writes the ledger here: a node with the private half of its key."""

    @property
    def node(self) -> str:
        """Its name (nod_...)."""
        ...

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature."""
        ...

    def join(self, newest: tuple[str, int, bool] | None) -> object | None:
        """The event that brings its key into force; None where nothing is to be written. `newest` is what
        `newest_key` says of its name. Raises `Unavailable` when its key was revoked."""
        ...


def newest_key(db: Snapshot, node: str) -> tuple[str, int, bool] | None:
    """The last verifier key that a node had, the number of its certificate, and whether it is still in force."""
    found = row(db, "SELECT key, number, valid_until FROM node WHERE node = ? ORDER BY valid_until DESC", (node,))
    return (found[0], found[1], found[2] == FOREVER) if found else None


def seal(db: Db, author: Author, first: int, leaves: Sequence[bytes]) -> None:
    """Signs the entries from `first` on, which have these leaf hashes, as one batch after the last one.

    Raises `Corrupt` where entries before `first` are of no batch: whoever put them there is no node of ours, and
    nothing is decided on what they say.
    """
    newest = row(db, "SELECT last_idx, signature FROM batch ORDER BY first_idx DESC LIMIT 1")
    end, previous = (newest[0] + 1, newest[1]) if newest else (0, bytes(SIGNATURE_BYTES))
    if end != first and not _after_a_loss(db, first):
        raise Corrupt(
            f"entries {end} to {first - 1} were written by no node of this ledger, and nothing is decided on them. "
            "Look at: onepam ledger verify; then see “When somebody wrote to the database” (docs/administrator.md)"
        )
    last = first + len(leaves) - 1
    text = batch_text(author.node, first, last, root_of(leaves), previous)
    batch = (first, last, author.node, author.sign(text.encode("utf-8")))
    db.execute("INSERT INTO batch VALUES (?, ?, ?, ?)", batch)


def batches(db: Snapshot, begin: int, most: int) -> list[Batch]:
    """The batches that begin at entry `begin` or later, in order, at most `most`."""
    found = rows(
        db,
        "SELECT first_idx, last_idx, node, signature FROM batch WHERE first_idx >= ? ORDER BY first_idx LIMIT ?",
        (begin, most),
    )
    return [Batch(*each) for each in found]


def has_seam(db: Snapshot, begin: int) -> bool:
    """Whether the ledger takes another name at entry `begin` or later."""
    return row(db, "SELECT 1 FROM entry WHERE idx >= ? AND kind = ?", (begin, SEAM)) is not None


def size_and_end(db: Snapshot) -> tuple[int, int]:
    """At one instant: how many entries the head counts, and where the newest batch ends."""
    found = row(db, "SELECT size, (SELECT last_idx + 1 FROM batch ORDER BY first_idx DESC LIMIT 1) FROM head")
    return (found[0], found[1] or 0) if found else (0, 0)


def end_within(db: Snapshot, begin: int, until: int) -> int:
    """Where the last of the batches ends that begin in [begin, until); 0 without one."""
    sql = "SELECT last_idx + 1 FROM batch WHERE first_idx >= ? AND first_idx < ? ORDER BY first_idx DESC LIMIT 1"
    found = row(db, sql, (begin, until))
    return found[0] if found else 0


def _after_a_loss(db: Db, first: int) -> bool:
    return row(db, "SELECT 1 FROM entry WHERE idx >= ? AND kind IN (?, ?)", (first, *_AFTER_A_LOSS)) is not None
