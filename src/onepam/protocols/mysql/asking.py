"""The client's side of a conversation: what it asks is taken apart, recorded, judged, and goes to the target."""

from collections.abc import Callable, Mapping
from typing import Final

from onepam.domain.access.guardrails import StatementClass
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import wire
from onepam.protocols.mysql.exchange import (
    MAX_PREPARED,
    NO_COMMAND,
    NO_KILL,
    NO_STATEMENT,
    NOT_ALLOWED,
    TOO_MANY,
    Answer,
    Exchange,
    Execution,
    Looked,
    Owed,
    Prepared,
    Statement,
    Waiting,
)
from onepam.protocols.mysql.executable import some
from onepam.protocols.mysql.long import LongCommand
from onepam.protocols.mysql.pieces import Ahead, Executed, Text, TooLong
from onepam.protocols.mysql.texts import Texts
from onepam.protocols.mysql.uploading import Upload
from onepam.protocols.mysql.wire import HEAD_BYTES, Malformed
from onepam.protocols.sql.conversation import AT_ONCE_BYTES
from onepam.recording.statements import Form, Outcome, Parameter

HELD_BYTES: Final = 64 * 1024
"""So long may a command be that is read whole; of a longer one each piece goes on as it comes."""

MOST_WAITING: Final = 256 * 1024
"""What may wait here for the target's answer before no more is read from the client."""

MOST_BEHIND: Final = 64 * 1024
"""Bytes behind an execution that waits, before no more is read: a client that goes away is seen until then."""

MOST_KEPT: Final = 1024 * 1024
"""Bytes of texts that ask first which a session keeps prepared."""

LAST: Final = 0xFFFF_FFFF
"""In the place of a statement's number: the one that was prepared last (MariaDB, "COM_STMT_EXECUTE")."""

CURSOR: Final = 1
_TOLD: Final = {
    wire.FIELD_LIST: (b"COM_FIELD_LIST ", StatementClass.READ),
    wire.PROCESS_INFO: (b"COM_PROCESS_INFO", StatementClass.READ),
    wire.INIT_DB: (b"COM_INIT_DB ", StatementClass.OTHER),
}
"""Commands that are recorded by a name, and what they do."""

_PLAIN: Final[Mapping[int, Answer]] = {
    wire.PING: Answer.SIMPLE, wire.STATISTICS: Answer.LINE,
}  # fmt: skip
_TEXTS: Final = frozenset((wire.QUERY, wire.PREPARE))
_NOT_YOURS = Refused(
    "statement.kill",
    "KILL ends what is your own and came through this gateway, by the number that it was given here or at this target.",
)
_LARGE = Refused(
    "statement.too_long", "this statement asks first, and its parameters are too large to be shown to whoever decides."
)
_UNKNOWN = "This statement was not prepared in this session."


