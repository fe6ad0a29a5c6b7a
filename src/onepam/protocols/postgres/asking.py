"""What the client asks: its messages, judged, recorded and passed on, or refused in its own protocol's words."""

from collections.abc import Callable
from typing import Final

from onepam.kernel.errors import Refused
from onepam.protocols.postgres import binding, wire
from onepam.protocols.postgres.exchange import Exchange, Execution, Portal, Prepared, Statement
from onepam.protocols.postgres.holding import Holding
from onepam.protocols.postgres.refusing import NOBODYS, NOT_ALLOWED, UNKNOWN_PORTAL
from onepam.protocols.postgres.texts import TextReader, Texts
from onepam.protocols.postgres.wire import HEAD, Malformed
from onepam.protocols.sql.conversation import AT_ONCE_BYTES
from onepam.recording.statements import Form, Outcome, Parameter

HELD_BYTES = 256 * 1024
"""Longest message that is read whole; a longer one is read and passed on in pieces, or refused where it is judged."""

PIECE = 64 * 1024

_BY_NUMBER: Final = wire.error(NOT_ALLOWED, "this access does not allow calls of functions by number.")

MOST_BEHIND: Final = 64 * 1024
"""Bytes behind an execution that waits, before no more is read: a client that goes away is seen until then."""

_LOST: Final = Refused("statement.portal", "this portal was not bound in this session, or SQL took its name.")
_LARGE: Final = (Parameter(0),)
"""Stands for parameters that are too large to be read whole."""

_TEXTS: Final = frozenset((wire.QUERY, wire.PARSE))
_DURING_COPY: Final = frozenset((wire.COPY_DONE, wire.COPY_FAIL, wire.SYNC, wire.FLUSH, wire.TERMINATE))


