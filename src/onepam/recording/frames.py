"""What a recording consists of: frames, in the order in which they happened, and their bytes.

One frame is `kind (u8) | time (u64) | length (u32) | body`, big-endian; time counts microseconds since the recording
began. What comes often (output, input, size, statements) has a fixed binary body; what comes rarely has canonical JSON
with exactly the fields of its record, so that a recording can be read in fifty years without this code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from struct import Struct
from types import MappingProxyType
from typing import Any, Final

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.recording import statements
from onepam.recording.statements import Executed, Finished, StatementText

MAX_DATA_BYTES = 256 * 1024
"""Largest output of one frame; the producer splits what is larger."""

MAX_RARE_BYTES = 1024 * 1024
"""Largest JSON body: a command of 128 KiB of which every byte is escaped, and some."""

_HEADER = Struct(">BQI")
_OUTPUT = Struct(">IB")
_RESIZE = Struct(">III")
_TYPED = Struct(">IQ")
_INPUT = Struct(">I")
_OMITTED = Struct(">IBQ")

MAX_FRAME_BYTES = _HEADER.size + MAX_RARE_BYTES


class Stream(IntEnum):
    """Which stream of a channel. Output comes by the first two; of standard input `Omitted` says what is left out."""

    STDOUT = 1
    STDERR = 2
    STDIN = 3


@dataclass(frozen=True, slots=True)
class Opened:
    """The first frame: whose session this is. `started` is the instant that time 0 of every frame means."""

    at: int
    session: str
    person: str
    resource: str
    login: str
    protocol: str
    started: Instant


@dataclass(frozen=True, slots=True)
class ChannelOpened:
    """A shell, a command, a file transfer or a connection to a port of the target began. `kind` is `pty`, `exec`,
    `sftp` or `forward`.

    `command` is `canonical.tagged`, empty for a login shell, HOST:PORT of a connection; `columns` and `rows` are 0
    without a terminal.
    """

    at: int
    channel: int
    kind: str
    command: str = ""
    terminal: str = ""
    columns: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that the target sent, at most `MAX_DATA_BYTES`."""

    at: int
    channel: int
    stream: Stream
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """The terminal's new size in characters."""

    at: int
    channel: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class TypedInput:
    """So many bytes went to the target's terminal. Their content is recorded only where the target echoes it."""

    at: int
    channel: int
    count: int


@dataclass(frozen=True, slots=True)
class Input:
    """Bytes of a command's standard input, at most `MAX_DATA_BYTES`. What policy leaves out of it is `Omitted`."""

    at: int
    channel: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Omitted:
    """So many bytes that were sent on this stream between what is recorded of it before and after are left out by
    policy (`recording.volume`). They are counted, and stand in the digests of `ChannelClosed`."""

    at: int
    channel: int
    stream: Stream
    count: int


@dataclass(frozen=True, slots=True)
class Signal:
    """The client asked the target to signal the command: `name` without SIG, as `INT` (RFC 4254, 6.9 and 6.10); or for
    a `BREAK` of so many `milliseconds` (RFC 4335), which a signal has not."""

    at: int
    channel: int
    name: str
    milliseconds: int | None = None

    @property
    def words(self) -> str:
        """What to show of it."""
        return f"signal {self.name}" if self.milliseconds is None else f"break of {self.milliseconds} ms"


