"""Reading the ledger's entries back: headers, bodies, payloads, events."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.history.event import is_known, join, newest
from onepam.domain.history.reading import as_written
from onepam.kernel.canonical import NotCanonical, decode
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.ledger.entry import Entry, Header, payload_digest
from onepam.store.db import row, rows

_COLUMNS = (
    "e.idx, e.time, e.kind, e.version, e.class, e.class_seq, e.body, e.leaf, p.salt, p.data, p.person "
    "FROM entry e LEFT JOIN payload p ON p.idx = e.idx"
)


@dataclass
class Stored:
    """An entry as its columns stand in the database, with its payload where it has not been erased, and whose erasure
    takes that along, as its row says. (Not frozen: a fold makes one for each entry, in a third of the time.)"""

    index: int
    time: Instant
    kind: str
    version: int
    klass: str
    class_seq: int
    body: bytes
    leaf: bytes
    salt: bytes | None
    payload: bytes | None
    person: str | None = None
    release: str | None = None
    """Of an entry that this release does not know: the release that ran when it was written."""

    @cached_property
    def header(self) -> Header:
        """What the leaf says of it in clear."""
        return Header(self.index, self.time, self.kind, self.version, self.klass, self.class_seq)

    @property
    def entry(self) -> Entry:
        """The entry without its payload."""
        return Entry(self.header, self.body)

    @property
    def hash(self) -> bytes:
        """The leaf hash of what was read here; `leaf` is only a column. Empty where the row is not even an entry's."""
        try:
            return self.entry.leaf()
        except (TypeError, ValueError):
            return b""

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The body's fields. Raises `Corrupt` where the stored value is not canonical JSON of an object."""
        value = self._decoded(self.body)
        if not isinstance(value, dict):
            raise self._unreadable("its body is no object")
        return value

    def read(self) -> Any:
        """The event itself. Raises `Corrupt` when it cannot be read or the payload is not the one the body names."""
        try:
            event = self._read()
        except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
            event = None
        return self._checked() if event is None else event

    event = cached_property(read)
    """The same, read once."""

    def _read(self) -> Any:
        """The event, when body and payload are byte for byte what writing it gives; None, or some error, when not."""
        found = as_written(self.kind, self.version, self.body, self.payload)
        if found is None:
            return None
        record, fields = found
        if self.payload is not None and not self._is_named(fields):
            return None
        self.__dict__["fields"] = fields  # as the property would, which would decode the body again
        return newest(record)

    def _is_named(self, fields: Mapping[str, Any]) -> bool:
        """Whether the payload is the one that the body names."""
        salt, payload = self.salt, self.payload
        return type(salt) is bytes and type(payload) is bytes and payload_digest(salt, payload) == fields.get("payload")

    def _checked(self) -> Any:
        """The event step by step: what older releases wrote in another form, and what is wrong with the others."""
        payload = None
        if self.payload is not None:
            payload = self._decoded(self.payload)
            if not self._is_named(self.fields):
                raise self._unreadable("its payload is not the one that the ledger names")
        try:
            return join(self.kind, self.version, self.fields, payload)
        except (ValueError, LookupError, AttributeError) as error:
            raise self._unreadable(error) from error

    def _decoded(self, data: bytes) -> Any:
        if type(data) is not bytes:  # a column of SQLite holds whatever somebody puts there
            raise self._unreadable("a text where bytes belong")
        try:
            return decode(data)
        except NotCanonical as error:
            raise self._unreadable(error) from error

    def _unreadable(self, why: object) -> Corrupt:
        reads = f"; OnePAM {self.release}, which ran when it was written, reads it" if self.release else ""
        return Corrupt(f"entry {self.index} ({self.kind}) cannot be read: {why}{reads}")


def entries(db: Snapshot, begin: int, end: int) -> list[Stored]:
    """The entries with begin <= index < end, in order."""
    found = rows(db, f"SELECT {_COLUMNS} WHERE e.idx >= ? AND e.idx < ? ORDER BY e.idx", (begin, end))
    return [_stored(db, each) for each in found]


def entries_of(db: Snapshot, kinds: tuple[str, ...], begin: int = 0, end: int = 1 << 53) -> list[Stored]:
    """The entries of some kinds with begin <= index < end, in order."""
    marks = ", ".join("?" for _ in kinds)
    found = rows(
        db,
        f"SELECT {_COLUMNS} WHERE e.kind IN ({marks}) AND e.idx >= ? AND e.idx < ? ORDER BY e.idx",
        (*kinds, begin, end),
    )
    return [_stored(db, each) for each in found]


def size_of(db: Snapshot) -> int:
    """How many entries the head counts."""
    found = row(db, "SELECT size FROM head")
    if found is not None and (type(found[0]) is not int or found[0] < 0):
        raise Corrupt("the head row cannot be read")
    return int(found[0]) if found else 0


def size_at(db: Snapshot, at: Instant) -> int:
    """How many entries the ledger had at an instant (entries with time <= `at`).

    Times grow with the index, so this is a binary search over the entries and needs no index of its own.
    """
    return bisect_right(range(size_of(db)), at, key=lambda index: _time(db, index))


def _time(db: Snapshot, index: int) -> Instant:
    found = row(db, "SELECT time FROM entry WHERE idx = ?", (index,))
    if found is None:
        raise Corrupt(f"entry {index} is missing")
    return Instant(found[0])


def _stored(db: Snapshot, found: Any) -> Stored:
    stored = Stored(*found)
    if not is_known(stored.kind, stored.version):
        stored.release = _release_at(db, stored.index)
    return stored


def _release_at(db: Snapshot, index: int) -> str | None:
    """The release that last said it started before an entry; None where none did, or it cannot be read."""
    started = "SELECT body FROM entry WHERE kind = 'system.started' AND idx < ? ORDER BY idx DESC LIMIT 1"
    found = row(db, started, (index,))
    try:
        said = decode(found[0])["release"] if found else None
    except (NotCanonical, LookupError, AttributeError, TypeError):
        return None
    return said if isinstance(said, str) else None
