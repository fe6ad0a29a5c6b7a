"""What the pack discloses of entries, and whether the log agrees: bodies by their hashes, payloads by their digests.

The digest of a payload is SHA-256(salt, payload), under 32 random bytes that go with it when it is erased. A body is
disclosed also where it only rules out that something was hidden; its payload needs to be there where a cell says it.
"""

from __future__ import annotations

import array
import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Dict, List, Optional, Tuple

from onepam.evidence.verifier.archive import Archive
from onepam.evidence.verifier.canonical import MAX_INTEGER, canonical, iso, lines, members, parse, raw_lines
from onepam.evidence.verifier.log import Log
from onepam.evidence.verifier.note import unbase64
from onepam.evidence.verifier.refusal import Refused, need

Step = Callable[[Dict[str, Any], Optional[Dict[str, Any]]], Tuple[Dict[str, Any], Optional[Dict[str, Any]]]]
UPCASTS: Dict[Tuple[str, int], Step] = {
    ("resource.set", 1): lambda body, payload: ({**body, "mask": None, "results": None}, payload),
}
"""How body and payload (None where erased) of an entry of this kind and version read in the next version. An entry is
hashed as it was written, and then read in the newest form; a version beyond the last step is not known here."""

_value_of = json.JSONDecoder().decode
ERASED = "[erased]"


class Wanted:
    """What is read of an entry together, given as (place, path): put so that what stands in one object is together.
    `objects` are these by root and keys, each with the last keys of its paths."""

    def __init__(self, wanted: Iterable[Tuple[int, str]]) -> None:
        found: Dict[Tuple[str, ...], List[Tuple[str, str, str, int]]] = {}
        for place, path in wanted:
            root, keys, form = split_path(path)
            found.setdefault((root, *keys[:-1]), []).append((keys[-1], form, path, place))
        self.objects = [(root, keys, [last for last, *_ in each]) for (root, *keys), each in found.items()]
        self.roots = {root for root, *_ in found}
        self.forms = [form for each in found.values() for _, form, _, _ in each]
        self.paths = [path for each in found.values() for _, _, path, _ in each]
        self.places = [place for each in found.values() for *_, place in each]


AT_HAND = 1_000
"""Bodies and payloads that are kept parsed; the others lie as text, a third of the size. More would not be faster: what
the rows that follow each other rest on lies together."""
ABSENT = -1


def read_entries(files: Archive, log: Log) -> Iterator[Tuple[int, Any]]:
    """The disclosed bodies as they were written, each held against its hash in the log."""
    last = -1
    for number, line in enumerate(raw_lines(files, "entries.jsonl"), 1):
        index, raw = plain_line(line) or _line(line, f"entries.jsonl line {number}")
        if not log.first <= index < log.end:
            raise Refused(f"entries.jsonl: entry {index} is outside the range")
        if index <= last:
            raise Refused(f"entries.jsonl: entry {index} is doubled or out of order")
        at = 32 * (index - log.first)
        if hashlib.sha256(raw).digest() != log.bodies[at : at + 32]:
            raise Refused(f"entries.jsonl: the body of entry {index} is not the one in the log")
        body = parse(raw, f"body of entry {index}")
        if type(body) is not dict:
            raise Refused(f"body of entry {index}: not an object")
        last = index
        yield index, body


