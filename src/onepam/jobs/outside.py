"""Anchors from outside: tree heads that whoever writes to the database and its folder cannot reach.

A witness's, a signed checkpoint that was kept elsewhere, a size and root that somebody wrote down, and the signer's own
memory where it is neither in the folder nor of a key that lies there. What lies inside the folder anchors nothing.
"""

from contextlib import suppress
from pathlib import Path

from onepam.jobs.verification import signed_head
from onepam.kernel.clock import Clock
from onepam.kernel.errors import Corrupt, Refused
from onepam.ledger.check import Anchor
from onepam.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from onepam.ledger.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE
from onepam.ledger.note import COSIGNATURE_V1, MAX_NOTE_BYTES, BadNote, Note, VerifierKey, base64_bytes
from onepam.signing.signer import SignerClient
from onepam.signing.witness import WitnessClient


class NotOutside(ValueError):
    """What was given is no anchor: it lies with the database, says nothing, is malformed or forged."""


class AnotherKey(NotOutside):
    """A checkpoint is signed by other keys than those that are known; the message names them."""


def from_checkpoint(file: Path, data: Path, keys: list[VerifierKey]) -> SignedCheckpoint:
    """The checkpoint of a file that was kept elsewhere than in `data`, signed by one of `keys`.

    Raises `NotOutside`, `AnotherKey` and, when the file cannot be read, `OSError`.
    """
    if file.resolve().is_relative_to(data.resolve()):
        raise NotOutside(f"{file} lies in the data folder: whoever alters the database alters it, too")
    with file.open("rb") as opened:
        note = opened.read(MAX_NOTE_BYTES + 1)
    try:
        signers = {(each.name, each.key_id) for each in Note.parse(note).signatures}
        if signers.isdisjoint((each.name, each.key_id) for each in keys):
            names = ", ".join(sorted(f"{name}+{key_id.hex()}" for name, key_id in signers))
            raise AnotherKey(f"{file} is signed by {names}, and by none of the keys that are known here")
        return open_checkpoint(note, keys)
    except BadNote as error:
        raise NotOutside(f"{file}: {error}") from None


def anchor_of(found: SignedCheckpoint, name: str) -> Anchor:
    """The anchor of a signed checkpoint, naming where it comes from and who signed it."""
    said = [
        f"cosigned by witness {each.key.name}"
        if each.key.algorithm == COSIGNATURE_V1
        else f"signed by {each.key.name}+{each.key.key_id.hex()}"
        for each in found.verified
    ]
    return Anchor(found.checkpoint.size, found.checkpoint.root, f"{name}, {' and '.join(said)}", outside=True)


def written_down(size: int, root: str) -> Anchor:
    """The tree head that somebody wrote down: the root in hex or base64. Raises `NotOutside`."""
    raw = b""
    with suppress(ValueError):
        raw = bytes.fromhex(root)
    if len(raw) != HASH_BYTES:
        with suppress(BadNote):
            raw = base64_bytes(root)
    if len(raw) != HASH_BYTES:
        raise NotOutside("a root is 32 bytes, in hex or base64")
    if not 0 < size <= MAX_SIZE or raw == EMPTY_ROOT:
        raise NotOutside(f"a tree of {size} entries says nothing about a history")
    return Anchor(size, raw, f"the tree head of {size} entries that you gave", outside=True)


def from_witness(source: str, data: Path, witnesses: list[VerifierKey], origin: str) -> Anchor:
    """The tree head that a witness holds, from itself or from a file that it gave. Raises `NotOutside`, `BadNote`."""
    if not source.startswith(("http://", "https://")):
        found = from_checkpoint(Path(source), data, witnesses)
        if found.checkpoint.origin != origin:
            raise BadNote(f"{source} is of another log: {found.checkpoint.origin}")
        return Anchor(found.checkpoint.size, found.checkpoint.root, _witness(found.verified[0].key), outside=True)
    for key in witnesses:
        note = WitnessClient(source, key).latest(origin)
        with suppress(BadNote):
            if note is not None:
                return witnessed(note, key, origin)
    raise BadNote(f"{source} holds no checkpoint of {origin} that a witness of the given keys has cosigned")


def witnessed(note: bytes, key: VerifierKey, origin: str) -> Anchor:
    """The tree head that a witness has seen, from the checkpoint that it keeps. Raises `BadNote`."""
    found = open_checkpoint(note, [key], origin).checkpoint
    return Anchor(found.size, found.root, _witness(key), outside=True)


def from_signer(socket: Path, data: Path, key: VerifierKey, clock: Clock) -> Anchor | None:
    """What a signer elsewhere signed last; None before its first. It signs that head once more, so that whoever
    answers on the socket without its key is found.

    Raises `NotOutside` for a signer in the folder or of another key, `Unavailable` when it does not answer.
    """
    if socket.resolve().is_relative_to(data.resolve()):
        raise NotOutside(f"{socket} lies in the data folder: so does the signer's memory")
    client = SignerClient(socket)
    size, root, _ = client.last()
    note = client.sign(size, root, clock()) if size else b""
    if isinstance(note, Refused):  # since the question a running gateway had a larger tree signed
        size, root, _ = client.last()
        note = client.sign(size, root, clock())
    if not size:
        return None
    if isinstance(note, Refused):
        raise NotOutside(f"the signer at {socket}: {note.message}")
    try:
        open_checkpoint(note, [key], key.name)
    except BadNote as error:
        raise NotOutside(f"the signer at {socket} is not the one of the key that you gave: {error}") from None
    return Anchor(size, root, f"signer at {socket}", outside=True)


def beside(folder: Path, origin: str) -> Anchor | str | None:
    """What the signer beside the database signed last, which is no anchor and still tells of a copy that is too old.

    None where it is elsewhere, or before its first; a text says what is wrong with its state.
    """
    if not (folder / "state").exists():
        return "signer: its key is here and its memory of what it signed is gone" if (folder / "key").exists() else None
    try:
        return signed_head(folder / "state", origin)
    except Corrupt as error:
        return f"signer: {error}"


def _witness(key: VerifierKey) -> str:
    return f"witness {key.name}"
