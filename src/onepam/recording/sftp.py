"""What happens to files in an SFTP stream (draft-ietf-secsh-filexfer-02, version 3), read in passing.

`asked` takes what the client sends and `answered` what the server sends, in pieces of any size; both return the
operations that are to be recorded. What changes something, or opens a file, is recorded before the request goes on
(`asked`) and again with its outcome. Reads and writes are summed up per open file and recorded when it is closed.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from struct import Struct

from onepam.kernel import canonical
from onepam.kernel.errors import Corrupt
from onepam.recording.frames import FileOperation

MAX_PACKET_BYTES = 256 * 1024 + 1024
"""Largest packet: OpenSSH's own bound, and some."""

MAX_PATH_BYTES = 16 * 1024
MAX_HANDLE_BYTES = 256
MAX_HANDLES = 1024
CROWDED = 1024
"""Requests that wait for their answer, from which on no more should be read: clients ask for a whole file at once."""

MAX_PENDING = 32 * 1024
"""More than can be read at once after that."""

VERSION = 3

_U32 = Struct(">I")
_U64 = Struct(">Q")

(
    _INIT, _VERSION, _OPEN, _CLOSE, _READ, _WRITE, _LSTAT, _FSTAT, _SETSTAT, _FSETSTAT, _OPENDIR, _READDIR, _REMOVE,
    _MKDIR, _RMDIR, _REALPATH, _STAT, _RENAME, _READLINK, _SYMLINK,
) = range(1, 21)  # fmt: skip
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS = range(101, 106)
_EXTENDED, _EXTENDED_REPLY = 200, 201

_PATHS = {_SETSTAT: "setstat", _REMOVE: "remove", _MKDIR: "mkdir", _RMDIR: "rmdir"}
_TWO_PATHS = {_RENAME: "rename", _SYMLINK: "symlink"}
_ON_HANDLE = frozenset({_CLOSE, _READ, _WRITE, _FSETSTAT})
_UNRECORDED = frozenset({_LSTAT, _FSTAT, _READDIR, _REALPATH, _STAT, _READLINK})
_REPLIES = frozenset({_STATUS, _HANDLE, _DATA, _NAME, _ATTRS, _EXTENDED_REPLY})
_TWO_PATHS_EXTENDED = {b"posix-rename@openssh.com": "rename", b"hardlink@openssh.com": "link"}
_HARMLESS = frozenset(
    {
        b"statvfs@openssh.com", b"fstatvfs@openssh.com", b"fsync@openssh.com", b"limits@openssh.com",
        b"expand-path@openssh.com", b"home-directory", b"users-groups-by-id@openssh.com",
    }
)  # fmt: skip
_OUTCOMES = {
    0: "ok", 1: "end of file", 2: "no such file", 3: "permission denied", 4: "failure", 5: "bad message",
    6: "no connection", 7: "connection lost", 8: "unsupported",
}  # fmt: skip
_FAILURE = 4
_WRITING, _APPEND = 0x02, 0x04
_FLAGS = ((0x01, "read"), (0x02, "write"), (0x04, "append"), (0x08, "create"), (0x10, "truncate"), (0x20, "exclusive"))
_ATTRIBUTE_SIZE = 0x01

ASKED, UNFINISHED = "asked", "unfinished"


class SftpBroken(Corrupt):
    """The stream is no SFTP version 3 within its bounds: what it does cannot be recorded, so the channel must end."""


class _Flow:
    """What went one way through an open file, hashed while it runs in order from offset 0."""

    def __init__(self, *, sparse: bool = False) -> None:
        self.used = False
        self.size = 0
        self.sparse = sparse
        self._digest = sha256()
        self._next = 0

    def passed(self, offset: int, data: memoryview) -> None:
        """`data` goes to or comes from `offset`."""
        self.used = True
        if self.sparse or offset != self._next:
            self.sparse = True
        else:
            self._digest.update(data)
            self._next += len(data)

    def resized(self, size: int) -> None:
        """The file's size was set by other means than writing."""
        self.sparse = self.sparse or size != self._next

    def sha256(self) -> str | None:
        """Of all `size` bytes, where that can be said."""
        return None if self.sparse or self._next != self.size else self._digest.hexdigest()


