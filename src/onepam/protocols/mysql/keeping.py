"""The first rows of a result as they are recorded, whatever form they come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onepam.protocols.mysql import wire
from onepam.protocols.mysql.exchange import Exchange, Execution
from onepam.protocols.mysql.parameters import FLOATS, NUMBERS, TIMES, UNSIGNED, number_of, time_of
from onepam.protocols.sql.events import Kept
from onepam.protocols.sql.masking import PASSWORDS, as_text

GENERATED: Final = "generated password"
"""What a server calls the column of passwords that it has made up (MySQL, "Random Password Generation")."""

UNSIGNED_COLUMN: Final = 0x20
"""A flag of a column (MySQL, "Column Definition Flags")."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result. `text`: it holds texts, which say that they are masked; all else is NULL then. `own`: its
    name is the one that a table has for it; of what is computed it is the text by which it was asked for."""

    name: str
    type: int
    text: bool
    masked: bool
    unsigned: bool = False
    own: bool = False


def keeps(exchange: Exchange, execution: Execution, length: int) -> bool:
    """Whether a row of this length may be among those that are kept; it is given, and short enough to wait for."""
    results = exchange.allowance.results
    if results is None or execution.kept >= results.rows or execution.kept_bytes >= results.bytes:
        return False
    if exchange.beyond(execution, length):
        return False
    if length > 2 * results.bytes:  # what stands beside the values is less than they are
        execution.kept_bytes = results.bytes
        return False
    return True


def keep(
    exchange: Exchange,
    execution: Execution,
    given: Sequence[bytes | None],
    described: Sequence[Column],
    *,
    binary: bool,
) -> None:
    """Records a row, with sizes in the place of what is masked, while it is among the first."""
    results, masking = exchange.allowance.results, exchange.allowance.masking
    assert results is not None
    texts = [
        each if each is None or not binary else _as_text(each, column)
        for each, column in zip(given, described, strict=True)
    ]
    size = sum(len(each) for each in texts if each is not None)
    if execution.kept_bytes + size > results.bytes:
        execution.kept_bytes = results.bytes
        return
    if not execution.kept:
        says = (masking or PASSWORDS).name
        names = tuple(says(each.name, hidden=execution.masked and not each.own) for each in described)
        exchange.step.events.append(Kept(execution.number, 0, names))
    execution.kept += 1
    execution.kept_bytes += size
    cells: list[str | int | None] = []
    for each, column in zip(texts, described, strict=True):
        if each is None:
            cells.append(None)
        elif column.masked or _is_password(column) or (masking is not None and masking.value(each, binary=False)):
            cells.append(len(each))
        else:
            cells.append(each.decode() if as_text(each) is not None else "\\x" + each.hex())
    exchange.step.events.append(Kept(execution.number, execution.kept, tuple(cells)))


def _is_password(column: Column) -> bool:
    """Whether it is one that the server has made up (MySQL, `IDENTIFIED BY RANDOM PASSWORD`), whatever text asked."""
    return not column.own and column.name.casefold() == GENERATED


def _as_text(value: bytes, column: Column) -> bytes:
    """A value in binary form as it would be written; of texts and bytes what they are."""
    if column.type in NUMBERS or column.type in FLOATS:
        return number_of(column.type | (UNSIGNED if column.unsigned else 0), value).encode()
    if column.type in TIMES:
        return time_of(column.type, value[1:]).encode()
    return wire.counted(value, 0)[0] if value else b""
