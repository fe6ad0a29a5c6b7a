"""A small ledger that nodes wrote: entries, their batches, and the log's key that certified the nodes."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.ledger.authors import CERTIFIED, KINDS, REVOKED, Batch, Told, batch_text, certificate_text, root_of
from onepam.ledger.entry import Entry, Header
from onepam.ledger.findings import Row
from onepam.ledger.merkle import Frontier
from onepam.ledger.note import ED25519, Note, VerifierKey, sign

ORIGIN = "log.example/a"


class Key:
    """A key pair under a name."""

    def __init__(self, name: str, seed: int = 1) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(sha256(f"{name} {seed}".encode()).digest())
        self.public = VerifierKey(name, ED25519, self.private.public_key().public_bytes_raw())

    def certify(self, number: int, key: VerifierKey, origin: str | None = None) -> str:
        """The note by which the signer of this key certifies a node's."""
        text = certificate_text(origin or self.public.name, number, key)
        return Note(text, (sign(text, self.public, self.private.sign),)).encode().decode()


LOG = Key(ORIGIN)
Entries = list[tuple[str, dict[str, Any]]]


@dataclass
class Written:
    """What was written so far. Every method may be used to write what no node would."""

    log: Key = LOG
    rows: list[Row] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    previous: bytes = bytes(64)

    def certified(self, key: Key, number: int, **changes: Any) -> tuple[str, dict[str, Any]]:
        """The entry that brings a node's key into force."""
        note = self.log.certify(number, key.public)
        fields = {"node": key.public.name, "key": key.public.encode(), "number": number, "certificate": note}
        return CERTIFIED, fields | changes

    def revoked(self, node: Key) -> tuple[str, dict[str, Any]]:
        """The entry that takes it out of force."""
        return REVOKED, {"node": node.public.name, "key": node.public.encode(), "by": "Ada"}

    def add(self, *entries: tuple[str, dict[str, Any]]) -> int:
        """Entries without a batch; the index of the first."""
        first = len(self.rows)
        for kind, fields in entries or (("thing.done", {"n": first}),):
            index, body = len(self.rows), canonical.encode(fields)
            entry = Entry(Header(index, Instant(1000 + index), kind, 1, "system", index), body)
            self.rows.append(Row(index, 1000 + index, kind, 1, "system", index, body, entry.leaf()))
        return first

    def write(self, node: Key, *entries: tuple[str, dict[str, Any]], name: str | None = None) -> Batch:
        """Entries and their batch."""
        return self.seal(node, self.add(*entries), name=name)

    def seal(self, node: Key, first: int, name: str | None = None) -> Batch:
        """The batch of all entries from `first` on."""
        last, name = len(self.rows) - 1, name or node.public.name
        text = batch_text(name, first, last, root_of(self.leaves(first, last)), self.previous)
        batch = Batch(first, last, name, node.private.sign(text.encode()))
        self.batches.append(batch)
        self.previous = batch.signature
        return batch

    def leaves(self, first: int, last: int) -> list[bytes]:
        return [row.leaf for row in self.rows[first : last + 1]]

    def told(self, first: int, last: int) -> list[Told]:
        return [Told(row.position, row.kind, row.body) for row in self.rows[first : last + 1] if row.kind in KINDS]

    def preimages(self, first: int, end: int) -> list[bytes]:
        return [
            Header(row.position, Instant(row.time), row.kind, row.version, row.klass, row.class_seq).encode()
            + sha256(row.body).digest()
            for row in self.rows[first:end]
        ]

    def root(self, size: int) -> bytes:
        tree = Frontier()
        tree.extend([row.leaf for row in self.rows[:size]])
        return tree.root()


def two_nodes() -> tuple[Written, Key, Key]:
    """Eight entries: `nod_a` and `nod_b` came into force and wrote in turn."""
    ledger, a, b = Written(), Key("nod_a"), Key("nod_b")
    ledger.write(a, ("thing.done", {"n": 0}), ledger.certified(a, 1))
    ledger.write(b, ledger.certified(b, 2), ("thing.done", {"n": 3}))
    ledger.write(a)
    ledger.write(b, *(("thing.done", {"n": n}) for n in (5, 6, 7)))
    return ledger, a, b
