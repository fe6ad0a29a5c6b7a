"""What the rooms of the store know of a database: statements in, rows out. Only its engine knows which one it is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from onepam.app.ports import Snapshot

Values = Mapping[str, Any] | Sequence[Any]


class Row(Protocol):
    """One row: its columns by place or by name."""

    def __getitem__(self, column: int | str, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Rows(Protocol):
    """What a statement gave; `rowcount` is how many rows it wrote."""

    @property
    def rowcount(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def close(self) -> Any: ...


class Db(Snapshot):
    """A connection. `memory` keeps facts at the head by topic, for the one who writes; of a topic that is not there the
    tables are asked each time."""

    memory: Mapping[str, dict[Any, Any]] = {}

    def execute(self, sql: str, values: Values = (), /) -> Rows:
        """Runs a statement; its values are always bound."""
        raise NotImplementedError

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open: a fault of the disk may have ended it."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends the connection."""
        raise NotImplementedError


def rows(snapshot: Snapshot, sql: str, values: Values = ()) -> list[Row]:
    """All rows of a query."""
    assert isinstance(snapshot, Db)
    return snapshot.execute(sql, values).fetchall()


def row(snapshot: Snapshot, sql: str, values: Values = ()) -> Row | None:
    """The first row of a query, or None."""
    assert isinstance(snapshot, Db)
    cursor = snapshot.execute(sql, values)
    found: Row | None = cursor.fetchone()
    cursor.close()  # else the statement would hold its snapshot until the garbage collector comes
    return found


def streamed(snapshot: Snapshot, sql: str, values: Values = ()) -> Iterator[Row]:
    """The rows of a query one by one: for more than memory should hold."""
    assert isinstance(snapshot, Db)
    return iter(snapshot.execute(sql, values))


def memory_of(snapshot: Snapshot, topic: str) -> dict[Any, Any] | None:
    """What the connection remembers of a topic; None where it remembers nothing of it."""
    assert isinstance(snapshot, Db)
    return snapshot.memory.get(topic)
