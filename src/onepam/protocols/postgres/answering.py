"""What the target answers: each answer is told from the next by its header, belongs to what was asked, and passes.

Rows and copied data, of which there are most, are hopped over and pass in the pieces in which they came.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final

from onepam.domain.access.guardrails import size_words
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.exchange import OURS, UNDOING, Exchange, Execution, Owed
from onepam.protocols.postgres.wire import HEAD, Malformed
from onepam.recording.statements import Outcome

TOO_LARGE: Final = "54000"
"""SQLSTATE program_limit_exceeded."""

_NO_LIMIT: Final = 1 << 62
_LEAST_SAID: Final = 1024
"""So long may an error always be."""

_MANY: Final = frozenset((wire.ROW, wire.DATA))
_ANY_TIME: Final = frozenset((wire.NOTICE, wire.NOTIFICATION, wire.SETTING))
_TURN: Final = "the target answered what was not asked"
_READING: Final = frozenset(("client_encoding", "standard_conforming_strings"))
"""Settings by which the server reads a text."""


class Answering:
    """The target's direction. While some bytes are taken, those from `_start` on are still to pass."""

    def __init__(self, exchange: Exchange, whole: Mapping[int, int] = wire.WHOLE) -> None:
        self._exchange, self._whole = exchange, whole
        self._held = bytearray()
        self._needed = 0
        self._left = 0
        self._passes = True
        self._data = b""
        self._start = 0
        rows, size = exchange.allowance.rows, exchange.allowance.bytes
        self._most_rows = _NO_LIMIT if rows is None else rows
        self._most_bytes = _NO_LIMIT if size is None else size
        self._most_said = max(self._most_bytes, _LEAST_SAID)
        self._heard: Mapping[int, Callable[[int, bytes], bytes | None]] = {
            wire.ROWS_DESCRIBED: self._described,
            wire.PARAMETERS_DESCRIBED: self._parameters_described,
            wire.NO_DATA: self._described,
            wire.COMPLETE: self._complete,
            wire.EMPTY: self._complete,
            wire.SUSPENDED: self._suspended,
            wire.PARSED: self._parsed,
            wire.BOUND: self._bound,
            wire.CLOSED: self._closed,
            wire.ERROR: self._error,
            wire.NOTICE: self._noticed,
            wire.NOTIFICATION: self._passing,
            wire.SETTING: self._setting,
            wire.READY: self._ready,
            wire.RESULT: self._result,
            wire.COPY_IN: self._copy_in,
            wire.COPY_OUT: self._copy_out,
            wire.COPY_DONE: self._copy_out,
        }

    def take(self, data: bytes) -> None:
        """The next bytes from the target."""
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return
            data = bytes(self._held)
            self._held.clear()
        self._data, size, offset = data, len(data), 0
        if self._left:
            offset = min(self._left, size)
            self._left -= offset
        self._start = 0 if self._passes else offset
        try:
            self._boundary(offset)
            while 0 <= offset < size and not self._left:
                begin = offset
                offset = self._message(offset)
        except Malformed as fault:
            self._pass_until(begin)
            self._exchange.fail(str(fault))
        else:
            self._pass_until(size - len(self._held))
        self._data = b""

    def _pass_until(self, end: int) -> None:
        if self._start < end:
            self._exchange.step.to_client.append(wire.part(self._data, self._start, end))
        self._start = end

    def _boundary(self, offset: int) -> None:
        """Here one message ends: where it is our turn next, we speak."""
        exchange = self._exchange
        if self._left:
            exchange.midway = self._passes
            return
        exchange.midway = False
        if exchange.notice:
            self._pass_until(offset)
            exchange.step.to_client.append(exchange.notice)
            exchange.notice = b""
        if exchange.owed and exchange.owed[0].kind in OURS:
            self._pass_until(offset)
            exchange.speak()

    def _message(self, offset: int) -> int:
        """Take the message that begins here, or a part of it: where to go on, negative when more bytes must come."""
        data, exchange, size, body = self._data, self._exchange, len(self._data), offset + HEAD.size
        if size < body:
            return self._hold(offset, HEAD.size)
        kind, length = HEAD.unpack_from(data, offset)
        if not 4 <= length <= wire.TARGET.get(kind, 0):
            raise Malformed("the target sent what is no answer, or one that is too long")
        if kind in _MANY:
            return self._rows(kind, offset)
        end: int = offset + 1 + length
        read = body
        if (whole := self._whole.get(kind)) is not None:
            read = min(end, offset + 1 + whole)
            if size < read:
                return self._hold(offset, read - offset)
        instead = self._heard[kind](length, data[body:read])
        if exchange.muted and kind not in _ANY_TIME:
            instead = b""
        self._passes = instead is None
        if end > size:
            self._left, end = end - size, size
        if instead is not None:
            self._pass_until(offset)
            self._start = end
            if instead:
                exchange.step.to_client.append(instead)
        self._boundary(end)
        return end

    def _hold(self, offset: int, needed: int) -> int:
        """Wait until there are so many bytes from here."""
        self._held += self._data[offset:]
        self._needed = needed
        return -1

    # --- Rows and copied data ----------------------------------------------------------------------------------------

    def _rows(self, kind: int, offset: int) -> int:
        """A run of rows, or of data that is copied out: as many as are here, and as may be given."""
        exchange, data, start = self._exchange, self._data, offset
        execution = self._head(wire.QUERY, wire.EXECUTE).execution
        assert execution is not None
        most = _NO_LIMIT if exchange.muted else 0 if execution.cut else self._most_rows - execution.given
        size = len(data)
        if exchange.muted or self._most_bytes == _NO_LIMIT:
            offset, count = wire.run(data, offset, kind, most)
        else:
            room = self._most_bytes - execution.given_bytes
            offset, count = wire.run_within(data, offset, kind, most, room)
        self._passes, end = not exchange.muted, offset
        if offset > size:
            self._left, end = offset - size, size
        exchange.midway = self._left > 0 and self._passes
        if exchange.muted:
            self._pass_until(start)
            self._start = end
            return end
        execution.gave(count, offset - start - HEAD.size * count)
        if offset <= size - HEAD.size and data[offset] == kind and (words := self._beyond(execution, offset)):
            self._cut(execution, offset, words)
        return end

    def _beyond(self, execution: Execution, offset: int) -> str:
        """Why the row that begins here may not be given, "" where it may be, or is none. Behind one that was not none
        is, on whichever page."""
        kind, length = HEAD.unpack_from(self._data, offset)
        if execution.cut:
            return execution.cut
        if execution.given >= self._most_rows:
            most = f"{self._most_rows} rows"
        elif 4 <= length <= wire.TARGET[kind] and execution.given_bytes + length - 4 > self._most_bytes:
            most = size_words(self._most_bytes)
        else:
            return ""
        return f"this access gives at most {most} of a result; what the statement did may stand."

    def _cut(self, execution: Execution, offset: int, words: str) -> None:
        """No further row may be given: the client is told so, and nobody hears the rest. The server is asked to stop,
        but not where it has more behind this: that would be hit once this has ended."""
        exchange = self._exchange
        self._pass_until(offset)
        exchange.step.to_client.append(wire.error(TOO_LARGE, words))
        exchange.step.cancel, exchange.muted, execution.cut = not exchange.runs_behind, True, words
        execution.outcome, execution.words = Outcome.ERROR, f"{TOO_LARGE} OnePAM: {words}"
        in_batch = exchange.owed[0].kind == wire.EXECUTE
        exchange.skipping = in_batch and all(each.kind != wire.SYNC for each in exchange.owed)

    # --- Answers -----------------------------------------------------------------------------------------------------

    def _head(self, *kinds: int) -> Owed:
        """What is answered now, which is of one of these kinds. Raises `Malformed`."""
        owed = self._exchange.owed
        while owed and owed[0].perhaps and owed[0].kind not in kinds:
            owed.popleft()
        if not owed or owed[0].kind not in kinds:
            raise Malformed(_TURN)
        return owed[0]

    def _answered(self, *kinds: int) -> Owed:
        """The same, and the answer is whole."""
        head = self._head(*kinds)
        self._exchange.owed.popleft()
        return head

    def _passing(self, length: int, body: bytes) -> None:
        """Comes at any time, and belongs to nothing."""

    def _noticed(self, length: int, body: bytes) -> bytes | None:
        """Those of one execution together are no longer than its rows may be."""
        execution, said = self._exchange.answering, length - 4
        if execution is not None:
            execution.noticed += said
            said = execution.noticed
        return b"" if said > self._most_said else None

    def _setting(self, length: int, body: bytes) -> bytes | None:
        name, value = [*body.split(b"\0", 2), b"", b""][:2]
        if (known := name.decode("ascii", "replace")) in _READING:
            self._exchange.settings[known] = value.decode("ascii", "replace")
        return b"" if length - 4 > self._most_said else None

    def _described(self, length: int, body: bytes) -> None:
        if self._head(wire.DESCRIBE, wire.QUERY).kind == wire.DESCRIBE:
            self._exchange.owed.popleft()

    def _parameters_described(self, length: int, body: bytes) -> None:
        self._head(wire.DESCRIBE)

    def _parsed(self, length: int, body: bytes) -> None:
        self._answered(wire.PARSE)

    def _bound(self, length: int, body: bytes) -> None:
        self._exchange.closed(self._answered(wire.BIND))

    def _closed(self, length: int, body: bytes) -> None:
        self._exchange.closed(self._answered(wire.CLOSE))

    def _complete(self, length: int, body: bytes) -> None:
        """The end of one result; that of an Execute."""
        exchange = self._exchange
        head = self._head(wire.QUERY, wire.EXECUTE)
        execution, tag = head.execution, body.rstrip(b"\0").decode("utf-8", "replace")
        assert execution is not None
        execution.completed(tag)
        if execution.doubted:
            exchange.gave_up(execution, tag)
        exchange.copying, exchange.swallowed = None, False
        if head.kind == wire.EXECUTE:
            exchange.owed.popleft()
            exchange.finish(execution, Outcome.OK)
            while exchange.owed and exchange.owed[0].perhaps:
                exchange.owed.popleft()

    def _suspended(self, length: int, body: bytes) -> None:
        head = self._answered(wire.EXECUTE)
        assert head.execution is not None
        assert head.portal is not None
        head.execution.paged()
        head.execution.doubted, head.portal.given = False, True

    def _result(self, length: int, body: bytes) -> None:
        execution = self._head(wire.FUNCTION).execution
        assert execution is not None
        execution.size += length - 4

    def _copy_in(self, length: int, body: bytes) -> None:
        """The server takes data now. Until their end it ignores each Sync: also those that it was sent already."""
        exchange = self._exchange
        exchange.copying = self._head(wire.QUERY, wire.EXECUTE).execution
        for place, each in enumerate(islice(exchange.owed, 1, None), 1):
            if each.kind == wire.COPY_DONE:
                del exchange.owed[place]
                exchange.copying = None
                break
            each.perhaps = each.kind == wire.SYNC

    def _copy_out(self, length: int, body: bytes) -> None:
        self._head(wire.QUERY, wire.EXECUTE)

    def _error(self, length: int, body: bytes) -> bytes | None:
        ours = self._erred(body)
        if ours is not None or length - 4 <= self._most_said:
            return ours
        words = f"this access gives at most {size_words(self._most_bytes)}, and this error says more."
        said = wire.fields(body)
        return wire.error(said.get("C", "XX000"), words, severity=said.get("S", "ERROR"))

    def _erred(self, body: bytes) -> bytes | None:
        """What is said in the place of an error, None where it passes."""
        exchange = self._exchange
        ends_session, words = wire.error_fields(body)
        exchange.parting = ends_session and not exchange.muted
        while len(exchange.owed) > 1 and exchange.owed[0].perhaps:
            exchange.owed.popleft()
        if not exchange.owed:
            return None
        head = exchange.owed[0]
        failed = head.execution or (exchange.held if head.kind == wire.SYNC else None)
        if failed is not None and not failed.cut and (not failed.over or failed is exchange.held):
            failed.outcome, failed.words = Outcome.ERROR, words
        if not ends_session and head.kind not in (wire.QUERY, wire.FUNCTION, wire.SYNC):
            return self._batch_failed(head)
        exchange.copying = None
        return None

    def _batch_failed(self, head: Owed) -> bytes | None:
        """The server skips what follows, until a Sync."""
        exchange = self._exchange
        if head.execution is not None:
            exchange.finish(head.execution, Outcome.ERROR)
        exchange.drop_batch()
        if exchange.swallowed:
            exchange.step.to_target.append(wire.SYNC_MESSAGE)
            exchange.owed.append(Owed(wire.SYNC, exchange.batch))
            exchange.skipping = False
        exchange.copying, exchange.swallowed = None, False
        return head.ours if head.kind == UNDOING else None

    def _ready(self, length: int, body: bytes) -> None:
        exchange = self._exchange
        if body not in wire.STATUS:
            raise Malformed("the target is in no state that there is")
        head = self._answered(wire.SYNC, wire.QUERY, wire.FUNCTION)
        if head.perhaps:
            while exchange.owed and exchange.owed[0].kind == wire.COPY_DONE:  # sent on after the copy had failed
                exchange.owed.popleft()
            if exchange.owed and exchange.owed[0].kind == wire.SYNC:
                exchange.owed[0].perhaps = True
        exchange.status, exchange.muted, exchange.swallowed, exchange.copying = body, False, False, None
        if head.batch >= exchange.unsettled:  # a server tells of its settings before it is ready
            exchange.unsettled = -1
        if head.execution is not None:
            failed = head.execution.outcome is Outcome.ERROR
            exchange.finish(head.execution, Outcome.ERROR if failed else Outcome.OK)
        if body == b"I":
            exchange.transaction_ended(head.batch)
        exchange.settle()
