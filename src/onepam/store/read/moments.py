"""Entries behind state: what happened, when, and where in the ledger it stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.history.event import UnknownKind, sentence
from onepam.domain.history.words import naming
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.store.db import rows
from onepam.store.engine.entries import Stored, entries, entries_of, size_at


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of an event that somebody has altered until it cannot be read, or of a newer release."""

    why: str


def told(event: object, called: Mapping[str, str], codes: Mapping[str, str] | None = None) -> str:
    """An event as a sentence: people and providers by their names, `codes` by their words. Of what cannot be read, that
    and why."""
    return f"Unreadable: {event.why}" if isinstance(event, Unreadable) else sentence(event, naming(called, codes))


@dataclass(frozen=True, slots=True)
class Moment:
    """An entry of the ledger. `event` is the record itself, or `Unreadable`; its private fields are None once erased.
    `leaf` is the hash of what was read, which the tree must hold (32 bytes)."""

    index: int
    time: Instant
    kind: str
    event: Any
    leaf: bytes


def moments(db: Snapshot, at: Instant, times: Iterable[Instant]) -> tuple[Moment, ...]:
    """The entries of these times up to `at`, in order: every border of a state row's interval is an entry's time."""
    found: dict[int, Moment] = {}
    for time in set(times):
        index = size_at(db, time) - 1
        if time <= at and index >= 0:
            (stored,) = entries(db, index, index + 1)
            if stored.header.time == time:
                found[index] = moment(stored)
    return tuple(found[index] for index in sorted(found))


def moments_of(db: Snapshot, at: Instant, kinds: tuple[str, ...], since: Instant) -> tuple[Moment, ...]:
    """The entries of some kinds in (`since`, `at`] that can be read, in order: for what changes no state."""
    found = (moment(each) for each in entries_of(db, kinds, size_at(db, since), size_at(db, at)))
    return tuple(each for each in found if not isinstance(each.event, Unreadable))


def history_of(db: Snapshot, at: Instant, table: str, key: str) -> tuple[Moment, ...]:
    """The entries that made a row of a state table what it was by `at`; the table's key is a column of its name."""
    found = rows(
        db,
        f"SELECT valid_from, valid_until FROM {table} WHERE {table} = :key AND valid_from <= :at",
        {"key": key, "at": at},
    )
    return moments(db, at, {time for each in found for time in each})


def moment(stored: Stored) -> Moment:
    """The entry as pages show it: also one that cannot be read, so that its page says so instead of failing."""
    return Moment(stored.header.index, stored.header.time, stored.header.kind, readable(stored), stored.hash)


def readable(stored: Stored) -> Any:
    """The entry's event, or `Unreadable`."""
    try:
        return stored.event
    except (Corrupt, UnknownKind) as error:
        return Unreadable(str(error))
