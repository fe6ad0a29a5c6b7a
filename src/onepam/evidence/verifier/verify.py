#!/usr/bin/env python3
"""Verify a OnePAM evidence pack. One file, Python 3.9 or newer, standard library only; shares no code with OnePAM.

    python3 -I verify.py pack.zip --log-key KEY... [--witness-key KEY]... [--checkpoint FILE]... [--at-least SIZE ROOT]
                         [--json]

KEY is a verifier key (name+id+base64) or a file that holds one; of a log that goes on after a loss, the key of before,
too. Get it outside the pack: what stands inside the pack speaks for itself only. An anchor says from outside that the
history was not rewritten: a witness that cosigned, a checkpoint or the size and root of one that was kept elsewhere.

Exit 0: anchored and intact. 5: the same, and the pack says of a recording that it is missing, cut or altered. 3:
consistent but not anchored, or the author was not checked. 2: nothing was judged, the arguments are wrong. 1: anything
else, any error in the pack included. Where several apply: 1, 5, 3. docs/evidence-pack.md describes the format.
"""

# ruff: noqa: B905  (zip's strict= came with Python 3.10)

from __future__ import annotations

import argparse
import base64
import bisect
import csv
import datetime
import hashlib
import io
import json
import os
import re
import stat
import struct
import sys
import zlib
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

FORMAT = "onepam-evidence-pack/1"
MAX_TOTAL = 2 << 30  # bytes, of the zip and of what is in it
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MAX_RATIO, MAX_DEPTH, MAX_INTEGER = 200, 32, (1 << 53) - 1
FIXED = ("README.txt", "bodies.sha256", "checkpoint", "entries.jsonl", "headers.jsonl", "manifest.json",
         "payloads.jsonl", "range.json", "verify.py")  # fmt: skip
REPORT_FILE = re.compile(r"reports/([a-z][a-z0-9_]{0,40})\.(?:json|csv|envelope\.json)")


class Refused(Exception):
    """The pack does not prove what it claims. The message names the thing."""


class Usage(Exception):
    """The arguments are wrong, or do not fit each other: nothing is said about the pack."""


def need(condition: object, message: str) -> None:
    if not condition:
        raise Refused(message)


def show(text: object) -> str:
    """Text for a terminal: printable ASCII, everything else escaped, so that no content of the pack can act on it."""
    return re.sub(r"[^ -~]", lambda m: m[0].encode("unicode_escape").decode(), str(text))


# ---- The archive: a narrow profile of zip, read in memory. Every byte belongs to exactly one member. -----------------


def read_archive(data: bytes) -> Dict[str, bytes]:
    need(len(data) >= 22 and data[-22:-18] == b"PK\5\6", "zip: no end record at the very end (cut, or data after it)")
    disk, cd_disk, here, count, cd_size, cd_at, comment = struct.unpack("<4H2LH", data[-18:])
    need(disk == cd_disk == comment == 0 and here == count, "zip: several disks, or a comment")
    need(count < 0xFFFF and cd_at + cd_size == len(data) - 22, "zip: zip64, or bytes before or after the archive")
    files: Dict[str, bytes] = {}
    at, end_of_last, total = cd_at, 0, 0
    for _ in range(count):
        central = data[at : at + 46]
        need(at + 46 <= len(data) - 22 and central[:4] == b"PK\1\2", "zip: broken central directory")
        (_, maker, version, flags, method, _, _, crc, packed, size, name_len, extra_len, comment_len, disk, internal,
         attributes, where) = struct.unpack("<4s6H3L5H2L", central)  # fmt: skip
        raw = data[at + 46 : at + 46 + name_len]
        name = raw.decode("ascii", "backslashreplace")
        at += 46 + name_len
        need(name not in files, f"zip: two members named {name}")
        odd = name.startswith("/") or ".." in name or "\\" in name or ":" in name or not raw.isascii()
        need(not odd and name.isprintable(), f"zip: odd path {name!r}")
        need(name in FIXED or REPORT_FILE.fullmatch(name), f"zip: {name!r} is no file of an evidence pack")
        need(not flags & 0x41, f"zip: {name} is encrypted")
        is_file = stat.S_IFMT(attributes >> 16) in (0, stat.S_IFREG) and not attributes & 0x10
        need(is_file, f"zip: {name} is a link or a directory")
        need(version <= 20 and 0xFFFFFFFF not in (packed, size, where), f"zip: {name} uses zip64 or a newer format")
        need(flags == 0 and method in (0, 8), f"zip: {name}: flags or compression method not allowed")
        need(extra_len == comment_len == disk == 0, f"zip: {name} has extra fields, a comment or another disk")
        plain = (maker, internal, attributes) == (0x0314, 0, 0o100644 << 16)
        need(plain, f"zip: {name}: maker or attributes are not those of a pack")
        total += size
        need(size <= MAX_RATIO * max(packed, 1), f"zip: {name} expands more than {MAX_RATIO} times")
        need(total <= MAX_TOTAL, "zip: contents larger than the bound")
        local = data[where : where + 30]
        need(where == end_of_last, f"zip: {name} overlaps, or bytes lie before it")
        need(local[:4] == b"PK\3\4" and local[4:] == central[6:32] and data[where + 30 : where + 30 + name_len] == raw,
             f"zip: {name}: local header differs from the central one")  # fmt: skip
        end_of_last = where + 30 + name_len + packed
        need(end_of_last <= cd_at, f"zip: {name} runs into the directory")
        content = data[end_of_last - packed : end_of_last]
        if method == 8:
            inflate = zlib.decompressobj(-15)
            content = inflate.decompress(content, size + 1)
            need(inflate.eof and not inflate.unused_data, f"zip: {name}: compressed data does not end where it says")
        need(len(content) == size and zlib.crc32(content) == crc, f"zip: {name}: wrong size or CRC")
        files[name] = content
    need(end_of_last == cd_at and at == len(data) - 22, "zip: bytes between the members and the directory")
    return files


# ---- JSON: one value has one encoding (RFC 8785 without floats). -----------------------------------------------------


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    need(len(found) == len(pairs), "JSON: duplicate key")
    return found


def _integer(text: str) -> int:
    need(len(text) <= 17 and abs(int(text)) <= MAX_INTEGER, "JSON: integer outside 2^53")
    return int(text)


def _no_number(text: str) -> Any:
    raise Refused(f"JSON: {text} where an integer is due")


_parse = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_no_number, parse_constant=_no_number
).decode
_canonical = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode


def _check_depth(value: Any) -> None:
    layer = [[value]]  # type: List[Any]
    for _ in range(MAX_DEPTH + 1):
        inner = (child for item in layer for child in (item.values() if type(item) is dict else item))
        layer = [child for child in inner if type(child) in (dict, list)]
    need(not layer, f"JSON: nested deeper than {MAX_DEPTH}")


def parse(data: bytes, what: str) -> Any:
    try:
        text = data.decode("utf-8")
        value = _parse(text)
        if text.count("{") + text.count("[") > MAX_DEPTH:
            _check_depth(value)
        need(_canonical(value) == text, "JSON: not in canonical form")
    except RecursionError:
        raise Refused(f"{what}: JSON: nested deeper than {MAX_DEPTH}") from None
    except (ValueError, Refused) as error:
        raise Refused(f"{what}: {error}") from None
    return value


def members(value: Any, what: str, **types: type) -> Any:
    """The object `value`, which has exactly these members of exactly these types."""
    need(type(value) is dict and set(value) == set(types), f"{what}: members must be {', '.join(types)}")
    for key, kind in types.items():
        need(kind is object or type(value[key]) is kind, f"{what}: {key} must be {kind.__name__}")
        need(kind is not int or value[key] >= 0, f"{what}: {key} is negative")
    return value


def lines(data: bytes, what: str) -> Iterator[Any]:
    need(not data or data.endswith(b"\n"), f"{what}: last line is cut")
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        yield parse(line, f"{what} line {number}")


