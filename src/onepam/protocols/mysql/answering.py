"""The target's side of a conversation: what it answers goes on, and what came of each execution is recorded."""

from typing import Final

from onepam.protocols.mysql import wire
from onepam.protocols.mysql.exchange import NOT_ALLOWED, Answer, Exchange, Execution, Owed, Prepared
from onepam.protocols.mysql.wire import HEAD_BYTES, Malformed, Status
from onepam.recording.statements import Outcome

MOST_READ: Final = 64 * 1024
"""So long may a packet be that is read whole; of rows and descriptions the header is, and the first byte."""

_LEAST_SAID: Final = 1024
"""So long may an OK always be."""

_TELLING: Final = frozenset((1044, 1045, 1046, 1049, 1054, 1064, 1142, 1143, 1146, 1205, 1213, 1305, 1317, 1792, 1969))
"""Errors whose words repeat no value: of names, of rights, of syntax, of locks and time."""

_UNQUOTED: Final = frozenset((1526, 1642, 1643, 1644))
"""Errors in which a value stands without quotes: of a partition that there is not, and somebody's own (SIGNAL)."""


class Answering:
    """Takes what the target sends."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._held = b""
        self._data = b""
        self._start = 0
        """Where in the data what has not been passed on begins."""
        self._left = 0
        self._goes_on = False

    def take(self, data: bytes) -> None:
        """Bytes of the target."""
        self._data, self._held = self._held + data if self._held else data, b""
        exchange, size = self._exchange, len(self._data)
        offset = self._start = 0
        try:
            while offset < size and not exchange.failed:
                if self._left:
                    taken = min(self._left, size - offset)
                    self._left -= taken
                else:
                    taken = self._packet(offset)
                    if not taken:
                        break
                offset += taken
            self._flush(offset)
            self._held = self._data[offset:]
        except Malformed as fault:
            self._flush(offset)
            exchange.fail(str(fault), ours=False)
        self._data = b""

    def _flush(self, end: int) -> None:
        """What comes until there goes on to the client, unless a statement was cut."""
        exchange, start = self._exchange, self._start
        self._start = end
        if end > start and not exchange.muted:
            whole = start == 0 and end == len(self._data)
            exchange.step.to_client.append(self._data if whole else memoryview(self._data)[start:end])
        exchange.midway = bool(self._left or self._goes_on) and not exchange.muted

    def _packet(self, offset: int) -> int:
        """Takes the packet that begins here, or its header and what is here of its payload: how many bytes; 0 where
        more must come first."""
        exchange, owed, data = self._exchange, self._exchange.owed, self._data
        here = len(data) - offset
        if here < HEAD_BYTES:
            return 0
        length, sequence = int.from_bytes(data[offset : offset + 3], "little"), data[offset + 3]
        if owed is None or owed.wanting:
            return self._unasked(offset, length)
        if sequence != exchange.sequence:
            raise Malformed("the target's packets are not in order")
        if not self._goes_on:
            if not length:
                raise Malformed("the target's answer has another length")
            if here == HEAD_BYTES:
                return 0
            if not _is_plain(owed, data[offset + HEAD_BYTES], length):
                return self._short(owed, offset, length)
            if (taken := self._read(owed, offset, length)) is not None:
                return taken
            if owed.described:
                self._row(owed, offset, length)
        if owed.described and owed.execution is not None and not exchange.muted:
            owed.execution.size += length
            owed.execution.given_bytes += length
        self._goes_on = length == wire.WHOLE
        self._passed()
        taken = min(HEAD_BYTES + length, here)
        self._left = HEAD_BYTES + length - taken
        return taken

    def _passed(self) -> None:
        exchange = self._exchange
        exchange.sequence = (exchange.sequence + 1) & 0xFF
        if not exchange.muted:
            exchange.said = exchange.sequence

    def _short(self, owed: Owed, offset: int, length: int) -> int:
        """A packet that is read whole."""
        exchange, end = self._exchange, offset + HEAD_BYTES + length
        if length > MOST_READ:
            raise Malformed("the target's answer has another length")
        if len(self._data) < end:
            return 0
        self._passed()
        muted, payload = exchange.muted, self._data[offset + HEAD_BYTES : end]
        if not muted and self._says_too_much(owed, payload):
            self._flush(offset)
            exchange.step.to_client.append(wire.packet(self._data[offset + 3], wire.short_ok(payload)))
            self._start = end
        self._whole(owed, payload)
        if muted:  # the answer may have ended: the next one is heard again
            self._start = end
        return HEAD_BYTES + length

    def _says_too_much(self, owed: Owed, payload: bytes) -> bool:
        """Whether an OK is longer than rows may be: a setting that it tells of may hold any text."""
        most = self._exchange.allowance.bytes
        is_ok = payload[0] == wire.OK and not owed.begun and owed.answer in (Answer.SIMPLE, Answer.RESULTS)
        return is_ok and most is not None and len(payload) > max(most, _LEAST_SAID)

    def _unasked(self, offset: int, length: int) -> int:
        """A server that hangs up may say why, though it was not asked: where the client looks for its next answer."""
        data, begin, end = self._data, offset + HEAD_BYTES, offset + HEAD_BYTES + length
        if not 0 < length <= MOST_READ or data[begin : begin + 1] not in (b"", b"\xff"):
            raise Malformed("the target says something that nobody asked for")
        if len(data) < end:
            return 0
        self._flush(offset)
        self._exchange.step.to_client.append(wire.packet(self._exchange.said, data[begin:end]))
        self._exchange.parting, self._start = True, end
        return HEAD_BYTES + length

    def _read(self, owed: Owed, offset: int, length: int) -> int | None:
        """Reads a row or a description whole: how many bytes were taken and answered for; 0 where more must come first,
        None where it goes on as it is."""
        return None

    # --- Rows --------------------------------------------------------------------------------------------------------

    def _row(self, owed: Owed, offset: int, length: int) -> None:
        """Counts a row. Of one that is too many the client hears so, and nothing more of this answer."""
        execution, exchange = owed.execution, self._exchange
        if execution is None or execution.cut:
            return
        if words := exchange.beyond(execution, length):
            self._cut(owed, offset, words)
        else:
            execution.page += 1

    def _cut(self, owed: Owed, offset: int, words: str) -> None:
        """Of an answer nothing more is given, and the client hears why."""
        execution, exchange = owed.execution, self._exchange
        self._flush(offset)
        exchange.error(exchange.said, NOT_ALLOWED, words)
        exchange.muted = exchange.step.cancel = True
        exchange.midway = False
        if execution is not None:
            execution.words, execution.cut = words, True

    # --- Whole packets -----------------------------------------------------------------------------------------------

    def _whole(self, owed: Owed, payload: bytes) -> None:
        kind = payload[0]
        if kind == wire.ERROR:
            self._failed(owed, payload)
        elif owed.begun:
            self._listed(owed, wire.status_of_eof(payload))
        elif owed.answer is Answer.PREPARED:
            self._prepared(owed, payload)
        elif kind == wire.OK and owed.answer in (Answer.SIMPLE, Answer.RESULTS):
            affected, status = wire.status_of_ok(payload)
            self._completed(owed, status, f"OK {affected}", affected)
        elif owed.answer is Answer.RESULTS:
            self._columns(owed, payload)
        elif owed.answer is Answer.LINE:
            self._exchange.answered()
        elif kind == wire.EOF:
            self._completed(owed, wire.status_of_eof(payload), "OK", 0)
        else:
            raise Malformed("the target answers something else than what was asked for")

    def _columns(self, owed: Owed, payload: bytes) -> None:
        """The number of columns: their descriptions follow."""
        if payload[0] == wire.LOCAL_INFILE:
            self._file(owed)
            return
        count, end = wire.number(payload, 0)
        if end != len(payload) or not count:
            raise Malformed("the target's answer has another length")
        owed.begun = True

    def _file(self, owed: Owed) -> None:
        """The name of a file of the client's, which sends that next. Who could make a server say so could have any."""
        exchange, execution = self._exchange, owed.execution
        if not exchange.files or execution is None or not execution.loads or exchange.muted:
            raise Malformed("the target asks for a file of the client's that its statement does not load")
        owed.wanting = True

    def _prepared(self, owed: Owed, payload: bytes) -> None:
        exchange = self._exchange
        if payload[0] != wire.OK or len(payload) < 9 or owed.statement is None:
            raise Malformed("the target's answer to a prepare is none")
        name = wire.long(payload, 1)
        columns, parameters = (int.from_bytes(payload[place : place + 2], "little") for place in (5, 7))
        before = exchange.prepared.get(name)
        if before is not None:
            exchange.close(before)
            exchange.forget(before)
        exchange.prepared[name] = Prepared(owed.statement, parameters)
        exchange.last = name
        owed.lists = bool(columns) + bool(parameters)
        owed.begun = bool(owed.lists)
        if not owed.lists:
            exchange.answered()

    def _listed(self, owed: Owed, status: int) -> None:
        """An EOF: of descriptions, or of rows."""
        exchange = self._exchange
        exchange.status = status
        if owed.answer is Answer.FIELDS:
            self._completed(owed, status, "OK", 0)
        elif owed.answer is Answer.PREPARED:
            owed.lists -= 1
            if not owed.lists:
                exchange.answered()
        elif owed.described:
            self._ended(owed, status)
        elif status & Status.CURSOR and owed.prepared is not None:
            owed.prepared.cursor = owed.execution
            exchange.answered()
        else:
            owed.described, owed.given = True, bool(status & Status.OUT_PARAMETERS)

    def _ended(self, owed: Owed, status: int) -> None:
        """The rows of a result have ended, or a page of a cursor's."""
        execution, prepared = owed.execution, owed.prepared
        rows = execution.page if execution is not None else 0
        if owed.answer is Answer.ROWS and execution is not None and prepared is not None:
            if not status & Status.LAST_ROW_SENT and not execution.cut:
                execution.rows, execution.page = execution.rows + rows, 0
                self._exchange.answered()
                return
            prepared.cursor = None
        self._completed(owed, status, f"{rows} rows", rows)

    def _completed(self, owed: Owed, status: int, words: str, rows: int) -> None:
        """A result has ended; the answer has with the last one."""
        exchange, execution = self._exchange, owed.execution
        exchange.status = status
        if execution is not None:
            execution.told(words, rows)
        more = status & Status.MORE_RESULTS or owed.given
        owed.begun = owed.described = owed.given = False
        if not (more and owed.answer is Answer.RESULTS):
            self._over(execution, Outcome.OK)

    def _failed(self, owed: Owed, payload: bytes) -> None:
        """An error ends an answer wherever it is."""
        exchange, execution = self._exchange, owed.execution
        masking = exchange.allowance.masking
        kept = without_values(payload) if masking is not None and masking.columns else payload
        number, sqlstate, words = wire.error_of(kept)
        if owed.answer is Answer.PREPARED:
            exchange.last = None
        if execution is not None:
            execution.rows, execution.page = execution.rows + execution.page, 0
            if not execution.cut:
                execution.words = f"{sqlstate} {words} ({number})"
        if owed.prepared is not None and owed.prepared.cursor is execution:
            owed.prepared.cursor = None
        self._over(execution, Outcome.ERROR)

    def _over(self, execution: Execution | None, outcome: Outcome) -> None:
        if execution is not None:
            self._exchange.finish(execution, outcome)
        self._exchange.answered()


def _is_plain(owed: Owed, first: int, length: int) -> bool:
    """Whether it is a row or a description, of which no more is read."""
    if not owed.begun:
        return False
    return not (first == wire.ERROR or (first == wire.EOF and length <= wire.MOST_EOF_BYTES))


def without_values(payload: bytes) -> bytes:
    """An error whose words repeat no value of a row: of most, what stands between the first quote and the last one is
    left out, and of those whose values have no quotes all."""
    number, sqlstate, words = wire.error_of(payload)
    if number in _UNQUOTED:
        words = "'the words of this error are masked'"
    first, last = words.find("'"), words.rfind("'")
    if number in _TELLING or last <= first:
        return payload
    said = f"{words[: first + 1]}[masked]{words[last:]}"
    return b"\xff" + number.to_bytes(2, "little") + f"#{sqlstate}{said}".encode()
