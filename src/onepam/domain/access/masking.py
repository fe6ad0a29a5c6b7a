"""What of a database's data nobody sees who need not: columns and texts that are masked, and how much of results is
kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mask:
    """Masked `columns`, each `column`, `table.column` or `schema.table.column`, in lower case; and `patterns`
    (`patterns.py`) of texts."""

    columns: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Results:
    """The first `rows` of a result are recorded, of at most so many `bytes` together."""

    rows: int
    bytes: int


def hides(these: Mask | None, those: Mask | None) -> bool:
    """Whether `these` mask all that `those` do."""
    if those is None:
        return True
    here = these or Mask()
    return all(_names(column, here.columns) for column in those.columns) and set(those.patterns) <= {*here.patterns}


def keeps(these: Results | None, those: Results | None) -> bool:
    """Whether `these` record as much as `those`."""
    if these is None or those is None:
        return those is None
    return these.rows >= those.rows and these.bytes >= those.bytes


def _names(column: str, columns: tuple[str, ...]) -> bool:
    """Whether the column is among these, by its own name or by a shorter one that means more."""
    parts = column.split(".")
    return any(".".join(parts[place:]) in columns for place in range(len(parts)))