def instant(text: Any, what: str) -> int:
    """Microseconds UTC of `2026-03-03T14:00:00.000000Z`."""
    try:
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text, re.ASCII), "")
        moment = datetime.datetime.strptime(text[:-1] + "+0000", "%Y-%m-%dT%H:%M:%S.%f%z")
    except (ValueError, TypeError, Refused):
        raise Refused(f"{what}: {text!r} is not a time in UTC") from None
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def iso(at: int) -> str:
    return (EPOCH + datetime.timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ---- Ed25519 (RFC 8032, section 5.1.7), points in extended coordinates (X, Y, Z, T). ---------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = Tuple[int, int, int, int]


def _add(a: Point, b: Point) -> Point:
    s, t = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    u, v = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = t - s, v - u, v + u, t + s
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(k: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while k:
        if k & 1:
            total = _add(total, point)
        point, k = _add(point, point), k >> 1
    return total


def _encode(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _decode(data: bytes) -> Optional[Point]:
    y, sign = int.from_bytes(data, "little") & ((1 << 255) - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _decode((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def ed25519(key: bytes, message: bytes, signature: bytes) -> bool:
    """Without cofactor. S < L; A and R canonically encoded; keys of small order are refused."""
    if len(key) != 32 or len(signature) != 64:
        return False
    s, a = int.from_bytes(signature[32:], "little"), _decode(key)
    if s >= L or a is None or _encode(_times(8, a)) == _encode((0, 1, 1, 0)):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    return _encode(_add(_times(s, BASE), _times(k, minus_a))) == signature[:32]


# ---- Signed notes, checkpoints and cosignature/v1 (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature). ---------


class Key(NamedTuple):
    name: str
    id: bytes
    type: int  # 1: Ed25519 over the text. 4: cosignature/v1.
    public: bytes


class Checkpoint(NamedTuple):
    text: bytes
    origin: str
    size: int
    root: bytes
    signatures: List[Tuple[str, bytes]]


def unbase64(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    need(raw and base64.b64encode(raw).decode() == text, f"{what}: not base64")
    return raw


def read_key(text: str, kind: int, what: str) -> Key:
    name, id_hex, public = [*text.strip().split("+", 2), "", ""][:3]
    need(name and not re.search(r"\s", name) and re.fullmatch("[0-9a-f]{8}", id_hex), f"{what}: not a verifier key")
    raw = unbase64(public, what)
    need(len(raw) == 33 and raw[0] == kind, f"{what}: not an Ed25519 key of signature type {kind}")
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    need(key_id.hex() == id_hex, f"{what}: the key's id does not fit the key")
    return Key(name, key_id, kind, raw[1:])


def key_from_outside(argument: str, kind: int, what: str) -> Key:
    try:
        if not re.match(r"[^+\s]+\+[0-9a-f]{8}\+", argument):
            with open(argument, encoding="utf-8") as file:
                argument = file.read(4096)
        return read_key(argument, kind, what)
    except (OSError, ValueError, Refused) as error:
        raise Usage(f"{what}: {error}") from None


def read_checkpoint(data: bytes) -> Checkpoint:
    need(len(data) <= 1 << 17, "checkpoint: too long")
    need(not re.search(rb"[\x00-\x09\x0b-\x1f]", data), "checkpoint: control characters")
    split = data.rfind(b"\n\n") + 1
    text, rest = data[:split], data[split + 1 :].decode("utf-8").split("\n")
    head = text.decode("utf-8").split("\n")
    need(split and rest.pop() == "" and rest, "checkpoint: not a signed note")
    need(len(head) >= 4 and all(head[:-1]), "checkpoint: needs origin, size and root")
    need(re.fullmatch("0|[1-9][0-9]{0,15}", head[1]), "checkpoint: bad tree size")
    root = unbase64(head[2], "checkpoint root")
    need(len(root) == 32, "checkpoint: the root hash is not 32 bytes")
    signatures = []
    for line in rest:
        match = re.fullmatch("\u2014 ([^+\\s]+) ([A-Za-z0-9+/=]+)", line)
        if not match:
            raise Refused("checkpoint: broken signature line")
        signatures.append((match[1], unbase64(match[2], "checkpoint signature")))
        need(len(signatures[-1][1]) > 4, "checkpoint: broken signature line")
    return Checkpoint(text, head[0], int(head[1]), root, signatures)


def signed_at(checkpoint: Checkpoint, key: Key, what: str) -> int:
    """The time (s) of the cosignature, 0 for a plain signature. Every line under this key must verify."""
    found = [raw[4:] for name, raw in checkpoint.signatures if (name, raw[:4]) == (key.name, key.id)]
    need(found, f"checkpoint: no signature by {what} {key.name}+{key.id.hex()}")
    newest = 0
    for signature in found:
        message, time = checkpoint.text, 0
        if key.type == 4:
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            need(time < 1 << 63, f"checkpoint: impossible time in the cosignature of {key.name}")
            message = b"cosignature/v1\ntime %d\n" % time + message
        need(ed25519(key.public, message, signature), f"checkpoint: the signature by {what} {key.name} does not fit")
        newest = max(newest, time)
    return newest


# ---- The log: leaf and tree hashes (RFC 6962, section 2.1), class counters over all headers of the range. ------------

HEADER = re.compile(
    rb'(\{"class":"([a-z][a-z0-9_.]*)","class_seq":(0|[1-9]\d{0,15}),"index":(0|[1-9]\d{0,15}),'
    rb'"kind":"([a-z][a-z0-9_.]*)","time":(0|[1-9]\d{0,15}),"v":(0|[1-9]\d{0,8})\})\n'
)


def spans(begin: int, end: int) -> Iterator[int]:
    """The levels of the fewest full, aligned subtrees that cover [begin, end), left to right."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        if begin:
            level = min(level, (begin & -begin).bit_length() - 1)
        yield level
        begin += 1 << level


class Tree:
    """The roots of the full subtrees of [0, size), largest first."""

    def __init__(self) -> None:
        self.size, self.roots = 0, []  # type: int, List[bytes]

    def push(self, level: int, node: bytes) -> None:
        at = self.size >> level
        while at & 1:
            node, at = hashlib.sha256(b"\1" + self.roots.pop() + node).digest(), at >> 1
        self.roots.append(node)
        self.size += 1 << level

    def extend(self, leaves: List[bytes]) -> None:
        sha, done = hashlib.sha256, 0
        for level in spans(self.size, self.size + len(leaves)):
            nodes = leaves[done : done + (1 << level)]
            done += 1 << level
            for _ in range(level):
                pairs = iter(nodes)
                nodes = [sha(b"\1" + left + right).digest() for left, right in zip(pairs, pairs)]
            self.push(level, nodes[0])

    def root(self) -> bytes:
        node = self.roots[-1]
        for left in reversed(self.roots[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node


class Log:
    """What the headers of the range [first, end) say; `counters` maps a class to (first, next) of its sequence."""

    def __init__(self, files: Dict[str, bytes], checkpoint: Checkpoint, sizes: Tuple[int, ...] = ()) -> None:
        self.roots = {checkpoint.size: checkpoint.root}  # of the trees of `sizes`, as far as the range gives them
        proof = parse(files["range.json"], "range.json")
        members(proof, "range.json", first=int, end=int, left=list, right=list)
        self.first, self.end, self.bodies = proof["first"], proof["end"], files["bodies.sha256"]
        need(self.first < self.end <= checkpoint.size, "range.json: the range is empty or beyond the checkpoint")
        need(len(self.bodies) == 32 * (self.end - self.first), "bodies.sha256: not one hash per entry of the range")
        self.times, self.kinds, self.versions = [], [], {}  # type: List[int], List[str], Dict[int, int]
        self.counters: Dict[str, Tuple[int, int]] = {}
        tree = Tree()
        for side, begin, end in (("left", 0, self.first), ("right", self.end, checkpoint.size)):
            levels = list(spans(begin, end))
            fits = len(levels) == len(proof[side]) and all(re.fullmatch("[0-9a-f]{64}", str(h)) for h in proof[side])
            need(fits, f"range.json: {side} is not a proof for [{begin}, {end})")
            if side == "right":
                self._keep_root(tree, sizes)
                self._read(files["headers.jsonl"], tree, sizes)
            for level, node in zip(levels, proof[side]):
                tree.push(level, bytes.fromhex(node))
        fits = tree.root() == checkpoint.root
        need(fits, "headers and hashes do not give the checkpoint's root: an entry was changed, added or removed")

    def _keep_root(self, tree: Tree, sizes: Tuple[int, ...]) -> None:
        if tree.roots and tree.size in sizes:
            self.roots[tree.size] = tree.root()

    def _read(self, data: bytes, tree: Tree, sizes: Tuple[int, ...]) -> None:
        sha, at, count, last = hashlib.sha256, 0, self.first, -1
        known: Dict[bytes, str] = {}
        started: Dict[bytes, int] = {}
        next_of: Dict[bytes, int] = {}
        while at < len(data):
            chunk = data[at : data.rfind(b"\n", at, at + (1 << 20)) + 1]
            rows, leaves = HEADER.findall(chunk), []
            broken = not chunk or sum(len(row[0]) + 1 for row in rows) != len(chunk)
            need(not broken, f"headers.jsonl: a broken line after entry {count - 1}")
            for line, klass, seq, index, kind, time, version in rows:
                now, number = int(time), int(seq)
                if int(index) != count:
                    raise Refused(f"headers.jsonl: entry {count} is missing, doubled or out of order")
                if now <= last or now > MAX_INTEGER:
                    raise Refused(f"headers.jsonl: entry {count} is not later than the one before")
                due = next_of.get(klass)
                if due is None:
                    started[klass] = number
                elif due != number:
                    raise Refused(f"headers.jsonl: entry {count} is number {number} of its class, {due} is due")
                next_of[klass] = number + 1
                offset = 32 * (count - self.first)
                leaves.append(sha(b"\0" + line + self.bodies[offset : offset + 32]).digest())
                self.times.append(now)
                self.kinds.append(known.get(kind) or known.setdefault(kind, kind.decode()))
                if version != b"1":
                    self.versions[count] = int(version)
                count, last = count + 1, now
            need(count <= self.end, "headers.jsonl: more headers than the range has")
            for size in sorted(size for size in set(sizes) if tree.size < size < tree.size + len(leaves)):
                cut = size - tree.size
                tree.extend(leaves[:cut])
                leaves = leaves[cut:]
                self._keep_root(tree, sizes)
            tree.extend(leaves)
            self._keep_root(tree, sizes)
            at += len(chunk)
            if sys.stderr.isatty() and self.end - self.first > 200_000:
                sys.stderr.write(f"\rheaders: {count - self.first:,} of {self.end - self.first:,}")
                sys.stderr.write("\n" * (count == self.end))
        need(count == self.end, f"headers.jsonl: entry {count} is missing")
        self.counters = {klass.decode(): (started[klass], next_of[klass]) for klass in started}

    def time(self, index: int) -> int:
        at: int = self.times[index - self.first]
        return at

    def kind(self, index: int) -> str:
        kind: str = self.kinds[index - self.first]
        return kind

    def version(self, index: int) -> int:
        return self.versions.get(index, 1)

    def all_of(self, kinds: Tuple[str, ...], begin: int, end: int) -> List[int]:
        """The indexes of all entries of these kinds with begin <= time < end."""
        found = (self.first + i for i, kind in enumerate(self.kinds) if kind in kinds)
        return [index for index in found if begin <= self.time(index) < end]


# ---- What the pack discloses of entries, and whether the log agrees. -------------------------------------------------

Step = Callable[[Dict[str, Any], Optional[Dict[str, Any]]], Tuple[Dict[str, Any], Optional[Dict[str, Any]]]]
UPCASTS: Dict[Tuple[str, int], Step] = {}
"""How body and payload (None where erased) of an entry of this kind and version read in the next version. An entry is
hashed as it was written, and then read in the newest form; a version beyond the last step is not known here."""


class Disclosed:
    """Bodies by index, each proved by its hash in the log; payloads by index, None where a logged erasure took them."""

    def __init__(self, files: Dict[str, bytes], log: Log) -> None:
        self.log, self.bodies, self.payloads = log, {}, {}  # type: Log, Dict[int, Any], Dict[int, Optional[bytes]]
        last = -1
        for line in lines(files["entries.jsonl"], "entries.jsonl"):
            index = members(line, "entries.jsonl", index=int, body=str)["index"]
            need(log.first <= index < log.end, f"entries.jsonl: entry {index} is outside the range")
            need(index > last, f"entries.jsonl: entry {index} is doubled or out of order")
            raw, at = line["body"].encode("utf-8"), 32 * (index - log.first)
            if hashlib.sha256(raw).digest() != log.bodies[at : at + 32]:
                raise Refused(f"entries.jsonl: the body of entry {index} is not the one in the log")
            last, self.bodies[index] = index, parse(raw, f"body of entry {index}")
            need(type(self.bodies[index]) is dict, f"body of entry {index}: not an object")
        for line in lines(files["payloads.jsonl"], "payloads.jsonl"):
            index = line["index"] if type(line) is dict and type(line.get("index")) is int else -1
            digest = self.bodies.get(index, {}).get("payload")
            need(type(digest) is str, f"payloads.jsonl: entry {index} is not disclosed, or has no payload")
            need(index not in self.payloads, f"payloads.jsonl: the payload of entry {index} is doubled")
            self.payloads[index] = None if self._erased(line) else self._payload(line, digest)
        for index in self.bodies:
            there = "payload" not in self.bodies[index] or index in self.payloads
            need(there, f"payloads.jsonl: the payload of entry {index} is missing")
            self._upcast(index)

    def _upcast(self, index: int) -> None:
        """The entry in the newest form of its kind."""
        kind, last = self.log.kind(index), 1
        while (kind, last) in UPCASTS:
            last += 1
        version = self.log.version(index)
        if not 1 <= version <= last:
            raise Refused(
                f"entry {index} is {kind} v{version}, which this verifier reads up to v{last}: take a newer one"
            )
        for step in range(version, last):
            raw, what = self.payloads.get(index), f"payload of entry {index}"
            payload = None if raw is None else parse(raw, what)
            try:
                self.bodies[index], payload = UPCASTS[kind, step](self.bodies[index], payload)
            except (LookupError, TypeError, ValueError) as error:
                raise Refused(f"entry {index} ({kind} v{step}) lacks what its kind has: {error}") from None
            if payload is not None:
                self.payloads[index] = _canonical(payload).encode("utf-8")

    def _erased(self, line: Any) -> bool:
        if "erased" not in line:
            return False
        members(line, "payloads.jsonl", index=int, erased=int)
        index, by = line["index"], line["erased"]
        entry = self.bodies.get(by, {}) if by > index else {}
        indexes = entry.get("indexes")
        erases = type(indexes) is list and index in indexes and self.log.kind(by) == "payload.erased"
        need(erases, f"payloads.jsonl: entry {by} does not erase the payload of entry {index}")
        return True

    def _payload(self, line: Any, digest: str) -> bytes:
        text = "payload" in line
        members(line, "payloads.jsonl", index=int, salt=str, **{"payload" if text else "payload_base64": str})
        what = f"payloads.jsonl: the payload of entry {line['index']}"
        payload = line["payload"].encode("utf-8") if text else unbase64(line["payload_base64"], what)
        need(re.fullmatch("[0-9a-f]{64}", line["salt"]), f"{what}: bad salt")
        fits = hashlib.sha256(bytes.fromhex(line["salt"]) + payload).hexdigest() == digest
        need(fits, f"{what} is not the one in the log")
        return bytes(payload)

    def value(self, index: int, path: str) -> Optional[str]:
        """The text of `header.time`, `header.kind`, `body.KEY` or `payload.KEY` of an entry; None where absent."""
        root, _, rest = path.partition(".")
        rest, _, form = rest.partition(":")
        if root == "payload":
            if index not in self.payloads:
                return None
            raw = self.payloads[index]
            if raw is None:
                return "[erased]"
            value = parse(raw, f"payload of entry {index}")
        elif root == "header":
            value = {"time": iso(self.log.time(index)), "kind": self.log.kind(index), "index": index}
        else:
            value = self.bodies[index]
        for key in rest.split("."):
            if type(value) is not dict or key not in value:
                return None
            value = value[key]
        if form == "time" and type(value) is int:
            return iso(value) if value < MAX_INTEGER else ""
        if type(value) is bool or value is None:
            return {True: "yes", False: "no", None: ""}[value]
        return value if type(value) is str else _canonical(value)


# ---- Reports: population, rows and cells are derived again from the entries. -----------------------------------------


class Rule(NamedTuple):
    """A report's population: one row per `heads` entry of the period, resting on it and on every `follows` entry with
    the same `link` in its body. `columns` have these sources, whatever the report says of them."""

    heads: Tuple[str, ...]
    follows: Tuple[str, ...]
    link: str
    columns: Dict[str, List[List[str]]]


def _of(kinds: Tuple[str, ...], path: str) -> List[List[str]]:
    return [[kind, path] for kind in kinds]


DOOR, ENDED = ("session.opened", "session.refused"), ("grant.ended", "grant.expired")
CLOSED, CHECKED, FOUND = "session.closed", "recordings.checked", ("recording.found_bad", "recording.found_good")
BAD = {"missing": "missing", "cut": "cut", "altered": "altered", "foreign": "foreign", "key_missing": "unopened",
       "key_altered": "unopened", "unreadable": "unopened"}  # fmt: skip
MADE, LEFT, PROBED = ("request.made",), ("person.disabled",), ("probe.made",)
DECIDED = ("request.approved", "request.approval_undone", "request.denied", "request.withdrawn")
RULES = {
    "sessions": Rule(
        DOOR, ("session.closed", "session.failed", "session.kill_ordered", *FOUND), "session",
        {"time": _of(DOOR, "header.time"), "outcome": _of(DOOR, "header.kind"), "session": _of(DOOR, "body.session"),
         "person": _of(DOOR, "body.person"), "resource": _of(DOOR, "body.resource"), "entry": _of(DOOR, "body.entry"),
         "login": [["session.opened", "body.login"], ["session.refused", "payload.login"]],
         "source": _of(DOOR, "payload.source"), "factors_basis": [["session.opened", "body.mfa.basis"]],
         "factors_provider": [["session.opened", "body.mfa.provider"]],
         "phishing_resistant": [["session.opened", "body.mfa.phishing_resistant"]],
         "ended": _of(("session.closed", "session.failed"), "header.time"),
         "last_byte": [["session.closed", "body.last_byte:time"]],
         "because": [*_of(("session.refused", "session.failed"), "body.code"), ["session.closed", "body.because"]],
         "recording_found": _of(FOUND, "body.condition"),
         "recording_condition": [], "recording_checked": [], "recording_partial": []}),  # by rule: _recordings
    "requests": Rule(
        MADE, (*DECIDED, "request.approval_refused", "grant.started", *ENDED), "request",
        {"time": _of(MADE, "header.time"), "request": _of(MADE, "body.request"),
         "person": _of(MADE, "body.substance.person"), "resource": _of(MADE, "body.substance.resource"),
         "login": _of(MADE, "body.substance.login"), "role": _of(MADE, "body.substance.role"),
         "reason": _of(MADE, "payload.reason"), "ticket": _of(MADE, "payload.ticket"),
         "decision": _of(DECIDED, "header.kind"), "decided": _of(DECIDED, "header.time"),
         "decided_by": _of(DECIDED, "body.by"), "ended": _of(ENDED, "header.time")}),
    "leavers": Rule(
        LEFT, ("probe.made", "person.enabled"), "person",
        {"removed": _of(LEFT, "header.time"), "person": _of(LEFT, "body.person"), "origin": _of(LEFT, "body.origin"),
         "left": _of(LEFT, "body.left_at:time"), "notified": _of(LEFT, "body.notified:time"),
         "probe_paths": _of(PROBED, "body.path"), "probe_results": _of(PROBED, "body.result"),
         "returned": _of(("person.enabled",), "header.time")}),
}  # fmt: skip


class Standing(NamedTuple):
    """An as-of report's population: one row per account (its `person.added`) that was enabled then, of one of `kinds`
    if there are any; it rests on all its `STANDING` entries up to then and on the roster's version in force. Rows
    whose head is one of `others` are allowed beside."""

    kinds: Tuple[str, ...]
    others: Tuple[str, ...]
    columns: Dict[str, List[List[str]]]


ADDED, TAKEN, LISTED = ("person.added",), ("roster.taken",), ("roster.entry_set",)
STANDING = ("person.disabled", "person.enabled", "roster.linked", "roster.entry_ended")
ROSTER_HOURS = 24
_SAID = {
    "added": _of(ADDED, "header.time"), "person": _of(ADDED, "body.person"),
    "roster_entry": _of(LISTED, "body.entry"), "roster_ends": _of(LISTED, "body.ends:time"),
    "linked": _of(("roster.linked",), "header.time"), "roster_version": _of(TAKEN, "body.version"),
    "roster_received": _of(TAKEN, "body.received:time"), "result": []}  # fmt: skip
AS_OF = {
    "accounts": Standing((), LISTED, _SAID),
    "vendors": Standing(("vendor",), (), {**_SAID, "contract_ends": _of(LISTED, "body.contract_ends:time")}),
}


class Seam(NamedTuple):
    """Entry `entry` goes on with the log `before` as `origin`; of the `size` entries of that log, under `root` (hex),
    the first `kept` are here."""

    entry: int
    origin: str
    before: str
    size: int
    root: str
    kept: int

    def words(self) -> str:
        lost = f"entries {self.kept} to {self.size - 1} of {self.before} are lost"
        if self.kept == self.size:
            lost = f"the signer of {self.before} is lost, and none of its {self.size} entries"
        return f"{lost}: entry {self.entry} continues it as {self.origin}"


class Pack:
    """A pack whose files are listed, whose headers fit its checkpoint and whose disclosed entries are in the log."""

    def __init__(self, data: bytes, sizes: Tuple[int, ...] = ()) -> None:
        self.files = files = read_archive(data)
        missing = [name for name in FIXED if name not in files]
        need(not missing, f"{', '.join(missing)} missing from the pack")
        self.manifest = m = parse(files["manifest.json"], "manifest.json")
        members(m, "manifest.json", format=str, system=dict, origin=str, period=dict, checkpoint=str, tree_size=int,
                log_key=str, witnesses=list, reports=list, files=list)  # fmt: skip
        need(m["format"] == FORMAT, f"manifest.json: format is not {FORMAT}")
        members(m["system"], "manifest.json system", id=str, version=str, environment=str)
        self._files(m)
        self.checkpoint = c = read_checkpoint(files["checkpoint"])
        self.name = f"{c.origin}@{c.size} {c.root.hex()}"
        said = (m["origin"], m["tree_size"], m["checkpoint"])
        need(said == (c.origin, c.size, self.name), "manifest.json: origin, tree size or name is not the checkpoint's")
        members(m["period"], "manifest.json period", **{"from": str, "to": str})
        self.begin, self.until = (instant(m["period"][end], "manifest.json period") for end in ("from", "to"))
        need(self.begin < self.until, "manifest.json: the period is empty")
        self.log = log = Log(files, c, sizes)
        need(log.first == 0 or log.times[0] < self.begin, "range.json: the range begins after the period does")
        need(log.end == c.size or log.times[-1] >= self.until, "range.json: the range ends before the period does")
        self.disclosed = Disclosed(files, log)
        self.about, self.anchors = [], []  # type: List[str], List[str]
        self.proved, self.not_proved = [], []  # type: List[str], List[str]
        self.recordings, self.bad = "not told: the pack has no report of sessions", 0
        self.seams = self._seams()
        for name in m["reports"]:
            self._report(name)

    def _seams(self) -> List[Seam]:
        """Where the log was continued under a new name after a loss; every such entry of the range is disclosed."""
        found: List[Seam] = []
        for index in self.log.all_of(("ledger.continued",), 0, MAX_INTEGER + 1):
            need(index in self.disclosed.bodies, f"entry {index} (ledger.continued) is not disclosed")
            body = self.disclosed.bodies[index]
            seam = Seam(index, *(body.get(name) for name in Seam._fields[1:]))
            fits = [type(value) for value in seam] == [int, str, str, int, str, int] and 0 <= seam.kept <= index
            need(fits and seam.kept <= seam.size, f"entry {index}: names no loss that can be")
            before = found[-1].origin if found else seam.before
            need(seam.before == before, f"entry {index} continues {seam.before}, and the log was {before}")
            found.append(seam)
        origin = found[-1].origin if found else self.checkpoint.origin
        need(origin == self.checkpoint.origin, "the log was continued under another name than the checkpoint's")
        self.not_proved += [seam.words() for seam in found]
        return found

    def _files(self, manifest: Any) -> None:
        listed = {}
        for item in manifest["files"]:
            members(item, "manifest.json files", name=str, sha256=str, size=int)
            need(item["name"] not in listed, f"manifest.json: {item['name']} is listed twice")
            listed[item["name"]] = (item["size"], item["sha256"])
        names = manifest["reports"]
        need(all(type(n) is str for n in names), "manifest.json: a report's name is not text")
        need(sorted(set(names)) == names, "manifest.json: reports doubled or unsorted")
        wanted = {f"reports/{n}.{end}" for n in names for end in ("json", "csv", "envelope.json")} | set(FIXED)
        for name in sorted(set(self.files) | set(listed) | wanted):
            need(name in self.files, f"{name} is listed but missing from the pack")
            need(name in wanted, f"{name} belongs to no report that manifest.json names")
            if name != "manifest.json":
                need(name in listed, f"{name} is not listed in manifest.json")
                content = self.files[name]
                fits = listed[name] == (len(content), hashlib.sha256(content).hexdigest())
                need(fits, f"{name} is not the file that manifest.json lists: its SHA-256 or size differs")
        need("manifest.json" not in listed, "manifest.json cannot list itself")

    def _report(self, name: str) -> None:
        what = f"reports/{name}.json"
        report = parse(self.files[what], what)
        members(report, what, report=str, title=str, version=int, columns=list, rows=list)
        need(report["report"] == name, f"{what}: says it is report {report['report']}")
        rows, columns, rule = report["rows"], {}, RULES.get(name)
        standing = AS_OF.get(name)
        known = rule.columns if rule else standing.columns if standing else {}
        for column in report["columns"]:
            members(column, f"{what} columns", **{"name": str, "from": list})
            need(column["name"] not in columns, f"{what}: two columns are named {column['name']}")
            for source in column["from"]:
                fits = type(source) is list and len(source) in (2, 5) and all(type(part) is str for part in source)
                need(fits, f"{what}: column {column['name']} has an unknown source")
            columns[column["name"]] = column["from"]
        for column, sources in known.items():
            need(column in columns, f"{what}: lacks the column {column}")
            columns[column] = sources
        for number, row in enumerate(rows, 1):
            self._row(f"{what} row {number}", row, columns)
        same = self.files[f"reports/{name}.csv"] == as_csv(list(columns), rows)
        need(same, f"reports/{name}.csv: differs from {what}")
        excluded, as_of = self._envelope(name, len(rows))
        over = "over the period" if as_of is None else f"as of {iso(as_of)}"
        self.about.append(f"report {name} (version {report['version']}), {over}: {len(rows)} rows")
        for number, row in enumerate(rows if as_of is not None else [], 1):
            for index in row["ledger"]:
                late = self.log.time(index) > (as_of or 0)
                need(not late, f"{what} row {number}: rests on entry {index}, which is later than the as-of")
        if rule:
            self._population(name, rule, rows, excluded)
        elif standing:
            self._standing(name, standing, rows, excluded, as_of)
            self._roster_age(name, rows, list(columns).index("result"), as_of)
        else:
            said = f"report {name}: that no row is missing or too many (what its rows rest on is proved)"
            self.not_proved.append(said)
        derived = self._recordings(rows, list(columns)) if name == "sessions" else ()
        self._words(name, columns, derived)
        if excluded:
            reasons = "; ".join(sorted(set(excluded.values())))
            self.not_proved.append(f"report {name}: that {len(excluded)} rows were rightly left out: {reasons}")

    def _words(self, name: str, columns: Dict[str, Any], derived: Tuple[str, ...]) -> None:
        for column, sources in columns.items():
            if sources:
                said = " or ".join(" ".join(source) for source in sources)
                self.proved.append(f"report {name}, column {column}: what the entries say in {said}")
            elif column not in derived:
                self.not_proved.append(f"report {name}, column {column}: the exporter's words")

    def _row(self, where: str, row: Any, columns: Dict[str, Any]) -> None:
        members(row, where, cells=list, ledger=list)
        need(row["ledger"], f"{where}: rests on no entry")
        fits = len(row["cells"]) == len(columns) and all(type(cell) is str for cell in row["cells"])
        need(fits, f"{where}: its cells do not fit the columns")
        for index in row["ledger"]:
            known = type(index) is int and index in self.disclosed.bodies
            need(known, f"{where}: rests on entry {index}, which is not disclosed")
        for cell, (column, sources) in zip(row["cells"], columns.items()):
            same = not sources or cell == self._cell(sources, row["ledger"])
            need(same, f"{where}: {column} is not what the entries say")

    def _cell(self, sources: List[List[str]], ledger: List[int]) -> str:
        """What the row's entries say, in their order, joined by `; `. A source is [kind, path], or [kind, path, path3,
        kind2, path2]: only entries whose path3 equals path2 of an entry of kind2."""
        found: List[Optional[str]] = []
        value = self.disclosed.value
        for kind, path, *join in sources:
            equal = {value(i, join[2]) for i in ledger if self.log.kind(i) == join[1]} if join else set()
            for index in ledger:
                if kind == self.log.kind(index) and (not join or value(index, join[0]) in equal):
                    found += [value(index, path)]
        return "; ".join(text for text in found if text is not None)

    def _envelope(self, name: str, count: int) -> Tuple[Dict[int, str], Optional[int]]:
        what = f"reports/{name}.envelope.json"
        e = members(
            parse(self.files[what], what), what, report=str, system=dict, run_by=str, role=str, started=str, ended=str,
            clock=str, period=object, as_of=object, query=str, parameters=dict, query_sha256=str, filters=list,
            exclusions=list, range=dict, checkpoint=str, command=str, files=dict)  # fmt: skip
        digest = hashlib.sha256(e["query"].encode() + b"\0" + _canonical(e["parameters"]).encode()).hexdigest()
        need(e["query_sha256"] == digest, f"{what}: the query hash is not that of the query and its parameters")
        contents = {file: self.files[f"reports/{file}"] for file in (f"{name}.csv", f"{name}.json")}
        fits = e["files"] == {file: hashlib.sha256(content).hexdigest() for file, content in contents.items()}
        need(fits, f"{what}: the SHA-256 of the report's files differs")
        due = {"report": name, "system": self.manifest["system"], "checkpoint": self.name,
               "range": {"first": self.log.first, "end": self.log.end}}  # fmt: skip
        for key in due:
            need(e[key] == due[key], f"{what}: {key} is not that of the pack")
        need(instant(e["started"], what) <= instant(e["ended"], what), f"{what}: ended before it started")
        need((e["period"] is None) != (e["as_of"] is None), f"{what}: needs either a period or an as-of")
        need(e["period"] in (None, self.manifest["period"]), f"{what}: the period is not the pack's")
        as_of = None if e["as_of"] is None else instant(e["as_of"], what)
        need(as_of is None or as_of <= self.until, f"{what}: the as-of is later than the period")
        need(name not in RULES or as_of is None, f"{what}: this report is over a period")
        need(name not in AS_OF or as_of is not None, f"{what}: this report is as of an instant")
        excluded: Dict[int, str] = {}
        for item in e["exclusions"]:
            members(item, what, index=int, reason=str)
            index = item["index"]
            need(item["reason"] and index not in excluded, f"{what}: exclusion without a reason, or doubled")
            need(index in self.disclosed.bodies, f"{what}: excludes entry {index}, which is not disclosed")
            excluded[index] = item["reason"]
        left = count + len(excluded)
        for step in e["filters"]:
            members(step, what, filter=str, before=int, after=int)
            need(step["before"] == left >= step["after"], f"{what}: rows before and after the filters do not add up")
            left = step["after"]
        need(left == count, f"{what}: rows after the filters are not those of the report")
        return excluded, as_of

    def _population(self, name: str, rule: Rule, rows: List[Any], excluded: Dict[int, str]) -> None:
        what, log, bodies = f"reports/{name}.json", self.log, self.disclosed.bodies
        heads = log.all_of(rule.heads, self.begin, self.until)
        followers: Dict[Any, List[int]] = {}
        for index in log.all_of(rule.follows, self.begin, MAX_INTEGER + 1) if heads else []:
            need(index in bodies, f"{what}: entry {index} ({log.kind(index)}) is not disclosed")
            followers.setdefault(_canonical(bodies[index].get(rule.link)), []).append(index)
        found: Dict[int, int] = {}
        for number, row in enumerate(rows, 1):
            head = row["ledger"][0]
            need(head not in found, f"{what} row {number}: entry {head} has a row already")
            need(head not in excluded, f"{what} row {number}: entry {head} is excluded by the envelope")
            found[head] = number
        population = set(heads)
        for head in sorted(population - set(found) - set(excluded)):
            raise Refused(f"{what}: no row for entry {head} ({log.kind(head)})")
        for head in sorted((set(found) | set(excluded)) - population):
            raise Refused(f"{what}: entry {head} does not belong to this report's population in the period")
        for head, number in found.items():
            link = _canonical(bodies[head].get(rule.link)) if rule.link in bodies[head] else ""
            due = [head] + [i for i in followers.get(link, []) if i > head]
            cited = [i for i in rows[number - 1]["ledger"] if log.kind(i) in rule.heads + rule.follows]
            need(cited == due, f"{what} row {number}: must rest on entries {due}, and rests on {cited}")
        self.proved.append(
            f"report {name}: exactly one row for each of the {len(heads)} {' and '.join(rule.heads)} of the period, "
            f"save {len(excluded)} listed as left out; each with all its {' and '.join(rule.follows)}"
        )

    def _recordings(self, rows: List[Any], names: List[str]) -> Tuple[str, ...]:
        """What became of each recording, by the checks that are entries. A newer check than those disclosed may exist,
        but nothing that it found: all entries of `FOUND` are disclosed."""
        columns = ("recording_condition", "recording_checked", "recording_partial")
        kind, bodies, counts = self.log.kind, self.disclosed.bodies, {}  # type: Any, Dict[int, Any], Dict[str, int]
        of = [[i for i in row["ledger"] if kind(i) == CLOSED][-1:] for row in rows]
        newest, total, checked, as_of = self._newest_checks(sorted(i for each in of for i in each)), 0, 0, 0
        for number, (row, closed) in enumerate(zip(rows, of), 1):
            where, expected = f"reports/sessions.json row {number}", ["", "", ""]
            due = [newest[closed[0]]] if closed and closed[0] in newest else []
            cited = [i for i in row["ledger"] if kind(i) == CHECKED]
            need(cited == due, f"{where}: must rest on the check {due}, and rests on {cited}")
            if closed:
                found = [i for i in row["ledger"] if kind(i) in FOUND][-1:]
                at = max(map(self.log.time, due + found), default=0)
                expected = [self._condition(bodies[closed[0]], found, due), iso(at) if at else "", ""]
                said = bodies[closed[0]].get("counts")
                omitted = said.get("omitted_bytes") if type(said) is dict else None
                if type(omitted) is int and omitted > 0:
                    expected[2] = "partial by policy"
                total, checked, as_of = total + 1, checked + bool(at), max(as_of, at)
                for word in (BAD.get(expected[0], ""), expected[2]):
                    counts[word] = counts.get(word, 0) + 1
            for column, text in zip(columns, expected):
                same = row["cells"][names.index(column)] == text
                need(same, f"{where}: {column} is not what the checks say, which is {text!r}")
        self.bad = sum(counts.get(word, 0) for word in set(BAD.values()))
        self.recordings = f"{checked} of {total} checked" + (f", as of {iso(as_of)}" if as_of else "")
        for word in ("missing", "cut", "altered", "foreign", "unopened", "partial by policy"):
            self.recordings += f"; {counts[word]} {word}" if counts.get(word) else ""
        self.proved.append(
            f"report sessions, columns {', '.join(columns)}: what follows from {', '.join((CLOSED, CHECKED, *FOUND))}"
        )
        self.not_proved.append("that a recording is today what its last check found: a pack holds no recordings")
        return columns

    def _newest_checks(self, closings: List[int]) -> Dict[int, int]:
        """The newest disclosed check of each closing entry: the range of a check is [begin, until) of its body."""
        found: Dict[int, int] = {}
        for index in sorted((i for i in self.disclosed.bodies if self.log.kind(i) == CHECKED), reverse=True):
            begin, until = (self.disclosed.bodies[index].get(end) for end in ("begin", "until"))
            need(type(begin) is int and type(until) is int, f"entry {index} ({CHECKED}): names no range")
            low, high = bisect.bisect_left(closings, begin), bisect.bisect_left(closings, min(until, index))
            found.update((closing, index) for closing in closings[low:high])
            del closings[low:high]
        return found

    def _condition(self, closed: Any, found: List[int], check: List[int]) -> str:
        """What the newest finding says; without one, what a check finds that finds nothing wrong."""
        if found:
            return str(self.disclosed.bodies[found[0]].get("condition"))
        if not check:
            return "not checked"
        if not closed.get("chunks"):
            return "none"
        return "whole" if closed.get("gap") is None and closed.get("verified") is True else "gap"

    def _standing(
        self, name: str, rule: Standing, rows: List[Any], excluded: Dict[int, str], as_of: Optional[int]
    ) -> None:
        what, log, bodies, end = f"reports/{name}.json", self.log, self.disclosed.bodies, (as_of or 0) + 1
        need(log.first == 0 and not excluded, f"{what}: rests on part of the log, or leaves accounts out")
        heads: Dict[Any, int] = {}
        due: Dict[Any, List[int]] = {}
        enabled: Dict[Any, bool] = {}
        kinds: Dict[Any, Any] = {}
        for index in log.all_of((*ADDED, "person.changed", *STANDING), 0, end):
            need(index in bodies, f"{what}: entry {index} ({log.kind(index)}) is not disclosed")
            kind, body = log.kind(index), bodies[index]
            who = _canonical(body.get("person"))
            if kind in ADDED:
                heads[who], due[who] = index, [index]
            elif kind in STANDING:
                due.setdefault(who, []).append(index)
            if kind in ADDED or kind in STANDING[:2]:
                enabled[who] = kind != "person.disabled"
            kinds[who] = body.get("kind") or kinds.get(who)
        inside = (who for who in heads if enabled[who] and (not rule.kinds or kinds[who] in rule.kinds))
        population = {heads[who]: who for who in inside}
        taken = log.all_of(TAKEN, 0, end)[-1:]
        found = set()
        for number, row in enumerate(rows, 1):
            head = row["ledger"][0]
            need(head not in found, f"{what} row {number}: entry {head} has a row already")
            found.add(head)
            other = log.kind(head) in rule.others
            need(other or head in population, f"{what} row {number}: entry {head} is no enabled account of this report")
            cited = [i for i in row["ledger"] if log.kind(i) in (*ADDED, *STANDING, *TAKEN)]
            rests = ([] if other else due[population[head]]) + taken
            need(cited == rests, f"{what} row {number}: must rest on entries {rests}, and rests on {cited}")
        for head in sorted(set(population) - found):
            raise Refused(f"{what}: no row for entry {head} ({log.kind(head)})")
        self.proved.append(
            f"report {name}: exactly one row for each of the {len(population)} accounts "
            f"{' or '.join(rule.kinds)}{' ' if rule.kinds else ''}that were enabled, and which roster was in force"
        )
        self.not_proved.append(f"report {name}: that a row rests on the roster's last word about the account")

    def _roster_age(self, name: str, rows: List[Any], result: int, as_of: Optional[int]) -> None:
        """A roster that is older than a day, or none, tests nothing."""
        what, taken = f"reports/{name}.json", self.log.all_of(TAKEN, 0, (as_of or 0) + 1)[-1:]
        received = self.disclosed.bodies.get(taken[0], {}).get("received") if taken and rows else None
        fresh = type(received) is int and (as_of or 0) - received <= ROSTER_HOURS * 3_600_000_000
        for number, row in enumerate(rows, 1):
            same = (row["cells"][result] != "not-tested") == fresh
            need(same, f"{what} row {number}: whether it was tested is not what the age of the roster says")


def as_csv(names: List[str], rows: List[Any]) -> bytes:
    """RFC 4180, every field quoted; a cell that a spreadsheet could take for a formula begins with an apostrophe."""
    out = io.StringIO()
    write = csv.writer(out, quoting=csv.QUOTE_ALL).writerow
    formula = re.compile("[\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]")
    for cells in [[*names, "ledger"], *([*row["cells"], " ".join(map(str, row["ledger"]))] for row in rows)]:
        write(["'" + cell if formula.match(cell) else cell for cell in cells])
    return out.getvalue().encode("utf-8")


# ---- Who signed, what anchors it, and the verdict. -------------------------------------------------------------------

INTACT, BROKEN, USAGE, UNANCHORED, RECORDINGS = 0, 1, 2, 3, 5  # exit codes; docs/evidence.md has the table
LAWFUL = "not judged yet"
ANCHOR_AGE = 86_400_000_000  # us of ledger time that may have passed since the last anchored entry


class Anchor(NamedTuple):
    """A tree head that somebody kept outside the pack. `note` is None where only size and root were written down."""

    size: int
    root: bytes
    holder: str
    note: Optional[Checkpoint]


def anchors_from_outside(files: List[str], at_least: Optional[List[str]]) -> List[Anchor]:
    found = []
    for name in files:
        try:
            with open(name, "rb") as file:
                note = read_checkpoint(file.read((1 << 17) + 1))
        except (OSError, ValueError, Refused) as error:
            raise Usage(f"--checkpoint {name}: {error}") from None
        found.append(Anchor(note.size, note.root, f"the checkpoint {name}", note))
    if at_least:
        size, root = at_least
        fits = re.fullmatch("[1-9][0-9]{0,15}", size) and re.fullmatch("[0-9a-f]{64}", root)
        if not fits:
            raise Usage("--at-least: needs a size above 0 and a root of 64 hex digits")
        found.append(Anchor(int(size), bytes.fromhex(root), f"the tree head of {size} entries that you gave", None))
    return found


def check_authors(pack: Pack, log_keys: List[str], witness_keys: List[str]) -> Tuple[List[str], List[Key]]:
    """Adds what the signatures prove. Returns why the author is not checked (empty when the log's key came from
    outside), and the keys that may have signed anchors: the log's, those of before its seams, the witnesses'."""
    checkpoint, manifest, doubts = pack.checkpoint, pack.manifest, []
    logs = [key_from_outside(text, 1, "--log-key") for text in log_keys]
    outside = next((each for each in logs if each.name == checkpoint.origin), logs[0] if logs else None)
    key = outside or read_key(manifest["log_key"], 1, "manifest.json log_key")
    signed_at(checkpoint, key, "the log's key")
    need(key.name == checkpoint.origin, "checkpoint: the log's key has another name than the log")
    said = f"checkpoint of {checkpoint.size} entries is signed by {key.name}+{key.id.hex()}; root "
    said += checkpoint.root.hex()
    if outside:
        pack.proved.append(said)
    else:
        doubts.append("the log's key comes from the pack itself: give --log-key")
        pack.not_proved.append("who signed: " + said + ", a key that only the pack vouches for")
    trusted = [key_from_outside(text, 4, "--witness-key") for text in witness_keys]
    for witness in trusted:
        need(witness.public != key.public, f"{witness.name}: the witness's key is the log's key")
        at = iso(signed_at(checkpoint, witness, "witness") * 1_000_000)
        pack.proved.append(f"witness {witness.name}+{witness.id.hex()} saw this checkpoint by {at}")
        pack.anchors.append(f"witness {witness.name}, which saw it by {at}")
    inside = [read_key(str(text), 4, "manifest.json witnesses") for text in manifest["witnesses"]]
    for witness in inside:
        signed_at(checkpoint, witness, "witness")
    if not trusted:
        pack.not_proved.append("no independent witness: whoever holds the log's key could have rewritten the history")
    return doubts, [key, *(each for each in logs if each != key), *trusted]


def check_note(pack: Pack, note: Checkpoint, holder: str, keys: List[Key]) -> None:
    """Whether one of the keys signed a checkpoint that was kept elsewhere, of this log or of one before a seam."""
    old = note.origin != pack.checkpoint.origin
    if old and not any(seam.before == note.origin for seam in pack.seams):
        raise Usage(f"{holder} is of another log: {note.origin}")
    known = [k for k in keys if any((n, raw[:4]) == (k.name, k.id) for n, raw in note.signatures)]
    if old and not known:
        raise Usage(f"{holder} is of the log {note.origin}: give that log's key, too, with --log-key")
    need(known, f"{holder} is not signed by {keys[0].name}+{keys[0].id.hex()}, which signed this pack")
    for key in known:
        try:
            signed_at(note, key, holder)
        except Refused as error:
            raise Usage(f"{holder} is forged: {error}") from None


def is_lost(pack: Pack, anchor: Anchor) -> bool:
    """Whether an anchor covers entries of the log before a seam that are lost, as the seam says. One that shows that
    the seam does not say the truth is refused. A tree head that names no log may be of this one, too."""
    named, n, who = anchor.note.origin if anchor.note else "", anchor.size, anchor.holder
    here = pack.log.roots.get(n) == anchor.root
    for seam in pack.seams if named != pack.checkpoint.origin else []:
        said = f"{who} has seen {n} entries of {seam.before}, and entry {seam.entry} names"
        mine = seam.before == named if named else n <= seam.size and not (here and n > seam.entry)
        if mine and n > seam.kept:
            need(not here, f"{said} only {seam.kept} as left: it declares as lost what is here")
            need(n <= seam.size, f"{said} a loss up to {seam.size}: more was lost than it says")
            same = not named or n < seam.size or anchor.root.hex() == seam.root
            need(same, f"{said} another root of them")
            pack.not_proved.append(f"anything by {who}: of its {n} entries those from {seam.kept} on are lost")
            return True
    return False


def hold_anchors(pack: Pack, anchors: List[Anchor], keys: List[Key]) -> None:
    """Holds the pack's tree against what was kept elsewhere. An anchor that cannot be held against it is named."""
    log, size = pack.log, pack.checkpoint.size
    for anchor in anchors:
        if anchor.note:
            check_note(pack, anchor.note, anchor.holder, keys)
        if is_lost(pack, anchor):
            continue
        if anchor.size not in log.roots:
            why = f"newer than the pack, which has {size}: draw a newer pack" if anchor.size > size else (
                f"outside the pack's range, entries {log.first} to {log.end - 1}")  # fmt: skip
            pack.not_proved.append(f"that this is the history of {anchor.holder}: its {anchor.size} entries are {why}")
            continue
        need(log.roots[anchor.size] == anchor.root, f"the history is not the one of {anchor.holder}: it was rewritten")
        pack.proved.append(f"the first {anchor.size} entries are those of {anchor.holder}")
        last = min(anchor.size, log.end) - 1
        if last < log.first or log.times[-1] - log.time(last) > ANCHOR_AGE:
            pack.not_proved.append(f"that what came after {anchor.holder} was not rewritten: it is older than a day")
        else:
            pack.anchors.append(f"{anchor.holder}, of {anchor.size} entries")


def verify(
    path: str, log_keys: List[str], witness_keys: List[str], anchors: Tuple[Anchor, ...] = ()
) -> Tuple[Pack, List[str]]:
    """The pack, and why its author is not checked. What anchors it stands in its `anchors`."""
    need(stat.S_ISREG(os.stat(path).st_mode), "not a regular file")
    with open(path, "rb") as file:
        data = file.read(MAX_TOTAL + 1)
    need(len(data) <= MAX_TOTAL, "the pack is larger than the bound")
    pack = Pack(data, tuple(anchor.size for anchor in anchors))
    doubts, keys = check_authors(pack, log_keys, witness_keys)
    hold_anchors(pack, list(anchors), keys)
    log, disclosed = pack.log, pack.disclosed
    erased = sum(payload is None for payload in disclosed.payloads.values())
    pack.proved[:0] = [
        f"entries {log.first} to {log.end - 1} are whole in the log: none missing, doubled, reordered or changed",
        *(f"class {name}: {after - first} entries, numbers {first} to {after - 1} without a gap"
          for name, (first, after) in sorted(log.counters.items())),
        f"{len(disclosed.bodies)} disclosed entries and {len(disclosed.payloads) - erased} payloads are in the log",
        f"{erased} payloads are gone, each by an entry that says so",
    ]  # fmt: skip
    pack.not_proved += [
        "that everything that happened was logged: what is proved is that the log is whole",
        "the envelopes (who drew a report, when, by which query): the exporter's words; compare them with the system",
    ]
    if log.times[-1] < pack.until:
        newest = iso(log.times[-1])
        pack.not_proved.append(f"anything after {newest}, the newest entry; the period ends {iso(pack.until)}")
    try:
        with open(__file__, "rb") as file:
            own = file.read() == pack.files["verify.py"]
    except OSError:
        own = False
    if not own:
        pack.not_proved.append("the pack's verify.py: it is not the program you are running; do not run it")
    return pack, doubts


def lacks(pack: Pack, doubts: List[str]) -> List[str]:
    """Why the pack is not called intact: its author, or nothing from outside that says it was not rewritten."""
    if pack.anchors:
        return doubts
    cosigned = [name for name, raw in pack.checkpoint.signatures if len(raw) != 68]  # a plain signature has 4 + 64
    if cosigned or pack.manifest["witnesses"]:
        named = (cosigned or [str(pack.manifest["witnesses"][0]).split("+")[0]])[0]
        return [*doubts, f"the pack names the witness {named}: give --witness-key"]
    return [*doubts, "no anchor from outside: give --checkpoint or --at-least with what was kept elsewhere"]


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Usage(f"usage: {message}")


def main(arguments: Optional[List[str]] = None) -> int:
    """Runs the command line and returns the exit code (see the head of this file)."""
    parser = _Arguments(prog="verify.py", description="Verify a OnePAM evidence pack.", allow_abbrev=False)
    parser.add_argument("pack", help="the pack, a zip file")
    parser.add_argument("--log-key", action="append", default=[], help="the log's verifier key or a file with it, "
                        "obtained outside the pack; may be repeated")  # fmt: skip
    parser.add_argument("--witness-key", action="append", default=[], help="the same for a witness; may be repeated")
    parser.add_argument("--checkpoint", action="append", default=[], help="a signed checkpoint that was kept elsewhere")
    parser.add_argument("--at-least", nargs=2, metavar=("SIZE", "ROOT"), help="a tree head that was written down")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = sys.argv[1:] if arguments is None else arguments
    code, verdict, proved, not_proved, about = BROKEN, "", [], [], []  # type: int, str, List[str], List[str], List[str]
    recordings = "not judged"
    try:
        options = parser.parse_args(arguments)
        anchors = anchors_from_outside(options.checkpoint, options.at_least)
        pack, doubts = verify(options.pack, options.log_key, options.witness_key, tuple(anchors))
        lacking = lacks(pack, doubts)
        code, proved, not_proved = (UNANCHORED if lacking else INTACT), pack.proved, pack.not_proved
        verdict = "CONSISTENT IN ITSELF, NOT ANCHORED: " + "; ".join(lacking) if lacking else "VERIFIED"
        recordings = pack.recordings
        if pack.bad:
            code = RECORDINGS
            verdict += f"; {pack.bad} recording{'s' * (pack.bad > 1)} not as sealed: see the line recordings"
        first = f"entries {pack.log.first} to {pack.log.end - 1} of {pack.checkpoint.origin}"
        entries = "; ".join([first, *(seam.words() for seam in pack.seams)])
        history = (f"consistent but not anchored: {entries}; {'; '.join(lacking)}" if lacking
                   else f"anchored and intact: {entries}, by {' and by '.join(pack.anchors)}")  # fmt: skip
        about = [
            f"log {pack.manifest['origin']}, system {' '.join(pack.manifest['system'].values())}",
            f"period {iso(pack.begin)} to {iso(pack.until)}",
            *(pack.about or ["no reports"]),
        ]
    except (Usage, FileNotFoundError) as error:
        code, verdict, history = USAGE, f"NOT JUDGED: {error}", "not judged"
    except Refused as error:
        verdict, history = f"REFUSED: {error}", f"broken: {error}"
    except (Exception, KeyboardInterrupt) as error:  # fail closed, whatever it was
        verdict, history = f"REFUSED: {type(error).__name__}: {error}", f"broken: {type(error).__name__}: {error}"
    three = {"history": history, "lawful": LAWFUL, "recordings": recordings}
    try:
        if "--json" in arguments:
            result = {"exit": code, "verdict": show(verdict), "about": [show(t) for t in about],
                      "proved": [show(t) for t in proved], "not_proved": [show(t) for t in not_proved],
                      **{name: show(text) for name, text in three.items()}}  # fmt: skip
            print(json.dumps(result, indent=2), flush=True)
        else:
            for title, texts in (("PACK", about), ("PROVED", proved), ("NOT PROVED", not_proved)):
                print("".join([f"{title}\n"] + [f"  - {show(text)}\n" for text in texts]) if texts else "", end="")
            for name, text in three.items() if code != USAGE else ():
                print(f"{name:11} {show(text)}")
            print(show(verdict), flush=True)
    except OSError:
        return BROKEN
    return code


if __name__ == "__main__":
    sys.exit(main())