class Disclosed:
    """Bodies and payloads by index, each proved by its hash in the log: of a payload it is held against that here, of a
    body by `read_entries`, which goes on beside. So nothing that is read here counts before that is through."""

    def __init__(self, files: Archive, log: Log) -> None:
        self.log = log
        self._text = bytearray(files.size("entries.jsonl"))  # its lines, one after another
        self._begins: array.array[int] = array.array("q", [ABSENT]) * (log.end - log.first)
        self._ends: array.array[int] = self._begins[:]
        self._newest: Dict[int, Dict[str, Any]] = {}  # where that is not the form in which it was written
        self._payloads: Dict[int, Optional[bytes]] = {}  # None where an entry erased it
        self.body = functools.lru_cache(AT_HAND)(self._body)
        self._payload = functools.lru_cache(AT_HAND)(self._parsed_payload)
        self._said = functools.lru_cache(AT_HAND)(_nothing_said)
        self.cells = functools.lru_cache(AT_HAND)(self._cells)
        self._place_bodies(files)
        self._read_payloads(files)
        for index in self if UPCASTS or log.versions else ():
            if index in log.versions or (log.kind(index), 1) in UPCASTS:
                self._upcast(index)
        self.body.cache_clear()
        self._payload.cache_clear()

    def __contains__(self, index: int) -> bool:
        first = self.log.first
        return bool(first <= index < self.log.end and self._begins[index - first] != ABSENT)

    def __iter__(self) -> Iterator[int]:
        return (index for index, begin in enumerate(self._begins, self.log.first) if begin != ABSENT)

    def counts(self) -> Tuple[int, int, int]:
        """How many bodies, payloads, and erased payloads there are."""
        erased = sum(payload is None for payload in self._payloads.values())
        return len(self._begins) - self._begins.count(ABSENT), len(self._payloads) - erased, erased

    def _body(self, index: int) -> Dict[str, Any]:
        """The body of a disclosed entry, in the newest form of its kind."""
        if index in self._newest:
            return self._newest[index]
        if index not in self:
            raise KeyError(index)
        place = index - self.log.first
        line = bytes(self._text[self._begins[place] : self._ends[place]])
        _, raw = plain_line(line) or _line(line, f"entries.jsonl: entry {index}")
        value: Dict[str, Any] = _value_of(raw.decode("utf-8"))
        return value

    def _parsed_payload(self, index: int) -> Any:
        raw = self._payloads[index]
        return None if raw is None else parse(raw, f"payload of entry {index}")

    def _place_bodies(self, files: Archive) -> None:
        """Where the line of each entry lies."""
        first, text, end = self.log.first, self._text, 0
        for line in raw_lines(files, "entries.jsonl"):
            place, begin, end = int(line[line.rindex(b":") + 1 : -1]) - first, end, end + len(line)
            text[begin:end] = line
            self._begins[place], self._ends[place] = begin, end

    def _read_payloads(self, files: Archive) -> None:
        for line in lines(files, "payloads.jsonl"):
            index = line["index"] if type(line) is dict and type(line.get("index")) is int else -1
            digest = self.body(index).get("payload") if index in self else None
            need(type(digest) is str, f"payloads.jsonl: entry {index} is not disclosed, or has no payload")
            need(index not in self._payloads, f"payloads.jsonl: the payload of entry {index} is doubled")
            self._payloads[index] = None if self._erased(line) else read_payload(line, str(digest))

    def _erased(self, line: Any) -> bool:
        if "erased" not in line:
            return False
        members(line, "payloads.jsonl", index=int, erased=int)
        index, by = line["index"], line["erased"]
        entry = self.body(by) if by > index and by in self else {}
        indexes = entry.get("indexes")
        erases = type(indexes) is list and index in indexes and self.log.kind(by) == "payload.erased"
        need(erases, f"payloads.jsonl: entry {by} does not erase the payload of entry {index}")
        return True

    def _upcast(self, index: int) -> None:
        """Puts the entry into the newest form of its kind."""
        kind, last = self.log.kind(index), 1
        while (kind, last) in UPCASTS:
            last += 1
        version = self.log.version(index)
        if not 1 <= version <= last:
            known = f"which this verifier reads up to v{last}: take a newer one"
            raise Refused(f"entry {index} is {kind} v{version}, {known}")
        if version == last:
            return
        body, payload = self._body(index), self._parsed_payload(index) if index in self._payloads else None
        for step in range(version, last):
            try:
                body, payload = UPCASTS[kind, step](body, payload)
            except (LookupError, TypeError, ValueError) as error:
                raise Refused(f"entry {index} ({kind} v{step}) lacks what its kind has: {error}") from None
        self._newest[index] = body
        if payload is not None:
            self._payloads[index] = canonical(payload).encode("utf-8")

    def texts(self, indexes: Iterable[int], path: str) -> List[str]:
        """What these entries say there, as `value` has it, without those that say nothing."""
        found = []
        for index in indexes:
            said = self._said(index)
            text = said[path] if path in said else said.setdefault(path, self.value(index, path))
            if text is not None:
                found.append(text)
        return found

    def _cells(self, index: int, wanted: Wanted) -> List[str]:
        """What an entry says at each of the paths, as `value` has it; empty where it says nothing."""
        found: List[Any] = []
        roots: Dict[str, Any] = dict.fromkeys(wanted.roots, self.body(index))
        if "header" in roots:
            roots["header"] = {"time": iso(self.log.time(index)), "kind": self.log.kind(index), "index": index}
        if "payload" in roots:
            if self._payloads.get(index) is None:
                return [self.value(index, path) or "" for path in wanted.paths]
            roots["payload"] = self._payload(index)
        for root, keys, last in wanted.objects:
            value = roots[root]
            for key in keys:
                value = value.get(key) if type(value) is dict else None
            found += map(value.get, last) if type(value) is dict else [None] * len(last)
        return [
            each if type(each) is str else "" if each is None else text_of(each, form)
            for each, form in zip(found, wanted.forms)
        ]

    def value(self, index: int, path: str) -> Optional[str]:
        """The text of `header.time`, `header.kind`, `body.KEY` or `payload.KEY` of an entry; None where absent. Nested
        keys with dots; `:time` at the end makes an integer a time, and "no end" nothing."""
        root, keys, form = split_path(path)
        if root == "payload":
            if "payload" not in self.body(index):
                return None
            need(index in self._payloads, f"payloads.jsonl: the payload of entry {index} is missing")
            if self._payloads[index] is None:
                return ERASED
            value = self._payload(index)
        elif root == "header":
            value = {"time": iso(self.log.time(index)), "kind": self.log.kind(index), "index": index}
        else:
            value = self.body(index)
        for key in keys:
            if type(value) is not dict or key not in value:
                return None
            value = value[key]
        return text_of(value, form)


