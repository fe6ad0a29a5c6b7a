"""The doors: which are pressed, and from where somebody signed in lately."""

from contextlib import suppress
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.host.doors import Door
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.store.db import rows
from onepam.store.engine.entries import Stored, entries_of, size_of
from onepam.store.engine.tables import AT

WINDOW = 5_000
"""Entries looked through at once."""

LATELY = 50_000
"""Of how many of the newest entries the signing in counts when a process begins."""

_SIGNED_IN = ("session.opened", "sign_in.opened")


@dataclass(frozen=True, slots=True)
class PressedDoor:
    """A listener before which a crowd stands, since when, and what its beginning was like."""

    node: str
    door: Door
    since: Instant
    turned_away: int
    networks: int


def pressed_doors(db: Snapshot, at: Instant) -> list[PressedDoor]:
    """Of all processes, the oldest first."""
    found = rows(db, f"SELECT * FROM pressed_door WHERE {AT} ORDER BY since", {"at": at})
    return [
        PressedDoor(each["node"], Door(each["door"]), each["since"], each["turned_away"], each["networks"])
        for each in found
    ]


def signed_in_from(db: Snapshot, at: Instant, after: int | None) -> tuple[list[str], int]:
    """The addresses of sign-ins and sessions in the entries with index >= `after`, or lately; and the first index that
    was not looked at."""
    size = size_of(db)
    begin = max(0, size - LATELY) if after is None else after
    end = min(begin + WINDOW, size)
    found = (_source(each) for each in entries_of(db, _SIGNED_IN, begin, end))
    return [source for source in found if source], max(begin, end)


def _source(stored: Stored) -> str | None:
    """None where it has been erased, or the entry was altered: the verification says so, and a door goes on."""
    with suppress(Corrupt):
        source: str | None = stored.event.source
        return source
    return None
