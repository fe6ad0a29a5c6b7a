"""What a Bind or a FunctionCall carries: parameters, each as its bytes, NULL, or by policy its size only."""

from collections.abc import Generator
from struct import error
from typing import NamedTuple

from onepam.protocols.postgres.wire import LONG, SHORT, Malformed
from onepam.recording.statements import Parameter

NAME_BYTES = 1024
"""Longest name of a statement or a portal that is read."""

KEPT_NAME_BYTES = 63
"""PostgreSQL tells two names apart by so many bytes of them."""

KEPT_BYTES = 512 * 1024
"""What is kept of the parameters of one Bind together; of those beyond, the size."""

PIECE = 64 * 1024
_NULL = 0xFFFF_FFFF
_MOST = 0x7FFF_FFFF


def cut_name(name: bytes) -> bytes:
    """What PostgreSQL keeps of a name."""
    return name if len(name) <= KEPT_NAME_BYTES else name[:KEPT_NAME_BYTES]


class Bound(NamedTuple):
    """A Bind as it was read, or of a FunctionCall the function's number (OID) with what it is given."""

    portal: bytes
    statement: bytes
    parameters: tuple[Parameter, ...]
    function: int = 0


class Reader:
    """Reads one message as it comes, in pieces of any size, and keeps no more of it than policy wants: of a parameter
    of more than `most` bytes the size. `portal` and `statement` are there once they are read, `bound` when all is."""

    def __init__(self, most: int, *, function: bool = False) -> None:
        self.bound: Bound | None = None
        self.statement: bytes | None = None
        self.portal = b""
        self._buffer = bytearray()
        self._reading = self._function(most) if function else self._bind(most)
        self._wanted = next(self._reading)

    def take(self, piece: bytes) -> None:
        """The next bytes of the body. Raises `Malformed`."""
        if self.bound is not None:
            raise Malformed("something follows the last parameter")
        self._buffer += piece
        offset, wanted = 0, self._wanted
        try:
            while len(self._buffer) - offset >= wanted:
                if wanted:
                    taken = bytes(self._buffer[offset : offset + wanted])
                elif (end := self._buffer.find(0, offset)) >= 0:
                    taken = bytes(self._buffer[offset:end])
                    offset += 1
                else:
                    break
                offset += len(taken)
                wanted = self._reading.send(taken)
        except StopIteration as end_of_it:
            self.bound = end_of_it.value
            if offset != len(self._buffer):
                raise Malformed("something follows the last parameter") from None
        del self._buffer[:offset]
        self._wanted = wanted
        if not wanted and len(self._buffer) > NAME_BYTES:
            raise Malformed("a name is too long")

    def _bind(self, most: int) -> Generator[int, bytes, Bound]:
        """Asks for so many bytes, 0 for those until the next NUL."""
        portal = yield 0
        statement = yield 0
        if max(len(portal), len(statement)) > NAME_BYTES:
            raise Malformed("a name is too long")
        self.portal, self.statement = cut_name(portal), cut_name(statement)
        parameters = yield from self._parameters(most)
        results = SHORT.unpack((yield SHORT.size))[0]
        if results:
            yield SHORT.size * results
        return Bound(self.portal, self.statement, parameters)

    def _function(self, most: int) -> Generator[int, bytes, Bound]:
        number = LONG.unpack((yield LONG.size))[0]
        parameters = yield from self._parameters(most)
        yield SHORT.size
        return Bound(b"", b"", parameters, number)

    def _parameters(self, most: int) -> Generator[int, bytes, tuple[Parameter, ...]]:
        formats = yield from self._formats()
        count = SHORT.unpack((yield SHORT.size))[0]
        if len(formats) not in (0, 1, count):
            raise Malformed("the forms of the parameters are not as many as the parameters")
        parameters, kept = [], 0
        for number in range(count):
            binary = bool(formats) and formats[number if len(formats) > 1 else 0]
            size = LONG.unpack((yield LONG.size))[0]
            if size == _NULL:
                parameters.append(Parameter(None, binary))
            elif size > _MOST:
                raise Malformed("the size of a parameter is negative")
            elif size <= most and kept + size <= KEPT_BYTES:
                kept += size
                parameters.append(Parameter((yield size) if size else b"", binary))
            else:
                parameters.append(Parameter(size, binary))
                while size:
                    size -= len((yield min(size, PIECE)))
        return tuple(parameters)

    def _formats(self) -> Generator[int, bytes, tuple[bool, ...]]:
        count = SHORT.unpack((yield SHORT.size))[0]
        codes = (yield SHORT.size * count) if count else b""
        if codes[::2].strip(b"\0") or codes[1::2].strip(b"\0\1"):
            raise Malformed("a parameter has an unknown form")
        return tuple(code == 1 for code in codes[1::2])


def read(body: bytes, most: int, *, function: bool = False) -> Bound:
    """A whole message. Raises `Malformed`."""
    if not function:
        bound = _usual(body, most)
        if bound is not None:
            return bound
    reader = Reader(most, function=function)
    reader.take(body)
    if reader.bound is None:
        raise Malformed("the parameters have no end")
    return reader.bound


def _usual(body: bytes, most: int) -> Bound | None:
    """A Bind as drivers send it, read at once: parameters that are all kept, in one form. None where it is another."""
    portal_end = body.find(0)
    end = body.find(0, portal_end + 1)
    if not 0 <= portal_end < end or end > NAME_BYTES or len(body) > KEPT_BYTES:
        return None
    try:
        offset = end + 3
        [formats] = SHORT.unpack_from(body, end + 1)
        binary = False
        if formats == 1:
            [form] = SHORT.unpack_from(body, offset)
            offset, binary = offset + 2, form == 1
            if form > 1:
                return None
        elif formats:
            return None
        [count] = SHORT.unpack_from(body, offset)
        offset += 2
        parameters = []
        for _ in range(count):
            [size] = LONG.unpack_from(body, offset)
            offset += 4
            if size == _NULL:
                parameters.append(Parameter(None, binary))
                continue
            if size > most:
                return None
            parameters.append(Parameter(body[offset : offset + size], binary))
            offset += size
        [results] = SHORT.unpack_from(body, offset)
    except error:
        return None
    if offset + 2 + 2 * results != len(body):
        return None
    return Bound(cut_name(body[:portal_end]), cut_name(body[portal_end + 1 : end]), tuple(parameters))
