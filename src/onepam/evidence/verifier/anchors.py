"""Who signed, and what anchors it: signatures under keys from outside, and tree heads that somebody kept elsewhere.

An anchor counts while at most a day of ledger time has passed between its last entry and the log's.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.note import (
    COSIGNATURE,
    MAX_NOTE,
    PLAIN,
    Checkpoint,
    Key,
    key_from_outside,
    read_checkpoint,
    read_key,
    signed_at,
)
from onepam.evidence.verifier.refusal import Refused, Usage, cause, counted, need
from onepam.evidence.verifier.seams import Seam
from onepam.kernel.instant import DAY

ANCHOR_AGE = DAY  # of ledger time that may have passed since the last anchored entry


class Anchor(NamedTuple):
    """A tree head that somebody kept outside the pack. `note` is None where only size and root were written down."""

    size: int
    root: bytes
    holder: str
    note: Optional[Checkpoint]


def anchors_from_outside(files: List[str], at_least: Optional[List[str]]) -> List[Anchor]:
    """The anchors that the arguments name: files with checkpoints, and a size with its root in hex. Raises `Usage`."""
    found = []
    for name in files:
        try:
            with open(name, "rb") as file:
                note = read_checkpoint(file.read(MAX_NOTE + 1))
        except (OSError, ValueError, Refused) as error:
            raise Usage(f"--checkpoint {name}: {cause(error)}") from None
        found.append(Anchor(note.size, note.root, f"the checkpoint {name}", note))
    if at_least:
        size, root = at_least
        fits = re.fullmatch("[1-9][0-9]{0,15}", size) and re.fullmatch("[0-9a-f]{64}", root)
        if not fits:
            raise Usage("--at-least: needs a size above 0 and a root of 64 hex digits")
        holder = f"the tree head of {counted(int(size), 'entry', 'entries')} that you gave"
        found.append(Anchor(int(size), bytes.fromhex(root), holder, None))
    return found


def check_authors(pack: Contents, log_keys: List[str], witness_keys: List[str], answer: Answer) -> List[Key]:
    """Adds what the signatures prove, and the doubt where the log's key did not come from outside. Returns the keys
    that may have signed anchors: the log's, those of before its seams, the witnesses'."""
    checkpoint, manifest = pack.checkpoint, pack.manifest
    logs = [key_from_outside(text, PLAIN, "--log-key") for text in log_keys]
    outside = next((each for each in logs if each.name == checkpoint.origin), logs[0] if logs else None)
    key = outside or read_key(manifest["log_key"], PLAIN, "manifest.json log_key")
    signed_at(checkpoint.note, key, "the log's key")
    need(key.name == checkpoint.origin, "checkpoint: the log's key has another name than the log")
    said = f"checkpoint of {counted(checkpoint.size, 'entry', 'entries')} is signed by {key.name}+{key.id.hex()}; root "
    said += checkpoint.root.hex()
    if outside:
        answer.proved.append(said)
    else:
        answer.doubts.append("the log's key comes from the pack itself: give --log-key")
        answer.not_proved.append("who signed: " + said + ", a key that only the pack vouches for")
    trusted = [key_from_outside(text, COSIGNATURE, "--witness-key") for text in witness_keys]
    for witness in trusted:
        need(witness.public != key.public, f"{witness.name}: the witness's key is the log's key")
        at = iso(signed_at(checkpoint.note, witness, "witness") * 1_000_000)
        answer.proved.append(f"witness {witness.name}+{witness.id.hex()} saw this checkpoint by {at}")
        answer.anchors.append(f"witness {witness.name}, which saw it by {at}")
    for text in manifest["witnesses"]:
        signed_at(checkpoint.note, read_key(str(text), COSIGNATURE, "manifest.json witnesses"), "witness")
    if not trusted:
        answer.not_proved.append("no independent witness: whoever holds the log's key could have rewritten the history")
    return [key, *(each for each in logs if each != key), *trusted]


def _check_note(pack: Contents, seams: List[Seam], note: Checkpoint, holder: str, keys: List[Key]) -> None:
    """Whether one of the keys signed a checkpoint that was kept elsewhere, of this log or of one before a seam."""
    old = note.origin != pack.checkpoint.origin
    if old and not any(seam.before == note.origin for seam in seams):
        raise Usage(f"{holder} is of another log: {note.origin}")
    known = [k for k in keys if any((n, raw[:4]) == (k.name, k.id) for n, raw in note.note.signatures)]
    if old and not known:
        raise Usage(f"{holder} is of the log {note.origin}: give that log's key, too, with --log-key")
    need(known, f"{holder} is not signed by {keys[0].name}+{keys[0].id.hex()}, which signed this pack")
    for key in known:
        try:
            signed_at(note.note, key, holder)
        except Refused as error:
            raise Usage(f"{holder} is forged: {error}") from None


def _is_lost(pack: Contents, seams: List[Seam], anchor: Anchor, answer: Answer) -> bool:
    """Whether an anchor covers entries of the log before a seam that are lost, as the seam says. One that shows that
    the seam does not say the truth is refused. A tree head that names no log may be of this one, too."""
    named, n, who = anchor.note.origin if anchor.note else "", anchor.size, anchor.holder
    here = pack.log.roots.get(n) == anchor.root
    for seam in seams if named != pack.checkpoint.origin else []:
        said = f"{who} has seen {n} entries of {seam.before}, and entry {seam.entry} names"
        mine = seam.before == named if named else n <= seam.size and not (here and n > seam.entry)
        if mine and n > seam.kept:
            need(not here, f"{said} only {seam.kept} as left: it declares as lost what is here")
            need(n <= seam.size, f"{said} a loss up to {seam.size}: more was lost than it says")
            same = not named or n < seam.size or anchor.root.hex() == seam.root
            need(same, f"{said} another root of them")
            answer.not_proved.append(f"anything by {who}: of its {n} entries those from {seam.kept} on are lost")
            return True
    return False


def hold_anchors(
    pack: Contents, seams: List[Seam], anchors: Tuple[Anchor, ...], keys: List[Key], answer: Answer
) -> None:
    """Holds the pack's tree against what was kept elsewhere. An anchor that cannot be held against it is named."""
    log, size = pack.log, pack.checkpoint.size
    for anchor in anchors:
        if anchor.note:
            _check_note(pack, seams, anchor.note, anchor.holder, keys)
        if _is_lost(pack, seams, anchor, answer):
            continue
        if anchor.size not in log.roots:
            why = f"newer than the pack, which has {size}: draw a newer pack" if anchor.size > size else (
                f"outside the pack's range, entries {log.first} to {log.end - 1}")  # fmt: skip
            said = f"that this is the history of {anchor.holder}: its {anchor.size} entries are {why}"
            answer.not_proved.append(said)
            continue
        need(log.roots[anchor.size] == anchor.root, f"the history is not the one of {anchor.holder}: it was rewritten")
        answer.proved.append(f"the first {anchor.size} entries are those of {anchor.holder}")
        last = min(anchor.size, log.end) - 1
        if last < log.first or log.times[-1] - log.time(last) > ANCHOR_AGE:
            answer.not_proved.append(f"that what came after {anchor.holder} was not rewritten: it is older than a day")
        else:
            answer.anchors.append(f"{anchor.holder}, of {counted(anchor.size, 'entry', 'entries')}")
