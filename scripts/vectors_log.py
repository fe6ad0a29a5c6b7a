"""The vectors of a small log: its entries, tree, tiles, notes and batches, through a loss to its next name.

Entries 0 to 6 are of the log `vectors.example/log`, of which nine were signed; entry 7 continues it as
`vectors.example/log/2`.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onepam.evidence.envelope import Envelope, Period, Source, System
from onepam.kernel.canonical import Json, encode
from onepam.kernel.clock import DAY, SECOND, Instant
from onepam.kernel.text import harmless
from onepam.ledger.authors import Batch, Standing, Told, batch_text, certificate_text, judge, root_of
from onepam.ledger.checkpoint import Checkpoint, open_checkpoint
from onepam.ledger.entry import Entry, Header, payload_digest
from onepam.ledger.merkle import (
    CompactRange,
    Frontier,
    consistency_proof,
    inclusion_proof,
    perfect_root,
    subtrees,
)
from onepam.ledger.note import COSIGNATURE_V1, ED25519, BadNote, Note, Signature, VerifierKey, sign
from onepam.ledger.tiles import ENTRIES, Tile, grow, grow_entries

START = Instant(1_772_546_400_000_000)


@dataclass(frozen=True)
class Key:
    """A key pair under a name, from a seed."""

    name: str
    seed: bytes
    algorithm: int = ED25519

    @property
    def private(self) -> Ed25519PrivateKey:
        """The private half."""
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self.private.public_key().public_bytes_raw()

    @property
    def verifier(self) -> VerifierKey:
        """As others know it."""
        return VerifierKey(self.name, self.algorithm, self.public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self.private.sign(message)

    def signature(self, text: str, at: int | None = None) -> Signature:
        """A note's line."""
        return sign(text, self.verifier, self.sign, at)

    def told(self) -> dict[str, Any]:
        """All of it, the seed too."""
        key = self.verifier
        return {
            "algorithm": self.algorithm,
            "id": key.key_id.hex(),
            "name": self.name,
            "public": self.public.hex(),
            "seed": self.seed.hex(),
            "vkey": key.encode(),
        }


OLD = Key("vectors.example/log", b"o" * 32)
LOG = Key("vectors.example/log/2", b"l" * 32)
WITNESS = Key("witness.example/1", b"w" * 32, COSIGNATURE_V1)
NODE_A, NODE_B, NODE_C = (Key(name, seed * 32) for name, seed in (("nod_a", b"a"), ("nod_b", b"b"), ("nod_b", b"c")))


def certificate(log: Key, number: int, node: Key) -> str:
    """The signer's note over a node's key."""
    text = certificate_text(log.name, number, node.verifier)
    return Note(text, (log.signature(text),)).encode().decode()


@dataclass
class Log:
    """Entries with their payloads and batches, appended one after another."""

    entries: list[Entry] = field(default_factory=list)
    payloads: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, klass: str, body: dict[str, Json], payload: Json = None) -> None:
        """An entry, a second after the one before."""
        index = len(self.entries)
        if payload is not None:
            salt, data = sha256(b"salt %d" % index).digest(), encode(payload)
            self.payloads[index] = salt, data
            body = body | {"payload": payload_digest(salt, data)}
        number = self.counters.get(klass, 0)
        self.counters[klass] = number + 1
        header = Header(index, Instant(START + index * SECOND), kind, 1, klass, number)
        self.entries.append(Entry(header, encode(body)))

    def certify(self, log: Key, number: int, node: Key) -> None:
        """A node's key."""
        vkey, note = node.verifier.encode(), certificate(log, number, node)
        body: dict[str, Json] = {"certificate": note, "key": vkey, "node": node.name, "number": number}
        self.add("node.certified", "system", body)

    def batch(self, node: Key) -> None:
        """What was added since the last one."""
        first = self.batches[-1].last + 1 if self.batches else 0
        previous = self.batches[-1].signature if self.batches else bytes(64)
        leaves = self.leaves()[first:]
        text = batch_text(node.name, first, len(self.entries) - 1, root_of(leaves), previous)
        self.batches.append(Batch(first, len(self.entries) - 1, node.name, node.sign(text.encode())))
        self.texts.append(text)

    def leaves(self) -> list[bytes]:
        """The hash of each entry."""
        return [each.leaf() for each in self.entries]


