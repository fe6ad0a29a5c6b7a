"""Signed notes, checkpoints and cosignature/v1 (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature)."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import List, NamedTuple, Tuple

from onepam.evidence.verifier.ed25519 import ed25519
from onepam.evidence.verifier.refusal import Refused, Usage, cause, need

PLAIN, COSIGNATURE = 1, 4  # types of signatures: Ed25519 over the text; cosignature/v1
MAX_NOTE = 1 << 17  # bytes
MAX_SIGNATURES = 32
NAME = "[^+\\s]{1,255}"  # of a key


class Key(NamedTuple):
    """A verifier key. `id` has 4 bytes, `public` 32; `type` is `PLAIN` or `COSIGNATURE`."""

    name: str
    id: bytes
    type: int
    public: bytes


class Note(NamedTuple):
    """A signed text. `signatures` are key names and raw lines, beginning with the id of the key."""

    text: bytes
    signatures: List[Tuple[str, bytes]]


class Checkpoint(NamedTuple):
    """A signed tree head, and what it says."""

    note: Note
    origin: str
    size: int
    root: bytes


def unbase64(text: str, what: str) -> bytes:
    """The bytes of which the text is the one encoding (RFC 4648, section 4)."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    need(raw and base64.b64encode(raw).decode() == text, f"{what}: not base64")
    return raw


def read_key(text: str, kind: int, what: str) -> Key:
    """The verifier key `NAME+ID+BASE64` of the signature type `kind`."""
    name, id_hex, public = [*text.strip().split("+", 2), "", ""][:3]
    need(re.fullmatch(NAME, name) and re.fullmatch("[0-9a-f]{8}", id_hex), f"{what}: not a verifier key")
    raw = unbase64(public, what)
    need(len(raw) == 33 and raw[0] == kind, f"{what}: not an Ed25519 key of signature type {kind}")
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    need(key_id.hex() == id_hex, f"{what}: the key's id does not fit the key")
    return Key(name, key_id, kind, raw[1:])


def key_from_outside(argument: str, kind: int, what: str) -> Key:
    """The key that an argument is, or that stands in the file it names. Raises `Usage`."""
    if re.match(r"[^+\s]+\+[0-9a-f]{8}\+", argument):
        return _key_given(argument, kind, what)
    try:
        with open(argument, encoding="utf-8") as file:
            text = file.read(4096)
    except (OSError, ValueError) as error:
        neither = f"{argument!r} is neither a key (name+id+base64) nor a file that holds one"
        raise Usage(f"{what}: {neither}: {cause(error)}") from None
    return _key_given(text, kind, f"{what} {argument}")


def _key_given(text: str, kind: int, what: str) -> Key:
    try:
        return read_key(text, kind, what)
    except Refused as error:
        raise Usage(str(error)) from None
    except ValueError as error:
        raise Usage(f"{what}: {error}") from None


def read_note(data: bytes, what: str) -> Note:
    """The note; nothing of its signatures is judged."""
    need(len(data) <= MAX_NOTE, f"{what}: too long")
    need(not re.search(rb"[\x00-\x09\x0b-\x1f]", data), f"{what}: control characters")
    split = data.rfind(b"\n\n") + 1
    text, rest = data[:split], data[split + 1 :].decode("utf-8").split("\n")
    need(split and rest.pop() == "" and rest, f"{what}: not a signed note")
    need(len(rest) <= MAX_SIGNATURES, f"{what}: more than {MAX_SIGNATURES} signatures")
    signatures = []
    for line in rest:
        match = re.fullmatch(f"\u2014 ({NAME}) ([A-Za-z0-9+/=]+)", line)
        if not match:
            raise Refused(f"{what}: broken signature line")
        signatures.append((match[1], unbase64(match[2], f"{what} signature")))
        need(len(signatures[-1][1]) > 4, f"{what}: broken signature line")
    return Note(text, signatures)


def read_checkpoint(data: bytes) -> Checkpoint:
    """The checkpoint; nothing of its signatures is judged."""
    note = read_note(data, "checkpoint")
    head = note.text.decode("utf-8").split("\n")
    need(len(head) >= 4 and all(head[:-1]), "checkpoint: needs origin, size and root")
    need(re.fullmatch("0|[1-9][0-9]{0,15}", head[1]), "checkpoint: bad tree size")
    root = unbase64(head[2], "checkpoint root")
    need(len(root) == 32, "checkpoint: the root hash is not 32 bytes")
    return Checkpoint(note, head[0], int(head[1]), root)


def signed_at(note: Note, key: Key, what: str, of: str = "checkpoint") -> int:
    """The time (s since 1970) of the cosignature, 0 for a plain signature. Every line under this key must verify.
    `what` is whose key it is, and `of` what is signed."""
    found = [raw[4:] for name, raw in note.signatures if (name, raw[:4]) == (key.name, key.id)]
    need(found, f"{of}: no signature by {what} {key.name}+{key.id.hex()}")
    newest = 0
    for signature in found:
        message, time = note.text, 0
        if key.type == COSIGNATURE:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            need(time < 1 << 63, f"{of}: impossible time in the cosignature of {key.name}")
            message = b"cosignature/v1\ntime %d\n" % time + message
        need(ed25519(key.public, message, signature), f"{of}: the signature by {what} {key.name} does not fit")
        newest = max(newest, time)
    return newest
