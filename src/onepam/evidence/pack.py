"""Writes an evidence pack: one zip that can be verified offline and without trusting us (docs/format.md).

The same input gives the same bytes: names are sorted, times fixed, and nothing is read but the input and the verifier's
source.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo
from zlib import compress

from onepam.evidence.envelope import Envelope, Period, System
from onepam.evidence.readme import README
from onepam.evidence.report import Report
from onepam.evidence.verifiers import verifier
from onepam.kernel.canonical import Json, encode
from onepam.ledger.authors import MAX_BATCH_ENTRIES, SIGNATURE_BYTES, Batch
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.entry import Header
from onepam.ledger.merkle import CompactRange
from onepam.ledger.note import Note

FORMAT, BATCHES = "onepam-evidence-pack/1", "onepam-batches/1"

_EPOCH = (1980, 1, 1, 0, 0, 0)
_COMPRESS_AT_MOST = 100
"""What deflates further is stored plainly: verifiers refuse a ratio above 200."""


@dataclass(frozen=True, slots=True)
class Disclosed:
    """An entry's stored body bytes, laid open to whoever holds the pack."""

    index: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Payload:
    """The erasable payload of a disclosed entry, and the salt (32 bytes) under which the body holds its digest."""

    index: int
    salt: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class Erased:
    """Instead of a payload: the index of the `payload.erased` entry (disclosed too) that took it."""

    index: int
    by: int


@dataclass(frozen=True, slots=True)
class Packed:
    """One report with its envelope."""

    report: Report
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class PackInput:
    """Everything that goes into a pack.

    `headers` are all headers of the proof's range in order, each with the SHA-256 (32 bytes) of its body; they are read
    once, and before anything else. `disclosed` and `payloads` are sorted by index. `batches` are those of the range, in
    order, and before them that of the entry before it; `nodes` are their nodes by name, with the certificate that was
    in force before the range. `checkpoint` is the signed note with its cosignatures; `log_key` and `witnesses` are C2SP
    verifier keys, for the reader's information only.
    """

    system: System
    period: Period
    checkpoint: bytes
    log_key: str
    witnesses: Sequence[str]
    proof: CompactRange
    headers: Iterable[tuple[Header, bytes]]
    disclosed: Iterable[Disclosed]
    payloads: Iterable[Payload | Erased]
    batches: Iterable[Batch]
    nodes: Mapping[str, str | None]
    reports: Sequence[Packed]


def checkpoint_name(checkpoint: bytes) -> str:
    """`ORIGIN@SIZE ROOT` of a signed checkpoint (root in hex), as manifest and envelopes name it. Raises `BadNote`."""
    head = Checkpoint.parse(Note.parse(checkpoint).text)
    return f"{head.origin}@{head.size} {head.root.hex()}"


def write_pack(pack: PackInput, out: BinaryIO) -> str:
    """Writes the zip to `out` (seekable, at its beginning). Returns the hex SHA-256 of its manifest.

    Raises `ValueError` when the input contradicts itself; what has been written then is not a pack.
    """
    with ZipFile(out, "w") as archive:
        writer = _Writer(archive)
        name = checkpoint_name(pack.checkpoint)
        writer.put("README.txt", README.encode("ascii"))
        hashes = writer.headers(pack)
        writer.put("bodies.sha256", hashes, ZIP_STORED)
        writer.put("checkpoint", pack.checkpoint)
        writer.stream("entries.jsonl", _disclosed(pack, hashes))
        writer.stream("batches.bin", _batches(pack.nodes, pack.batches))
        writer.stream("payloads.jsonl", (_payload(item) for item in pack.payloads))
        writer.put("range.json", _range(pack.proof))
        for packed in sorted(pack.reports, key=lambda packed: packed.report.name):
            writer.report(packed, pack, name)
        writer.put("verify.py", verifier())
        manifest = encode(
            {
                "checkpoint": name,
                "files": sorted(writer.listed, key=lambda item: item["name"]),
                "format": FORMAT,
                "log_key": pack.log_key,
                "origin": name.rpartition("@")[0],
                "period": pack.period.document(),
                "reports": sorted(packed.report.name for packed in pack.reports),
                "system": pack.system.document(),
                "tree_size": pack.proof.size,
                "witnesses": list(pack.witnesses),
            }
        )
        writer.put("manifest.json", manifest)
    return sha256(manifest).hexdigest()


