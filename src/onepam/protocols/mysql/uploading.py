"""LOAD DATA LOCAL: a file that the target asks of the client, and which statements may have it asked (MySQL,
"Protocol::LOCAL INFILE Data"). The gateway opens no file: what the client sends goes on, and is counted."""

import re
from typing import Final

from onepam.protocols.mysql.exchange import Exchange
from onepam.protocols.mysql.wire import HEAD_BYTES, WHOLE, Malformed

_LOADS: Final = re.compile(
    r"(?<![\w$.@])load\s+(?:data|xml)\s+(?:(?:low_priority|concurrent)\s+)?local\b", re.IGNORECASE
)
_COMMENT: Final = re.compile(r"/\*(?:M?!\d*)?|\*/|#[^\n]*|--\s[^\n]*")


def loads(text: bytes) -> bool:
    """Whether a text loads a file of the client's. What is quoted may look so, which only lets its server ask; what
    hides it (in a text that EXECUTE runs) does not have the file asked for."""
    if b"local" not in text.lower():
        return False
    return _LOADS.search(_COMMENT.sub(" ", text.decode("latin-1"))) is not None


class Upload:
    """The client's side of it: packets, the last of which is empty."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._left = 0
        self._goes_on = False

    def go_on(self, waiting: bytearray) -> int:
        """Takes what is here of the next packet: how many bytes; 0 where more must come first."""
        return self._piece(waiting) if self._left else self._head(waiting)

    def _head(self, waiting: bytearray) -> int:
        exchange = self._exchange
        if len(waiting) < HEAD_BYTES:
            return 0
        if waiting[3] != exchange.said:
            raise Malformed("the client's packets are not in order")
        self._left = int.from_bytes(waiting[:3], "little")
        ends = not self._left and not self._goes_on
        self._goes_on = self._left == WHOLE
        exchange.sequence = exchange.said = (exchange.said + 1) & 0xFF
        exchange.step.to_target.append(bytes(waiting[:HEAD_BYTES]))
        if ends and exchange.owed is not None:
            exchange.owed.wanting = False
        return HEAD_BYTES

    def _piece(self, waiting: bytearray) -> int:
        owed = self._exchange.owed
        piece = bytes(waiting[: self._left])
        self._left -= len(piece)
        if owed is not None and owed.execution is not None:
            owed.execution.size += len(piece)
        if piece:
            self._exchange.step.to_target.append(piece)
        return len(piece)