@dataclass(frozen=True, slots=True)
class Marker:
    """A named moment, such as a warning that the session's end is near."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class FileOperation:
    """One operation on a file, asked or answered.

    `number` counts the operations of the channel and ties the answer to the question. `outcome` is `asked` before the
    request reaches the target, then `ok`, the name of the server's refusal, or `unfinished` where the channel ended
    first. `path` and `target` are `canonical.tagged`. `sha256` (hex) covers all `size` bytes that went to or from the
    file in order from offset 0; it is None where `sparse` says that the order or the content cannot be vouched for.
    """

    at: int
    channel: int
    number: int
    operation: str
    path: str
    outcome: str
    target: str = ""
    detail: str = ""
    size: int | None = None
    sha256: str | None = None
    sparse: bool = False


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """A channel ended. `input_sha256` (hex) covers an exec's `input_bytes` of standard input; None with a terminal.

    `output_sha256` and `error_sha256` cover all `output_bytes` and `error_bytes` of standard output and error, what was
    left out by policy as well; None, and 0 bytes, where everything is kept. Of a connection to a port nothing is kept,
    and there are the bytes alone.
    """

    at: int
    channel: int
    status: int | None = None
    signal: str | None = None
    input_bytes: int = 0
    input_sha256: str | None = None
    output_bytes: int = 0
    output_sha256: str | None = None
    error_bytes: int = 0
    error_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The last frame: why the session ended, and the number of all frames before this one by kind."""

    at: int
    reason: str
    counts: Mapping[str, int]


Frame = (
    Opened
    | ChannelOpened
    | Output
    | Omitted
    | Resize
    | TypedInput
    | Input
    | Signal
    | Marker
    | FileOperation
    | ChannelClosed
    | StatementText
    | Executed
    | Finished
    | Closed
)

# ◆ The numbers are the format: never change one, never use one again.
_RARE: Final[Mapping[int, type[Any]]] = MappingProxyType(
    {1: Opened, 2: ChannelOpened, 6: Marker, 7: FileOperation, 8: ChannelClosed, 9: Closed, 12: Signal}
)
_RARE_KINDS: Final = MappingProxyType({record: kind for kind, record in _RARE.items()})
_OUTPUT_KIND, _RESIZE_KIND, _TYPED_KIND, _INPUT_KIND, _OMITTED_KIND = 3, 4, 5, 10, 11
_STATEMENTS: Final = frozenset(statements.KINDS.values())

NAMES: Final[Mapping[type[Any], str]] = MappingProxyType(
    {
        Opened: "opened",
        ChannelOpened: "channels",
        Output: "outputs",
        Resize: "resizes",
        TypedInput: "inputs",
        Input: "stdin",
        Omitted: "omissions",
        Signal: "signals",
        Marker: "markers",
        FileOperation: "files",
        ChannelClosed: "channel_ends",
        StatementText: "statements",
        Executed: "executions",
        Finished: "finishes",
        Closed: "closed",
    }
)
"""What each kind is called in counts."""


def encode(frame: Frame) -> bytes:
    """The bytes of one frame. Raises `ValueError` where a bound is passed: the producer must split or refuse."""
    if isinstance(frame, Executed | Finished | StatementText):
        data = statements.body(frame)
        return _HEADER.pack(statements.KINDS[type(frame)], frame.at, len(data)) + data
    if type(frame) is Output:
        if len(frame.data) > MAX_DATA_BYTES:
            raise ValueError(f"output of {len(frame.data)} bytes in one frame, at most {MAX_DATA_BYTES}")
        length = _OUTPUT.size + len(frame.data)
        return b"".join(
            (_HEADER.pack(_OUTPUT_KIND, frame.at, length), _OUTPUT.pack(frame.channel, frame.stream), frame.data)
        )
    if type(frame) is TypedInput:
        return _HEADER.pack(_TYPED_KIND, frame.at, _TYPED.size) + _TYPED.pack(frame.channel, frame.count)
    if type(frame) is Omitted:
        return _HEADER.pack(_OMITTED_KIND, frame.at, _OMITTED.size) + _OMITTED.pack(
            frame.channel, frame.stream, frame.count
        )
    if type(frame) is Input:
        if len(frame.data) > MAX_DATA_BYTES:
            raise ValueError(f"input of {len(frame.data)} bytes in one frame, at most {MAX_DATA_BYTES}")
        length = _INPUT.size + len(frame.data)
        return _HEADER.pack(_INPUT_KIND, frame.at, length) + _INPUT.pack(frame.channel) + frame.data
    if type(frame) is Resize:
        return _HEADER.pack(_RESIZE_KIND, frame.at, _RESIZE.size) + _RESIZE.pack(
            frame.channel, frame.columns, frame.rows
        )
    body = canonical.encode({field.name: _plain(getattr(frame, field.name)) for field in fields(frame)[1:]})
    if len(body) > MAX_RARE_BYTES:
        raise ValueError(f"{type(frame).__name__} of {len(body)} bytes, at most {MAX_RARE_BYTES}")
    return _HEADER.pack(_RARE_KINDS[type(frame)], frame.at, len(body)) + body


