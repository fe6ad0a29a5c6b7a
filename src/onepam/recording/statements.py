"""The frames of a database's session: a statement's text, each time it was executed, and what came of it.

A service executes one prepared statement millions of times, so the three are apart and their bodies binary: the text is
written once, however often it is executed.
"""

from enum import IntEnum
from struct import Struct
from types import MappingProxyType
from typing import Final, NamedTuple

from onepam.kernel.errors import Corrupt

MAX_TEXT_BYTES = 256 * 1024
"""Largest part of a statement's text in one frame; the producer splits what is longer."""

MAX_EXECUTED_BYTES = 1024 * 1024
"""Largest body of an `Executed`: of parameters that are larger together the producer keeps the size only."""

MAX_WORDS_BYTES = 8 * 1024
"""Longest words of a `Finished`, in UTF-8; the producer cuts what is longer."""

_TEXT = Struct(">QB")
_EXECUTED = Struct(">QQBH")
_PARAMETER = Struct(">BB")
_SIZE = Struct(">I")
_FINISHED = Struct(">QBcQQ")

_NULL, _KEPT, _SIZE_ONLY = 0, 1, 2
STATUS: Final = (b"I", b"T", b"E")
"""What a server says of its transaction: none, in one, in one that failed."""


class Form(IntEnum):
    """How a statement was executed. ◆ Never use a number again."""

    SIMPLE = 1
    EXTENDED = 2
    COPY = 3
    FUNCTION = 4


class Outcome(IntEnum):
    """What came of an execution: `REFUSED` by the gateway, so that the target never saw it; `SUSPENDED` with rows left
    in its portal; `UNFINISHED` where the session ended first. ◆ Never use a number again."""

    OK = 1
    ERROR = 2
    SUSPENDED = 3
    UNFINISHED = 4
    REFUSED = 5


class Parameter(NamedTuple):
    """One value that was bound: its bytes as the client sent them, None for NULL, or only its size in bytes where the
    value is left out. `binary`: in the binary form of its type, otherwise text."""

    value: bytes | int | None
    binary: bool = False


class StatementText(NamedTuple):
    """A part of the text of statement number `statement` (from 1 in the session), at most `MAX_TEXT_BYTES`, as the
    client sent it. With `more` the next frame of that statement continues it."""

    at: int
    statement: int
    text: bytes
    more: bool = False


class Executed(NamedTuple):
    """Execution number `execution` (from 1 in the session) of a statement is about to go to the target, or is refused.
    `statement` is 0 for what has no text."""

    at: int
    execution: int
    statement: int
    form: Form
    parameters: tuple[Parameter, ...] = ()


class Finished(NamedTuple):
    """What came of an execution. `status` is one of `STATUS`, as the target last said it; `rows` are those that it gave
    or took, and `size` their bytes, each below 2^64. `words`: the command tag, or SQLSTATE and message, as the target
    said them."""

    at: int
    execution: int
    outcome: Outcome
    status: bytes = b"I"
    rows: int = 0
    size: int = 0
    words: str = ""


StatementFrame = StatementText | Executed | Finished

# ◆ The numbers are the format: never change one, never use one again.
TEXT_KIND, EXECUTED_KIND, FINISHED_KIND = 13, 14, 15
KINDS: Final = MappingProxyType({StatementText: TEXT_KIND, Executed: EXECUTED_KIND, Finished: FINISHED_KIND})