def small_log() -> Log:
    """The log that all vectors are of."""
    log = Log()
    log.certify(OLD, 1, NODE_A)
    started: dict[str, Json] = {"environment": "production", "node": "nod_a", "origin": OLD.name, "release": "1.0.0"}
    log.add("system.started", "system", started | {"log_key": OLD.verifier.encode()})
    log.batch(NODE_A)
    eve: dict[str, Json] = {"because": "hired", "by": None, "ends": None, "kind": "employee", "manager": None}
    private = {"email": "eve@example.com", "name": "Eve Caf\u00e9"}
    log.add("person.added", "person", eve | {"origin": "console", "owner": None, "person": "per_eve"}, private)
    log.batch(NODE_A)
    log.certify(OLD, 1, NODE_B)
    log.add("system.started", "system", started | {"log_key": OLD.verifier.encode(), "node": "nod_b"})
    log.batch(NODE_B)
    revoked: dict[str, Json] = {"by": "root", "key": NODE_A.verifier.encode(), "node": "nod_a"}
    log.add("node.revoked", "system", revoked, {"because": "its machine was stolen"})
    log.batch(NODE_B)
    log.add("system.verified", "system", {"findings": [], "kind": "fold", "root": "", "size": 5})
    log.batch(NODE_B)
    seam: dict[str, Json] = {"announcement": None, "before": OLD.name, "ground": "recovery_key", "kept": 7}
    seam |= {"node": "nod_b", "origin": LOG.name, "root": sha256(b"what was lost").hexdigest(), "size": 9}
    log.add("ledger.continued", "system", seam, {"because": "the disk died"})
    log.batch(NODE_B)
    log.certify(LOG, 1, NODE_C)
    erased: dict[str, Json] = {"erasure": "ers_1", "indexes": [2], "naming": False, "person": "per_eve"}
    log.add("payload.erased", "system", erased)
    log.batch(NODE_C)
    return log


def subtree_of(leaves: Sequence[bytes]) -> Callable[[int, int], bytes]:
    """Reads perfect subtrees over these leaves."""
    return lambda level, index: perfect_root(leaves[index << level : (index + 1) << level])


def root_over(leaves: Sequence[bytes]) -> bytes:
    """Of the tree over these leaves."""
    tree = Frontier()
    tree.extend(leaves)
    return tree.root()


def entries() -> dict[str, Any]:
    """Every entry of the log with its leaf, and headers that are none."""
    log, told = small_log(), []
    for entry in log.entries:
        one: dict[str, Any] = {"body": entry.body.decode(), "body_sha256": sha256(entry.body).hexdigest()}
        one |= {"header": entry.header.encode().decode(), "leaf": entry.leaf().hex()}
        if entry.header.index in log.payloads:
            salt, payload = log.payloads[entry.header.index]
            one |= {"payload": payload.decode(), "salt": salt.hex()}
        told.append(one)
    good = log.entries[2].header.encode().decode()
    bad = {
        "a space": good.replace(":0,", ": 0,"),
        "an order of its own": good.replace('"v":1', '"a":1'),
        "version 0": good.replace('"v":1', '"v":0'),
        "a leading zero": good.replace('"index":2', '"index":02'),
        "a kind in upper case": good.replace("person.added", "Person.added"),
        "a kind with a hyphen": good.replace("person.added", "person-added"),
        "one member more": good.replace('"v":1', '"v":1,"w":1'),
        "a time of 2^53": good.replace(f'"time":{START + 2 * SECOND}', '"time":9007199254740992'),
    }
    for why, header in bad.items():
        assert header != good, why
        _refused(lambda header=header: Header.decode(header.encode()), why)  # type: ignore[misc]
    return {"entries": told, "refused_headers": [{"header": header, "why": why} for why, header in bad.items()]}


def tree() -> dict[str, Any]:
    """Roots, spans and proofs over eleven leaves, of which each hashes one byte."""
    leaves = [sha256(b"\x00" + bytes([n])).digest() for n in range(11)]
    read = subtree_of(leaves)
    ranges = [CompactRange.prove(read, begin, end, 11) for begin, end in ((0, 11), (0, 3), (5, 6), (3, 9), (8, 11))]
    for each in ranges:
        assert each.verify(leaves[each.begin : each.end], root_over(leaves))
    return {
        "leaves": [each.hex() for each in leaves],
        "roots": [root_over(leaves[:n]).hex() for n in range(12)],
        "spans": [
            {"begin": begin, "end": end, "sizes": [1 << level for level, _ in subtrees(begin, end)]}
            for begin, end in ((0, 11), (3, 11), (5, 6), (6, 8), (0, 0), (1, 8))
        ],
        "inclusion": [
            {"index": index, "proof": _hex(inclusion_proof(read, index, 11)), "size": 11} for index in (0, 5, 10)
        ],
        "consistency": [
            {"new": new, "old": old, "proof": _hex(consistency_proof(read, old, new))}
            for old, new in ((0, 5), (3, 7), (4, 8), (8, 11), (11, 11))
        ],
        "ranges": [
            {"end": e.end, "first": e.begin, "left": _hex(e.left), "right": _hex(e.right), "tree_size": 11}
            for e in ranges
        ],
    }


