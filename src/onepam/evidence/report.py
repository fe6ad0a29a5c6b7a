"""A report: columns that say where their cells come from, and rows that name the ledger entries they rest on."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from onepam.kernel.canonical import encode
from onepam.kernel.text import harmless


@dataclass(frozen=True, slots=True)
class Said:
    """A cell's source: the value at `path` (`header.time`, `body.KEY`, `payload.KEY`, `body.KEY:time` for an instant)
    in the row's entries of `kind`. With `where=(path3, kind2, path2)` only in those whose value at `path3` equals the
    value at `path2` of one of the row's entries of `kind2`: how a name is taken from the right person's entry."""

    kind: str
    path: str
    where: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """Several sources are joined in order by `; `. Without a source, the cell is made otherwise. A pack holds the name
    only: where cells come from, the verifier knows by itself, or they are the exporter's word."""

    name: str
    sources: Sequence[Said] = field(default=())


@dataclass(frozen=True, slots=True)
class Row:
    """One cell of text per column; `ledger` holds the indexes of the entries that the row rests on, in order, first the
    entry that put it into the population."""

    cells: Sequence[str]
    ledger: Sequence[int]


@dataclass(frozen=True, slots=True)
class Report:
    """`name` is a lower-case word; it is the file's name too. `version` counts the definitions of this report."""

    name: str
    title: str
    version: int
    columns: Sequence[Column]
    rows: Sequence[Row]

    def __post_init__(self) -> None:
        """Raises `ValueError` for a row that does not fit the columns or names no entry."""
        for number, row in enumerate(self.rows, 1):
            if len(row.cells) != len(self.columns) or not row.ledger:
                raise ValueError(f"{self.name}: row {number} does not fit the columns or names no entry")

    def jsonl(self) -> bytes:
        """Canonical JSON, a line each: what the report is, then its rows; so a reader needs one row at a time."""
        columns = [column.name for column in self.columns]
        head = {"columns": columns, "report": self.name, "title": self.title, "version": self.version}
        rows = ({"cells": list(row.cells), "ledger": list(row.ledger)} for row in self.rows)
        return b"".join(encode(each) + b"\n" for each in (head, *rows))

    def csv(self) -> bytes:
        """The same rows as RFC 4180, UTF-8, all fields quoted, with a last column `ledger`."""
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerow([*(harmless(column.name) for column in self.columns), "ledger"])
        for row in self.rows:
            writer.writerow([*map(harmless, row.cells), " ".join(map(str, row.ledger))])
        return out.getvalue().encode("utf-8")