class Asking:
    """Takes what the client sends."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._texts = Texts(exchange)
        self._waiting = bytearray()
        self._long: LongCommand | None = None
        self._upload = Upload(exchange)
        self._asked: dict[int, Callable[[bytes, bytes], None]] = {
            wire.QUIT: self._quit, wire.QUERY: self._query, wire.PREPARE: self._prepare, wire.EXECUTE: self._execute,
            wire.LONG_DATA: self._ahead, wire.CLOSE: self._close, wire.RESET: self._reset, wire.FETCH: self._fetch,
            wire.PROCESS_KILL: self._kill, wire.RESET_CONNECTION: self._reset_connection,
            wire.SET_OPTION: self._several,
            **dict.fromkeys(_TOLD, self._told), **dict.fromkeys(_PLAIN, self._plain),
        }  # fmt: skip

    @property
    def full(self) -> bool:
        """Whether nothing more should be read from the client."""
        most = MOST_WAITING if self._exchange.waiting is None else MOST_BEHIND
        return len(self._waiting) > most

    def take(self, data: bytes) -> None:
        """Bytes of the client; none once the target has answered."""
        self._waiting += data
        exchange = self._exchange
        try:
            while not exchange.over and exchange.waiting is None and exchange.reading is None:
                if exchange.owed is None:
                    taken = self._command() if self._long is None else self._long.go_on(self._waiting)
                elif exchange.owed.wanting:
                    taken = self._upload.go_on(self._waiting)
                else:
                    break
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
        if len(data) < HEAD_BYTES:
            return 0
        length, sequence = int.from_bytes(data[:3], "little"), data[3]
        if sequence or not length:
            raise Malformed("this is no command of MySQL's protocol")
        if len(data) == HEAD_BYTES:
            return 0
        kind = data[HEAD_BYTES]
        if length > HELD_BYTES:
            self._long = LongCommand(self._exchange, self._sink(kind))
            return -1
        if len(data) < HEAD_BYTES + length:
            return 0
        if kind in _TEXTS and self._reads_first(bytes(data[HEAD_BYTES + 1 : HEAD_BYTES + length])):
            return 0
        self._exchange.sequence = self._exchange.said = 1
        payload, whole = bytes(data[HEAD_BYTES + 1 : HEAD_BYTES + length]), bytes(data[: HEAD_BYTES + length])
        asked = self._asked.get(kind)
        if asked is not None:
            asked(payload, whole)
        else:
            self._no_command(kind)
        return HEAD_BYTES + length

    def look(self, text: bytes) -> Looked:
        """What a text is that is `reading`, found beside the loop."""
        return self._texts.look(text)

    def _reads_first(self, text: bytes) -> bool:
        """Whether a text is read beside the loop before it is taken: a long one, and one that is read as several."""
        exchange = self._exchange
        short = len(text) <= AT_ONCE_BYTES and not some(text)
        if short or not self._texts.reads(text) or (exchange.read is not None and exchange.read.text == text):
            return False
        exchange.reading = text
        return True

    def _sink(self, kind: int) -> "Text | TooLong | Executed | Ahead":
        """What reads a command that is too long to be read whole."""
        if kind in (wire.QUERY, wire.PREPARE):
            if self._exchange.allowance.classes is not None:
                return TooLong(self, kind)
            return Text(self, kind, self._texts.long())
        if kind == wire.EXECUTE:
            return Executed(self)
        if kind == wire.LONG_DATA:
            return Ahead(self)
        raise Malformed("this command is too long")

    # --- Statements --------------------------------------------------------------------------------------------------

    def _query(self, text: bytes, whole: bytes) -> None:
        statement = self._texts.statement(text)
        kill = statement.kills
        if kill is not None and statement.refusal is None:
            self._killed(statement, *kill)
        elif self.allows(statement, Form.SIMPLE):
            execution = self._exchange.begin(statement, Form.SIMPLE)
            if statement.asks:
                self._exchange.waiting = Waiting(execution, statement, (), whole)
            else:
                self._run(execution, None, whole)

    def _prepare(self, text: bytes, whole: bytes) -> None:
        statement = self._texts.statement(text)
        if statement.kills is not None:
            self.refuse(statement, Form.EXTENDED, _NOT_YOURS, NO_KILL)
        elif self.has_room(statement) and self.allows(statement, Form.EXTENDED) and self._keeps(statement):
            self.prepared(statement)
            self._exchange.step.to_target.append(whole)

    def queried(self, statement: Statement) -> None:
        """A text runs now."""
        exchange = self._exchange
        exchange.owed = Owed(Answer.RESULTS, exchange.begin(statement, Form.SIMPLE))

    def prepared(self, statement: Statement) -> None:
        """A text is prepared now."""
        self._exchange.owed = Owed(Answer.PREPARED, statement=statement)

    def _run(self, execution: Execution, prepared: Prepared | None, whole: bytes) -> None:
        """An execution that is recorded goes to the target now."""
        self._exchange.owed = Owed(Answer.RESULTS, execution, prepared)
        self._exchange.step.to_target.append(whole)

    def _execute(self, payload: bytes, whole: bytes) -> None:
        reading = Executed(self)
        reading.take(payload)
        found = reading.read()
        if found is None:
            return
        prepared, bound = found
        statement = prepared.statement
        if any(isinstance(each.value, int) for each in bound) and not self._shows(prepared):
            return
        execution = self._began(prepared, bound)
        if statement.asks:
            self._exchange.waiting = Waiting(execution, statement, bound, whole, prepared)
        else:
            self._run(execution, prepared, whole)

    def executed(self, prepared: Prepared, bound: tuple[Parameter, ...]) -> None:
        """A prepared statement runs now, of which the command was too long to be read whole."""
        if self._shows(prepared):
            self._exchange.owed = Owed(Answer.RESULTS, self._began(prepared, bound), prepared)

    def _shows(self, prepared: Prepared) -> bool:
        """Whether it may run with parameters of which some are not kept; else that is refused."""
        if prepared.statement.asks:
            self.refuse(prepared.statement, Form.EXTENDED, _LARGE, TOO_MANY)
        return not prepared.statement.asks

    def _began(self, prepared: Prepared, bound: tuple[Parameter, ...]) -> Execution:
        exchange = self._exchange
        exchange.close(prepared)
        exchange.forget(prepared)
        return exchange.begin(prepared.statement, Form.EXTENDED, bound)

    def decided(self, number: int, refused: Refused | None) -> None:
        """What waits runs, or is refused; `number` is that of the error."""
        exchange, waiting = self._exchange, self._exchange.waiting
        if waiting is None:
            return
        exchange.waiting = None
        if refused is None:
            self._run(waiting.execution, waiting.prepared, waiting.whole)
            return
        exchange.finish(waiting.execution, Outcome.REFUSED, refused.message)
        exchange.error(exchange.said, number, refused.message, refused.hint)
        self.take(b"")

    def _ahead(self, payload: bytes, whole: bytes) -> None:
        reading = Ahead(self)
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
        name, does = _TOLD[kind]
        statement = self._texts.named(name + payload.rstrip(b"\0").replace(b"\0", b" "), does)
        if not self.allows(statement, Form.FUNCTION):
            return
        answers = {wire.FIELD_LIST: Answer.FIELDS, wire.PROCESS_INFO: Answer.RESULTS}
        execution = exchange.begin(statement, Form.FUNCTION)
        exchange.owed = Owed(answers.get(kind, Answer.SIMPLE), execution, begun=kind == wire.FIELD_LIST)
        exchange.step.to_target.append(whole)

    def _plain(self, payload: bytes, whole: bytes) -> None:
        """A command that reads and changes nothing that is worth a word."""
        self._exchange.owed = Owed(_PLAIN[whole[HEAD_BYTES]])
        self._exchange.step.to_target.append(whole)

    def _several(self, payload: bytes, whole: bytes) -> None:
        """Whether a text may have several statements (MySQL, "COM_SET_OPTION")."""
        exchange = self._exchange
        if exchange.allowance.classes is not None and StatementClass.SEVERAL not in exchange.allowance.classes:
            statement = self._texts.named(b"COM_SET_OPTION", StatementClass.SEVERAL)
            self.allows(statement, Form.FUNCTION)
            return
        exchange.owed = Owed(Answer.SIMPLE)
        exchange.step.to_target.append(whole)

    def _reset_connection(self, payload: bytes, whole: bytes) -> None:
        exchange = self._exchange
        statement = self._texts.named(b"COM_RESET_CONNECTION")
        if exchange.allowance.classes is not None:  # it would lift the settings that the session began with
            self.refuse(statement, Form.FUNCTION, Refused("statement.reset", _NOT_UNDER_GUARDRAILS), NOT_ALLOWED)
            return
        self._texts.restarts()
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

    def _keeps(self, statement: Statement) -> bool:
        """Whether the text of one that asks first can be kept until it is executed; else that is refused."""
        if not statement.asks:
            return True
        kept = sum(len(each.statement.text) for each in self._exchange.prepared.values())
        if kept + len(statement.text) <= MOST_KEPT:
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
