"""What stored entries say, in the words of reports (docs/format.md): what a verifier reads from a pack too."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from onepam.app.ports import History, Kept
from onepam.domain.history.event import is_older, join, kind_of, plain
from onepam.evidence.report import Column, Row, Said
from onepam.kernel.canonical import NotCanonical, decode, encode
from onepam.kernel.clock import FOREVER, Instant, iso
from onepam.kernel.errors import Corrupt
from onepam.ledger.entry import Header

REMEMBERED = 20_000
"""Entries kept in memory: people, roles and resources are cited by many rows."""

ERASED = "[erased]"


@dataclass(frozen=True, slots=True)
class Told:
    """An entry as the JSON of its kind's newest version says it; `payload` is None where it was erased, or where there
    never was one."""

    header: Header
    body: Any
    payload: Any


class Entries:
    """Entries of one snapshot by index."""

    def __init__(self, history: History) -> None:
        @lru_cache(maxsize=REMEMBERED)
        def told(index: int) -> Told:
            (kept,) = history.entries((index,))
            return _told(kept)

        self._told = told

    def row(self, columns: Iterable[Column], ledger: Sequence[int], **words: str) -> Row:
        """A row whose cells are what the columns' sources say, and `words` by column's name where there are none."""
        told = [self._told(index) for index in ledger]
        return Row([_cell(each.sources, told) if each.sources else words[each.name] for each in columns], ledger)

    def time(self, index: int) -> Instant:
        """When the entry was made."""
        return self._told(index).header.time

    def kind(self, index: int) -> str:
        """What kind of entry it is."""
        return self._told(index).header.kind

    def body(self, index: int) -> Any:
        """The fields of its body."""
        return self._told(index).body


def _told(kept: Kept) -> Told:
    header = kept.header
    try:
        body, payload = decode(kept.body), None if kept.payload is None else decode(kept.payload)
        if is_older(header.kind, header.version):
            event = join(header.kind, header.version, body, payload)
            kind = kind_of(event)
            said = {"payload": body["payload"]} if kind.private_fields and "payload" in body else {}
            body = said | {name: plain(getattr(event, name)) for name in kind.open_fields}
            payload = payload and {name: plain(getattr(event, name)) for name in kind.private_fields}
        return Told(header, body, payload)
    except (NotCanonical, ValueError, LookupError) as error:
        raise Corrupt(f"entry {header.index} cannot be read: {error}") from None


def _cell(sources: Sequence[Said], row: Sequence[Told]) -> str:
    found: list[str | None] = []
    for said in sources:
        equal: set[str | None] | None = None
        if said.where is not None:
            _, kind, path = said.where
            equal = {_value(each, path) for each in row if each.header.kind == kind}
        for each in row:
            if each.header.kind != said.kind:
                continue
            if equal is None or (said.where is not None and _value(each, said.where[0]) in equal):
                found.append(_value(each, said.path))
    return "; ".join(text for text in found if text is not None)


def _value(told: Told, path: str) -> str | None:
    root, _, rest = path.partition(".")
    rest, _, form = rest.partition(":")
    value: Any = told.body
    if root == "header":
        value = {"index": told.header.index, "kind": told.header.kind, "time": iso(told.header.time)}
    elif root == "payload":
        if "payload" not in told.body:
            return None
        if told.payload is None:
            return ERASED
        value = told.payload
    for key in rest.split("."):
        if type(value) is not dict or key not in value:
            return None
        value = value[key]
    if form == "time" and type(value) is int:
        return iso(Instant(value)) if value < FOREVER else ""
    if value is None or type(value) is bool:
        return {True: "yes", False: "no", None: ""}[value]
    return value if type(value) is str else encode(value).decode("utf-8")
