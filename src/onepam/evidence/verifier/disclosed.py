"""What the pack discloses of entries, and whether the log agrees: bodies by their hashes, payloads by their digests.

The digest of a payload is SHA-256(salt, payload), under 32 random bytes that go with it when it is erased.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Callable, Dict, Optional, Tuple

from onepam.evidence.verifier.canonical import MAX_INTEGER, canonical, iso, lines, members, parse
from onepam.evidence.verifier.log import Log
from onepam.evidence.verifier.note import unbase64
from onepam.evidence.verifier.refusal import Refused, need

Step = Callable[[Dict[str, Any], Optional[Dict[str, Any]]], Tuple[Dict[str, Any], Optional[Dict[str, Any]]]]
UPCASTS: Dict[Tuple[str, int], Step] = {}
"""How body and payload (None where erased) of an entry of this kind and version read in the next version. An entry is
hashed as it was written, and then read in the newest form; a version beyond the last step is not known here."""

ERASED = "[erased]"


class Disclosed:
    """Bodies by index, each proved by its hash in the log; payloads by index, None where a logged erasure took them."""

    def __init__(self, files: Dict[str, bytes], log: Log) -> None:
        self.log = log
        self.bodies: Dict[int, Any] = {}
        self.payloads: Dict[int, Optional[bytes]] = {}
        self._read_bodies(files["entries.jsonl"])
        self._read_payloads(files["payloads.jsonl"])
        for index in self.bodies:
            there = "payload" not in self.bodies[index] or index in self.payloads
            need(there, f"payloads.jsonl: the payload of entry {index} is missing")
            self._upcast(index)

    def _read_bodies(self, data: bytes) -> None:
        log, last = self.log, -1
        for line in lines(data, "entries.jsonl"):
            index = members(line, "entries.jsonl", index=int, body=str)["index"]
            need(log.first <= index < log.end, f"entries.jsonl: entry {index} is outside the range")
            need(index > last, f"entries.jsonl: entry {index} is doubled or out of order")
            raw, at = line["body"].encode("utf-8"), 32 * (index - log.first)
            if hashlib.sha256(raw).digest() != log.bodies[at : at + 32]:
                raise Refused(f"entries.jsonl: the body of entry {index} is not the one in the log")
            last, self.bodies[index] = index, parse(raw, f"body of entry {index}")
            need(type(self.bodies[index]) is dict, f"body of entry {index}: not an object")

    def _read_payloads(self, data: bytes) -> None:
        for line in lines(data, "payloads.jsonl"):
            index = line["index"] if type(line) is dict and type(line.get("index")) is int else -1
            digest = self.bodies.get(index, {}).get("payload")
            need(type(digest) is str, f"payloads.jsonl: entry {index} is not disclosed, or has no payload")
            need(index not in self.payloads, f"payloads.jsonl: the payload of entry {index} is doubled")
            self.payloads[index] = None if self._erased(line) else _payload(line, digest)

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

    def _upcast(self, index: int) -> None:
        """The entry in the newest form of its kind."""
        kind, last = self.log.kind(index), 1
        while (kind, last) in UPCASTS:
            last += 1
        version = self.log.version(index)
        if not 1 <= version <= last:
            known = f"which this verifier reads up to v{last}: take a newer one"
            raise Refused(f"entry {index} is {kind} v{version}, {known}")
        for step in range(version, last):
            raw, what = self.payloads.get(index), f"payload of entry {index}"
            payload = None if raw is None else parse(raw, what)
            try:
                self.bodies[index], payload = UPCASTS[kind, step](self.bodies[index], payload)
            except (LookupError, TypeError, ValueError) as error:
                raise Refused(f"entry {index} ({kind} v{step}) lacks what its kind has: {error}") from None
            if payload is not None:
                self.payloads[index] = canonical(payload).encode("utf-8")

    def value(self, index: int, path: str) -> Optional[str]:
        """The text of `header.time`, `header.kind`, `body.KEY` or `payload.KEY` of an entry; None where absent. Nested
        keys with dots; `:time` at the end makes an integer a time, and "no end" nothing."""
        root, _, rest = path.partition(".")
        rest, _, form = rest.partition(":")
        if root == "payload":
            if index not in self.payloads:
                return None
            raw = self.payloads[index]
            if raw is None:
                return ERASED
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
        return value if type(value) is str else canonical(value)


def _payload(line: Any, digest: str) -> bytes:
    text = "payload" in line
    members(line, "payloads.jsonl", index=int, salt=str, **{"payload" if text else "payload_base64": str})
    what = f"payloads.jsonl: the payload of entry {line['index']}"
    payload = line["payload"].encode("utf-8") if text else unbase64(line["payload_base64"], what)
    need(re.fullmatch("[0-9a-f]{64}", line["salt"]), f"{what}: bad salt")
    fits = hashlib.sha256(bytes.fromhex(line["salt"]) + payload).hexdigest() == digest
    need(fits, f"{what} is not the one in the log")
    return bytes(payload)
