"""The gateway's own questions to a server, over a connection of its own or before a session's client is in."""

import asyncio
from dataclasses import dataclass

from onepam.kernel.text import printable
from onepam.protocols.mysql import wire
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.mysql.hiding import values
from onepam.protocols.mysql.wire import HEAD_BYTES, WHOLE, Malformed

MOST_BYTES = 32 * 1024 * 1024
"""What a target may say to one question."""

MOST_WORDS = 200
"""Of what it says of an error, in characters."""

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The server's error, or number 0 and why there is no answer."""

    number: int
    words: str


async def ask(leg: TargetLeg, text: str, columns: int, seconds: float) -> tuple[Row, ...] | Failed:
    """The rows of so many columns that answer one statement; 0 for a statement that has none. The leg is ready, and is
    so again unless it failed with number 0. Raises `TimeoutError`."""
    answered: asyncio.Future[tuple[Row, ...] | Failed] = asyncio.get_running_loop().create_future()
    answer = _Answer(columns, answered)
    leg.heard, leg.lost = answer.take, answer.lost
    leg.hold(False)
    if leg.early or leg.is_closed():  # nobody has asked for anything
        answer.lost()
    leg.send(wire.packet(0, bytes((wire.QUERY,)) + text.encode()))
    try:
        async with asyncio.timeout(seconds):
            return await answered
    finally:
        leg.hold(True)


class _Answer:
    """Takes what answers one statement."""

    def __init__(self, columns: int, answered: "asyncio.Future[tuple[Row, ...] | Failed]") -> None:
        self._columns, self._answered = columns, answered
        self._left, self._rest = MOST_BYTES, bytearray()
        self._ends = self._packets = 0
        self._rows: list[Row] = []

    def lost(self) -> None:
        self._settle(Failed(0, "the connection was lost"))

    def take(self, data: bytes) -> None:
        self._rest += data
        self._left -= len(data)
        offset = 0
        while len(self._rest) - offset >= HEAD_BYTES and not self._answered.done():
            length = int.from_bytes(self._rest[offset : offset + 3], "little")
            end = offset + HEAD_BYTES + length
            if self._left < 0 or not 0 < length < WHOLE:
                self._settle(Failed(0, "the answer is none, or has no end"))
                break
            if end > len(self._rest):
                break
            try:
                self._packet(bytes(self._rest[offset + HEAD_BYTES : end]))
            except (Malformed, UnicodeDecodeError):
                self._settle(Failed(0, "the answer is none"))
            offset = end
        del self._rest[:offset]

    def _packet(self, payload: bytes) -> None:
        self._packets += 1
        if payload[0] == wire.ERROR:
            number, _, words = wire.error_of(payload)
            self._settle(Failed(number, printable(words, MOST_WORDS) or f"error {number}"))
        elif self._packets == 1:
            if payload[0] != self._columns:  # an OK begins with 0
                raise Malformed("the answer has other columns")
            if not self._columns:
                self._settle(())
        elif payload[0] == wire.EOF and len(payload) <= wire.MOST_EOF_BYTES:
            self._ends += 1
            if self._ends > 1:
                self._settle(tuple(self._rows))
        elif self._ends:
            row = tuple(None if each is None else each.decode() for each in values(payload, None))
            if len(row) != self._columns:
                raise Malformed("a row has other columns")
            self._rows.append(row)

    def _settle(self, said: "tuple[Row, ...] | Failed") -> None:
        if not self._answered.done():
            self._answered.set_result(said)