class Asking(Holding):
    """The client's direction."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self.texts = Texts(exchange)
        self._held = bytearray()
        self._needed = 0
        self._left = 0
        self._passes = False
        self._kind = 0
        self._head = b""
        self._reader: TextReader | binding.Reader | None = None
        self._last: Execution | None = None
        self._asked: dict[int, Callable[[bytes, bytes], None]] = {
            wire.QUERY: self._query,
            wire.PARSE: self._parse,
            wire.BIND: self._bind,
            wire.DESCRIBE: self._describe,
            wire.EXECUTE: self._execute,
            wire.CLOSE: self._close,
            wire.SYNC: self._sync,
            wire.FLUSH: self._flush,
            wire.FUNCTION: self._function,
            wire.TERMINATE: self._terminate,
            wire.COPY_DONE: self._copied,
            wire.COPY_FAIL: self._copied,
        }

    @property
    def waits(self) -> bool:
        """Whether an execution waits for somebody's yes."""
        return self._exchange.waiting is not None

    @property
    def behind(self) -> int:
        """Bytes behind what waits, or is read beside the loop."""
        return len(self._held) if self.waits or self._exchange.reading is not None else 0

    def take(self, data: bytes) -> None:
        """The next bytes from the client. Behind an execution that waits, or a text that is read, they wait, too."""
        exchange = self._exchange
        if exchange.waiting is not None or exchange.reading is not None:
            self._held += data
            return
        self.texts.spent = 0
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        offset, size = 0, len(data)
        try:
            while 0 <= offset < size and not exchange.over:
                offset = self._go_on(data, offset) if self._left else self._message(data, offset)
                if offset >= 0 and self.waits:
                    offset = self._hold(data, offset, 0)
        except Malformed as fault:
            exchange.fail(str(fault))

    def _hold(self, data: bytes, offset: int, needed: int) -> int:
        """Wait until there are so many bytes from here."""
        self._held += data[offset:]
        self._needed = needed
        return -1

    def _message(self, data: bytes, offset: int) -> int:
        """Take the message that begins here, or a part of it: where to go on, negative when more bytes must come."""
        exchange = self._exchange
        if len(data) - offset < HEAD.size:
            return self._hold(data, offset, HEAD.size)
        kind: int
        length: int
        kind, length = HEAD.unpack_from(data, offset)
        if not 4 <= length <= wire.CLIENT.get(kind, 0):
            raise Malformed("the client sent what is no message, or one that is too long")
        if kind == wire.DATA:
            return self._data(data, offset)
        if exchange.copying is not None and kind not in _DURING_COPY:
            raise Malformed("the client asked for something else in the middle of a COPY")
        if length > HELD_BYTES:
            self._begin(kind, length - 4, data[offset : offset + HEAD.size])
            return offset + HEAD.size
        end = offset + 1 + length
        if end > len(data):
            return self._hold(data, offset, 1 + length)
        if exchange.skipping:
            self._skip()
        elif kind in _TEXTS and self._reads_first(kind, data[offset + HEAD.size : end]):
            return self._hold(data, offset, 0)
        if not exchange.skipping or kind in (wire.SYNC, wire.TERMINATE):
            self._asked[kind](data[offset + HEAD.size : end], data[offset:end])
        return end

    def _reads_first(self, kind: int, body: bytes) -> bool:
        """Whether the text of a message is read beside the loop before the message is taken. Raises `Malformed`."""
        if self.texts.spent + len(body) <= AT_ONCE_BYTES:
            return False
        text = wire.query(body) if kind == wire.QUERY else wire.parse(body)[1]
        reads = self.texts.reads(text)
        if reads:
            self._exchange.reading = text
        return reads

    def _judges(self, kind: int) -> bool:
        return self._exchange.allowance.classes is not None and kind in (wire.QUERY, wire.PARSE)

    def _data(self, data: bytes, offset: int) -> int:
        """A run of CopyData: so much of it as is here passes, without a look at more than its headers."""
        start, size = offset, len(data)
        offset, count = wire.run(data, offset, wire.DATA, size)
        if self._last is not None:
            self._last.size += offset - start - HEAD.size * count
        self._passes = not self._exchange.skipping
        if offset > size:
            self._left, self._reader, offset = offset - size, None, size
        if self._passes:
            self._release()
            self._exchange.step.to_target.append(wire.part(data, start, offset))
        return offset

    # --- Long messages, in pieces ------------------------------------------------------------------------------------

    def _begin(self, kind: int, size: int, head: bytes) -> None:
        """A message of so many bytes that it is not read whole. What is refused of it is not read at all."""
        exchange = self._exchange
        self._left, self._kind, self._head, self._reader, self._passes = size, kind, head, None, False
        if exchange.skipping:
            return
        if self._judges(kind):
            self._allows(self.texts.too_long(), Form.SIMPLE if kind == wire.QUERY else Form.EXTENDED)
        elif kind == wire.FUNCTION and exchange.allowance.classes is not None:
            self._refuse_and_ready(_BY_NUMBER)
        elif kind in (wire.BIND, wire.FUNCTION):
            self._reader = binding.Reader(exchange.allowance.parameter, function=kind == wire.FUNCTION)
        else:
            self._reader = self.texts.reader(named=kind == wire.PARSE)

    def _go_on(self, data: bytes, offset: int) -> int:
        """The next part of a message that is not read whole: of one that is recorded, in pieces of one size."""
        reader = self._reader
        taken = min(PIECE if reader else len(data) - offset, self._left)
        if len(data) - offset < taken:
            return self._hold(data, offset, taken)
        piece = data[offset : offset + taken]
        self._left -= taken
        if reader is not None:
            reader.take(piece)
            self._passes = not self._head or self._admitted(reader)
            if self._passes and not self._left:
                self._ended(reader)
        if self._passes:
            self._release()
            self._exchange.step.to_target += (self._head, piece) if self._head else (piece,)
        else:
            self._reader = None
        self._head = b""
        return offset + taken

    def _admitted(self, reader: "TextReader | binding.Reader") -> bool:
        """Whether a message goes to the target, of which the names are read."""
        if self._exchange.skipping:
            return False
        if isinstance(reader, TextReader):
            return self._kind == wire.QUERY or self._has_room(self._exchange.statements, reader.name)
        return reader.statement is None or (
            self._knows(reader.statement)
            and self._has_room(self._exchange.portals, reader.portal)
            and self._asks_once(reader.portal, _LARGE)
        )

    def _ended(self, reader: "TextReader | binding.Reader") -> None:
        """Its last piece is here; what the target skips meanwhile it does not do."""
        if isinstance(reader, TextReader):
            reader.end()
        elif reader.bound is None:
            raise Malformed("the parameters have no end")
        if self._exchange.skipping:
            return
        if isinstance(reader, binding.Reader):
            assert reader.bound is not None
            if self._kind == wire.BIND:
                self._bound(reader.bound)
            else:
                self._called(reader.bound)
        elif self._kind == wire.QUERY:
            self._queried(reader.statement)
        else:
            self._prepared(reader.name, reader.statement)

    # --- Statements --------------------------------------------------------------------------------------------------

    def _query(self, body: bytes, whole: bytes) -> None:
        statement = self.texts.statement(wire.query(body))
        if self._allows(statement, Form.SIMPLE):
            if statement.asks:
                execution = self._exchange.begin(statement, _form(statement, Form.SIMPLE))
                self._wait(execution, statement, (), whole, None)
                return
            self._queried(statement)
            self._pass(whole)

    def _queried(self, statement: Statement, execution: Execution | None = None) -> None:
        self._last = execution or self._exchange.begin(statement, _form(statement, Form.SIMPLE))
        self._owe(wire.QUERY, execution=self._last, first=True)
        self._exchange.asked(self._last, statement)
        self._end_batch()

    def _parse(self, body: bytes, whole: bytes) -> None:
        name, text = wire.parse(body)
        name = binding.cut_name(name)
        if self._has_room(self._exchange.statements, name):
            statement = self.texts.statement(text)
            if self._allows(statement, Form.EXTENDED) and self._keeps(statement):
                self._prepared(name, statement)
                self._pass_or_hold(whole, asks=bool(statement.asks))

    def _prepared(self, name: bytes, statement: Statement) -> None:
        names = self._exchange.statements
        after = Prepared(statement, self._exchange.turn)
        self._owe(wire.PARSE, name=(False, name), before=names.get(name), after=after)
        names[name] = after

    def _bind(self, body: bytes, whole: bytes) -> None:
        bound = binding.read(body, self._exchange.allowance.parameter)
        if (
            self._knows(bound.statement)
            and self._has_room(self._exchange.portals, bound.portal)
            and self._asks_once(bound.portal, bound.parameters)
        ):
            self._bound(bound)
            self._pass_or_hold(whole, asks=bool(self._known.statement.asks))

    def _bound(self, bound: binding.Bound) -> None:
        exchange = self._exchange
        before = exchange.portals.pop(bound.portal, None)
        if before is not None:
            before.parameters = ()
        portal = Portal.of(self._known, bound.parameters, exchange)
        if bound.portal:
            portal.execution = self._begun(portal)
        name = (True, bound.portal)
        self._owe(wire.BIND, execution=portal.execution, first=True, name=name, before=before, after=portal)
        exchange.portals[bound.portal] = portal  # behind those of former batches

    def _begun(self, portal: Portal) -> Execution:
        """Its execution is recorded, with its parameters."""
        form = _form(portal.statement, Form.EXTENDED)
        parameters, portal.parameters = portal.parameters, ()
        return self._exchange.begin(portal.statement, form, parameters)

    def _execute(self, body: bytes, whole: bytes) -> None:
        exchange = self._exchange
        name, _ = wire.execute(body)
        portal = exchange.portals.get(binding.cut_name(name))
        if portal is None or not exchange.known(portal) or portal.batch <= exchange.ended:
            self._refuse(wire.error(UNKNOWN_PORTAL, _LOST.message))
            return
        first = portal.execution is None
        if first and portal.statement.asks:
            parameters = portal.parameters
            self._wait(self._begun(portal), portal.statement, parameters, whole, portal)
            return
        self._executed(portal, portal.execution or self._begun(portal), whole, first=first)

    def _executed(self, portal: Portal, execution: Execution, whole: bytes, *, first: bool) -> None:
        exchange = self._exchange
        portal.execution = execution
        self._last, self._ran = portal.execution, True
        self._owe(wire.EXECUTE, execution=portal.execution, portal=portal, first=first)
        exchange.asked(portal.execution, portal.statement)
        self._pass(whole)

    def _function(self, body: bytes, whole: bytes) -> None:
        if self._exchange.allowance.classes is not None:
            self._refuse_and_ready(_BY_NUMBER)
            return
        self._called(binding.read(body, self._exchange.allowance.parameter, function=True))
        self._pass(whole)

    def _called(self, bound: binding.Bound) -> None:
        statement = self.texts.function(bound.function)
        self._last = self._exchange.begin(statement, Form.FUNCTION, bound.parameters)
        self._owe(wire.FUNCTION, execution=self._last, first=True)
        self._end_batch()

    # --- What runs nothing -------------------------------------------------------------------------------------------

    def _describe(self, body: bytes, whole: bytes) -> None:
        """Also of names that we have not heard of: SQL makes some, and a description does nothing."""
        self._owe(wire.DESCRIBE, after=self._exchange.named(*wire.named(body)))
        self._pass_or_hold(whole, asks=False)

    def _close(self, body: bytes, whole: bytes) -> None:
        of_portal, name = wire.named(body)
        name, exchange = binding.cut_name(name), self._exchange
        before: Prepared | Portal | None
        after: Prepared | Portal | None = None
        if of_portal:
            before = exchange.portals.pop(name, None)
            if before is not None:
                after = exchange.portals[name] = Portal(NOBODYS, (), exchange.batch, exchange.turn, gone=True)
        else:
            before = exchange.statements.get(name)
            if before is not None:
                after = exchange.statements[name] = Prepared(NOBODYS, exchange.turn, gone=True)
        self._owe(wire.CLOSE, name=(of_portal, name), before=before, after=after)
        self._pass_or_hold(whole, asks=False)

    def _sync(self, body: bytes, whole: bytes) -> None:
        exchange = self._exchange
        if exchange.copying is not None:  # a server ignores it there; whether it still is there we cannot know
            exchange.swallowed = True
            return
        exchange.skipping = False
        self._owe(wire.SYNC)
        self._end_batch()
        self._pass(whole)

    def _flush(self, body: bytes, whole: bytes) -> None:
        self._pass(whole)

    def _copied(self, body: bytes, whole: bytes) -> None:
        if self._exchange.copying is None:
            self._owe(wire.COPY_DONE)
        self._exchange.copying = None
        self._pass(whole)
        self._exchange.speak()

    def _terminate(self, body: bytes, whole: bytes) -> None:
        self._pass(whole)
        self._exchange.over = True

    # --- What waits for somebody's yes -------------------------------------------------------------------------------

    def decided(self, sqlstate: str, refused: Refused | None) -> None:
        """What waits runs, or is refused. What the target skips does neither."""
        exchange, waiting = self._exchange, self._exchange.waiting
        if waiting is None:
            return
        exchange.waiting = None
        portal = waiting.portal
        if portal is not None and not exchange.known(portal):
            sqlstate, refused = UNKNOWN_PORTAL, refused or _LOST
        if exchange.skipping or exchange.over:
            self._skip()
            exchange.finish(waiting.execution, Outcome.UNFINISHED, "skipped after an error")
        elif refused is not None:
            self._forget()
            exchange.finish(waiting.execution, Outcome.REFUSED, refused.message)
            exchange.settle()
            words = wire.error(sqlstate, refused.message, refused.hint)
            (self._refuse_and_ready if portal is None else self._refuse)(words)
        elif portal is None:
            self._queried(waiting.statement, waiting.execution)
            self._pass(waiting.whole)
        else:
            self._executed(portal, waiting.execution, waiting.whole, first=True)
            portal = None
        if portal is not None:  # its parameters were shown once
            portal.gone = True
        self.take(b"")


def _form(statement: Statement, form: Form) -> Form:
    return Form.COPY if statement.copies else form