class _File:
    """An open file, or an open directory (`flags` is None)."""

    def __init__(self, opened: FileOperation, flags: int | None) -> None:
        self.opened = opened
        self.flags = flags
        self.read = _Flow()
        self.written = _Flow(sparse=bool((flags or 0) & _APPEND))

    def summary(self, at: int, outcome: str) -> Iterator[FileOperation]:
        """What is recorded when it is closed."""
        if self.flags is None:
            return
        if self.written.used or self.flags & _WRITING:
            yield self._operation(at, "write", self.written, outcome)
        if self.read.used or not self.flags & _WRITING:
            yield self._operation(at, "read", self.read, outcome)

    def _operation(self, at: int, operation: str, flow: _Flow, outcome: str) -> FileOperation:
        digest = flow.sha256()
        return replace(
            self.opened,
            at=at,
            operation=operation,
            outcome=outcome,
            detail="",
            size=flow.size,
            sha256=digest,
            sparse=digest is None,
        )


_Answered = Callable[[int, "_Packet", int], Iterable[FileOperation]]
"""(packet type, the packet after its id, time) -> what to record, and do, when the answer to a request is there."""


class Sftp:
    """The SFTP stream of one channel. After `SftpBroken` nothing more may be forwarded."""

    def __init__(self, channel: int) -> None:
        self._channel = channel
        self._number = 0
        self._requests = bytearray()
        self._replies = bytearray()
        self._pending: dict[int, _Answered] = {}
        self._questions: dict[int, FileOperation] = {}
        self._files: dict[bytes, _File] = {}
        self._asking: int | None = None

    @property
    def crowded(self) -> bool:
        """Whether answers should come before more is asked."""
        return len(self._pending) >= CROWDED

    def refusals(self, message: str) -> bytes:
        """A failure with `message` for whatever waits for an answer, as the last that the client hears. Empty in the
        middle of a reply: there nothing can be said."""
        if self._replies:
            return b""
        asking = () if self._asking is None else (self._asking,)
        text = message.encode()
        body = _U32.pack(_FAILURE) + _U32.pack(len(text)) + text + _U32.pack(0)
        return b"".join(
            _U32.pack(1 + _U32.size + len(body)) + bytes((_STATUS,)) + _U32.pack(request) + body
            for request in [*dict.fromkeys((*asking, *self._pending))][:CROWDED]
        )

    def asked(self, data: bytes, at: int) -> list[FileOperation]:
        """What to record before `data` goes to the server. Raises `SftpBroken`."""
        recorded: list[FileOperation] = []

        def take(packet: _Packet) -> None:
            recorded.extend(self._request(packet, at))
            self._asking = None

        _each(self._requests, data, take)
        return recorded

    def answered(self, data: bytes, at: int) -> list[FileOperation]:
        """What to record before `data` goes to the client. Raises `SftpBroken`."""
        recorded: list[FileOperation] = []
        _each(self._replies, data, lambda packet: recorded.extend(self._reply(packet, at)))
        return recorded

    def ended(self, at: int) -> list[FileOperation]:
        """What to record when the channel ends: questions without an answer, files that nobody closed."""
        unanswered = [replace(question, at=at, outcome=UNFINISHED) for question in self._questions.values()]
        return unanswered + [each for file in self._files.values() for each in file.summary(at, UNFINISHED)]

    # Requests --------------------------------------------------------------------------------------------------------

    def _request(self, packet: "_Packet", at: int) -> Iterable[FileOperation]:
        kind = packet.byte()
        if kind == _INIT:
            return ()
        self._asking = request = packet.u32()
        if request in self._pending:
            raise SftpBroken(f"request {request} is asked again before its answer")
        if kind in _PATHS:
            return self._ask(request, at, _PATHS[kind], packet.path())
        if kind in _TWO_PATHS:
            first, second = packet.path(), packet.path()
            # OpenSSH sends SYMLINK's target first (PROTOCOL, 4.1); the path is the link, which is made
            path, target = (second, first) if kind == _SYMLINK else (first, second)
            return self._ask(request, at, _TWO_PATHS[kind], path, target)
        if kind == _OPEN:
            path, flags = packet.path(), packet.u32()
            return self._open(request, at, "open", path, flags)
        if kind == _OPENDIR:
            return self._open(request, at, "list", packet.path(), None)
        if kind in _ON_HANDLE:
            return self._on_handle(kind, request, packet, at)
        if kind == _EXTENDED:
            return self._extended(request, packet, at)
        if kind not in _UNRECORDED:
            raise SftpBroken(f"packet type {kind} is no request of SFTP version {VERSION}")
        return ()

    def _open(self, request: int, at: int, operation: str, path: str, flags: int | None) -> Iterable[FileOperation]:
        detail = " ".join(name for bit, name in _FLAGS if (flags or 0) & bit)
        asked = self._question(at, operation, path, detail=detail)

        def answer(kind: int, reply: _Packet, at: int) -> Iterable[FileOperation]:
            if kind == _HANDLE:
                if len(self._files) >= MAX_HANDLES:
                    raise SftpBroken(f"more than {MAX_HANDLES} files are open")
                self._files[reply.string(MAX_HANDLE_BYTES)] = _File(asked, flags)
                del self._questions[asked.number]
                return () if flags is not None else (replace(asked, at=at, outcome="ok"),)
            return self._settled(asked, kind, reply, at)

        self._expect(request, answer)
        return (asked,)

    def _ask(self, request: int, at: int, operation: str, path: str, target: str = "") -> Iterable[FileOperation]:
        asked = self._question(at, operation, path, target)
        self._expect(request, lambda kind, reply, at: self._settled(asked, kind, reply, at))
        return (asked,)

    def _on_handle(self, kind: int, request: int, packet: "_Packet", at: int) -> Iterable[FileOperation]:
        handle = packet.string(MAX_HANDLE_BYTES)
        file = self._files.get(handle)
        if file is None:
            raise SftpBroken("a request names a file that is not open")
        if kind == _READ:
            offset = packet.u64()
            self._expect(request, lambda kind, reply, at: _read(file.read, offset, kind, reply))
        elif kind == _WRITE:
            offset, data = packet.u64(), packet.data()
            size = len(data)
            file.written.passed(offset, data)
            self._expect(request, lambda kind, reply, at: _written(file.written, size, kind, reply))
        elif kind == _FSETSTAT:
            if packet.u32() & _ATTRIBUTE_SIZE:
                file.written.resized(packet.u64())
            return self._ask(request, at, "setstat", file.opened.path)
        else:
            self._expect(request, lambda kind, reply, at: self._closed(handle, kind, reply, at))
        return ()

    def _extended(self, request: int, packet: "_Packet", at: int) -> Iterable[FileOperation]:
        name = packet.string(MAX_HANDLE_BYTES)
        if name in _HARMLESS:
            return ()
        if name in _TWO_PATHS_EXTENDED:
            return self._ask(request, at, _TWO_PATHS_EXTENDED[name], packet.path(), packet.path())
        if name == b"lsetstat@openssh.com":
            return self._ask(request, at, "setstat", packet.path())
        if name == b"copy-data":
            source = self._files.get(packet.string(MAX_HANDLE_BYTES))
            packet.u64(), packet.u64()
            target = self._files.get(packet.string(MAX_HANDLE_BYTES))
            if source is None or target is None:
                raise SftpBroken("a request names a file that is not open")
            target.written.used = target.written.sparse = True
            return self._ask(request, at, "copy", source.opened.path, target.opened.path)
        return self._ask(request, at, "extended", canonical.tagged(name))

    # Replies ---------------------------------------------------------------------------------------------------------

    def _reply(self, packet: "_Packet", at: int) -> Iterable[FileOperation]:
        kind = packet.byte()
        number = packet.u32()
        if kind == _VERSION:
            if number != VERSION:
                raise SftpBroken(f"the server speaks SFTP version {number}; only {VERSION} can be recorded")
            return ()
        if kind not in _REPLIES:
            raise SftpBroken(f"packet type {kind} is no reply of SFTP version {VERSION}")
        answer = self._pending.pop(number, None)
        return answer(kind, packet, at) if answer else ()

    def _settled(self, asked: FileOperation, kind: int, reply: "_Packet", at: int) -> Iterable[FileOperation]:
        del self._questions[asked.number]
        return (replace(asked, at=at, outcome=_outcome(kind, reply)),)

    def _closed(self, handle: bytes, kind: int, reply: "_Packet", at: int) -> Iterable[FileOperation]:
        file = self._files.pop(handle, None)
        return file.summary(at, _outcome(kind, reply)) if file else ()

    # Both ------------------------------------------------------------------------------------------------------------

    def _question(self, at: int, operation: str, path: str, target: str = "", detail: str = "") -> FileOperation:
        self._number += 1
        asked = FileOperation(at, self._channel, self._number, operation, path, ASKED, target, detail)
        self._questions[asked.number] = asked
        return asked

    def _expect(self, request: int, answer: _Answered) -> None:
        if len(self._pending) >= MAX_PENDING:
            raise SftpBroken(f"more than {MAX_PENDING} requests wait for their answer")
        self._pending[request] = answer


