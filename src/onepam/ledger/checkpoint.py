"""A signed tree head: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint).

Origin, size and root, each on its line, in a signed note. Whoever holds one can hold any later history against it.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from onepam.ledger.merkle import HASH_BYTES, MAX_SIZE
from onepam.ledger.note import BadNote, Note, Sign, Verified, VerifierKey, base64_bytes, sign

MAX_ORIGIN_CHARACTERS = 255
MAX_EXTENSIONS = 16
MAX_CHECKPOINT_CHARACTERS = 8 * 1024


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The root of the first `size` entries of the log named `origin`. `extensions` are opaque non-empty lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode("ascii"), *self.extensions)
        return "\n".join(lines) + "\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint of a note's text. Raises `BadNote` unless `text()` would write exactly this."""
        if len(text) > MAX_CHECKPOINT_CHARACTERS:
            raise BadNote("a checkpoint is short")
        *lines, rest = text.split("\n")
        if rest or not all(lines) or not 3 <= len(lines) <= 3 + MAX_EXTENSIONS:
            raise BadNote("a checkpoint is an origin, a size and a root, each on its line")
        origin, decimal, root = lines[:3]
        if len(origin) > MAX_ORIGIN_CHARACTERS:
            raise BadNote(f"an origin has at most {MAX_ORIGIN_CHARACTERS} characters")
        checkpoint = cls(origin, parse_size(decimal), base64_bytes(root), tuple(lines[3:]))
        if len(checkpoint.root) != HASH_BYTES:
            raise BadNote("a root has 32 bytes")
        return checkpoint


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with its note and those signatures on it that were verified."""

    checkpoint: Checkpoint
    note: Note
    verified: tuple[Verified, ...]


def parse_size(decimal: str) -> int:
    """A tree size in ASCII decimal without leading zeros. Raises `BadNote`."""
    if not (decimal.isascii() and decimal.isdigit() and len(decimal) <= 16) or (decimal[0] == "0" and decimal != "0"):
        raise BadNote("a size is a decimal number without leading zeros")
    if int(decimal) > MAX_SIZE:
        raise BadNote(f"a size is at most {MAX_SIZE}")
    return int(decimal)


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, private: Sign) -> bytes:
    """The checkpoint as a note signed by the log's key."""
    text = checkpoint.text()
    return Note(text, (sign(text, key, private),)).encode()


def open_checkpoint(data: bytes, keys: Iterable[VerifierKey], origin: str | None = None) -> SignedCheckpoint:
    """The checkpoint of a note that at least one of `keys` signed.

    Raises `BadNote` when it is malformed, when a signature of these keys does not hold or none is there, and when
    `origin` is given and is not its origin.
    """
    note = Note.parse(data)
    verified = note.verify(keys)
    checkpoint = Checkpoint.parse(note.text)
    if origin is not None and checkpoint.origin != origin:
        raise BadNote(f"the checkpoint is of another log: {checkpoint.origin}")
    return SignedCheckpoint(checkpoint, note, verified)
