"""What a signer knows of the ledger: how far it has followed it, batch by batch, and what it signed last.

All of it lies in one file outside the database, so that a signer goes on where it was, whatever was done to the
database meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from onepam.kernel import canonical
from onepam.kernel.errors import Corrupt, Refused
from onepam.ledger.authors import (
    KINDS,
    MAX_BATCH_ENTRIES,
    SEAM,
    SIGNATURE_BYTES,
    Batch,
    Known,
    Standing,
    Told,
    judge,
)
from onepam.ledger.merkle import HASH_BYTES, MAX_SIZE, Frontier
from onepam.ledger.note import VerifierKey
from onepam.ledger.tiles import split

MAX_STATE_BYTES = 1024 * 1024
_HINT = "Run “onepam ledger verify”; then see “When somebody wrote to the database” (docs/administrator.md)."
_HEX = set("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the ledger: the chain of batches up to it, and the tree."""

    standing: Standing
    peaks: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        """How many entries."""
        return self.standing.size

    def root(self) -> bytes:
        """The root over them."""
        return Frontier(self.size, self.peaks).root()

    def document(self) -> dict[str, Any]:
        """As canonical JSON."""
        standing = self.standing
        return {
            "era": standing.era,
            "nodes": {
                name: [known.number, known.key.encode() if known.key else ""] for name, known in standing.nodes.items()
            },
            "peaks": [each.hex() for each in self.peaks],
            "previous": standing.previous.hex(),
            "size": standing.size,
        }

    @classmethod
    def read(cls, found: Any) -> "Place":
        """The place of `document()`. Raises `ValueError`, `TypeError`, `KeyError`."""
        era, nodes, peaks, previous, size = (found[name] for name in ("era", "nodes", "peaks", "previous", "size"))
        if set(found) != {"era", "nodes", "peaks", "previous", "size"} or type(era) is not str:
            raise ValueError("unknown or missing fields")
        known = {name: Known(number_of(n), VerifierKey.parse(key) if key else None) for name, (n, key) in nodes.items()}
        place = cls(
            Standing(era, number_of(size), bytes_of(previous, SIGNATURE_BYTES), known),
            tuple(bytes_of(each, HASH_BYTES) for each in peaks),
        )
        Frontier(place.size, place.peaks)
        return place


@dataclass(frozen=True, slots=True)
class State:
    """All that a signer remembers: the place of the newest tree head that it signed and when the ledger asked for it
    (`time`, for people who read the file), how far it has followed beyond, and the number of its last certificate."""

    signed: Place
    followed: Place
    time: int = 0
    number: int = 0

    def encode(self, origin: str) -> bytes:
        """The file. Root and size are said apart, for those who verify a copy of the folder."""
        return canonical.encode(
            {
                "followed": self.followed.document(),
                "number": self.number,
                "origin": origin,
                "root": self.signed.root().hex(),
                "signed": self.signed.document(),
                "size": self.signed.size,
                "time": self.time,
            }
        )

    @classmethod
    def decode(cls, data: bytes, origin: str) -> "State":
        """The state of a file. Raises `Corrupt` for another log's, and for anything that is none."""
        try:
            found = canonical.decode(data)
            if found["origin"] != origin:
                raise Corrupt(f"the state belongs to another ledger than {origin}")
            state = cls(
                Place.read(found["signed"]),
                Place.read(found["followed"]),
                number_of(found["time"]),
                number_of(found["number"]),
            )
            if state.encode(origin) != data:
                raise ValueError("not as it is written")
        except (ValueError, AttributeError, KeyError, TypeError):
            raise Corrupt("it is not the state of a signer") from None
        return state


def beginning(origin: str, *, continues: bool) -> State:
    """The state before the first entry. `continues`: what stands before the seam to `origin` is another signer's."""
    place = Place(Standing("" if continues else origin))
    return State(place, place)


class Stream:
    """Follows entries and their batches from a place on, and goes past a batch only if a node in force wrote it.

    What is before the seam at which the log began is not judged here: another signer signed it, and the seam rests on
    the recovery key or on a day in which nobody cancelled it.
    """

    def __init__(self, key: VerifierKey, place: Place) -> None:
        self._log_keys = {key.name: key}
        self._origin = key.name
        self.place = place
        self._leaves: list[bytes] = []
        self._told: list[Told] = []

    @property
    def next(self) -> int:
        """The index of the next entry, those of the unfinished batch counted."""
        return self.place.size + len(self._leaves)

    def follow(
        self, preimages: Sequence[bytes], bodies: Mapping[int, bytes], batches: Sequence[Batch]
    ) -> Refused | None:
        """The next entries, each as header || SHA-256(body); the bodies of those of `KINDS`; and the batches that end
        among them. What is left over belongs to the next batch. A refusal says which entries, and leaves the place
        where it is. Raises `ValueError` for what is no such thing."""
        for preimage in preimages:
            self._take(preimage, bodies)
        for batch in batches:
            refused = self._close(batch)
            if refused is not None:
                self._leaves, self._told = [], []
                return refused
        if len(self._leaves) > MAX_BATCH_ENTRIES:
            raise ValueError("a batch is never so large")
        return None

    def _take(self, preimage: bytes, bodies: Mapping[int, bytes]) -> None:
        index = self.next
        try:
            header, body_hash = split(preimage)
        except Corrupt as error:
            raise ValueError(str(error)) from None
        if header.index != index:
            raise ValueError(f"entry {header.index} is not entry {index}")
        if header.kind in KINDS:
            body = bodies.get(index, b"")
            if sha256(body).digest() != body_hash:
                raise ValueError(f"the body of entry {index} is not shown")
            self._told.append(Told(index, header.kind, body))
        self._leaves.append(sha256(b"\x00" + preimage).digest())

    def _close(self, batch: Batch) -> Refused | None:
        place = self.place
        count = batch.last + 1 - place.size
        leaves, told = self._leaves[:count], [each for each in self._told if each.index <= batch.last]
        if place.standing.era != self._origin:  # of another signer: whatever stands between batches belongs to the next
            batch = replace(batch, first=place.size) if place.size <= batch.first <= batch.last else batch
        after = judge(place.standing, batch, leaves, told, self._log_keys)
        if isinstance(after, str):
            first, last = min(place.size, batch.first), max(place.size, batch.last)
            return Refused(
                "signer.unwritten", f"No node of this ledger wrote entries {first} to {last}: {after}.", _HINT
            )
        if place.standing.era == self._origin and any(each.kind == SEAM for each in told):
            message = (
                f"With entry {told[-1].index} the ledger goes on as {after.era}: this signer's log has ended there."
            )
            return Refused("signer.continued", message, "Begin a signer of the new origin.")
        if after.era != self._origin:
            after = replace(after, era="", nodes={})
        tree = Frontier(place.size, place.peaks)
        tree.extend(leaves)
        self.place = Place(after, tree.peaks())
        self._leaves, self._told = self._leaves[count:], [each for each in self._told if each.index > batch.last]
        return None


def number_of(value: Any, most: int = MAX_SIZE) -> int:
    """An integer from 0 to `most`. Raises `ValueError`."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("not a number")
    return value


def bytes_of(value: Any, count: int) -> bytes:
    """So many bytes out of their hex. Raises `ValueError`."""
    if type(value) is not str or len(value) != 2 * count or not set(value) <= _HEX:
        raise ValueError("not bytes in hex")
    return bytes.fromhex(value)
