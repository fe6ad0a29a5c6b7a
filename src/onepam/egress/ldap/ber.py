"""The part of BER that LDAP uses (RFC 4511 section 5.1): definite lengths, tags of one byte, no constructed strings."""

from typing import final

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""One message: an entry with the few attributes that we ask for, or an answer."""

INTEGER, BOOLEAN, OCTETS, ENUMERATED, SEQUENCE, SET = 0x02, 0x01, 0x04, 0x0A, 0x30, 0x31

_MOST_LENGTH_BYTES = 4
_MOST_INTEGER_BYTES = 8


class Malformed(ValueError):
    """What came is not BER as LDAP writes it, or is larger than we read."""


def element(tag: int, *parts: bytes) -> bytes:
    """An element with these contents, one after another."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A number that is not negative."""
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def boolean(value: bool, tag: int = BOOLEAN) -> bytes:
    """True is 0xFF, as RFC 4511 demands."""
    return element(tag, b"\xff" if value else b"\x00")


def octets(value: str | bytes, tag: int = OCTETS) -> bytes:
    """A string; text as UTF-8."""
    return element(tag, value.encode("utf-8") if isinstance(value, str) else value)


@final
class Elements:
    """The elements in a piece of content, taken one after another. Every method raises `Malformed`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        """Whether there is another element."""
        return self._at < len(self._data)

    @property
    def tag(self) -> int:
        """The tag of the next element; -1 at the end."""
        return self._data[self._at] if self.more else -1

    def take(self) -> tuple[int, bytes]:
        """Tag and content of the next element."""
        head = _head(self._data, self._at)
        if head is None or head[1] > len(self._data):
            raise Malformed("an element is cut off")
        begin, end = head
        tag, self._at = self._data[self._at], end
        return tag, self._data[begin:end]

    def expect(self, tag: int) -> bytes:
        """The content of the next element, which has this tag."""
        if self.tag != tag:
            raise Malformed(f"tag {tag:#04x} expected, {self.tag:#04x} found")
        return self.take()[1]

    def number(self, tag: int = INTEGER) -> int:
        """The next element as a number."""
        content = self.expect(tag)
        if not 0 < len(content) <= _MOST_INTEGER_BYTES:
            raise Malformed("a number has no or too many bytes")
        return int.from_bytes(content, "big", signed=True)


@final
class Frames:
    """Cuts a stream of bytes into whole messages."""

    def __init__(self) -> None:
        self._held = bytearray()

    @property
    def empty(self) -> bool:
        """Whether nothing is held that was not taken."""
        return not self._held

    def feed(self, data: bytes) -> list[bytes]:
        """The contents of the messages (each an outermost SEQUENCE) that are whole by now. Raises `Malformed`."""
        self._held += data
        found, at = [], 0
        while at < len(self._held):
            if self._held[at] != SEQUENCE:
                raise Malformed("this is not an LDAP message")
            head = _head(self._held, at)
            if head is None or head[1] > len(self._held):
                break
            found.append(bytes(self._held[head[0] : head[1]]))
            at = head[1]
        del self._held[:at]
        return found


def _head(data: bytes | bytearray, at: int) -> tuple[int, int] | None:
    """Where the content of the element at `at` begins and ends; None where its head is not whole yet."""
    if at + 2 > len(data):
        return None
    if data[at] & 0x1F == 0x1F:
        raise Malformed("a tag of several bytes")
    size, begin = data[at + 1], at + 2
    if size >= 0x80:
        count = size & 0x7F
        if not 0 < count <= _MOST_LENGTH_BYTES:
            raise Malformed("a length that is indefinite or too long")
        if begin + count > len(data):
            return None
        size, begin = int.from_bytes(data[begin : begin + count], "big"), begin + count
    if size > MAX_MESSAGE_BYTES:
        raise Malformed(f"an element of {size:,} bytes; at most {MAX_MESSAGE_BYTES:,} are read")
    return begin, begin + size
