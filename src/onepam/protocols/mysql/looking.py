"""The gateway's own look at a target's catalogue, over the session's connection before its client is in."""

import asyncio
from functools import lru_cache

from onepam.kernel.errors import Refused
from onepam.protocols.mysql import wire
from onepam.protocols.mysql.catalogue import Catalogue, Row, catalogue, look
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.mysql.hiding import values
from onepam.protocols.mysql.wire import HEAD_BYTES, WHOLE, Malformed

LOOK_SECONDS = 30.0
MOST_BYTES = 32 * 1024 * 1024
"""What a target may say of its catalogue."""

_UNKNOWN = Refused(
    "target.refusing",
    "the target does not say which of its columns are masked",
    "an administrator looks whether it is a MySQL of version 5.7, or a MariaDB of 10.2, or newer",
)


async def look_up(leg: TargetLeg, columns: tuple[str, ...]) -> Catalogue | Refused:
    """Which columns of the target are masked. The leg is ready, and is so again."""
    answered: asyncio.Future[tuple[Row, ...] | None] = asyncio.get_running_loop().create_future()
    answer = _Answer(answered)
    leg.heard, leg.lost = answer.take, answer.lost
    leg.hold(False)
    if leg.early or leg.is_closed():  # nobody has asked for anything
        answer.lost()
    leg.send(wire.packet(0, bytes((wire.QUERY,)) + look(columns).encode()))
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            rows = await answered
        return _UNKNOWN if rows is None else await asyncio.to_thread(_catalogue, rows, columns)
    except (TimeoutError, ValueError):
        return _UNKNOWN
    finally:
        leg.hold(True)


@lru_cache(maxsize=8)
def _catalogue(rows: tuple[Row, ...], columns: tuple[str, ...]) -> Catalogue:
    """Sessions of one database share it. Of many views it takes long, and others have their turn meanwhile."""
    return catalogue(rows, columns)


class _Answer:
    """Takes the rows of one result; None where they are none."""

    def __init__(self, answered: "asyncio.Future[tuple[Row, ...] | None]") -> None:
        self._answered, self._left, self._rest = answered, MOST_BYTES, bytearray()
        self._ends = self._packets = 0
        self._rows: list[Row] = []

    def lost(self) -> None:
        self._settle(None)

    def take(self, data: bytes) -> None:
        self._rest += data
        self._left -= len(data)
        offset = 0
        while len(self._rest) - offset >= HEAD_BYTES and not self._answered.done():
            length = int.from_bytes(self._rest[offset : offset + 3], "little")
            end = offset + HEAD_BYTES + length
            if self._left < 0 or not 0 < length < WHOLE:
                self._settle(None)
                break
            if end > len(self._rest):
                break
            self._packet(bytes(self._rest[offset + HEAD_BYTES : end]))
            offset = end
        del self._rest[:offset]

    def _packet(self, payload: bytes) -> None:
        self._packets += 1
        if payload[0] == wire.ERROR or (self._packets == 1 and payload != b"\x05"):
            self._settle(None)
        elif payload[0] == wire.EOF and len(payload) <= wire.MOST_EOF_BYTES:
            self._ends += 1
            if self._ends > 1:
                self._settle(tuple(self._rows))
        elif self._ends:
            try:
                what, *more = ((each or b"").decode("ascii") for each in values(payload, None))
                schema, table, column, text = (bytes.fromhex(each).decode() for each in more)
            except (Malformed, ValueError):
                self._settle(None)
            else:
                self._rows.append((what, schema, table, column, text))

    def _settle(self, rows: tuple[Row, ...] | None) -> None:
        if not self._answered.done():
            self._answered.set_result(rows)
