"""The target's direction where columns are masked or results are kept: rows are taken apart.

A masked column of text is a fixed word, the same in the text and the binary form; of every other type it is NULL. Where
nothing is known of a row's columns, all of them are NULL. What a server says beside an error's message may repeat a
row, and is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, error
from typing import Final

from onepam.protocols.postgres import wire
from onepam.protocols.postgres.answering import Answering
from onepam.protocols.postgres.exchange import Exchange, Execution, Owed
from onepam.protocols.postgres.wire import HEAD, LONG, SHORT, Malformed
from onepam.protocols.sql.events import Kept
from onepam.protocols.sql.masking import PASSWORDS, as_text

MASK: Final = b"[masked]"
TEXTS: Final = frozenset((19, 25, 705, 1042, 1043))
"""OIDs of the types that are text in both forms: name, text, unknown, char(n), varchar."""

MOST_ROW_BYTES = 16 * 1024 * 1024
"""A longer row is not given where columns are masked."""

_BESIDE: Final = 8 * 1024
"""More than stands in a row beside its values: four bytes for each of 1,664 at most, and how many they are."""

READ_BYTES = 64 * 1024
"""Of an error or a notice so much is read."""

_FIELD = Struct(">IhIhiH")
_NULL = 0xFFFF_FFFF
_MOST_FIELDS = 256 * 1024
_WHOLE: Final = {**wire.WHOLE, wire.ROWS_DESCRIBED: _MOST_FIELDS, wire.ERROR: READ_BYTES, wire.NOTICE: READ_BYTES}
_LEFT_OUT: Final = frozenset(b"DWqp")
"""Detail, context, and the texts of statements inside of functions (PostgreSQL, "Error and Notice Message Fields")."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result. `masked`: it comes from a masked one."""

    name: str
    type: int
    masked: bool


def columns(body: bytes, exchange: Exchange) -> tuple[Column, ...]:
    """What a RowDescription says. Raises `Malformed`."""
    masks, found = exchange.allowance.masks, []
    try:
        [count] = SHORT.unpack_from(body)
        offset = SHORT.size
        for _ in range(count):
            name, offset = wire.string(body, offset)
            relation, number, type_, *_rest = _FIELD.unpack_from(body, offset)
            offset += _FIELD.size
            masked = masks is not None and masks(relation, number)
            found.append(Column(name.decode("utf-8", "replace"), type_, masked))
    except error:
        raise Malformed("a description of rows has another length") from None
    if offset != len(body):
        raise Malformed("a description of rows has another length")
    return tuple(found)


def values(body: bytes) -> list[bytes | None]:
    """The values of a row, None for NULL. Raises `Malformed`."""
    found: list[bytes | None] = []
    try:
        [count] = SHORT.unpack_from(body)
        offset = SHORT.size
        for _ in range(count):
            [size] = LONG.unpack_from(body, offset)
            offset += LONG.size
            if size == _NULL:
                found.append(None)
                continue
            found.append(body[offset : offset + size])
            offset += size
    except error:
        raise Malformed("a row has another length than it says") from None
    if offset != len(body):
        raise Malformed("a row has another length than it says")
    return found


def masked_row(given: Sequence[bytes | None], described: Sequence[Column] | None) -> bytes:
    """The row as the client has it. Raises `Malformed`."""
    if described is not None and len(described) != len(given):
        raise Malformed("a row has other columns than were described")
    parts = [SHORT.pack(len(given))]
    for place, value in enumerate(given):
        said = value
        if described is None:
            said = None
        elif described[place].masked and value is not None:
            said = MASK if described[place].type in TEXTS else None
        parts.append(LONG.pack(_NULL) if said is None else LONG.pack(len(said)) + said)
    return wire.message(wire.ROW, b"".join(parts))


def without_rows(kind: int, body: bytes) -> bytes:
    """An error or a notice without what may repeat a row; its body may be cut."""
    parts = [part for part in body.split(b"\0") if part and part[0] not in _LEFT_OUT]
    return wire.message(kind, b"".join(part + b"\0" for part in parts) + b"\0")


