"""State tables as intervals, and the ledger's own tables.

A row of a state table is true in ledger time [valid_from, valid_until). Nothing is updated but the end of the newest
row, so every past instant can be asked with one predicate:

    valid_from <= :at AND :at < valid_until
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from onepam.domain.history import event
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import Db

_encode = msgspec.json.Encoder(order="sorted", enc_hook=event.plain).encode

AT = "valid_from <= :at AND :at < valid_until"


@dataclass(frozen=True)
class StateTable:
    """One kind of state: its key, its columns with their SQL types, the indexes that pages and facts need (of columns,
    or of an expression of one; `valid_until` comes last, unless it is named), and which columns are `personal` (they
    come from payloads, and erasing the person of the row empties them) or `naming` (they come from the payload of the
    entry `idx`, may name anybody, and erasing that payload empties them).

    Values that are neither text, integer nor None are stored as canonical JSON.
    """

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, str]
    indexes: tuple[tuple[str, ...], ...] = field(default=())
    personal: tuple[str, ...] = field(default=())
    naming: tuple[str, ...] = field(default=())

    def schema(self, *, indexed: bool = True) -> str:
        """The `CREATE TABLE` and `CREATE INDEX` statements; without the indexes for a fold, which only looks up keys.

        The newest row of a key is found by `valid_until = FOREVER`, the row as of an instant by the first later end.
        """
        columns = "".join(f"{name} {kind}, " for name, kind in self.columns.items())
        key = ", ".join(self.key)
        table = (
            f"CREATE TABLE IF NOT EXISTS {self.name} ({columns}"
            f"valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL, PRIMARY KEY ({key}, valid_until));\n"
        )
        return table + "".join(
            f"CREATE INDEX IF NOT EXISTS {name} ON {self.name} ({', '.join(dict.fromkeys((*index, 'valid_until')))});\n"
            for name, index in (self.named_indexes.items() if indexed else ())
        )

    @property
    def named_indexes(self) -> Mapping[str, tuple[str, ...]]:
        """The indexes, each by its name; of an expression as `lower(email)` that is of its words."""
        return {f"{self.name}_by_{'_'.join(re.findall(r'[a-z_]+', ' '.join(each)))}": each for each in self.indexes}

    def put(self, db: Db, at: Instant, **values: Any) -> None:
        """The row is so from `at` on, whatever it was before. Columns that are not named are NULL."""
        insert = self._inserts.get(names := tuple(values)) or self._insert(names)
        stored = self._stored(values)
        stored.append(at)
        if db.execute(insert, stored).rowcount == 0:
            db.execute(self._close, (at, *[values[name] for name in self.key]))
            db.execute(insert, stored)

    def change(self, db: Db, at: Instant, key: Mapping[str, str], **changes: Any) -> bool:
        """Some columns differ from `at` on. False when there is no such row now."""
        keys = [key[name] for name in self.key]
        if db.execute(self._close, (at, *keys)).rowcount == 0:
            return False
        db.execute(self._successor(tuple(changes)), (*self._stored(changes), at, *keys))
        return True

    def end(self, db: Db, at: Instant, **key: str) -> bool:
        """There is no such row from `at` on. False when there was none."""
        return db.execute(self._close, (at, *[key[name] for name in self.key])).rowcount > 0

    def erase(self, db: Db, at: Instant, person: str) -> None:
        """Empties the personal columns of every row of `person` that began before `at`, closed intervals included, and
        of rows that had nobody yet and whose key became the person's next, if it waited for nobody else."""
        if self.personal:
            db.execute(self.emptied, {"person": person, "at": at})

    def unsay(self, db: Db, indexes: str) -> None:
        """Empties what came from the payloads of these entries and may name anybody; `indexes` is a list in JSON."""
        if self.naming:
            db.execute(self.unsaid, {"indexes": indexes})

    @property
    def emptied(self) -> str:
        """The statement by which a person's columns are emptied."""
        theirs, (key, *others), name = "person = :person", self.key, self.name
        if not others and self.columns["person"] == "TEXT":
            waits = " AND coalesce(waits_for, :person) = :person" if "waits_for" in self.columns else ""
            theirs += (
                f" OR (person IS NULL{waits} AND {key} IN (SELECT {key} FROM {name} WHERE person = :person) AND "
                f"(SELECT n.person FROM {name} AS n WHERE n.{key} = {name}.{key} AND n.person IS NOT NULL "
                f"AND n.valid_from > {name}.valid_from ORDER BY n.valid_from LIMIT 1) = :person)"
            )
        return f"{self._nulls(self.personal)} AND ({theirs}) AND valid_from <= :at"

    @property
    def unsaid(self) -> str:
        """The statement by which what named anybody is emptied."""
        return f"{self._nulls(self.naming)} AND idx IN (SELECT CAST(value AS BIGINT) FROM json_each(:indexes))"

    def _nulls(self, columns: tuple[str, ...]) -> str:
        """What is empty already is not written again: an erasure comes in portions."""
        there = " OR ".join(f"{each} IS NOT NULL" for each in columns)
        return f"UPDATE {self.name} SET {', '.join(f'{each} = NULL' for each in columns)} WHERE ({there})"

    @property
    def rows_in_order(self) -> str:
        """The statement that reads all rows."""
        columns, order = ", ".join((*self.columns, "valid_from", "valid_until")), ", ".join((*self.key, "valid_from"))
        return f"SELECT {columns} FROM {self.name} ORDER BY {order}"

    @staticmethod
    def _stored(values: Mapping[str, Any]) -> list[Any]:
        """What `plain` makes of each: most are text, integers and None, for which a call is too much."""
        return [
            value if (kind := type(value)) is str or value is None or kind is int else plain(value)
            for value in values.values()
        ]

    @cached_property
    def _where(self) -> str:
        return " AND ".join(f"{name} = ?" for name in self.key)

    @cached_property
    def _close(self) -> str:
        return f"UPDATE {self.name} SET valid_until = ? WHERE {self._where} AND valid_until = {FOREVER}"

    @cached_property
    def _inserts(self) -> dict[tuple[str, ...], str]:
        return {}

    def _insert(self, names: tuple[str, ...]) -> str:
        """Inserts the newest row, or nothing where there is one already: most keys are new, and need one statement."""
        if unknown := set(names) - self.columns.keys():
            raise TypeError(f"{self.name} has no column {sorted(unknown)}")
        columns, marks, key = ", ".join(names), "?, " * len(names), ", ".join(self.key)
        sql = self._inserts[names] = (
            f"INSERT INTO {self.name} ({columns}, valid_from, valid_until) VALUES ({marks}?, {FOREVER}) "
            f"ON CONFLICT ({key}, valid_until) DO NOTHING"
        )
        return sql

    @cached_property
    def _successors(self) -> dict[tuple[str, ...], str]:
        return {}

    def _successor(self, changed: tuple[str, ...]) -> str:
        """Copies the row that has just been closed, with other values in the changed columns."""
        sql = self._successors.get(changed)
        if sql is None:
            columns = ", ".join(f"?{changed.index(name) + 1}" if name in changed else name for name in self.columns)
            count = len(changed)
            keys = " AND ".join(f"{name} = ?{count + 2 + place}" for place, name in enumerate(self.key))
            sql = self._successors[changed] = (
                f"INSERT INTO {self.name} SELECT {columns}, ?{count + 1}, {FOREVER} "
                f"FROM {self.name} WHERE {keys} AND valid_until = ?{count + 1}"
            )
        return sql


def plain(value: Any) -> Any:
    """A column's value: text, integer and None as they are, booleans as 0 and 1, the rest as canonical JSON.

    The form is not checked again: every value of a column stands in the entry's body or payload, where it was.
    """
    kind = type(value)
    if value is None or kind is str or kind is int:
        return value
    if kind is bool:
        return int(value)
    return value._value_ if isinstance(value, StrEnum) else _encode(value).decode("utf-8")
