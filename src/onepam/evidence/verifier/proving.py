"""That what is disclosed is what the log has: bodies by their hashes, payloads by the digests in their bodies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Dict, List, Tuple

from onepam.evidence.verifier.canonical import lines, members, parse
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.disclosed import payload_of
from onepam.evidence.verifier.refusal import Refused, need


def prove_entries(pack: Contents) -> Iterator[Tuple[int, Any]]:
    """The disclosed bodies as they were written, in order, each held against its hash in the log, and what is said of
    payloads against the bodies."""
    hashes, first, payloads = pack.log.bodies, pack.log.first, Payloads(pack)
    for index, raw in pack.disclosed.written():
        at = 32 * (index - first)
        if hashlib.sha256(raw).digest() != hashes[at : at + 32]:
            raise Refused(f"entries.jsonl: the body of entry {index} is not the one in the log")
        body = parse(raw, f"body of entry {index}")
        if type(body) is not dict:
            raise Refused(f"body of entry {index}: not an object")
        payloads.hold(index, body)
        yield index, body


class Payloads:
    """What `payloads.jsonl` says, until the bodies have come that must agree."""

    def __init__(self, pack: Contents) -> None:
        self._log = pack.log
        self._due: Dict[int, str] = {}  # digests, by the entries whose payloads they are; empty of one that was erased
        self._erased: Dict[int, List[int]] = {}  # by the entries that erased them
        for line in lines(pack.files, "payloads.jsonl"):
            index = line["index"] if type(line) is dict and type(line.get("index")) is int else -1
            self._disclosed(index, index in pack.disclosed)
            need(index not in self._due, f"payloads.jsonl: the payload of entry {index} is doubled")
            if "erased" in line:
                self._due[index], by = "", members(line, "payloads.jsonl", index=int, erased=int)["erased"]
                self._erases(index, by, by > index and by in pack.disclosed)
                self._erased.setdefault(by, []).append(index)
            else:
                self._due[index] = digest_of(line)

    def _disclosed(self, index: int, fits: bool) -> None:
        need(fits, f"payloads.jsonl: entry {index} is not disclosed, or has no payload")

    def _erases(self, index: int, by: int, fits: bool) -> None:
        need(fits, f"payloads.jsonl: entry {by} does not erase the payload of entry {index}")

    def hold(self, index: int, body: Any) -> None:
        """The next body, whatever its form."""
        due = self._due.pop(index, None)
        if due is not None:
            digest = body.get("payload")
            self._disclosed(index, type(digest) is str)
            need(due in ("", digest), f"payloads.jsonl: the payload of entry {index} is not the one in the log")
        for erased in self._erased.pop(index, ()):
            indexes = body.get("indexes")
            erases = type(indexes) is list and erased in indexes and self._log.kind(index) == "payload.erased"
            self._erases(erased, index, erases)


def digest_of(line: Any) -> str:
    """The digest that the body must have of the payload of a line: SHA-256(salt, payload) in hex."""
    text = "payload" in line
    members(line, "payloads.jsonl", index=int, salt=str, **{"payload" if text else "payload_base64": str})
    what, payload = f"payloads.jsonl: the payload of entry {line['index']}", payload_of(line)
    need(text or not _is_text(payload), f"{what} is text, and stands there as base64")
    need(re.fullmatch("[0-9a-f]{64}", line["salt"]), f"{what}: bad salt")
    return hashlib.sha256(bytes.fromhex(line["salt"]) + payload).hexdigest()


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except ValueError:
        return False
    return True
