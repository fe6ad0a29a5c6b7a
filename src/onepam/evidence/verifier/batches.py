"""Who wrote the entries: each batch, what one group commit wrote, bears the signature of a node.

`batches.bin` is a line of JSON, {"format", "nodes": [{"certificate", "name"}]}, and records of 78 bytes, big-endian:
the index of the batch's first entry (8 bytes), how many it has (4), the place of its node in `nodes` (2), and the
signature (64). That is Ed25519 over these lines, each with a newline at its end:

    onepam-batch/1
    NODE
    FIRST LAST                  indexes of its first and last entry, decimal
    ROOT                        of the tree over the batch's leaves alone (RFC 6962, section 2.1), base64
    PREVIOUS                    signature of the batch before, base64; of a log's first batch 64 zero bytes

A key comes into force with the batch that holds its `node.certified`: there stands a note of the log's key over
ORIGIN, `onepam-node/1 NUMBER`, and the node's verifier key. The numbers of one node increase. It ends with the next
of its node, with the batch that holds its `node.revoked`, and at a seam. Of a range that begins after the log's first
entry the first record is the batch of the entry before it, which is not judged; `certificate` is the note that was in
force there.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import struct
from collections.abc import Iterator
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import MAX_INTEGER, members, parse
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.ed25519 import ed25519
from onepam.evidence.verifier.note import PLAIN, Key, read_key, read_note, signed_at
from onepam.evidence.verifier.progress import Progress
from onepam.evidence.verifier.refusal import Refused, Usage, counted, need
from onepam.evidence.verifier.seams import CONTINUED, Seam

RECORD = struct.Struct(">QIH64s")
BATCHES = "onepam-batches/1"
MAX_BATCH = 60_000  # entries
DRAWN = 2_000  # signatures that are checked unless all are, beside those that always are
CERTIFIED, REVOKED = "node.certified", "node.revoked"
CERTIFICATE = re.compile("onepam-node/1 ([1-9][0-9]{0,15})")
AFTER_A_LOSS = (CONTINUED, "ledger.continuation_announced")
"""What the host writes when the signer is lost, so that nobody certifies its key: a batch of nothing else needs no node
in force, once the log has another name by it. The seam rests on the recovery key or on a day in which nobody cancelled
it."""


class Draw(NamedTuple):
    """Which signatures are checked: `every`, or those that `seed` draws (32 hex digits; without one the verifier takes
    its own, which nobody could know who made the pack)."""

    every: bool = False
    seed: str = ""


OWN_DRAW = Draw()


def draw_of(every: bool, seed: Optional[str]) -> Draw:
    """What the arguments ask for. Raises `Usage`."""
    if seed is not None and not re.fullmatch("[0-9a-f]{32}", seed):
        raise Usage("--draw: needs the seed of a verdict, 32 hex digits")
    if every and seed is not None:
        raise Usage("--draw: nothing is drawn with --all-signatures")
    return Draw(every, seed or "")


class Batch(NamedTuple):
    """One record: the entries `first` to `last` are by `node`; `previous` is the signature of the record before."""

    first: int
    last: int
    node: str
    signature: bytes
    previous: bytes

    def words(self) -> str:
        """Which it is."""
        return f"{entries_in_words(self.first, self.last + 1)}, a batch of {self.node}"


class Known(NamedTuple):
    """The number of a node's last certificate, and its key while that is in force."""

    number: int
    key: Optional[Key]


def entries_in_words(first: int, end: int) -> str:
    """The entries [first, end)."""
    return f"entry {first}" if first + 1 == end else f"entries {first} to {end - 1}"


def drawn(seed: bytes, count: int) -> Set[int]:
    """Which of so many batches are drawn by 32 bytes: SHA-256(seed, 0), SHA-256(seed, 1), ... (the number in 8 bytes,
    big-endian), each taken modulo `count`, until `DRAWN` different ones are found."""
    found: Set[int] = set(range(count)) if count <= DRAWN else set()
    number = 0
    while len(found) < min(DRAWN, count):
        found.add(int.from_bytes(hashlib.sha256(seed + number.to_bytes(8, "big")).digest(), "big") % count)
        number += 1
    return found


def read_batches(data: bytes) -> Tuple[List[str], List[Optional[str]], bytes]:
    """The names of the nodes, the certificates that were in force before the range, and the records."""
    end = data.find(b"\n")
    head = members(parse(data[: max(end, 0)], "batches.bin"), "batches.bin", format=str, nodes=list)
    need(head["format"] == BATCHES, f"batches.bin: format is not {BATCHES}")
    for node in head["nodes"]:
        members(node, "batches.bin nodes", certificate=object, name=str)
        need(node["certificate"] is None or type(node["certificate"]) is str, "batches.bin: a certificate is not text")
    names = [node["name"] for node in head["nodes"]]
    need(len(set(names)) == len(names), "batches.bin: a node is listed twice")
    records = data[end + 1 :]
    need(len(records) % RECORD.size == 0, "batches.bin: the last record is cut")
    return names, [node["certificate"] for node in head["nodes"]], records