class Hiding(Answering):
    """The target's direction under a mask, or with results that are kept."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange, _WHOLE)
        self._hides = exchange.allowance.masks is not None and not exchange.allowance.unmasked

    def _described(self, length: int, body: bytes) -> None:
        head = self._head(wire.DESCRIBE, wire.QUERY)
        if length > 4 + len(body):
            raise Malformed("a description of rows is too long")
        found = columns(body, self._exchange) if body else ()
        if head.kind == wire.QUERY:
            assert head.execution is not None
            head.execution.columns = found
        else:
            self._exchange.owed.popleft()
            if head.after is not None:
                head.after.columns = found

    def _error(self, length: int, body: bytes) -> bytes | None:
        ours = super()._error(length, body)
        return ours if ours is not None or not self._hides else without_rows(wire.ERROR, body)

    def _noticed(self, length: int, body: bytes) -> bytes | None:
        instead = super()._noticed(length, body)
        return instead if instead is not None or not self._hides else without_rows(wire.NOTICE, body)

    def _rows(self, kind: int, offset: int) -> int:
        """Row by row where one is masked or kept; else as ever."""
        exchange = self._exchange
        if exchange.muted or kind != wire.ROW:
            return super()._rows(kind, offset)
        head = self._head(wire.QUERY, wire.EXECUTE)
        execution = head.execution
        assert execution is not None
        described = _columns(head)
        masked = self._hides and (described is None or any(each.masked for each in described))
        results = exchange.allowance.results
        keeps = results is not None and execution.kept < results.rows and execution.kept_bytes < results.bytes
        if not masked and not keeps:
            return super()._rows(kind, offset)
        if words := self._beyond(execution, offset):
            self._cut(execution, offset, words)
            return offset
        length: int = LONG.unpack_from(self._data, offset + 1)[0]
        end = offset + 1 + length
        if length > (MOST_ROW_BYTES if masked or results is None else results.bytes + _BESIDE):
            if not masked:  # it cannot be kept, so nobody waits for all of it
                execution.kept_bytes = MOST_ROW_BYTES
                return super()._rows(kind, offset)
            self._cut(execution, offset, "a row is too long for its columns to be masked.")
            return offset
        if end > len(self._data):
            return self._hold(offset, 1 + length)
        given = values(self._data[offset + HEAD.size : end])
        if keeps:
            self._keep(execution, given, described, simple=head.kind == wire.QUERY)
        execution.gave(1, length - 4)
        self._passes = True
        self._pass_until(end if not masked else offset)
        if masked:
            exchange.step.to_client.append(masked_row(given, described))
            self._start = end
        return end

    def _keep(
        self,
        execution: Execution,
        given: Sequence[bytes | None],
        described: Sequence[Column] | None,
        *,
        simple: bool,
    ) -> None:
        """Records a row, with sizes in the place of what is masked, while it is among the first. `simple`: its values
        are text."""
        exchange, size = self._exchange, sum(len(each) for each in given if each is not None)
        results, masking = exchange.allowance.results, exchange.allowance.masking
        assert results is not None
        if execution.kept_bytes + size > results.bytes:
            execution.kept_bytes = results.bytes
            return
        if not execution.kept and described is not None:
            names = tuple((masking or PASSWORDS).name(each.name) for each in described)
            exchange.step.events.append(Kept(execution.number, 0, names))
        execution.kept += 1
        execution.kept_bytes += size
        cells: list[str | int | None] = []
        for place, value in enumerate(given):
            if value is None:
                cells.append(None)
                continue
            column, text = described[place] if described is not None else None, as_text(value) is not None
            binary = not simple and (column is None or column.type not in TEXTS)
            if column is None or column.masked or (masking is not None and masking.value(value, binary=binary)):
                cells.append(len(value))
            else:
                cells.append(value.decode() if text else "\\x" + value.hex())
        exchange.step.events.append(Kept(execution.number, execution.kept, tuple(cells)))


def _columns(head: Owed) -> Sequence[Column] | None:
    if head.kind == wire.QUERY:
        assert head.execution is not None
        return head.execution.columns
    portal = head.portal
    assert portal is not None
    return portal.columns if portal.columns is not None or portal.prepared is None else portal.prepared.columns
