"""What a forger has: a pack taken apart, the means to put it together again, and zips that no honest writer makes."""

import json
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo
from zlib import compressobj, crc32

from onepam.evidence.verifier.tabular import csv_row
from onepam.kernel.canonical import encode
from tests.evidence.company import LOG, WITNESS, History

L = 2**252 + 27742317777372353535851937790883648493


def unzip(data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(files: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = ZipInfo(name)
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content, ZIP_DEFLATED)
    return out.getvalue()


@dataclass
class Member:
    """One member of a zip, in which every field can lie."""

    name: bytes
    content: bytes
    flags: int = 0
    method: int = 0
    version: int = 20
    attributes: int = 0o100644 << 16
    extra: bytes = b""
    comment: bytes = b""
    size: int | None = None
    crc: int | None = None
    packed: bytes | None = None
    local: dict[str, Any] = field(default_factory=dict)
    before: bytes = b""
    at: int | None = None

    def data(self) -> bytes:
        return self.content if self.packed is None else self.packed

    def fields(self, **lies: Any) -> tuple[bytes, bytes]:
        told = {"name": self.name, "crc": self.crc, "size": self.size} | lies
        crc = crc32(self.content) if told["crc"] is None else told["crc"]
        size = len(self.content) if told["size"] is None else told["size"]
        shared = struct.pack(
            "<5H3L2H", self.version, self.flags, self.method, 0, 33, crc, len(self.data()), size, len(told["name"]),
            len(self.extra),
        )  # fmt: skip
        return shared, told["name"]


def craft(members: list[Member], comment: bytes = b"", count: int | None = None) -> bytes:
    body, directory = b"", b""
    for member in members:
        body += member.before
        at = len(body) if member.at is None else member.at
        if member.at is None:
            shared, name = member.fields(**member.local)
            body += b"PK\3\4" + shared + name + member.extra + member.data()
        shared, name = member.fields()
        tail = struct.pack("<3H2L", len(member.comment), 0, 0, member.attributes, at)
        directory += b"PK\1\2" + struct.pack("<H", 0x314) + shared + tail + name + member.extra + member.comment
    count = len(members) if count is None else count
    end = struct.pack("<4H2LH", 0, 0, count, count, len(directory), len(body), len(comment))
    return body + directory + b"PK\5\6" + end + comment


def deflated(content: bytes) -> bytes:
    squeeze = compressobj(9, 8, -15)
    return squeeze.compress(content) + squeeze.flush()


class Forge:
    """A pack taken apart. `seal()` recomputes the manifest and zips it, as a forger would."""

    def __init__(self, h: History, pack: bytes) -> None:
        self.h, self.files = h, unzip(pack)

    def members(self) -> list[Member]:
        return [Member(name.encode(), content) for name, content in self.files.items()]

    def with_member(self, name: str, **lies: Any) -> bytes:
        """The zip in which one member lies."""
        members = self.members()
        for member in members:
            if member.name == name.encode():
                for key, value in lies.items():
                    setattr(member, key, value)
        return craft(members)

    def seal(self) -> bytes:
        self.edit("manifest.json", self._list)
        return rezip(self.files)

    def _list(self, manifest: Any) -> None:
        manifest["files"] = [
            {"name": name, "sha256": sha256(content).hexdigest(), "size": len(content)}
            for name, content in sorted(self.files.items())
            if name != "manifest.json"
        ]

    def edit(self, name: str, change: Callable[[Any], None]) -> None:
        value = json.loads(self.files[name])
        change(value)
        self.files[name] = encode(value)

    def lines(self, name: str, change: Callable[[list[Any]], None]) -> None:
        values = [json.loads(line) for line in self.files[name].splitlines()]
        change(values)
        self.files[name] = b"".join(encode(value) + b"\n" for value in values)

    def headers(self, change: Callable[[list[Any]], None]) -> None:
        """Changes the headers; the bodies' hashes stay as they are unless the caller changes them too."""
        self.lines("headers.jsonl", change)

    def read_report(self, name: str) -> Any:
        """What a report is, and its rows."""
        head, *rows = [json.loads(line) for line in self.files[f"reports/{name}.jsonl"].splitlines()]
        return {**head, "rows": rows}

    def write_report(self, name: str, report: Any) -> None:
        """The report as it is then, with its CSV; the envelope stays."""
        head = {key: value for key, value in report.items() if key != "rows"}
        self.files[f"reports/{name}.jsonl"] = b"".join(encode(each) + b"\n" for each in (head, *report["rows"]))
        lines = [[*report["columns"], "ledger"]]
        lines += [[*row["cells"], " ".join(map(str, row["ledger"]))] for row in report["rows"]]
        self.files[f"reports/{name}.csv"] = b"".join(csv_row([str(cell) for cell in line]) for line in lines)

    def report(self, name: str, change: Callable[[Any], None]) -> None:
        """Changes a report and everything that follows from it: CSV, digests and counts of the envelope."""
        report = self.read_report(name)
        change(report)
        self.write_report(name, report)

        def restate(envelope: Any) -> None:
            rows, gone = len(report["rows"]), len(envelope["exclusions"])
            envelope["filters"] = [{"filter": "all", "before": rows + gone, "after": rows}]
            for file in envelope["files"]:
                envelope["files"][file] = sha256(self.files[f"reports/{file}"]).hexdigest()

        self.edit(f"reports/{name}.envelope.json", restate)

    def envelope(self, name: str, change: Callable[[Any], None]) -> None:
        self.edit(f"reports/{name}.envelope.json", change)

    def note(self, text: bytes, *lines: bytes) -> None:
        self.files["checkpoint"] = text + b"\n" + b"".join(lines)

    def text(self) -> bytes:
        return self.files["checkpoint"].partition(b"\n\n")[0] + b"\n"

    def signature_lines(self) -> list[bytes]:
        return self.files["checkpoint"].partition(b"\n\n")[2].splitlines(keepends=True)

    def take_checkpoint(self, checkpoint: bytes) -> None:
        """Puts in another checkpoint and names it wherever the pack names one."""
        self.files["checkpoint"] = checkpoint
        origin, size, root = self.text().decode().split("\n")[:3]

        name = f"{origin}@{size} {b64decode(root).hex()}"

        def rename(value: Any) -> None:
            value["checkpoint"] = name
            if "tree_size" in value:
                value["tree_size"], value["origin"] = int(size), origin

        self.edit("manifest.json", rename)
        for file in self.files:
            if file.endswith(".envelope.json"):
                self.edit(file, rename)


def malleable(line: bytes) -> bytes:
    """The signature line with S + L in the place of S: the same signature for a verifier that does not check S < L."""

    head, _, text = line.rstrip(b"\n").rpartition(b" ")
    raw = b64decode(text)
    s = int.from_bytes(raw[-32:], "little") + L
    return head + b" " + b64encode(raw[:-32] + s.to_bytes(32, "little")) + b"\n"


Attack = Callable[[Forge], bytes | None]


class Attacks:
    """A table of alterations: name -> (what the forger does, what the verifier must say about it)."""

    def __init__(self) -> None:
        self.table: dict[str, tuple[Attack, str]] = {}

    def add(self, name: str, says: str) -> Callable[[Attack], Attack]:
        """Registers an alteration; it may give the zip itself, else the pack is sealed with a new manifest."""

        def register(attack: Attack) -> Attack:
            assert name not in self.table, name
            self.table[name] = attack, says
            return attack

        return register

    def assert_refused(self, name: str, forge: Forge, check: Callable[..., tuple[int, dict[str, Any]]]) -> None:
        attack, says = self.table[name]
        forged = attack(forge) or forge.seal()
        code, result = check(forged, "--log-key", LOG.vkey(), "--witness-key", WITNESS.vkey())
        assert code == 1
        assert re.search(says, result["verdict"]), result["verdict"]
        assert not result["proved"]
