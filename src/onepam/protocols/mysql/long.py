"""Commands that are too long to be read whole: each piece goes on as it comes, and the last one once what the command
does is recorded."""

from collections.abc import Generator
from typing import Final, Protocol

from onepam.protocols.mysql import wire
from onepam.protocols.mysql.exchange import Exchange
from onepam.protocols.mysql.wire import HEAD_BYTES, WHOLE, Malformed

PIECE: Final = 64 * 1024


class Sink(Protocol):
    """What a command's payload, without its first byte, is read by."""

    def take(self, piece: bytes) -> bool:
        """The next bytes; whether the target may have them. No first piece is shorter than a command's head. Raises
        `Malformed`."""

    def end(self) -> None:
        """That was all. What follows is recorded, and either the target owes an answer or the client has one. Raises
        `Malformed`."""


class LongCommand:
    """One command, in packets."""

    def __init__(self, exchange: Exchange, sink: Sink) -> None:
        self._exchange, self._sink = exchange, sink
        self._sequence, self._left, self._size = 0, -1, 0
        self._goes_on = True
        self._head = b""
        self.over = False

    def go_on(self, waiting: bytearray) -> int:
        """Takes a piece of what is here: how many bytes; 0 where more must come first."""
        if self._left < 0:
            return self._packet(waiting)
        taken = min(self._left, len(waiting), PIECE)
        if taken < min(self._left, PIECE):
            return 0
        piece = bytes(waiting[:taken])
        self._left -= taken
        passes = self._sink.take(piece[1:] if self._size == 0 else piece)
        self._size += taken
        if self._size > wire.MOST_COMMAND_BYTES:
            raise Malformed("this command is too long")
        ends = not self._left and not self._goes_on
        if not self._left:
            self._left = -1
        if ends:
            self.over = True
            self._exchange.sequence = self._exchange.said = self._sequence & 0xFF
            self._sink.end()
        if passes:
            self._exchange.step.to_target += (self._head, piece) if self._head else (piece,)
        self._head = b""
        return taken

    def _packet(self, waiting: bytearray) -> int:
        """The header of its next packet, which goes on with what follows it."""
        if len(waiting) < HEAD_BYTES:
            return 0
        if waiting[3] != self._sequence & 0xFF:
            raise Malformed("the client's packets are not in order")
        self._left = int.from_bytes(waiting[:3], "little")
        self._goes_on = self._left == WHOLE
        self._sequence += 1
        self._head += bytes(waiting[:HEAD_BYTES])
        if not self._left:
            self._finish_empty()
        return HEAD_BYTES

    def _finish_empty(self) -> None:
        """The last packet is empty, where the payload is a multiple of 2^24-1 bytes."""
        self._left, self.over = -1, True
        self._exchange.sequence = self._exchange.said = self._sequence & 0xFF
        self._sink.end()
        if self._sink.take(b""):
            self._exchange.step.to_target.append(self._head)


class Fed:
    """A generator that asks for bytes (or, with a negative number, for as many to be passed over), fed in pieces."""

    def __init__(self, reading: Generator[int, bytes, None]) -> None:
        self._reading = reading
        self._held = bytearray()
        self._wanted: int | None = next(reading)

    @property
    def done(self) -> bool:
        """Whether it asks for nothing more."""
        return self._wanted is None

    def take(self, piece: bytes) -> None:
        """The next bytes; those that nobody asks for are dropped."""
        held = self._held
        held += piece
        while self._wanted is not None:
            if self._wanted < 0:
                passed = min(-self._wanted, len(held))
                del held[:passed]
                self._wanted += passed
                if self._wanted:
                    return
            elif len(held) < self._wanted:
                return
            self._ask(bytes(held[: self._wanted]))
        held.clear()

    def _ask(self, given: bytes) -> None:
        try:
            del self._held[: len(given)]
            self._wanted = self._reading.send(given)
        except StopIteration:
            self._wanted = None
