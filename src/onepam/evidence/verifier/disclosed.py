"""What the pack discloses of entries, and whether the log agrees: bodies by their hashes, payloads by their digests.

The digest of a payload is SHA-256(salt, payload), under 32 random bytes that go with it when it is erased. A body is
disclosed also where it only rules out that something was hidden; its payload needs to be there where a cell says it.
"""

from __future__ import annotations

import array
import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from typing import Any, Dict, List, Optional, Tuple

from onepam.evidence.verifier.archive import Archive
from onepam.evidence.verifier.canonical import MAX_INTEGER, canonical, iso, members, parse, raw_lines, whole_lines
from onepam.evidence.verifier.log import Log
from onepam.evidence.verifier.note import unbase64
from onepam.evidence.verifier.refusal import Refused, need

Step = Callable[[Dict[str, Any], Optional[Dict[str, Any]]], Tuple[Dict[str, Any], Optional[Dict[str, Any]]]]


def _asked_later(body: Dict[str, Any], payload: Optional[Dict[str, Any]]) -> Tuple[Dict[str, Any], Any]:
    """What was asked before one could say when: at once, at every hour."""
    return {**body, "substance": {**body["substance"], "schedule": None}}, payload


def _bound_by_rows(body: Dict[str, Any]) -> Dict[str, Any]:
    """Of results the rows were bound alone, and each statement waited as long as the product has it."""
    guardrails = body.get("guardrails")
    return body if guardrails is None else {**body, "guardrails": {"bytes": None, "wait": None, **guardrails}}


def _from_the_beginning(body: Dict[str, Any], payload: Optional[Dict[str, Any]]) -> Tuple[Dict[str, Any], Any]:
    """What was asked before one could ask for it from its first use on."""
    substance = _bound_by_rows(body["substance"])
    schedule = substance.get("schedule")
    return {**body, "substance": {**substance, "schedule": schedule and {"until": None, **schedule}}}, payload


def _with_a_yes(permission: Dict[str, Any]) -> Dict[str, Any]:
    """What was had before it could be had without one, and from its first use on."""
    asking = permission.get("asking")
    return {**_bound_by_rows(permission), "asking": asking and {"first_use": False, "unasked": None, **asking}}


UPCASTS: Dict[Tuple[str, int], Step] = {
    ("grant.started", 1): _asked_later,
    ("grant.started", 2): _from_the_beginning,
    ("request.made", 1): _asked_later,
    ("request.made", 2): _from_the_beginning,
    ("role.set", 1): lambda body, payload: (
        {**body, "permissions": [{**each, "asking": None} for each in body["permissions"]]},
        payload,
    ),
    ("role.set", 2): lambda body, payload: (
        {**body, "permissions": [_with_a_yes(each) for each in body["permissions"]]},
        payload,
    ),
    ("resource.set", 1): lambda body, payload: ({**body, "mask": None, "results": None}, payload),
    ("resource.set", 2): lambda body, payload: ({**body, "session_users": None}, payload),
    ("review.opened", 1): lambda body, payload: (
        {**body, "scope": {**body["scope"], "systems": []}, "beyond": 0},
        payload,
    ),
    ("session.opened", 1): lambda body, payload: (_bound_by_rows(body), payload),
}
"""How body and payload (None where erased) of an entry of this kind and version read in the next version. An entry is
hashed as it was written, and then read in the newest form; a version beyond the last step is not known here."""

_value_of = json.JSONDecoder().decode
ERASED = "[erased]"


def picking(places: List[int]) -> Callable[[List[str]], Tuple[str, ...]]:
    """What picks of a row the cells at these places."""
    return itemgetter(*places) if len(places) > 1 else lambda cells: tuple(cells[place] for place in places)


class Wanted:
    """What is read of an entry together, given as (place, path): put so that what stands in one object is together.
    `objects` are these by root and keys, each with the last keys of its paths. `of_row` picks a row's cells there."""

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
        self.of_row = picking(self.places)


AT_HAND = 1_000
"""Bodies and payloads that are kept parsed; the others lie as text, a third of the size. More would not be faster: what
the rows that follow each other rest on lies together."""
ABSENT = -1
PLAIN_LINE = re.compile(rb'(?m)^\{"body":"(\{.*\})","index":(0|[1-9]\d{0,14})\}\n')
QUOTES = 6  # of a line, beside those in its body
OF_PAYLOAD = re.compile(rb'\{(?:"erased":(\d{1,16}),)?"index":(\d{1,16})[,}]')


def entry_lines(files: Archive) -> Iterator[Tuple[int, bytes]]:
    """Index and body of each line of `entries.jsonl`."""
    name, number = "entries.jsonl", 0
    need(files.ends_a_line(name), f"{name}: last line is cut")
    for chunk in whole_lines(files, name):
        found = plain_lines(chunk)
        if found is None:
            whole = chunk.removesuffix(b"\n").split(b"\n")
            found = [_line(line, f"{name} line {number + after}") for after, line in enumerate(whole, 1)]
        yield from found
        number += len(found)


