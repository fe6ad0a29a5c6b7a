"""The gateway's own questions to a server, over a connection of its own or before a session's client is in."""

import asyncio
from dataclasses import dataclass
from struct import error

from onepam.kernel.text import printable
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.catalogue import Row
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.hiding import values
from onepam.protocols.postgres.wire import HEAD, Malformed

MOST_BYTES = 32 * 1024 * 1024
"""What a target may say to one question."""

MOST_WORDS = 200
"""Of what it says of an error, in characters."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The server's error, or "" and why there is no answer."""

    sqlstate: str
    words: str


async def ask(leg: TargetLeg, text: str, seconds: float) -> tuple[Row, ...] | Failed:
    """The rows that answer a text (a Query), of all its statements together. The leg is ready, and is so again unless
    it failed without an SQLSTATE. Raises `TimeoutError`."""
    answered: asyncio.Future[tuple[Row, ...] | Failed] = asyncio.get_running_loop().create_future()
    answer = _Answer(answered)
    leg.heard, leg.lost = answer.take, answer.lost
    early, leg.early = leg.early, b""
    leg.hold(False)
    if early:
        answer.take(early)
    if leg.is_closed():
        answer.lost()
    leg.send(wire.message(wire.QUERY, text.encode() + b"\0"))
    try:
        async with asyncio.timeout(seconds):
            return await answered
    finally:
        leg.hold(True)


class _Answer:
    """Takes what answers one Query."""

    def __init__(self, answered: "asyncio.Future[tuple[Row, ...] | Failed]") -> None:
        self._answered, self._left, self._rest = answered, MOST_BYTES, bytearray()
        self._rows: list[Row] = []
        self._failed: Failed | None = None

    def lost(self) -> None:
        self._settle(Failed("", "the connection was lost"))

    def take(self, data: bytes) -> None:
        self._rest += data
        self._left -= len(data)
        offset = 0
        while len(self._rest) - offset >= HEAD.size and not self._answered.done():
            kind, length = HEAD.unpack_from(self._rest, offset)
            if self._left < 0 or length < 4:
                self._settle(Failed("", "the answer is none, or has no end"))
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
                self._failed = self._failed or Failed("", "a row cannot be read")
        elif kind == wire.ERROR:
            said = wire.fields(body)
            self._failed = self._failed or Failed(said.get("C", "XX000"), printable(said.get("M", ""), MOST_WORDS))
        elif kind == wire.READY:
            self._settle(self._failed or tuple(self._rows))

    def _settle(self, answer: tuple[Row, ...] | Failed) -> None:
        if not self._answered.done():
            self._answered.set_result(answer)
