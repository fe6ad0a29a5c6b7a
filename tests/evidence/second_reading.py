"""A second reading of a pack, by the product's own code: notes, headers, tree, payloads and reports as the platform has
them, where `verify.py` has others. It knows less (no rule of what is derived), and must agree on what was altered.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from onepam.evidence.report import Column, Report
from onepam.evidence.report import Row as ReportRow
from onepam.evidence.reports import access, requests, sessions
from onepam.evidence.reports.entries import Told, _cell
from onepam.kernel.canonical import NotCanonical, decode, encode
from onepam.kernel.clock import parse
from onepam.ledger.authors import Batch, Standing
from onepam.ledger.authorship import Authorship
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.entry import Header, leaf_hash, payload_digest
from onepam.ledger.findings import Row
from onepam.ledger.merkle import CompactRange
from onepam.ledger.note import COSIGNATURE_V1, ED25519, BadNote, Note, VerifierKey

REPORTS = {"access": access.COLUMNS, "requests": requests.COLUMNS, "sessions": sessions.COLUMNS}
HEADS = {"sessions": ("session.opened", "session.refused"), "requests": ("request.made",)}
LINKS = {"sessions": "session", "requests": "request"}


class Bad(Exception):
    """The pack does not hold; the message names the file or the entry."""


@dataclass
class Pack:
    """What is read so far."""

    files: dict[str, bytes] = field(default_factory=dict)
    manifest: Any = None
    first: int = 0
    headers: list[Header] = field(default_factory=list)
    hashes: bytes = b""
    bodies: dict[int, Any] = field(default_factory=dict)
    payloads: dict[int, Any] = field(default_factory=dict)

    def told(self, index: int) -> Told:
        """A disclosed entry."""
        if index not in self.bodies:
            raise Bad(f"entry {index} is cited and not disclosed")
        body = self.bodies[index]
        if "payload" in body and index not in self.payloads:
            raise Bad(f"the payload of entry {index} is missing")
        return Told(self.headers[index - self.first], body, self.payloads.get(index))


def second_reading(data: bytes, log_keys: list[str], witness_keys: list[str]) -> tuple[int, str]:
    """The exit code, and what it names."""
    try:
        logs = [_key(text, ED25519) for text in log_keys]
        witnesses = [_key(text, COSIGNATURE_V1) for text in witness_keys]
    except BadNote as error:
        return 2, str(error)
    try:
        pack = Pack(_unzip(data))
        _listed(pack)
        root = _signed(pack, logs, witnesses)
        _log(pack, root)
        _disclosed(pack)
        _authors(pack, logs)
        for name in pack.manifest["reports"]:
            _report(pack, name)
    except Bad as error:
        return 1, str(error)
    if not (logs and witnesses):
        return 3, "--witness-key" if logs else "--log-key"
    whole = {"access", "accounts", "leavers", "requests", "sessions", "vendors"} <= set(pack.manifest["reports"])
    return 0 if whole else 7, ""


def _key(text: str, algorithm: int) -> VerifierKey:
    key = VerifierKey.parse(text)
    if key.algorithm != algorithm:
        raise BadNote("a key of the other kind")
    return key


def _unzip(data: bytes) -> dict[str, bytes]:
    try:
        with ZipFile(BytesIO(data)) as archive:
            every = archive.infolist()
            if len({each.filename for each in every}) != len(every):
                raise Bad("zip: two members of one name")
            if data[-22:-18] != b"PK\5\6" or not every or min(each.header_offset for each in every):
                raise Bad("zip: bytes before or after it")
            return {each.filename: archive.read(each) for each in every}
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise Bad(f"zip: {error}") from None


def _read(data: bytes, what: str) -> Any:
    try:
        return decode(data)
    except NotCanonical as error:
        raise Bad(f"{what}: {error}") from None


def _lines(pack: Pack, name: str) -> Iterator[Any]:
    data = pack.files[name]
    if data and not data.endswith(b"\n"):
        raise Bad(f"{name}: the last line is cut")
    return (_read(line, name) for line in data.splitlines())


def _listed(pack: Pack) -> None:
    """Every file is the one that the manifest lists, and each report has its three."""
    if "manifest.json" not in pack.files:
        raise Bad("manifest.json is missing")
    pack.manifest = _read(pack.files["manifest.json"], "manifest.json")
    listed: dict[str, tuple[str, int]] = {}
    for each in pack.manifest["files"]:
        if each["name"] in listed:
            raise Bad(f"{each['name']} is listed twice")
        listed[each["name"]] = each["sha256"], each["size"]
    fixed = ("README.txt", "batches.bin", "bodies.sha256", "checkpoint", "entries.jsonl", "headers.jsonl",
             "payloads.jsonl", "range.json", "verify.py")  # fmt: skip
    ends = ("jsonl", "csv", "envelope.json")
    due = {*fixed, *(f"reports/{name}.{end}" for name in pack.manifest["reports"] for end in ends)}
    for name in sorted({*listed, *due, *pack.files} - {"manifest.json"}):
        content = pack.files.get(name)
        if content is None or name not in due:
            raise Bad(f"{name} is missing, or has no business here")
        if listed.get(name) != (sha256(content).hexdigest(), len(content)):
            raise Bad(f"{name} is not the file that is listed")


def _signed(pack: Pack, logs: list[VerifierKey], witnesses: list[VerifierKey]) -> Checkpoint:
    try:
        note = Note.parse(pack.files["checkpoint"])
        head = Checkpoint.parse(note.text)
        note.verify(logs or [VerifierKey.parse(pack.manifest["log_key"])])
        for each in witnesses:
            note.verify([each])
        note.verify([VerifierKey.parse(text) for text in pack.manifest["witnesses"]])
    except BadNote as error:
        raise Bad(f"checkpoint: {error}") from None
    name = f"{head.origin}@{head.size} {head.root.hex()}"
    if (pack.manifest["checkpoint"], pack.manifest["tree_size"], pack.manifest["origin"]) != (
        name, head.size, head.origin):  # fmt: skip
        raise Bad("manifest.json names another checkpoint")
    return head


def _log(pack: Pack, head: Checkpoint) -> None:
    """Headers and hashes give the checkpoint's root, and nothing of a class is missing."""
    proof = _read(pack.files["range.json"], "range.json")
    try:
        sides = (tuple(bytes.fromhex(each) for each in proof[side]) for side in ("left", "right"))
        span = CompactRange(proof["first"], proof["end"], head.size, *sides)
        headers = [Header.decode(line) for line in pack.files["headers.jsonl"].splitlines()]
    except (ValueError, TypeError) as error:
        raise Bad(f"range.json or headers.jsonl: {error}") from None
    pack.first, pack.headers, pack.hashes = span.begin, headers, pack.files["bodies.sha256"]
    numbers: dict[str, int] = {}
    for at, each in enumerate(headers):
        if each.index != span.begin + at or (at and each.time <= headers[at - 1].time):
            raise Bad(f"headers.jsonl: entry {span.begin + at} is not where it should be")
        if numbers.setdefault(each.klass, each.class_seq) != each.class_seq:
            raise Bad(f"headers.jsonl: entry {each.index} is not the next of its class")
        numbers[each.klass] += 1
    if len(pack.hashes) != 32 * len(headers):
        raise Bad("bodies.sha256: not one hash for each of headers.jsonl")
    leaves = [leaf_hash(each.encode(), pack.hashes[32 * at : 32 * at + 32]) for at, each in enumerate(headers)]
    if not span.verify(leaves, head.root):
        raise Bad("headers.jsonl, bodies.sha256 and range.json do not give the root of the checkpoint")