def _read(flow: _Flow, offset: int, kind: int, reply: "_Packet") -> Iterable[FileOperation]:
    if kind == _DATA:
        data = reply.data()
        flow.passed(offset, data)
        flow.size += len(data)
    return ()


def _written(flow: _Flow, size: int, kind: int, reply: "_Packet") -> Iterable[FileOperation]:
    if _outcome(kind, reply) == "ok":
        flow.size += size
    return ()


def _outcome(kind: int, reply: "_Packet") -> str:
    if kind != _STATUS:
        return f"reply of type {kind}"
    code = reply.u32()
    return _OUTCOMES.get(code, f"status {code}")


def _each(buffer: bytearray, data: bytes, take: "Callable[[_Packet], None]") -> None:
    """Hands every whole packet in `buffer` and `data` to `take`, and keeps the rest in `buffer`."""
    buffer += data
    start = 0
    with memoryview(buffer) as view:
        while len(buffer) - start >= _U32.size:
            (length,) = _U32.unpack_from(buffer, start)
            if not 1 <= length <= MAX_PACKET_BYTES:
                raise SftpBroken(f"a packet of {length} bytes")
            end = start + _U32.size + length
            if len(buffer) < end:
                break
            with view[start + _U32.size : end] as packet:
                take(_Packet(packet))
            start = end
    del buffer[:start]


class _Packet:
    """The fields of one packet, in order (draft-ietf-secsh-filexfer-02, section 3). Raises `SftpBroken` beyond it."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self._at = 0

    def byte(self) -> int:
        """One byte."""
        return self._taken(1)[0]

    def u32(self) -> int:
        """A uint32."""
        (value,) = _U32.unpack(self._taken(_U32.size))
        return int(value)

    def u64(self) -> int:
        """A uint64."""
        (value,) = _U64.unpack(self._taken(_U64.size))
        return int(value)

    def data(self) -> memoryview:
        """A string of any length, not copied: valid as long as the packet is."""
        return self._taken(self.u32())

    def string(self, limit: int) -> bytes:
        """A string of at most `limit` bytes."""
        data = self.data()
        if len(data) > limit:
            raise SftpBroken(f"a name of {len(data)} bytes, at most {limit}")
        return bytes(data)

    def path(self) -> str:
        """A path, as `canonical.tagged` text."""
        return canonical.tagged(self.string(MAX_PATH_BYTES))

    def _taken(self, size: int) -> memoryview:
        end = self._at + size
        if end > len(self._view):
            raise SftpBroken("a packet ends before its fields do")
        taken = self._view[self._at : end]
        self._at = end
        return taken
