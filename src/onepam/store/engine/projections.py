"""Which projection belongs to which event kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from onepam.kernel.clock import Instant
from onepam.store.db import Db
from onepam.store.engine.tables import StateTable

E = TypeVar("E")


@dataclass(slots=True)
class Place:
    """Where in the ledger an event stands. (Not frozen: a fold makes one for each entry.)"""

    index: int
    time: Instant


Projection = Callable[[Db, Place, Any], None]

_projections: dict[type, Projection] = {}
STATE_TABLES: list[StateTable] = []


def state(table: StateTable) -> StateTable:
    """Registers a state table: it is created, rebuilt and compared."""
    STATE_TABLES.append(table)
    return table


def projects(record: type[E]) -> Callable[[Callable[[Db, Place, E], None]], Callable[[Db, Place, E], None]]:
    """Registers the one projection of an event. Raises `ValueError` for a second one."""

    def register(function: Callable[[Db, Place, E], None]) -> Callable[[Db, Place, E], None]:
        if record in _projections:
            raise ValueError(f"{record.__name__} has a projection already")
        _projections[record] = function
        return function

    return register


def nothing(*records: type) -> None:
    """Events that change no state: the entry itself is all there is to know."""
    for record in records:
        projects(record)(lambda db, place, event: None)


def project(db: Db, place: Place, event: object) -> None:
    """Applies one event. Raises `KeyError` for a kind without a projection (a test walks all kinds)."""
    _projections[type(event)](db, place, event)


def projection_of(record: type) -> Projection:
    """The projection of an event. Raises `KeyError` as `project` does."""
    return _projections[record]


def unprojected(records: tuple[type, ...]) -> list[type]:
    """The event classes that lack a projection."""
    return [record for record in records if record not in _projections]