def body(frame: StatementFrame) -> bytes:
    """The bytes of its body. Raises `ValueError` where a bound is passed: the producer must split or leave out."""
    if type(frame) is Executed:
        parts = [_EXECUTED.pack(frame.execution, frame.statement, frame.form, len(frame.parameters))]
        for each in frame.parameters:
            parts += _bound(each)
        data = b"".join(parts)
        return _within(data, "execution", len(data), MAX_EXECUTED_BYTES)
    if type(frame) is Finished:
        if frame.status not in STATUS:
            raise ValueError(f"{frame.status!r} is no state of a transaction")
        words = frame.words.encode()
        data = _FINISHED.pack(frame.execution, frame.outcome, frame.status, frame.rows, frame.size) + words
        return _within(data, "outcome", len(words), MAX_WORDS_BYTES)
    assert type(frame) is StatementText
    return _within(
        _TEXT.pack(frame.statement, frame.more) + frame.text, "statement's text", len(frame.text), MAX_TEXT_BYTES
    )


def frame(kind: int, at: int, data: memoryview) -> StatementFrame:
    """The frame of this kind, one of `KINDS`, that has this body. Raises `Corrupt` where none has."""
    made: StatementFrame | None
    if kind == TEXT_KIND:
        made = _text(at, data)
    elif kind == EXECUTED_KIND:
        made = _executed(at, data)
    else:
        made = _finished(at, data)
    if made is None:
        raise Corrupt(f"no frame of kind {kind} has {len(data)} bytes like these")
    return made


def _bound(parameter: Parameter) -> tuple[bytes, ...]:
    value = parameter.value
    if value is None:
        return (_PARAMETER.pack(parameter.binary, _NULL),)
    if isinstance(value, int):
        return (_PARAMETER.pack(parameter.binary, _SIZE_ONLY), _SIZE.pack(value))
    return (_PARAMETER.pack(parameter.binary, _KEPT), _SIZE.pack(len(value)), value)


def _within(data: bytes, what: str, size: int, most: int) -> bytes:
    if size > most:
        raise ValueError(f"{what} of {size} bytes in one frame, at most {most}")
    return data


def _text(at: int, data: memoryview) -> StatementText | None:
    if not _TEXT.size <= len(data) <= _TEXT.size + MAX_TEXT_BYTES:
        return None
    statement, more = _TEXT.unpack_from(data)
    return StatementText(at, statement, bytes(data[_TEXT.size :]), bool(more)) if more <= 1 else None


def _executed(at: int, data: memoryview) -> Executed | None:
    if not _EXECUTED.size <= len(data) <= MAX_EXECUTED_BYTES:
        return None
    execution, statement, form, count = _EXECUTED.unpack_from(data)
    parameters, offset = [], _EXECUTED.size
    for _ in range(count):
        found = _parameter(data, offset)
        if found is None:
            return None
        parameter, offset = found
        parameters.append(parameter)
    if offset != len(data) or form not in tuple(Form):
        return None
    return Executed(at, execution, statement, Form(form), tuple(parameters))


def _parameter(data: memoryview, offset: int) -> tuple[Parameter, int] | None:
    """The parameter at this place, and where the next one begins."""
    if offset + _PARAMETER.size > len(data):
        return None
    binary, kept = _PARAMETER.unpack_from(data, offset)
    offset += _PARAMETER.size
    if binary > 1 or kept > _SIZE_ONLY:
        return None
    if kept == _NULL:
        return Parameter(None, bool(binary)), offset
    if offset + _SIZE.size > len(data):
        return None
    [size] = _SIZE.unpack_from(data, offset)
    offset += _SIZE.size
    if kept == _SIZE_ONLY:
        return Parameter(size, bool(binary)), offset
    if offset + size > len(data):
        return None
    return Parameter(bytes(data[offset : offset + size]), bool(binary)), offset + size


def _finished(at: int, data: memoryview) -> Finished | None:
    if not _FINISHED.size <= len(data) <= _FINISHED.size + MAX_WORDS_BYTES:
        return None
    execution, outcome, status, rows, size = _FINISHED.unpack_from(data)
    if outcome not in tuple(Outcome) or status not in STATUS:
        return None
    try:
        words = str(data[_FINISHED.size :], "utf-8")
    except UnicodeDecodeError:
        return None
    return Finished(at, execution, Outcome(outcome), status, rows, size, words)
