"""The statements of a database's recorded session: text, values, and what came of each execution, in lines.

Memory is bounded whatever a recording holds: of texts `MAX_KEPT_BYTES` are held, those used last; values of executions
that wait for their end likewise.
"""

import csv
import io
import json
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from onepam.domain.sessions.waiting_statements import Waited
from onepam.kernel.clock import Instant, iso
from onepam.kernel.text import harmless
from onepam.recording.frames import Frame, Marker
from onepam.recording.statements import Executed, Finished, Form, Outcome, Parameter, StatementText

MAX_TEXT_BYTES = 2 * 1024 * 1024
"""Of one statement's text so much is read, which is more than a gateway keeps unless it is told to."""

MAX_KEPT_BYTES = 8 * 1024 * 1024
"""Texts that are held for later executions, and values of executions that wait for their end: so much of each."""

MAX_WAITING = 10_000
"""Executions that wait for their end; beyond, the oldest is given without it."""

UNANSWERED: Final = "unanswered"
UNEXECUTED: Final = "unexecuted"
OUTCOMES: Final = (*(each.name.lower() for each in Outcome), UNANSWERED, UNEXECUTED)
"""What came of a line: an `Outcome`; nothing that is recorded, as while it runs; or a text that was never executed."""

_EACH_BYTES = 100
"""What a text, or a value, takes besides its bytes, about."""

_STATES: Final = {b"I": "none", b"T": "open", b"E": "failed"}
_CUT: Final = re.compile(r"statement (\d+): (.+)", re.ASCII | re.DOTALL)
_ROW: Final = re.compile(r"execution (\d{1,20}): row (\d{1,9}): (\[.*\])", re.ASCII | re.DOTALL)
_MASKED: Final = re.compile(r"execution (\d{1,20}): masked parameters (\d{1,5}(?:, \d{1,5})*)", re.ASCII)
_COLUMNS: Final = (
    "started", "microseconds", "execution", "statement", "form", "outcome", "rows", "bytes", "transaction", "words",
    "text", "parameters", "result", "waited_microseconds", "decision", "decided_by", "entry", "note",
)  # fmt: skip


Waits = Mapping[int, Waited]
"""What came of the waits of a session's statements, as the ledger has it, by execution."""
NO_WAITS: Final[Waits] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Value:
    """A value that was bound. `kind`: `text`; `binary`, then `value` is hexadecimal; `null`; `omitted` or `masked`, of
    which only the `size` in bytes is known."""

    kind: str
    value: str
    size: int