def text_of(value: Any, form: str) -> str:
    """How a cell says it."""
    kind = type(value)
    if value is None or kind is str:
        return value or ""
    if kind is int:
        return str(value) if form != "time" else iso(value) if value < MAX_INTEGER else ""
    if kind is bool:
        return "yes" if value else "no"
    return canonical(value) if value else "[]" if kind is list else "{}"


def _nothing_said(index: int) -> Dict[str, Optional[str]]:
    """What was read of an entry, by path, once it is."""
    return {}


def _line(line: bytes, what: str) -> Tuple[int, bytes]:
    """Index and body of a line of `entries.jsonl`."""
    value = members(parse(line, what), "entries.jsonl", index=int, body=str)
    return value["index"], value["body"].encode("utf-8")


def plain_line(line: bytes) -> Optional[Tuple[int, bytes]]:
    """The same, quickly, of one in whose body nothing is escaped but quotation marks; None of any other. That the body
    is JSON in canonical form, and so has no control characters, is for whoever reads it."""
    head, _, tail = line.rpartition(b'","index":')
    text, digits = head[9:], tail[:-1]
    quotes = text.count(b'\\"')
    plain = head.startswith(b'{"body":"') and quotes == text.count(b'"') == text.count(b"\\")
    if not plain or tail[-1:] != b"}" or not digits.isdigit() or len(digits) > 15:
        return None
    if digits[:1] == b"0" and digits != b"0":
        return None
    return int(digits), text.replace(b'\\"', b'"')


@functools.lru_cache(None)
def split_path(path: str) -> Tuple[str, List[str], str]:
    """Root, keys and form of a path."""
    root, _, rest = path.partition(".")
    rest, _, form = rest.partition(":")
    return root, rest.split("."), form


def read_payload(line: Any, digest: str) -> bytes:
    """The payload of a line of `payloads.jsonl`, of which the body holds the digest."""
    text = "payload" in line
    members(line, "payloads.jsonl", index=int, salt=str, **{"payload" if text else "payload_base64": str})
    what = f"payloads.jsonl: the payload of entry {line['index']}"
    payload = line["payload"].encode("utf-8") if text else unbase64(line["payload_base64"], what)
    need(text or not _is_text(payload), f"{what} is text, and stands there as base64")
    need(re.fullmatch("[0-9a-f]{64}", line["salt"]), f"{what}: bad salt")
    fits = hashlib.sha256(bytes.fromhex(line["salt"]) + payload).hexdigest() == digest
    need(fits, f"{what} is not the one in the log")
    return bytes(payload)


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except ValueError:
        return False
    return True