def _disclosed(pack: Pack) -> None:
    last = -1
    for line in _lines(pack, "entries.jsonl"):
        index, raw = line["index"], line["body"].encode()
        at = 32 * (index - pack.first)
        if not max(last, pack.first - 1) < index < pack.first + len(pack.headers):
            raise Bad(f"entries.jsonl: entry {index} is out of order")
        if sha256(raw).digest() != pack.hashes[at : at + 32]:
            raise Bad(f"entries.jsonl: the body of entry {index} is another")
        last, pack.bodies[index] = index, _read(raw, f"entry {index}")
    for line in _lines(pack, "payloads.jsonl"):
        index = line["index"]
        if index in pack.payloads or index not in pack.bodies:
            raise Bad(f"payloads.jsonl: the payload of entry {index} is doubled, or the entry not disclosed")
        pack.payloads[index] = _payload(pack, line)


def _authors(pack: Pack, logs: list[VerifierKey]) -> None:
    """Nodes of the log wrote all of it, by its batches: of a range that begins with the log's first entry."""
    head, _, records = pack.files["batches.bin"].partition(b"\n")
    names = [each["name"] for each in _read(head, "batches.bin")["nodes"]]
    if len(records) % 78:
        raise Bad("batches.bin: the last batch is cut")
    batches = []
    for first, count, node, signature in struct.iter_unpack(">QIH64s", records):
        if node >= len(names):
            raise Bad("batches.bin: a batch of no node that is listed")
        batches.append(Batch(first, first + count - 1, names[node], signature))
    keys = {each.name: each for each in logs or [VerifierKey.parse(pack.manifest["log_key"])]}
    authors = Authorship(Standing(pack.manifest["origin"]), batches, keys)
    for at, each in enumerate(pack.headers):
        body = encode(pack.bodies[each.index]) if each.index in pack.bodies else b""
        leaf = leaf_hash(each.encode(), pack.hashes[32 * at : 32 * at + 32])
        authors.take(Row(each.index, each.time, each.kind, each.version, each.klass, each.class_seq, body, leaf))
    for found in authors.end():
        raise Bad(f"batches.bin: a batch: {found.message}")