class Cells(NamedTuple):
    """A row of a result: texts, None for NULL, the size in bytes of what is masked. Row 0 has the names of columns."""

    row: int
    cells: tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One execution of a statement, numbered by `place` from 1 in the order in which they ended.

    `at` is microseconds since the recording began, `lasted` None where no end is recorded. `execution` is 0 for a text
    that was never executed, `statement` 0 for what has no text. `text` None: it has none, or it stands further up.
    `cut` says what of the text is not recorded, or not read. `outcome` is one of `OUTCOMES`; `transaction` `none`,
    `open` or `failed` after it, "" where no end is recorded; `size` the bytes of its rows; `words` the command tag, or
    SQLSTATE and message. `result` are the first rows of its results, where the recording has them; numbers of
    `masked` begin with 1. `waited` tells of its wait for somebody's yes, which `lasted` has in it.
    """

    at: int
    execution: int
    statement: int
    form: str
    text: str | None
    cut: str
    parameters: tuple[Parameter, ...]
    outcome: str = UNANSWERED
    lasted: int | None = None
    transaction: str = ""
    rows: int = 0
    size: int = 0
    words: str = ""
    place: int = 0
    masked: frozenset[int] = frozenset()
    result: tuple[Cells, ...] = ()
    waited: Waited | None = None

    @property
    def took(self) -> int | None:
        """Microseconds that it ran, without its wait; None where no end is recorded."""
        if self.lasted is None or self.waited is None:
            return self.lasted
        return max(0, self.lasted - self.waited.length)

    @property
    def values(self) -> tuple[Value, ...]:
        """What was bound."""
        return tuple(_value(each, number in self.masked) for number, each in enumerate(self.parameters, 1))


@dataclass(slots=True)
class _Text:
    """A text as it grows; `used`: something executed it."""

    at: int
    data: bytearray
    size: int = 0
    cut: str = ""
    used: bool = False
    whole: bool = False
    decoded: str | None = None

    @property
    def shown(self) -> str:
        if self.decoded is not None:
            return self.decoded
        decoded = self.data.decode("utf-8", "backslashreplace")
        if self.whole:
            self.decoded, self.data = decoded, bytearray()
        return decoded


@dataclass(slots=True)
class _Begun:
    """An execution that waits for its end, and why not all of it is kept."""

    frame: Executed
    size: int
    cut: str = ""
    masked: frozenset[int] = frozenset()
    result: list[Cells] = field(default_factory=list)


class Statements:
    """Gives the lines of a recording, frame by frame. Frames of other kinds pass by."""

    def __init__(self, waits: Waits = NO_WAITS) -> None:
        self._waits = waits
        self._texts: OrderedDict[int, _Text] = OrderedDict()
        self._waiting: OrderedDict[int, _Begun] = OrderedDict()
        self._text_bytes = self._value_bytes = 0
        self._place = 0

    def add(self, frame: Frame) -> Iterable[Line]:
        """The next frame, and the lines that it completes."""
        kind = type(frame)
        if kind is Finished:
            assert isinstance(frame, Finished)
            return self._finished(frame)
        if kind is Executed:
            assert isinstance(frame, Executed)
            return self._executed(frame)
        if kind is StatementText:
            assert isinstance(frame, StatementText)
            return self._text(frame)
        if isinstance(frame, Marker):
            self._marked(frame.text)
        return ()

    def rest(self) -> Iterator[Line]:
        """After the last frame: executions without an end, and texts that were never executed."""
        while self._waiting:
            yield self._unanswered()
        for statement in [number for number, text in self._texts.items() if not text.used]:
            yield self._unexecuted(statement, self._texts[statement])

    def _marked(self, words: str) -> None:
        """What is said of a statement, or of an execution that waits for its end."""
        found = _CUT.fullmatch(words)
        if found is not None and (text := self._texts.get(int(found[1]))) is not None:
            text.cut = f"{text.cut}; {found[2]}" if text.cut else found[2]
        found = _MASKED.fullmatch(words)
        if found is not None and (begun := self._waiting.get(int(found[1]))) is not None:
            begun.masked = frozenset(map(int, found[2].split(", ")))
        found = _ROW.fullmatch(words)
        if found is not None and (begun := self._waiting.get(int(found[1]))) is not None:
            self._kept(begun, int(found[2]), found[3])

    def _kept(self, begun: _Begun, row: int, text: str) -> None:
        """A row of a result; where too much waits for an end at once, it is not shown."""
        size = len(text) + _EACH_BYTES
        if self._value_bytes + size > MAX_KEPT_BYTES:
            begun.cut = begun.cut or "not all rows that were kept are shown: too much waits for an end at once"
            return
        try:
            cells: Any = json.loads(text)
        except ValueError:  # no recorder writes such
            return
        begun.size += size
        self._value_bytes += size
        begun.result.append(Cells(row, tuple(cells)))

    def _text(self, frame: StatementText) -> list[Line]:
        text = self._texts.get(frame.statement)
        if text is None or text.whole:  # no recorder writes one twice
            text = self._texts[frame.statement] = _Text(frame.at, bytearray())
            self._text_bytes += _EACH_BYTES
        part = frame.text[: MAX_TEXT_BYTES - text.size]
        text.data += part
        text.size += len(part)
        text.whole = not frame.more
        if len(part) < len(frame.text):
            text.cut = f"only the first {MAX_TEXT_BYTES:,} bytes are shown; the recording has more"
        self._text_bytes += len(part)
        self._texts.move_to_end(frame.statement)
        found = []
        while self._text_bytes > MAX_KEPT_BYTES:
            number, oldest = self._texts.popitem(last=False)
            self._text_bytes -= oldest.size + _EACH_BYTES
            if not oldest.used:
                found.append(self._unexecuted(number, oldest))
        return found

    def _executed(self, frame: Executed) -> list[Line]:
        if (text := self._texts.get(frame.statement)) is not None:
            text.used = True
            self._texts.move_to_end(frame.statement)
        begun = _Begun(frame, _bytes_of(frame))
        if self._value_bytes + begun.size > MAX_KEPT_BYTES:
            words = f"its {len(frame.parameters):,} values are not shown: too many wait for an end at once"
            begun = _Begun(frame._replace(parameters=()), 0, words)
        self._value_bytes += begun.size
        self._waiting[frame.execution] = begun
        return [self._unanswered()] if len(self._waiting) > MAX_WAITING else []

    def _finished(self, frame: Finished) -> list[Line]:
        begun = self._waiting.pop(frame.execution, None)
        if begun is None:  # it was given without its end
            return []
        self._value_bytes -= begun.size
        line = replace(
            self._line(begun),
            outcome=frame.outcome.name.lower(),
            lasted=max(0, frame.at - begun.frame.at),
            transaction=_STATES[frame.status],
            rows=frame.rows,
            size=frame.size,
            words=frame.words,
        )
        return [line]

    def _unanswered(self) -> Line:
        begun = self._waiting.popitem(last=False)[1]
        self._value_bytes -= begun.size
        return self._line(begun)

    def _unexecuted(self, statement: int, text: _Text) -> Line:
        self._place += 1
        return Line(text.at, 0, statement, "", text.shown, text.cut, (), UNEXECUTED, place=self._place)

    def _line(self, begun: _Begun) -> Line:
        self._place += 1
        frame, text = begun.frame, self._texts.get(begun.frame.statement)
        return Line(
            frame.at,
            frame.execution,
            frame.statement,
            Form(frame.form).name.lower(),
            text.shown if text is not None else None,
            "; ".join(filter(None, (text.cut if text is not None else "", begun.cut))),
            frame.parameters,
            place=self._place,
            masked=begun.masked,
            result=tuple(begun.result),
            waited=self._waits.get(frame.execution),
        )


def json_line(line: Line, started: Instant) -> str:
    """The line as one line of JSON. `started` is when the recording began."""
    waited = line.waited
    told = {
        "started": iso(Instant(started + line.at)),
        "microseconds": line.took,
        "execution": line.execution,
        "statement": line.statement,
        "form": line.form,
        "outcome": line.outcome,
        "rows": line.rows,
        "bytes": line.size,
        "transaction": line.transaction,
        "words": line.words,
        "text": line.text,
        "parameters": [{"kind": each.kind, "value": each.value, "size": each.size} for each in line.values],
        "result": [{"row": each.row, "cells": list(map(_cell, each.cells))} for each in line.result],
        "waited_microseconds": waited.length if waited else None,
        "decision": waited.decision if waited else "",
        "decided_by": waited.by if waited else "",
        "entry": waited.entry if waited else None,
        "note": line.cut,
    }
    return json.dumps(told, ensure_ascii=True) + "\n"


def csv_head() -> str:
    """The first line of a sheet, after the mark that spreadsheets want."""
    return "\ufeff" + _row(_COLUMNS)


def csv_line(line: Line, started: Instant) -> str:
    """The line as one of RFC 4180 that no spreadsheet runs as a formula."""
    told = json.loads(json_line(line, started))
    told["parameters"] = json.dumps(told["parameters"]) if line.parameters else ""
    told["result"] = json.dumps(told["result"]) if line.result else ""
    return _row("" if told[name] is None else str(told[name]) for name in _COLUMNS)


def csv_note(words: str) -> str:
    """A line of a sheet that says only this."""
    return _row([*([""] * (len(_COLUMNS) - 1)), words])


def _row(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerow(map(harmless, cells))
    return text.getvalue()


def _bytes_of(frame: Executed) -> int:
    return sum(_EACH_BYTES + (len(each.value) if isinstance(each.value, bytes) else 0) for each in frame.parameters)


def _cell(cell: str | int | None) -> str | dict[str, int] | None:
    return {"masked": cell} if isinstance(cell, int) else cell


def _value(parameter: Parameter, masked: bool) -> Value:
    value = parameter.value
    if value is None:
        return Value("null", "", 0)
    if isinstance(value, int):
        return Value("masked" if masked else "omitted", "", value)
    if parameter.binary:
        return Value("binary", value.hex(), len(value))
    return Value("text", value.decode("utf-8", "backslashreplace"), len(value))
