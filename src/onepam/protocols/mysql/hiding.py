"""Results as a client has them whose access masks columns: values in their place, and errors that repeat none. And
their first rows, where a recording keeps them."""

from collections.abc import Sequence
from struct import Struct
from typing import Final

from onepam.protocols.mysql import wire
from onepam.protocols.mysql.answering import Answering, without_values
from onepam.protocols.mysql.exchange import Answer, Exchange, Owed
from onepam.protocols.mysql.keeping import UNSIGNED_COLUMN, Column, keep, keeps
from onepam.protocols.mysql.wire import HEAD_BYTES, Malformed

MASK: Final = b"[masked]"
MOST_ROW_BYTES: Final = 4 * 1024 * 1024
"""A longer row is not given where columns are masked."""

MOST_COLUMNS: Final = 4096
"""So many has a result at most (MySQL, "Limits on Table Column Count and Row Size")."""

_TEXTS: Final = frozenset((0x0F, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE))
_BINARY, _CHOICES = 63, 0x0100 | 0x0800
"""The character set of bytes; flags of ENUM and SET."""

_FIXED: Final = {
    0x01: 1, 0x02: 2, 0x0D: 2, 0x03: 4, 0x09: 4, 0x08: 8, 0x04: 4, 0x05: 8, 0x06: 0,
}  # fmt: skip
_TIMES: Final = frozenset((0x07, 0x0A, 0x0B, 0x0C))
_TYPE: Final = Struct("<HIBH")


def column(payload: bytes, exchange: Exchange) -> Column:
    """A ColumnDefinition41. Raises `Malformed`."""
    names, offset = list[str](), 0
    for _ in range(6):
        name, offset = wire.counted(payload, offset)
        names.append(name.decode("utf-8", "replace"))
    _, offset = wire.number(payload, offset)
    if offset + _TYPE.size > len(payload):
        raise Malformed("a description of a column has another length")
    charset, _, kind, flags = _TYPE.unpack_from(payload, offset)
    masks = exchange.allowance.named
    masked = masks is not None and masks(names[1], names[3], names[5])
    is_text = kind in _TEXTS and charset != _BINARY and not flags & _CHOICES
    return Column(names[4], kind, is_text, masked, bool(flags & UNSIGNED_COLUMN), names[4] == names[5])


def values(payload: bytes, types: Sequence[int] | None) -> list[bytes | None]:
    """The values of a row as they stand there, lengths and all, None for NULL; of one in binary form by their types,
    of one of text the texts alone. Raises `Malformed`."""
    found = list[bytes | None]()
    if types is None:
        offset = 0
        while offset < len(payload):
            if payload[offset] == _NULL:
                found.append(None)
                offset += 1
            else:
                value, offset = wire.counted(payload, offset)
                found.append(value)
        return found
    offset = 1 + (len(types) + 9) // 8
    for place, kind in enumerate(types):
        if payload[1 + (place + 2) // 8] >> (place + 2) % 8 & 1:
            found.append(None)
            continue
        end = _end(payload, offset, kind)
        found.append(payload[offset:end])
        offset = end
    if offset != len(payload):
        raise Malformed("a row has another length than it says")
    return found


_NULL: Final = 0xFB


def _end(payload: bytes, offset: int, kind: int) -> int:
    if kind in _FIXED:
        end = offset + _FIXED[kind]
    elif kind in _TIMES:
        end = offset + 1 + (payload[offset] if offset < len(payload) else 0)
    else:
        _, end = wire.counted(payload, offset)
    if end > len(payload):
        raise Malformed("a row is shorter than it says")
    return end


def _given(payload: bytes, described: Sequence[Column], *, binary: bool) -> list[bytes | None]:
    given = values(payload, [each.type for each in described] if binary else None)
    if len(given) != len(described):
        raise Malformed("a row has other columns than were described")
    return given


def masked_row(payload: bytes, described: Sequence[Column], *, binary: bool) -> bytes:
    """The row as the client has it. Raises `Malformed`."""
    given = _given(payload, described, binary=binary)
    parts, nulls = list[bytes](), bytearray((len(given) + 9) // 8)
    for place, (value, each) in enumerate(zip(given, described, strict=True)):
        said = value
        if each.masked and value is not None:
            said = (wire.lenenc(len(MASK)) + MASK if binary else MASK) if each.text else None
        if said is None:
            nulls[(place + 2) // 8] |= 1 << (place + 2) % 8
        parts.append(_said(said, binary=binary))
    return b"\0" + bytes(nulls) + b"".join(parts) if binary else b"".join(parts)


def _said(value: bytes | None, *, binary: bool) -> bytes:
    if value is None:
        return b"" if binary else bytes((_NULL,))
    return value if binary else wire.lenenc(len(value)) + value


class Hiding(Answering):
    """The target's direction under a mask, or with results that are kept."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._described: list[Column] = []
        self._hides = exchange.allowance.named is not None and not exchange.allowance.unmasked

    def _columns(self, owed: Owed, payload: bytes) -> None:
        super()._columns(owed, payload)
        self._described = []
        if owed.prepared is not None:
            owed.prepared.columns = self._described

    def _read(self, owed: Owed, offset: int, length: int) -> int | None:
        if not owed.described:
            return self._describes(offset, length) if owed.answer is Answer.RESULTS else None
        if self._mutes():
            return None
        described = owed.prepared.columns if owed.prepared is not None else self._described
        execution, exchange, binary = owed.execution, self._exchange, owed.prepared is not None
        masked = self._hides and any(each.masked for each in described)
        kept = execution if execution is not None and keeps(exchange, execution, length) else None
        if not masked and kept is None:
            return None
        end = offset + HEAD_BYTES + length
        if masked and length > MOST_ROW_BYTES:
            self._cut(owed, offset, "A row is too long for its columns to be masked.")
            return None
        if end > len(self._data):
            return 0
        payload = self._data[offset + HEAD_BYTES : end]
        if kept is not None:
            keep(exchange, kept, _given(payload, described, binary=binary), described, binary=binary)
        if not masked:
            return None
        self._row(owed, offset, length)
        if self._mutes():
            return None
        self._flush(offset)
        row = masked_row(payload, described, binary=binary)
        exchange.step.to_client.append(wire.packet(self._data[offset + 3], row))
        self._passed()
        self._start = end
        if execution is not None:
            execution.size += length
            execution.given_bytes += length
        return HEAD_BYTES + length

    def _mutes(self) -> bool:
        return self._exchange.muted

    def _describes(self, offset: int, length: int) -> int | None:
        end = offset + HEAD_BYTES + length
        if length > MOST_ROW_BYTES or len(self._described) >= MOST_COLUMNS:
            raise Malformed("a description of a column is too long, or one too many")
        if end > len(self._data):
            return 0
        self._described.append(column(self._data[offset + HEAD_BYTES : end], self._exchange))
        return None

    def _short(self, owed: Owed, offset: int, length: int) -> int:
        """Of an error the client has no values, where columns are masked for it."""
        if not self._hides:
            return super()._short(owed, offset, length)
        end, muted = offset + HEAD_BYTES + length, self._exchange.muted
        is_error = self._data[offset + HEAD_BYTES] == wire.ERROR and end <= len(self._data) and not muted
        if is_error:
            self._flush(offset)
        taken = super()._short(owed, offset, length)
        if is_error:
            said = without_values(self._data[offset + HEAD_BYTES : end])
            self._exchange.step.to_client.append(wire.packet(self._data[offset + 3], said))
            self._start = end
        return taken
