"""What the verification of the ledger says: values that name an entry, or the range that was lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

MAX_FINDINGS = 1000


class Row(NamedTuple):
    """An entry as it is stored, its `Header` spelled out (`position` is the index, a word that tuples have taken).

    `leaf` is the column of that name, which nobody has to believe.
    """

    position: int
    time: int
    kind: str
    version: int
    klass: str
    class_seq: int
    body: bytes
    leaf: bytes


class What(StrEnum):
    """The kinds of finding."""

    FLIPPED = "flipped"
    """The entry is there and is not what was published."""
    MISSING = "missing"
    """Entries are gone from the middle."""
    INSERTED = "inserted"
    """A row stands there that was never published."""
    REORDERED = "reordered"
    """The entry stands in another entry's place."""
    RENUMBERED = "renumbered"
    """The entries are intact but carry other numbers or times, as after an insertion that was covered up."""
    TAIL_CUT = "tail_cut"
    """The newest entries, which the log's own checkpoint covers, are gone."""
    ROLLED_BACK = "rolled_back"
    """The history ends before what an anchor outside it has seen."""
    FORKED = "forked"
    """The history is not the one that an anchor outside it has seen."""
    ROOT = "root"
    """The history is not the one of the log's own checkpoint."""
    COUNTER = "counter"
    """An index or a class counter does not follow the one before."""
    TIME = "time"
    """Time does not increase."""
    HEADER = "header"
    """The header's fields are not of their form."""
    BODY = "body"
    """The body is not canonical JSON, or too large."""
    TILE = "tile"
    """The entry is intact and its published hash is damaged or gone."""
    AUTHOR = "author"
    """No node in force signed the batch of the entries, or they are of no batch: nobody of ours wrote them."""
    MORE = "more"
    """More was found than is listed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the entries [begin, end), by index; `message` is for people."""

    what: What
    begin: int
    end: int
    message: str


class Findings:
    """Collects findings in order: neighbours that say the same become one, and their number is bounded."""

    def __init__(self) -> None:
        self._list: list[Finding] = []

    def add(self, what: What, begin: int, end: int, message: str) -> None:
        """One more; silently part of the last one where that says the same of the entries just before."""
        self.extend([Finding(what, begin, end, message)])

    def extend(self, findings: Iterable[Finding]) -> None:
        """Several more."""
        for new in findings:
            last = self._list[-1] if self._list else None
            if last is not None and (last.what, last.message, last.end) == (new.what, new.message, new.begin):
                self._list[-1] = Finding(last.what, last.begin, new.end, last.message)
            elif len(self._list) < MAX_FINDINGS:
                self._list.append(new)
            elif last is not None and last.what is What.MORE:
                begin, end = min(last.begin, new.begin), max(last.end, new.end)
                self._list[-1] = Finding(What.MORE, begin, end, last.message)
            else:
                self._list.append(Finding(What.MORE, new.begin, new.end, "more was found than is listed"))

    def all(self) -> tuple[Finding, ...]:
        """Everything collected."""
        return tuple(self._list)
