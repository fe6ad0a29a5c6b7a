"""State tables as intervals, and the ledger's own tables.

A row of a state table is true in ledger time [valid_from, valid_until). Nothing is updated but the end of the newest
row, so every past instant can be asked with one predicate:

    valid_from <= :at AND :at < valid_until
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from onepam.domain.event import plain as to_json
from onepam.kernel.canonical import encode
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.database import Db

AT = "valid_from <= :at AND :at < valid_until"


@dataclass(frozen=True)
class StateTable:
    """One kind of state: its key, its columns with their SQL types, the indexes that pages and facts need,
    and which columns are `personal` (they come from payloads, and erasing the person of the row empties them).

    Values that are neither text, integer nor None are stored as canonical JSON.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    indexes: tuple[tuple[str, ...], ...] = field(default=())
    personal: tuple[str, ...] = field(default=())

    def schema(self) -> str:
        """The `CREATE TABLE` and `CREATE INDEX` statements."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        key = ", ".join(self.key)
        statements = [
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}, valid_from INTEGER NOT NULL, "
            f"valid_until INTEGER NOT NULL, PRIMARY KEY ({key}, valid_from)) WITHOUT ROWID",
            f"CREATE UNIQUE INDEX IF NOT EXISTS {self.name}_current ON {self.name} ({key}) "
            f"WHERE valid_until = {FOREVER}",
        ]
        for columns_of_index in self.indexes:
            statements.append(
                f"CREATE INDEX IF NOT EXISTS {self.name}_by_{'_'.join(columns_of_index)} "
                f"ON {self.name} ({', '.join(columns_of_index)}, valid_until)"
            )
        return ";\n".join(statements) + ";\n"

    def put(self, db: Db, at: Instant, **values: Any) -> None:
        """The row is so from `at` on, whatever it was before. Columns that are not named are NULL."""
        stored = {name: plain(values.pop(name, None)) for name in self.columns}
        if values:
            raise TypeError(f"{self.name} has no column {sorted(values)}")
        db.execute(self._close, {**stored, "at": at})
        db.execute(self._insert, {**stored, "at": at})

    def change(self, db: Db, at: Instant, key: Mapping[str, str], **changes: Any) -> bool:
        """Some columns differ from `at` on. False when there is no such row now."""
        if db.execute(self._close, {**key, "at": at}).rowcount == 0:
            return False
        changed = {name: plain(value) for name, value in changes.items()}
        columns = ", ".join(f":{name}" if name in changed else name for name in self.columns)
        db.execute(
            f"INSERT INTO {self.name} ({', '.join(self.columns)}, valid_from, valid_until) "
            f"SELECT {columns}, :at, {FOREVER} FROM {self.name} WHERE {self._where} AND valid_until = :at",
            {**key, **changed, "at": at},
        )
        return True

    def end(self, db: Db, at: Instant, **key: str) -> bool:
        """There is no such row from `at` on. False when there was none."""
        return db.execute(self._close, {**key, "at": at}).rowcount > 0

    def erase(self, db: Db, at: Instant, person: str) -> None:
        """Empties the personal columns of every row of `person` that began before `at`, closed intervals included."""
        if self.personal:
            nulls = ", ".join(f"{name} = NULL" for name in self.personal)
            db.execute(
                f"UPDATE {self.name} SET {nulls} WHERE person = :person AND valid_from <= :at",
                {"person": person, "at": at},
            )

    @cached_property
    def _where(self) -> str:
        return " AND ".join(f"{name} = :{name}" for name in self.key)

    @cached_property
    def _close(self) -> str:
        return f"UPDATE {self.name} SET valid_until = :at WHERE {self._where} AND valid_until = {FOREVER}"

    @cached_property
    def _insert(self) -> str:
        names = ", ".join(self.columns)
        values = ", ".join(f":{name}" for name in self.columns)
        return f"INSERT INTO {self.name} ({names}, valid_from, valid_until) VALUES ({values}, :at, {FOREVER})"


def plain(value: Any) -> Any:
    """A column's value: text, integer and None as they are, booleans as 0 and 1, the rest as canonical JSON."""
    if value is None or type(value) is str or type(value) is int:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return str(value.value) if hasattr(value, "value") else str(value)
    return encode(to_json(value)).decode("utf-8")


LEDGER_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL,
    class TEXT NOT NULL, class_seq INTEGER NOT NULL, body BLOB NOT NULL, leaf BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS entry_by_class ON entry (class, class_seq);
CREATE INDEX IF NOT EXISTS entry_by_kind ON entry (kind, idx);
CREATE INDEX IF NOT EXISTS entry_by_time ON entry (time);
CREATE TABLE IF NOT EXISTS payload (
    idx INTEGER PRIMARY KEY, person TEXT, salt BLOB NOT NULL, data BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS payload_by_person ON payload (person) WHERE person IS NOT NULL;
CREATE TABLE IF NOT EXISTS head (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, time INTEGER NOT NULL, counters TEXT NOT NULL
);
INSERT OR IGNORE INTO head VALUES (1, 0, 0, '{}');
CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cursor (reader TEXT PRIMARY KEY, idx INTEGER NOT NULL);
"""
"""The ledger, its erasable payloads, the head; and of the operational tables (a closed list): leases and cursors."""
