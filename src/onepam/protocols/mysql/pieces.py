"""What reads commands that may be too long to be read whole: texts, executions, and parameters that are sent ahead."""

from collections.abc import Generator
from typing import TYPE_CHECKING

from onepam.protocols.mysql import parameters, wire
from onepam.protocols.mysql.exchange import MAX_KEPT_BYTES, Prepared, Statement
from onepam.protocols.mysql.long import Fed
from onepam.protocols.mysql.wire import Malformed
from onepam.protocols.sql.journal import LongText
from onepam.protocols.sql.masking import NOTHING
from onepam.recording.statements import Parameter

if TYPE_CHECKING:
    from onepam.protocols.mysql.asking import Asking


class Text:
    """A long text that goes on as it comes."""

    def __init__(self, asking: "Asking", kind: int, text: LongText) -> None:
        self._asking, self._kind, self._text = asking, kind, text

    def take(self, piece: bytes) -> bool:
        self._text.take(piece)
        return True

    def end(self) -> None:
        self._text.end()
        masked = self._text.masked or self._text.stops
        statement = Statement(self._text.number, shown=NOTHING if masked else None, masked=masked)
        if self._kind == wire.QUERY:
            self._asking.queried(statement)
        else:
            self._asking.prepared(statement)


class TooLong:
    """A long text that would have to be judged: nothing of it is read."""

    def __init__(self, asking: "Asking", kind: int) -> None:
        self._asking, self._kind = asking, kind

    def take(self, piece: bytes) -> bool:
        return False

    def end(self) -> None:
        self._asking.too_long(self._kind)


class Executed:
    """An execution of a prepared statement."""

    def __init__(self, asking: "Asking") -> None:
        self._asking = asking
        self._prepared: Prepared | None = None
        self._bound: tuple[Parameter, ...] = ()
        self._fed = Fed(self._read())

    def _read(self) -> Generator[int, bytes, None]:
        head = yield 9
        prepared = self._prepared = self._asking.find(wire.long(head))
        if prepared is not None:
            most = self._asking.exchange.allowance.parameter
            found = yield from parameters.reader(prepared.parameters, prepared.types, prepared.ahead, most)
            prepared.types, self._bound = found

    def take(self, piece: bytes) -> bool:
        self._fed.take(piece)
        return self._prepared is not None and not self._prepared.statement.asks

    def read(self) -> tuple[Prepared, tuple[Parameter, ...]] | None:
        """What runs, once all of it is here; None, and the client has heard so, for what has a number that none has."""
        if not self._fed.done:
            raise Malformed("the parameters have no end")
        if self._prepared is None:
            self._asking.unknown()
            return None
        return self._prepared, self._bound

    def end(self) -> None:
        found = self.read()
        if found is not None:
            self._asking.executed(*found)


class Ahead:
    """A part of a parameter that is sent ahead of the execution. Nobody answers it."""

    def __init__(self, asking: "Asking") -> None:
        self._asking = asking
        self._prepared: Prepared | None = None
        self._parameter = -1

    def take(self, piece: bytes) -> bool:
        if self._parameter < 0:
            if len(piece) < 6:
                raise Malformed("a part of a parameter is too short")
            self._prepared = self._asking.find(wire.long(piece))
            self._parameter, piece = int.from_bytes(piece[4:6], "little"), piece[6:]
        prepared = self._prepared
        if prepared is None or self._parameter >= prepared.parameters:
            return False
        self._keep(prepared, piece)
        return True

    def _keep(self, prepared: Prepared, piece: bytes) -> None:
        """As much as is kept of a parameter; of more the size."""
        exchange = self._asking.exchange
        before = prepared.ahead.get(self._parameter)
        if before is None:
            before = prepared.ahead[self._parameter] = bytearray()
        if isinstance(before, int):
            prepared.ahead[self._parameter] = before + len(piece)
        elif len(before) + len(piece) > exchange.allowance.parameter or exchange.kept + len(piece) > MAX_KEPT_BYTES:
            exchange.kept -= len(before)
            prepared.ahead[self._parameter] = len(before) + len(piece)
        else:
            before += piece
            exchange.kept += len(piece)

    def end(self) -> None:
        pass