class _Writer:
    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self.listed: list[dict[str, str | int]] = []

    def stream(self, name: str, chunks: Iterable[bytes], method: int = ZIP_DEFLATED) -> None:
        digest, size = sha256(), 0
        info = ZipInfo(name, _EPOCH)
        info.compress_type, info.create_system, info.external_attr = method, 3, 0o100644 << 16
        with self._archive.open(info, "w") as member:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                member.write(chunk)
        self.listed.append({"name": name, "sha256": digest.hexdigest(), "size": size})

    def put(self, name: str, content: bytes, method: int = ZIP_DEFLATED) -> None:
        if method == ZIP_DEFLATED and _deflates_too_far(content):
            method = ZIP_STORED
        self.stream(name, [content], method)

    def headers(self, pack: PackInput) -> bytes:
        hashes = bytearray()

        def chunks() -> Iterator[bytes]:
            expected = pack.proof.begin
            for header, body_hash in pack.headers:
                if header.index != expected:
                    raise ValueError(f"header {header.index} stands where {expected} is due")
                expected += 1
                hashes.extend(body_hash)
                yield header.encode() + b"\n"
            if expected != pack.proof.end:
                raise ValueError(f"the headers end at {expected}, the range at {pack.proof.end}")

        self.stream("headers.jsonl", chunks())
        return bytes(hashes)

    def report(self, packed: Packed, pack: PackInput, checkpoint: str) -> None:
        report, envelope = packed.report, packed.envelope
        source = (envelope.source.first, envelope.source.end, envelope.source.checkpoint)
        if (envelope.report, envelope.system) != (report.name, pack.system):
            raise ValueError(f"the envelope of {report.name} is of another report or system")
        if source != (pack.proof.begin, pack.proof.end, checkpoint):
            raise ValueError(f"the envelope of {report.name} is of another range or checkpoint")
        envelope.check_counts(len(report.rows))
        contents = {f"{report.name}.csv": report.csv(), f"{report.name}.jsonl": report.jsonl()}
        for name, content in contents.items():
            self.put(f"reports/{name}", content)
        digests = {name: sha256(content).hexdigest() for name, content in contents.items()}
        self.put(f"reports/{report.name}.envelope.json", envelope.encode(digests))


def _deflates_too_far(content: bytes) -> bool:
    """The quick level first: what it leaves large, the usual one does not make a hundredth of."""
    quick = len(compress(content, 1)) * _COMPRESS_AT_MOST // 10 < len(content)
    return quick and len(compress(content)) * _COMPRESS_AT_MOST < len(content)


def _disclosed(pack: PackInput, hashes: bytes) -> Iterator[bytes]:
    last = pack.proof.begin - 1
    for entry in pack.disclosed:
        if not last < entry.index < pack.proof.end:
            raise ValueError(f"entry {entry.index} is disclosed out of order or out of the range")
        last, at = entry.index, 32 * (entry.index - pack.proof.begin)
        if sha256(entry.body).digest() != hashes[at : at + 32]:
            raise ValueError(f"the body of entry {entry.index} is not the one in the log")
        yield encode({"body": entry.body.decode("utf-8"), "index": entry.index}) + b"\n"


_RECORD = Struct(">QIH64s")


def _batches(nodes: Mapping[str, str | None], batches: Iterable[Batch]) -> Iterator[bytes]:
    """A line of JSON with the nodes, and a record of 78 bytes for each batch: its first entry, how many it has, the
    place of its node among the nodes, and its signature."""
    if len(nodes) > 1 << 16:
        raise ValueError(f"a pack has batches of at most {1 << 16} nodes")
    listed = [{"certificate": certificate, "name": name} for name, certificate in nodes.items()]
    yield encode({"format": BATCHES, "nodes": listed}) + b"\n"
    places = {name: place for place, name in enumerate(nodes)}
    for batch in batches:
        yield _record(batch.first, batch.last, places.get(batch.node, -1), batch.signature)


def _record(first: Any, last: Any, place: int, signature: Any) -> bytes:
    """Raises `ValueError` for what is no batch: a column holds whatever somebody puts there."""
    typed = type(first) is int and type(last) is int and type(signature) is bytes
    if typed and len(signature) == SIGNATURE_BYTES and 0 <= first <= last < first + MAX_BATCH_ENTRIES and place >= 0:
        return _RECORD.pack(first, last - first + 1, place, signature)
    raise ValueError(f"what says who wrote entry {first} is no batch")


def _payload(item: Payload | Erased) -> bytes:
    if isinstance(item, Erased):
        return encode({"erased": item.by, "index": item.index}) + b"\n"
    value: dict[str, Json] = {"index": item.index, "salt": item.salt.hex()}
    try:
        value["payload"] = item.payload.decode("utf-8")
    except UnicodeDecodeError:
        value["payload_base64"] = b64encode(item.payload).decode("ascii")
    return encode(value) + b"\n"


def _range(proof: CompactRange) -> bytes:
    left, right = ([node.hex() for node in side] for side in (proof.left, proof.right))
    return encode({"end": proof.end, "first": proof.begin, "left": left, "right": right})