def tiles() -> dict[str, Any]:
    """The published files of the log, the names of tiles, and what 300 leaves give."""
    log, many = small_log(), [sha256(b"\x00" + n.to_bytes(2, "big")).digest() for n in range(300)]
    preimages = [each.header.encode() + sha256(each.body).digest() for each in log.entries]
    written = [*grow(0, log.leaves(), _nothing), *grow_entries(0, preimages, _nothing)]
    names = (Tile(0, 0), Tile(0, 5, 7), Tile(1, 1234067), Tile(ENTRIES, 999), Tile(ENTRIES, 1000, 1))
    return {
        "files": [{"bytes": data.hex(), "name": tile.path()} for tile, data in written],
        "names": [{"index": t.index, "level": t.level, "name": t.path(), "width": t.width} for t in names],
        "of_300": [{"name": tile.path(), "sha256": sha256(data).hexdigest()} for tile, data in grow(0, many, _nothing)],
    }


def checkpoint(log: Log) -> Note:
    """The log's newest, signed and cosigned."""
    text = Checkpoint(LOG.name, len(log.entries), root_over(log.leaves())).text()
    at = START // SECOND + 60
    return Note(text, (LOG.signature(text), WITNESS.signature(text, at)))


def notes() -> dict[str, Any]:
    """Keys, a checkpoint, and notes that are none or not signed."""
    note = checkpoint(small_log())
    good, keys = note.encode(), (LOG.verifier, WITNESS.verifier)
    assert len(open_checkpoint(good, keys).verified) == 2
    text, line = note.text.encode(), note.signatures[0].line().encode()
    extended = Checkpoint(LOG.name, 1, bytes(32), ("more", "and more")).text()
    with_more = Note(extended, (LOG.signature(extended),)).encode()
    assert open_checkpoint(with_more, keys).checkpoint.extensions == ("more", "and more")
    strange = Key(WITNESS.name, b"s" * 32, COSIGNATURE_V1).signature(note.text, 1).line().encode()
    unknown = text + b"\n" + line + strange
    assert len(open_checkpoint(unknown, keys).verified) == 1
    bad = {
        "another root": good.replace(text[-10:-2], b"AAAAAAAA"),
        "a signature of another text": text + b"\n" + replace(note.signatures[0], value=LOG.sign(b"")).line().encode(),
        "a signature of another log": text + b"\n" + OLD.signature(note.text).line().encode(),
        "no signature": text + b"\n",
        "no empty line": text + line,
        "something behind": good + b"x",
        "a hyphen for the dash": good.replace("\u2014".encode(), b"-"),
        "a leading zero": good.replace(b"\n10\n", b"\n010\n"),
        "a tab": good.replace(b"\n10\n", b"\n10\t\n"),
        "base64 without its padding": good.replace(b"=\n", b"\n"),
        "a witness alone": text + b"\n" + WITNESS.signature(note.text, 5).line().encode(),
    }
    for why, data in bad.items():
        assert data != good, why
        _refused(lambda data=data: open_checkpoint(data, keys[:1]), why)  # type: ignore[misc]
    return {
        "keys": [each.told() for each in (OLD, LOG, WITNESS, NODE_A, NODE_B, NODE_C)],
        "notes": [{"note": each.decode(), "signed_by": LOG.verifier.encode()} for each in (good, with_more, unknown)],
        "cosigned": {"at": START // SECOND + 60, "by": WITNESS.verifier.encode(), "note": good.decode()},
        "refused": [{"log_key": LOG.verifier.encode(), "note": data.decode(), "why": why} for why, data in bad.items()],
    }


def batches() -> dict[str, Any]:
    """The batches of the log, judged; and one changed at a time, with the first batch that does not hold then."""
    log = small_log()
    assert _first_bad(log) is None
    cases: dict[str, Callable[[Log], None]] = {
        "an entry of another batch": lambda it: _set(it, 1, last=3),
        "a signature that was moved": lambda it: _set(it, 3, signature=it.batches[2].signature),
        "another node": lambda it: _set(it, 2, node="nod_a"),
        "a node that was revoked": lambda it: _resigned(it, 4, NODE_A),
        "a key that no certificate names": lambda it: _resigned(it, 1, NODE_C),
        "a key of before the seam": lambda it: _resigned(it, 6, NODE_B),
        "a batch that is gone": lambda it: it.batches.remove(it.batches[1]),
    }
    told = []
    for why, change in cases.items():
        changed = small_log()
        change(changed)
        bad = _first_bad(changed)
        assert bad is not None, why
        told.append({"batches": [_told(each) for each in changed.batches], "first_bad": bad, "why": why})
    return {
        "batches": [_told(each) | {"text": text} for each, text in zip(log.batches, log.texts, strict=True)],
        "log_keys": [OLD.verifier.encode(), LOG.verifier.encode()],
        "origin": OLD.name,
        "refused": told,
    }


def pack() -> dict[str, Any]:
    """Pieces of a pack: names, lines, cells and the envelope's hash."""
    log = small_log()
    proof = CompactRange.prove(subtree_of(log.leaves()), 2, 10, 10)
    left, right = _hex(proof.left), _hex(proof.right)
    system, period = System(LOG.name, "1.0.0", "production"), Period(START, Instant(START + DAY))
    name = f"{LOG.name}@10 {root_over(log.leaves()).hex()}"
    envelope = Envelope(
        report="sessions",
        system=system,
        run_by="per_aud",
        role="auditor",
        started=period.until,
        ended=period.until,
        clock="synchronised",
        over=period,
        query="SELECT entry FROM ev_sessions_v1 WHERE time >= :from",
        parameters={"from": period.begin},
        source=Source(2, 10, name),
        command="onepam evidence pack",
    )
    cells = ("plain", 'with "quotes"', "=1+1", " \t@x", "\u2003-1", "\uff1d1", "\tx", "", "a; b", "two\nlines")
    salt, payload = log.payloads[5]
    return {
        "checkpoint": name,
        "csv": [{"cell": each, "field": '"' + harmless(each).replace('"', '""') + '"'} for each in cells],
        "envelope": envelope.encode({"sessions.csv": "00" * 32, "sessions.jsonl": "11" * 32}).decode(),
        "payloads": [
            encode({"erased": 9, "index": 2}).decode(),
            encode({"index": 5, "payload": payload.decode(), "salt": salt.hex()}).decode(),
        ],
        "query_sha256": envelope.query_hash(),
        "range": encode({"end": 10, "first": 2, "left": left, "right": right}).decode(),
    }


def _told(batch: Batch) -> dict[str, Any]:
    signature = b64encode(batch.signature).decode()
    return {"first": batch.first, "last": batch.last, "node": batch.node, "signature": signature}


def _set(log: Log, number: int, **values: Any) -> None:
    log.batches[number] = replace(log.batches[number], **values)


def _resigned(log: Log, number: int, key: Key) -> None:
    batch = log.batches[number]
    leaves = log.leaves()[batch.first : batch.last + 1]
    text = batch_text(key.name, batch.first, batch.last, root_of(leaves), log.batches[number - 1].signature)
    _set(log, number, node=key.name, signature=key.sign(text.encode()))


def _first_bad(log: Log) -> int | None:
    """The first batch, by its place, that no node in force signed."""
    keys = {key.name: key.verifier for key in (OLD, LOG)}
    standing, leaves = Standing(OLD.name), log.leaves()
    for place, batch in enumerate(log.batches):
        told = [
            Told(each.header.index, each.header.kind, each.body)
            for each in log.entries[batch.first : batch.last + 1]
            if each.header.kind in ("node.certified", "node.revoked", "ledger.continued")
        ]
        after = judge(standing, batch, leaves[batch.first : batch.last + 1], told, keys)
        if isinstance(after, str):
            return place
        standing = after
    return None


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [each.hex() for each in hashes]


def _nothing(tile: Tile) -> bytes:
    raise AssertionError(f"{tile} is asked for")


def _refused(work: Callable[[], object], why: str) -> None:
    try:
        work()
    except (ValueError, BadNote):
        return
    raise AssertionError(f"taken: {why}")