class Disclosed:
    """Bodies and payloads by index, each proved by its hash in the log: against that they are held by `prove_entries`,
    which goes on beside. So nothing that is read here counts before that is through."""

    def __init__(self, files: Archive, log: Log) -> None:
        self.log = log
        self._text = bytearray()  # of the bodies, one after another
        self._begins: array.array[int] = array.array("q", [ABSENT]) * (log.end - log.first)
        self._ends: array.array[int] = self._begins[:]
        self._newest: Dict[int, Tuple[Dict[str, Any], Any]] = {}  # where that is not the form in which it was written
        self._payloads: Dict[int, Optional[bytes]] = {}  # their lines; None where an entry erased it
        self.body = functools.lru_cache(AT_HAND)(self._body)
        self._payload = functools.lru_cache(AT_HAND)(self._parsed_payload)
        self._said = functools.lru_cache(AT_HAND)(_nothing_said)
        self.cells = functools.lru_cache(AT_HAND)(self._cells)
        self._place_bodies(files)
        self._place_payloads(files)

    def read_newest(self) -> None:
        """Puts what was written in an older version of its kind into the newest form. Refuses what it does not know."""
        for index in self if UPCASTS or self.log.versions else ():
            if index in self.log.versions or (self.log.kind(index), 1) in UPCASTS:
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

    def written(self) -> Iterator[Tuple[int, bytes]]:
        """Every body as it was written, by its index."""
        for index, begin, end in zip(range(self.log.first, self.log.end), self._begins, self._ends):
            if begin != ABSENT:
                yield index, bytes(self._text[begin:end])

    def _body(self, index: int) -> Dict[str, Any]:
        """The body of a disclosed entry, in the newest form of its kind."""
        if index in self._newest:
            return self._newest[index][0]
        if index not in self:
            raise KeyError(index)
        place = index - self.log.first
        value: Dict[str, Any] = _value_of(self._text[self._begins[place] : self._ends[place]].decode("utf-8"))
        return value

    def _parsed_payload(self, index: int) -> Any:
        if index in self._newest:
            return self._newest[index][1]
        line = self._payloads[index]
        if line is None:
            return None
        return parse(payload_of(_value_of(line.decode("utf-8"))), f"payload of entry {index}")

    def _place_bodies(self, files: Archive) -> None:
        """Where the body of each entry lies."""
        first, end, text, last = self.log.first, self.log.end, self._text, -1
        for index, body in entry_lines(files):
            if not first <= index < end:
                raise Refused(f"entries.jsonl: entry {index} is outside the range")
            if index <= last:
                raise Refused(f"entries.jsonl: entry {index} is doubled or out of order")
            last, place = index, index - first
            self._begins[place] = len(text)
            text += body
            self._ends[place] = len(text)

    def _place_payloads(self, files: Archive) -> None:
        """The lines by their indexes; what else stands in them is for `prove_entries`."""
        for number, line in enumerate(raw_lines(files, "payloads.jsonl"), 1):
            found = OF_PAYLOAD.match(line)
            if found is None:
                what = f"payloads.jsonl line {number}"
                parse(line, what)
                raise Refused(f"{what}: neither a payload nor what erased one")
            self._payloads[int(found[2])] = None if found[1] else line

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
        self._newest[index] = body, payload

    def texts(self, indexes: Iterable[int], path: str) -> List[str]:
        """What these entries say there, as `value` has it, without those that say nothing."""
        found = []
        for index in indexes:
            said = self._said(index)
            text = said[path] if path in said else said.setdefault(path, self.value(index, path))
            if text is not None:
                found.append(text)
        return found

    def _cells(self, index: int, wanted: Wanted) -> Tuple[str, ...]:
        """What an entry says at each of the paths, as `value` has it; empty where it says nothing."""
        found: List[Any] = []
        roots: Dict[str, Any] = dict.fromkeys(wanted.roots, self.body(index))
        if "header" in roots:
            roots["header"] = {"time": iso(self.log.time(index)), "kind": self.log.kind(index), "index": index}
        if "payload" in roots:
            if self._payloads.get(index) is None:
                return tuple([self.value(index, path) or "" for path in wanted.paths])
            roots["payload"] = self._payload(index)
        for root, keys, last in wanted.objects:
            value = roots[root]
            for key in keys:
                value = value.get(key) if type(value) is dict else None
            found += map(value.get, last) if type(value) is dict else [None] * len(last)
        return tuple([each if type(each) is str else text_of(each, form) for each, form in zip(found, wanted.forms)])

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


def plain_lines(chunk: bytes) -> Optional[List[Tuple[int, bytes]]]:
    """The same, quickly, of many lines in whose bodies nothing is escaped but quotation marks; None of any others. That
    a body is JSON in canonical form, and so has no control characters, is for whoever reads it."""
    found, escaped = PLAIN_LINE.findall(chunk), chunk.count(b'\\"')
    whole = chunk.endswith(b"\n") and len(found) == chunk.count(b"\n")
    plain = escaped == chunk.count(b"\\") and chunk.count(b'"') == escaped + QUOTES * len(found)
    return [(int(index), body.replace(b'\\"', b'"')) for body, index in found] if whole and plain else None


@functools.lru_cache(None)
def split_path(path: str) -> Tuple[str, List[str], str]:
    """Root, keys and form of a path."""
    root, _, rest = path.partition(".")
    rest, _, form = rest.partition(":")
    return root, rest.split("."), form


def payload_of(line: Any) -> bytes:
    """The payload that a line of `payloads.jsonl` has."""
    text = line.get("payload")
    what = f"payloads.jsonl: the payload of entry {line['index']}"
    return text.encode("utf-8") if type(text) is str else bytes(unbase64(line["payload_base64"], what))
