"""The client's side of a conversation: what it asks is taken apart, recorded, judged, and goes to the target."""

from collections.abc import Callable, Generator, Mapping
from typing import Final

from onepam.kernel.errors import Refused
from onepam.protocols.mysql import parameters, wire
from onepam.protocols.mysql.exchange import (
    MAX_KEPT_BYTES,
    MAX_PREPARED,
    NO_COMMAND,
    NO_KILL,
    NO_STATEMENT,
    NOT_ALLOWED,
    TOO_MANY,
    Answer,
    Exchange,
    Owed,
    Prepared,
    Statement,
)
from onepam.protocols.mysql.long import Fed, LongCommand
from onepam.protocols.mysql.texts import Texts, killed
from onepam.protocols.mysql.wire import HEAD_BYTES, Malformed
from onepam.protocols.sql.journal import LongText
from onepam.recording.statements import Form, Outcome, Parameter

HELD_BYTES: Final = 64 * 1024
"""So long may a command be that is read whole; of a longer one each piece goes on as it comes."""

MOST_WAITING: Final = 256 * 1024
"""What may wait here for the target's answer before no more is read from the client."""

LAST: Final = 0xFFFF_FFFF
"""In the place of a statement's number: the one that was prepared last (MariaDB, "COM_STMT_EXECUTE")."""

CURSOR: Final = 1
_TOLD: Final = {
    wire.FIELD_LIST: b"COM_FIELD_LIST ",
    wire.PROCESS_INFO: b"COM_PROCESS_INFO",
    wire.INIT_DB: b"COM_INIT_DB ",
}
_PLAIN: Final[Mapping[int, Answer]] = {
    wire.PING: Answer.SIMPLE, wire.STATISTICS: Answer.LINE, wire.SET_OPTION: Answer.SIMPLE,
}  # fmt: skip
_NOT_YOURS = Refused(
    "statement.kill", "KILL ends what is your own and came through this gateway, by the number that it was given here."
)
_UNKNOWN = "This statement was not prepared in this session."