def _payload(pack: Pack, line: Any) -> Any:
    index = line["index"]
    if "erased" in line:
        by = line["erased"]
        erases = by in pack.bodies and pack.headers[by - pack.first].kind == "payload.erased"
        if not erases or index not in pack.bodies[by]["indexes"]:
            raise Bad(f"payloads.jsonl: entry {by} does not erase the payload of entry {index}")
        return None
    if "payload" not in line:
        return None  # no text: nothing is said of it
    raw = line["payload"].encode()
    if payload_digest(bytes.fromhex(line["salt"]), raw) != pack.bodies[index].get("payload"):
        raise Bad(f"payloads.jsonl: the payload of entry {index} is another")
    return json.loads(raw)


def _report(pack: Pack, name: str) -> None:
    what = f"reports/{name}.jsonl"
    head, *rows = _lines(pack, what)
    report = Report(name, head["title"], head["version"], [Column(each) for each in head["columns"]],
                    [ReportRow(each["cells"], each["ledger"]) for each in rows])  # fmt: skip
    if report.jsonl() != pack.files[what]:
        raise Bad(f"{what} is not as a report is written")
    if report.csv() != pack.files[f"reports/{name}.csv"]:
        raise Bad(f"reports/{name}.csv differs from {what}")
    envelope = _envelope(pack, name, len(rows))
    sources = {each.name: each.sources for each in REPORTS[name] if each.sources}
    for number, row in enumerate(report.rows, 1):
        told = [pack.told(index) for index in row.ledger]
        for column, cell in zip(report.columns, row.cells, strict=True):
            if column.name in sources and _cell(sources[column.name], told) != cell:
                raise Bad(f"{what} row {number}: {column.name} is not what the entries say")
    if name in HEADS:
        _population(pack, name, report, {each["index"] for each in envelope["exclusions"]})


def _envelope(pack: Pack, name: str, rows: int) -> Any:
    what = f"reports/{name}.envelope.json"
    found = _read(pack.files[what], what)
    query = sha256(found["query"].encode() + b"\0" + encode(found["parameters"])).hexdigest()
    files = {each: sha256(pack.files[f"reports/{each}"]).hexdigest() for each in (f"{name}.csv", f"{name}.jsonl")}
    due = {"files": files, "query_sha256": query, "report": name, "system": pack.manifest["system"],
           "checkpoint": pack.manifest["checkpoint"],
           "range": {"first": pack.first, "end": pack.first + len(pack.headers)}}  # fmt: skip
    for key, value in due.items():
        if found[key] != value:
            raise Bad(f"{what}: {key} is not that of the pack")
    left = rows + len(found["exclusions"])
    for step in found["filters"]:
        if step["before"] != left or step["after"] > left:
            raise Bad(f"{what}: the filters do not add up")
        left = step["after"]
    if left != rows:
        raise Bad(f"{what}: the filters do not add up")
    return found


def _population(pack: Pack, name: str, report: Report, excluded: set[int]) -> None:
    """One row for each head of the period, which cites each later entry of its link that a column names."""
    what, link = f"reports/{name}.jsonl", LINKS[name]
    begin, until = (parse(pack.manifest["period"][end]) for end in ("from", "to"))
    kinds = {said.kind for column in REPORTS[name] for said in column.sources} - {"person.added", "person.changed"}
    due = {each.index for each in pack.headers if each.kind in HEADS[name] and begin <= each.time < until} - excluded
    followers: dict[str, list[int]] = {}
    for index, body in pack.bodies.items():
        if link in body and pack.headers[index - pack.first].kind in kinds:
            followers.setdefault(body[link], []).append(index)
    for number, row in enumerate(report.rows, 1):
        first = row.ledger[0]
        if first not in due:
            raise Bad(f"{what} row {number}: entry {first} is no head of the period, or has a row already")
        due.remove(first)
        lacking = {each for each in followers.get(pack.bodies[first][link], ()) if each > first} - set(row.ledger)
        if lacking:
            raise Bad(f"{what} row {number}: must rest on entries {sorted(lacking)}")
    if due:
        raise Bad(f"{what}: no row for entry {min(due)}")