def decode(data: bytes) -> Iterator[Frame]:
    """The frames that `data` consists of, exactly. Raises `Corrupt` where it does not."""
    view, offset = memoryview(data), 0
    while offset < len(data):
        if offset + _HEADER.size > len(data):
            raise Corrupt(f"half a frame header at byte {offset} of a chunk")
        kind, at, length = _HEADER.unpack_from(data, offset)
        offset += _HEADER.size
        if offset + length > len(data):
            raise Corrupt(f"a frame of {length} bytes ends after its chunk")
        yield _frame(kind, at, view[offset : offset + length])
        offset += length


def _frame(kind: int, at: int, body: memoryview) -> Frame:
    if kind == _OUTPUT_KIND and _OUTPUT.size <= len(body) <= _OUTPUT.size + MAX_DATA_BYTES:
        channel, stream = _OUTPUT.unpack_from(body)
        if stream in (Stream.STDOUT, Stream.STDERR):
            return Output(at, channel, Stream(stream), bytes(body[_OUTPUT.size :]))
    elif kind == _TYPED_KIND and len(body) == _TYPED.size:
        return TypedInput(at, *_TYPED.unpack(body))
    elif kind == _RESIZE_KIND and len(body) == _RESIZE.size:
        return Resize(at, *_RESIZE.unpack(body))
    elif kind == _INPUT_KIND and _INPUT.size <= len(body) <= _INPUT.size + MAX_DATA_BYTES:
        return Input(at, _INPUT.unpack_from(body)[0], bytes(body[_INPUT.size :]))
    elif kind == _OMITTED_KIND and len(body) == _OMITTED.size:
        channel, stream, count = _OMITTED.unpack(body)
        if stream in tuple(Stream):
            return Omitted(at, channel, Stream(stream), count)
    elif kind in _STATEMENTS:
        return statements.frame(kind, at, body)
    elif kind in _RARE and len(body) <= MAX_RARE_BYTES:
        return _rare(_RARE[kind], at, bytes(body))
    raise Corrupt(f"no frame of kind {kind} has {len(body)} bytes like these")


def _rare(record: type[Any], at: int, body: bytes) -> Frame:
    try:
        values = canonical.decode(body)
    except canonical.NotCanonical as error:
        raise Corrupt(f"{record.__name__}: {error}") from None
    known = {field.name: field.type for field in fields(record)[1:]}
    if not isinstance(values, dict) or values.keys() != known.keys():
        raise Corrupt(f"{record.__name__} has not the fields it should have")
    for name, value in values.items():
        if not isinstance(value, _ACCEPTED[known[name]]) or (type(value) is bool) is not (known[name] is bool):
            raise Corrupt(f"{record.__name__}.{name} is a {type(value).__name__}")
    frame: Frame = record(at, **values)
    return frame


def _plain(value: Any) -> canonical.Json:
    plain: canonical.Json = dict(value) if isinstance(value, Mapping) else value
    return plain


_ACCEPTED: Final[Mapping[Any, Any]] = MappingProxyType(
    {
        str: str,
        int: int,
        bool: bool,
        Instant: int,
        int | None: int | None,
        str | None: str | None,
        Mapping[str, int]: dict,
    }
)
"""Annotation of a field -> the JSON types that it accepts."""