class Asking:
    """Takes what the client sends."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._texts = Texts(exchange)
        self._waiting = bytearray()
        self._long: LongCommand | None = None
        self._asked: dict[int, Callable[[bytes, bytes], None]] = {
            wire.QUIT: self._quit, wire.QUERY: self._query, wire.PREPARE: self._prepare, wire.EXECUTE: self._execute,
            wire.LONG_DATA: self._ahead, wire.CLOSE: self._close, wire.RESET: self._reset, wire.FETCH: self._fetch,
            wire.PROCESS_KILL: self._kill, wire.RESET_CONNECTION: self._reset_connection,
            **dict.fromkeys(_TOLD, self._told), **dict.fromkeys(_PLAIN, self._plain),
        }  # fmt: skip

    @property
    def full(self) -> bool:
        """Whether nothing more should be read from the client."""
        return len(self._waiting) > MOST_WAITING

    def take(self, data: bytes) -> None:
        """Bytes of the client; none once the target has answered."""
        self._waiting += data
        exchange = self._exchange
        try:
            while not exchange.over and exchange.owed is None:
                taken = self._command() if self._long is None else self._long.go_on(self._waiting)
                if not taken:
                    break
                del self._waiting[: max(taken, 0)]
                if self._long is not None and self._long.over:
                    self._long = None
        except Malformed as fault:
            exchange.fail(str(fault), ours=True)

    def _command(self) -> int:
        """Takes the command that begins here: how many bytes, -1 for none yet of a long one; 0 where more must come."""
        data = self._waiting
        if len(data) <= HEAD_BYTES:
            return 0
        length, sequence, kind = int.from_bytes(data[:3], "little"), data[3], data[HEAD_BYTES]
        if sequence or not length:
            raise Malformed("this is no command of MySQL's protocol")
        if length > HELD_BYTES:
            self._long = LongCommand(self._exchange, self._sink(kind))
            return -1
        if len(data) < HEAD_BYTES + length:
            return 0
        self._exchange.sequence = self._exchange.said = 1
        payload, whole = bytes(data[HEAD_BYTES + 1 : HEAD_BYTES + length]), bytes(data[: HEAD_BYTES + length])
        asked = self._asked.get(kind)
        if asked is not None:
            asked(payload, whole)
        else:
            self._no_command(kind)
        return HEAD_BYTES + length

    def _sink(self, kind: int) -> "_Text | _TooLong | _Execution | _Ahead":
        """What reads a command that is too long to be read whole."""
        if kind in (wire.QUERY, wire.PREPARE):
            if self._exchange.allowance.classes is not None:
                return _TooLong(self, kind)
            return _Text(self, kind, self._texts.long())
        if kind == wire.EXECUTE:
            return _Execution(self)
        if kind == wire.LONG_DATA:
            return _Ahead(self)
        raise Malformed("this command is too long")

    # --- Statements --------------------------------------------------------------------------------------------------

    def _query(self, text: bytes, whole: bytes) -> None:
        statement, kill = self._texts.statement(text), killed(text)
        if kill is not None and statement.refusal is None:
            self._killed(statement, *kill)
        elif self.allows(statement, Form.SIMPLE):
            self.queried(statement)
            self._exchange.step.to_target.append(whole)

    def _prepare(self, text: bytes, whole: bytes) -> None:
        statement = self._texts.statement(text)
        if killed(text) is not None:
            self.refuse(statement, Form.EXTENDED, _NOT_YOURS, NO_KILL)
        elif self.has_room(statement) and self.allows(statement, Form.EXTENDED):
            self.prepared(statement)
            self._exchange.step.to_target.append(whole)

    def queried(self, statement: Statement) -> None:
        """A text runs now."""
        exchange = self._exchange
        exchange.owed = Owed(Answer.RESULTS, exchange.begin(statement, Form.SIMPLE))

    def prepared(self, statement: Statement) -> None:
        """A text is prepared now."""
        self._exchange.owed = Owed(Answer.PREPARED, statement=statement)

    def _execute(self, payload: bytes, whole: bytes) -> None:
        reading = _Execution(self)
        passes = reading.take(payload)
        reading.end()
        if passes:
            self._exchange.step.to_target.append(whole)

    def executed(self, prepared: Prepared, bound: tuple[Parameter, ...]) -> None:
        """A prepared statement runs now."""
        exchange = self._exchange
        exchange.close(prepared)
        exchange.forget(prepared)
        execution = exchange.begin(prepared.statement, Form.EXTENDED, bound)
        exchange.owed = Owed(Answer.RESULTS, execution, prepared)

    def _ahead(self, payload: bytes, whole: bytes) -> None:
        reading = _Ahead(self)
        if reading.take(payload):
            self._exchange.step.to_target.append(whole)

    def _fetch(self, payload: bytes, whole: bytes) -> None:
        exchange, prepared = self._exchange, self.find(wire.long(payload))
        if prepared is None or prepared.cursor is None:
            words = _UNKNOWN if prepared is None else "This statement has no more rows to fetch."
            exchange.error(exchange.said, NO_STATEMENT, words)
            return
        exchange.owed = Owed(Answer.ROWS, prepared.cursor, prepared, begun=True, described=True)
        exchange.step.to_target.append(whole)

    def _reset(self, payload: bytes, whole: bytes) -> None:
        exchange, prepared = self._exchange, self.find(wire.long(payload))
        if prepared is None:
            exchange.error(exchange.said, NO_STATEMENT, _UNKNOWN)
            return
        exchange.close(prepared)
        exchange.forget(prepared)
        exchange.owed = Owed(Answer.SIMPLE)
        exchange.step.to_target.append(whole)

    def _close(self, payload: bytes, whole: bytes) -> None:
        exchange, name = self._exchange, wire.long(payload)
        prepared = self.find(name)
        if prepared is not None:
            exchange.close(prepared)
            exchange.forget(prepared)
            del exchange.prepared[exchange.last if name == LAST and exchange.last is not None else name]
            exchange.step.to_target.append(whole)

    def find(self, name: int) -> Prepared | None:
        """The prepared statement of this number."""
        exchange = self._exchange
        if name == LAST:
            return exchange.prepared.get(exchange.last) if exchange.last is not None else None
        return exchange.prepared.get(name)

    # --- What is no statement ----------------------------------------------------------------------------------------

    def _told(self, payload: bytes, whole: bytes) -> None:
        """A command that is recorded by its name."""
        exchange, kind = self._exchange, whole[HEAD_BYTES]
        statement = self._texts.named(_TOLD[kind] + payload.rstrip(b"\0").replace(b"\0", b" "))
        answers = {wire.FIELD_LIST: Answer.FIELDS, wire.PROCESS_INFO: Answer.RESULTS}
        execution = exchange.begin(statement, Form.FUNCTION)
        exchange.owed = Owed(answers.get(kind, Answer.SIMPLE), execution, begun=kind == wire.FIELD_LIST)
        exchange.step.to_target.append(whole)

    def _plain(self, payload: bytes, whole: bytes) -> None:
        """A command that reads and changes nothing that is worth a word."""
        self._exchange.owed = Owed(_PLAIN[whole[HEAD_BYTES]])
        self._exchange.step.to_target.append(whole)

    def _reset_connection(self, payload: bytes, whole: bytes) -> None:
        exchange = self._exchange
        statement = self._texts.named(b"COM_RESET_CONNECTION")
        if exchange.allowance.classes is not None:  # it would lift the settings that the session began with
            self.refuse(statement, Form.FUNCTION, Refused("statement.reset", _NOT_UNDER_GUARDRAILS), NOT_ALLOWED)
            return
        for each in exchange.prepared.values():
            exchange.close(each)
            exchange.forget(each)
        exchange.prepared.clear()
        exchange.last = None
        exchange.owed = Owed(Answer.SIMPLE, exchange.begin(statement, Form.FUNCTION))
        exchange.step.to_target.append(whole)

    def _kill(self, payload: bytes, whole: bytes) -> None:
        thread = wire.long(payload)
        self._killed(self._texts.named(b"COM_PROCESS_KILL %d" % thread), thread, True, Form.FUNCTION)

    def _killed(self, statement: Statement, thread: int, whole: bool, form: Form = Form.SIMPLE) -> None:
        """It never goes to the target, where other people's sessions may have the same login."""
        exchange = self._exchange
        if not exchange.kill(thread, whole):
            self.refuse(statement, form, _NOT_YOURS, NO_KILL)
            return
        exchange.finish(exchange.begin(statement, form), Outcome.OK, "OK 0")
        exchange.step.to_client.append(wire.ok(exchange.said, exchange.status))

    def _no_command(self, kind: int) -> None:
        name = wire.REFUSED.get(kind, f"COM {kind}")
        refused = Refused("statement.command", f"{name} does not pass the gateway.")
        self.refuse(self._texts.named(name.encode()), Form.FUNCTION, refused, NO_COMMAND)

    def _quit(self, payload: bytes, whole: bytes) -> None:
        self._exchange.step.to_target.append(whole)
        self._exchange.over = True

    # --- Refusing ----------------------------------------------------------------------------------------------------

    def allows(self, statement: Statement, form: Form) -> bool:
        """Whether it may run; else it is refused, and that is recorded."""
        if statement.refusal is None:
            return True
        self.refuse(statement, form, statement.refusal, NOT_ALLOWED)
        return False

    def has_room(self, statement: Statement) -> bool:
        """Whether one more may be prepared; else that is refused."""
        if len(self._exchange.prepared) < MAX_PREPARED:
            return True
        self.refuse(statement, Form.EXTENDED, Refused("statement.many", _MANY), TOO_MANY)
        return False

    def refuse(self, statement: Statement, form: Form, refused: Refused, number: int) -> None:
        """The client hears why not; the target hears nothing."""
        self._exchange.refused(statement, form, refused)
        self._exchange.error(self._exchange.said, number, refused.message, refused.hint)

    def too_long(self, kind: int) -> None:
        """A text was too long to be judged."""
        self.allows(self._texts.too_long(), Form.SIMPLE if kind == wire.QUERY else Form.EXTENDED)

    def unknown(self) -> None:
        """A statement has a number that none has here."""
        self._exchange.error(self._exchange.said, NO_STATEMENT, _UNKNOWN)

    @property
    def exchange(self) -> Exchange:
        return self._exchange