class Authors:
    """Judges the batches one after another. `keys` are those of logs by their names: of an era without one nothing is
    judged, and `unjudged` has its entries as (first, end, why)."""

    def __init__(self, pack: Contents, seams: List[Seam], keys: List[Key], draw: Draw) -> None:
        self._log, self._disclosed, self._seams = pack.log, pack.disclosed, {seam.entry: seam for seam in seams}
        self._keys = {key.name: key for key in keys if key.type == PLAIN}
        self._era = seams[0].before if seams else pack.checkpoint.origin
        self._cut = pack.log.end < pack.checkpoint.size
        data = pack.files["batches.bin"]
        self._names, self._before, self._records = read_batches(data)
        count = len(self._records) // RECORD.size
        self.seed = draw.seed or os.urandom(16).hex()
        whole = hashlib.sha256(bytes.fromhex(self.seed) + hashlib.sha256(data).digest()).digest()
        self._chosen = set(range(count)) if draw.every else drawn(whole, count)
        self._progress = Progress("batch signatures", count, 20_000)
        self._told = pack.log.all_of((CERTIFIED, REVOKED, CONTINUED), 0, MAX_INTEGER + 1)[::-1]
        self._known: Dict[str, Known] = {}
        self._unseen: Set[str] = set()  # nodes of whose key no signature was checked yet
        self._announced = ""  # what is wrong with a batch, unless a seam follows
        self._at = pack.log.first
        self.checked = self.total = 0
        self.unjudged: List[Tuple[int, int, str]] = []

    def judge(self) -> None:
        """Goes past all records. Raises `Refused`, which names entries and node."""
        newest = {node: place for place, (_, _, node, _) in enumerate(RECORD.iter_unpack(self._records))}
        self._chosen.update(newest.values())
        if self._log.first == 0 and any(each is not None for each in self._before):
            raise Refused("batches.bin: a certificate from before the range, and there is nothing before it")
        previous = bytes(64)
        for place, (first, count, node, signature) in enumerate(RECORD.iter_unpack(self._records)):
            if node >= len(self._names):
                raise Refused(f"batches.bin: the batch of entry {first} is of no node that is listed")
            batch = Batch(first, first + count - 1, self._names[node], signature, previous)
            if not 0 < count <= MAX_BATCH:
                raise Refused(f"{batch.words()}: no batch has {count} entries")
            if place == 0 and first < self._log.first:
                self._begin(batch)
            else:
                self._follow(batch, place)
            previous = signature
            self._progress.at(place + 1)
        self._gap(self._log.end)
        need(not self._announced, self._announced)

    def _begin(self, batch: Batch) -> None:
        """The batch of the entry before the range: the chain goes on from it."""
        border = self._log.first
        need(batch.last >= border - 1, f"{batch.words()}: it ends before the entry before the range")
        if batch.last >= border:
            self._say(border, min(batch.last + 1, self._log.end), "their batch begins before the range")
        log_key = self._keys.get(self._era)
        for name, certificate in zip(self._names, self._before):
            if certificate is not None and log_key is not None:
                self._known[name] = self._read(certificate, name, f"batches.bin: a certificate of {name}", log_key)
                self._unseen.add(name)
        self._end(self._entries(batch, log_key))
        self._at = batch.last + 1

    def _follow(self, batch: Batch, place: int) -> None:
        if batch.first < self._at:
            raise Refused(f"{batch.words()}: it lies over what stands before it, up to entry {self._at - 1}")
        if place == 0 and self._log.first and self._era in self._keys:
            raise Refused(f"batches.bin: the batch of entry {self._log.first - 1} is missing")
        if batch.first > self._at:
            self._gap(batch.first)
        self._at = batch.last + 1
        if batch.last >= self._log.end:
            need(self._cut, f"{batch.words()}: it ends after the checkpoint")
            self._say(batch.first, self._log.end, "their batch ends after the range")
            return
        log_key = self._keys.get(self._era)
        told = self._entries(batch, log_key)
        if log_key is None:
            self._say(batch.first, batch.last + 1, self._foreign())
        else:
            self._judge(batch, place)
        self._end(told)

    def _entries(self, batch: Batch, log_key: Optional[Key]) -> List[int]:
        """The entries of the batch that say whose signatures count. Keys that it certifies are in force from here."""
        found = []
        while self._told and self._told[-1] <= batch.last:
            index = self._told.pop()
            need(index in self._disclosed, f"entry {index} ({self._log.kind(index)}) is not disclosed")
            found.append(index)
            if log_key is not None and self._log.kind(index) == CERTIFIED:
                self._certify(index, log_key)
        return found

    def _end(self, told: List[int]) -> None:
        """After a batch: keys that it revokes are in force no longer, and after a seam none is."""
        for index in told:
            name = str(self._disclosed.body(index).get("node"))
            if self._log.kind(index) == REVOKED and name in self._known:
                self._known[name] = Known(self._known[name].number, None)
            elif self._log.kind(index) == CONTINUED:
                if self._seams[index].origin != self._era:
                    self._announced = ""
                self._era, self._known = self._seams[index].origin, {}
                self._unseen.clear()

    def _judge(self, batch: Batch, place: int) -> None:
        known = self._known.get(batch.node)
        if known is None or known.key is None:
            self._fault(batch, "no key of it is in force there, so no node of this log wrote it")
            return
        self.total += 1
        if place in self._chosen or batch.node in self._unseen:
            self.checked += 1
            self._unseen.discard(batch.node)
            if not self._holds(batch, known.key):
                self._fault(batch, "it bears no signature of that node that holds")

    def _fault(self, batch: Batch, why: str) -> None:
        said = f"{batch.words()}: {why}"
        kinds = {self._log.kind(index) for index in range(batch.first, batch.last + 1)}
        need(kinds <= set(AFTER_A_LOSS), said)
        self._announced = self._announced or said

    def _holds(self, batch: Batch, key: Key) -> bool:
        root, previous = map(_base64, (self._log.root_over(batch.first, batch.last), batch.previous))
        lines = ("onepam-batch/1", batch.node, f"{batch.first} {batch.last}", root, previous, "")
        return ed25519(key.public, "\n".join(lines).encode("utf-8"), batch.signature)

    def _certify(self, index: int, log_key: Key) -> None:
        """Brings the key of an entry into force."""
        body = self._disclosed.body(index)
        node, certificate = str(body.get("node")), str(body.get("certificate"))
        what = f"entry {index} certifies a key of {node}"
        known = self._read(certificate, node, what, log_key)
        said = (body.get("number"), body.get("key"))
        need(said == (known.number, certificate.split("\n")[2]), f"{what}, and its certificate is of another key")
        before = self._known.get(node)
        need(before is None or before.number < known.number, f"{what}, and a newer certificate of it was there before")
        self._known[node] = known
        self._unseen.add(node)

    def _read(self, certificate: str, node: str, what: str, log_key: Key) -> Known:
        """The key that a certificate is of."""
        try:
            note = read_note(certificate.encode("utf-8"), "certificate")
            signed_at(note, log_key, "the log's key", "certificate")
            origin, second, vkey, *rest = note.text.decode("utf-8").split("\n")
            number, key = CERTIFICATE.fullmatch(second), read_key(vkey, PLAIN, "certificate")
            if not number or (origin, key.name, rest) != (self._era, node, [""]):
                raise Refused("it is of something else")
        except (Refused, ValueError) as error:
            raise Refused(f"{what}, and its certificate does not hold: {error}") from None
        return Known(int(number[1]), key)

    def _gap(self, end: int) -> None:
        """From where the batches have come to up to `end` there is none."""
        if self._at < end:
            known = self._era in self._keys
            need(not known, f"{entries_in_words(self._at, end)}: of no batch, so no node of this log wrote that")
            self._say(self._at, end, self._foreign())

    def _foreign(self) -> str:
        return f"they are of the log {self._era}: give its key, too, with --log-key"

    def _say(self, first: int, end: int, why: str) -> None:
        """Entries that are not judged; neighbours together."""
        if self.unjudged and self.unjudged[-1][1:] == (first, why):
            first = self.unjudged.pop()[0]
        self.unjudged.append((first, end, why))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def beginnings(pack: Contents) -> Iterator[int]:
    """The first entry of each batch, in order."""
    return (first for first, _, _, _ in RECORD.iter_unpack(read_batches(pack.files["batches.bin"])[2]))


def check_batches(pack: Contents, seams: List[Seam], keys: List[Key], draw: Draw, answer: Answer) -> None:
    """Whether nodes in force wrote the entries: adds what the signatures prove, and what was not checked."""
    authors = Authors(pack, seams, keys, draw)
    authors.judge()
    answer.unchecked = left = authors.total - authors.checked
    answer.signatures = f"{authors.checked} of {counted(authors.total, 'batch signature')} checked"
    how = ": of every key the first, of every node the newest, and those that were drawn" if left else ""
    if authors.total:
        answer.proved.append(f"every batch is of a node that the log's signer had certified; {answer.signatures}{how}")
    if left:
        others = f"that the signature of {counted(left, 'other batch', 'other batches')} holds"
        answer.seed = authors.seed
        answer.not_proved.append(f"{others}: --all-signatures checks all, --draw {authors.seed} draws these again")
        if draw.seed:
            answer.not_proved.append("that nobody knew which signatures are drawn: --draw gave the seed")
    for first, end, why in authors.unjudged:
        said = f"which node wrote {entries_in_words(first, end)}"
        answer.not_proved.append(f"{said}: {why}")
        answer.lack(f"It is not judged {said}: {why}")
