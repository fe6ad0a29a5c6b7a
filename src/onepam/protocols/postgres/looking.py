"""The gateway's own look at a target's catalogue, over the session's connection before its client is in."""

import asyncio
from functools import lru_cache
from struct import error

from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.catalogue import Catalogue, Row, catalogue, look
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.hiding import values
from onepam.protocols.postgres.masked_columns import outputs
from onepam.protocols.postgres.wire import HEAD, Malformed

LOOK_SECONDS = 30.0
MOST_BYTES = 32 * 1024 * 1024
"""What a target may say of its catalogue."""

_UNKNOWN = Refused(
    "target.refusing",
    "the target does not say which of its columns are masked",
    "an administrator looks whether it is a PostgreSQL of version 12 or newer",
)


async def look_up(leg: TargetLeg, columns: tuple[str, ...]) -> Catalogue | Refused:
    """Which columns of the target are masked. The leg is ready, and is so again."""
    answered: asyncio.Future[tuple[Row, ...] | None] = asyncio.get_running_loop().create_future()
    answer = _Answer(answered)
    leg.heard, leg.lost = answer.take, answer.lost
    early, leg.early = leg.early, b""
    leg.hold(False)
    if early:
        answer.take(early)
    if leg.is_closed():
        answer.lost()
    leg.send(wire.message(wire.QUERY, look(columns).encode() + b"\0"))
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            rows = await answered
        return _UNKNOWN if rows is None else _catalogue(rows)
    except (TimeoutError, ValueError, LookupError, TypeError, RecursionError):
        return _UNKNOWN
    finally:
        leg.hold(True)


@lru_cache(maxsize=8)
def _catalogue(rows: tuple[Row, ...]) -> Catalogue:
    """Sessions of one database share it. Raises what a reading of no such rows does."""
    return catalogue(rows, outputs)


class _Answer:
    """Takes the rows that answer one Query; None where they are none."""

    def __init__(self, answered: "asyncio.Future[tuple[Row, ...] | None]") -> None:
        self._answered, self._left, self._rest = answered, MOST_BYTES, bytearray()
        self._rows: list[Row] = []
        self._failed = False

    def lost(self) -> None:
        self._settle(None)

    def take(self, data: bytes) -> None:
        self._rest += data
        self._left -= len(data)
        offset = 0
        while len(self._rest) - offset >= HEAD.size and not self._answered.done():
            kind, length = HEAD.unpack_from(self._rest, offset)
            if self._left < 0 or length < 4:
                self._settle(None)
                return
            end = offset + 1 + length
            if end > len(self._rest):
                break
            self._message(kind, bytes(self._rest[offset + HEAD.size : end]))
            offset = end
        del self._rest[:offset]

    def _message(self, kind: int, body: bytes) -> None:
        if kind == wire.ROW:
            try:
                self._rows.append(tuple(None if each is None else each.decode() for each in values(body)))
            except (Malformed, UnicodeDecodeError, error):
                self._failed = True
        elif kind == wire.ERROR:
            self._failed = True
        elif kind == wire.READY:
            self._settle(None if self._failed else tuple(self._rows))

    def _settle(self, rows: tuple[Row, ...] | None) -> None:
        if not self._answered.done():
            self._answered.set_result(rows)