_MANY = "This session has too many prepared statements."
_NOT_UNDER_GUARDRAILS = "This access does not allow a session to be reset: connect again instead."


class _Text:
    """A long text that goes on as it comes."""

    def __init__(self, asking: Asking, kind: int, text: LongText) -> None:
        self._asking, self._kind, self._text = asking, kind, text

    def take(self, piece: bytes) -> bool:
        self._text.take(piece)
        return True

    def end(self) -> None:
        self._text.end()
        statement = Statement(self._text.number)
        if self._kind == wire.QUERY:
            self._asking.queried(statement)
        else:
            self._asking.prepared(statement)


class _TooLong:
    """A long text that would have to be judged: nothing of it is read."""

    def __init__(self, asking: Asking, kind: int) -> None:
        self._asking, self._kind = asking, kind

    def take(self, piece: bytes) -> bool:
        return False

    def end(self) -> None:
        self._asking.too_long(self._kind)


class _Execution:
    """An execution of a prepared statement."""

    def __init__(self, asking: Asking) -> None:
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
        return self._prepared is not None

    def end(self) -> None:
        if not self._fed.done:
            raise Malformed("the parameters have no end")
        if self._prepared is None:
            self._asking.unknown()
        else:
            self._asking.executed(self._prepared, self._bound)


class _Ahead:
    """A part of a parameter that is sent ahead of the execution. Nobody answers it."""

    def __init__(self, asking: Asking) -> None:
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
