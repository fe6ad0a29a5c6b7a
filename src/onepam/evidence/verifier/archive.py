"""The archive: a narrow profile of zip (PKWARE APPNOTE, sections 4.3.7, 4.3.12, 4.3.16), in memory.

Every byte belongs to exactly one member, so that every reader sees the same files: one disk, no zip64, no comments,
no extra fields, members back to back. docs/format.md has the whole list.
"""

from __future__ import annotations

import hashlib
import re
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import Dict, NamedTuple, Tuple

from onepam.evidence.verifier.refusal import Spoiled, Usage

MAX_TOTAL = 2 << 30  # bytes, of the zip and of what is in it
MAX_RATIO = 200  # how many times a member may expand
END = 22  # bytes of the end record
PIECE = 1 << 16  # bytes of the zip that are expanded at once
FIXED = ("README.txt", "batches.bin", "bodies.sha256", "checkpoint", "entries.jsonl", "headers.jsonl",
         "manifest.json", "payloads.jsonl", "range.json", "verify.py")  # fmt: skip
AGAIN = "; the file was damaged or altered since it was drawn: get it again"
ANEW = "; if the pack was unpacked and zipped again, take the file as it was drawn: another zip of its files is no pack"
REPORT_FILE = re.compile(r"reports/([a-z][a-z0-9_]{0,40})\.(?:jsonl|csv|envelope\.json)")


def _sound(condition: object, message: str, advice: str = AGAIN) -> None:
    if not condition:
        raise Spoiled(f"zip: {message}{advice}")


def _ours(condition: object, message: str) -> None:
    """As `_sound`, of what other programs write differently without ill will."""
    _sound(condition, message, ANEW)


class Member(NamedTuple):
    """What the central directory says of a file. `local` is its local header as it must be, `record` the bytes of its
    record in the directory, `at` where the local header begins."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    at: int
    local: bytes
    record: int


class Archive:
    """The files of a pack by their names. All are checked at once; each is expanded anew when it is asked for, piece by
    piece, so that none of the large ones is in memory as a whole."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._members: Dict[str, Tuple[Member, int]] = {}
        self._digests: Dict[str, str] = {}
        self._last: Dict[str, bytes] = {}
        count, directory = _end_record(data)
        at, end_of_last, total = directory, 0, 0
        for _ in range(count):
            member = _member(data, at)
            name = member.name
            at += member.record
            total += member.size
            _sound(name not in self._members, f"two members named {name}")
            _sound(member.size <= MAX_RATIO * max(member.packed, 1), f"{name} expands more than {MAX_RATIO} times")
            _sound(total <= MAX_TOTAL, "contents larger than the bound")
            _sound(member.at == end_of_last, f"{name} overlaps, or bytes lie before it")
            begin = member.at + len(member.local)
            _sound(data[member.at : begin] == member.local, f"{name}: local header differs from the central one")
            end_of_last = begin + member.packed
            _sound(end_of_last <= directory, f"{name} runs into the directory")
            self._members[name] = member, begin
            self._digests[name], self._last[name] = _checked(self.pieces(name), member)
        _sound(end_of_last == directory and at == len(data) - END, "bytes between the members and the directory")

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def __getitem__(self, name: str) -> bytes:
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content, one piece after another."""
        member, begin = self._members[name]
        packed = memoryview(self._data)[begin : begin + member.packed]
        inflate = zlib.decompressobj(-15) if member.method == 8 else None
        for at in range(0, member.packed, PIECE):
            piece = packed[at : at + PIECE]
            try:
                content = inflate.decompress(piece) if inflate else bytes(piece)
            except zlib.error as error:
                raise Spoiled(f"zip: {name}: {error}{AGAIN}") from None
            yield content
        ends = not inflate or (inflate.eof and not inflate.unused_data)
        _sound(ends, f"{name}: compressed data does not end where it says")

    def ends_a_line(self, name: str) -> bool:
        """Whether the content ends with a newline, or is nothing."""
        return self._last[name] in (b"", b"\n")

    def size(self, name: str) -> int:
        """Bytes of the content."""
        return self._members[name][0].size

    def sha256(self, name: str) -> str:
        """SHA-256 of the content in hex."""
        return self._digests[name]


def _end_record(data: bytes) -> Tuple[int, int]:
    """How many members there are, and where the central directory begins."""
    here = len(data) - END
    if not data.startswith(b"PK\3\4") and b"PK\5\6" not in data[-END - 0xFFFF :]:
        raise Usage("this is no evidence pack: it is not a zip file")
    _sound(here >= 0 and data[here : here + 4] == b"PK\5\6", "no end record at the very end (cut, or data after it)")
    disk, first_disk, on_disk, count, size, at, comment = struct.unpack("<4H2LH", data[here + 4 :])
    _sound(disk == first_disk == comment == 0 and on_disk == count, "several disks, or a comment")
    _sound(count < 0xFFFF and at + size == here, "zip64, or bytes before or after the archive")
    return count, at


def _member(data: bytes, at: int) -> Member:
    """The member whose record in the central directory begins at `at`."""
    central = data[at : at + 46]
    _sound(at + 46 <= len(data) - END and central[:4] == b"PK\1\2", "broken central directory")
    (_, maker, version, flags, method, _, _, crc, packed, size, name_length, extra, comment, disk, internal,
     attributes, where) = struct.unpack("<4s6H3L5H2L", central)  # fmt: skip
    raw = data[at + 46 : at + 46 + name_length]
    name = raw.decode("ascii", "backslashreplace")
    odd = name.startswith("/") or ".." in name or "\\" in name or ":" in name or not raw.isascii()
    _sound(not odd and name.isprintable(), f"odd path {name!r}")
    _ours(name in FIXED or REPORT_FILE.fullmatch(name), f"{name!r} is no file of an evidence pack")
    _sound(not flags & 0x41, f"{name} is encrypted")
    is_file = stat.S_IFMT(attributes >> 16) in (0, stat.S_IFREG) and not attributes & 0x10
    _ours(is_file, f"{name} is a link or a directory")
    _ours(version <= 20 and 0xFFFFFFFF not in (packed, size, where), f"{name} uses zip64 or a newer format")
    _ours(flags == 0 and method in (0, 8), f"{name}: flags or compression method not allowed")
    _ours(extra == comment == disk == 0, f"{name} has extra fields, a comment or another disk")
    plain = (maker, internal, attributes) == (0x0314, 0, 0o100644 << 16)
    _ours(plain, f"{name}: maker or attributes are not those of a pack")
    return Member(name, method, crc, packed, size, where, b"PK\3\4" + central[6:32] + raw, 46 + name_length)


def _checked(pieces: Iterator[bytes], member: Member) -> Tuple[str, bytes]:
    """The SHA-256 of the content in hex, and its last byte."""
    digest, size, crc, last = hashlib.sha256(), 0, 0, b""
    for piece in pieces:
        digest.update(piece)
        size, crc, last = size + len(piece), zlib.crc32(piece, crc), piece[-1:] or last
        bound = member.size + 1 if member.method else size
        _sound(size <= bound, f"{member.name}: compressed data does not end where it says")
    _sound(size == member.size and crc == member.crc, f"{member.name}: wrong size or CRC")
    return digest.hexdigest(), last
