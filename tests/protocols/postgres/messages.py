"""Messages of PostgreSQL's protocol, written from its manual ("Message Formats") and not from the product."""

import struct
from collections.abc import Sequence


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def query(text: str) -> bytes:
    return message("Q", text.encode() + b"\0")


def parse(name: str, text: str, types: Sequence[int] = ()) -> bytes:
    body = name.encode() + b"\0" + text.encode() + b"\0" + struct.pack("!H", len(types))
    return message("P", body + b"".join(struct.pack("!i", each) for each in types))


def bind(portal: str, statement: str, values: Sequence[bytes | None] = (), formats: Sequence[int] = ()) -> bytes:
    body = portal.encode() + b"\0" + statement.encode() + b"\0" + struct.pack("!H", len(formats))
    body += b"".join(struct.pack("!h", each) for each in formats) + struct.pack("!H", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message("B", body + struct.pack("!H", 0))


def describe(what: str, name: str = "") -> bytes:
    return message("D", what.encode() + name.encode() + b"\0")


def close(what: str, name: str = "") -> bytes:
    return message("C", what.encode() + name.encode() + b"\0")


def execute(portal: str = "", most: int = 0) -> bytes:
    return message("E", portal.encode() + b"\0" + struct.pack("!i", most))


def function(number: int, values: Sequence[bytes | None]) -> bytes:
    body = struct.pack("!iHH", number, 0, len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message("F", body + struct.pack("!h", 0))


def copy_data(data: bytes) -> bytes:
    return message("d", data)


SYNC, FLUSH, TERMINATE, COPY_DONE = message("S"), message("H"), message("X"), message("c")


def copy_fail(why: str) -> bytes:
    return message("f", why.encode() + b"\0")


# --- What a server answers -------------------------------------------------------------------------------------------

PARSED, BOUND, CLOSED, NO_DATA, SUSPENDED, EMPTY = (message(kind) for kind in "123nsI")


def ready(status: str = "I") -> bytes:
    return message("Z", status.encode())


def complete(tag: str) -> bytes:
    return message("C", tag.encode() + b"\0")


def row(*values: bytes | None) -> bytes:
    body = struct.pack("!H", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message("D", body)


def described(*names: str) -> bytes:
    body = struct.pack("!H", len(names))
    for name in names:
        body += name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0)
    return message("T", body)


def error(sqlstate: str, words: str, severity: str = "ERROR") -> bytes:
    fields = (("S", severity), ("V", severity), ("C", sqlstate), ("M", words))
    return message("E", b"".join(f"{name}{value}\0".encode() for name, value in fields) + b"\0")


def notice(words: str) -> bytes:
    return message("N", b"SNOTICE\0VNOTICE\0C00000\0M" + words.encode() + b"\0\0")


def setting(name: str, value: str) -> bytes:
    return message("S", name.encode() + b"\0" + value.encode() + b"\0")


def notification(channel: str, payload: str) -> bytes:
    return message("A", struct.pack("!i", 4711) + channel.encode() + b"\0" + payload.encode() + b"\0")


def copy_response(kind: str, columns: int = 1) -> bytes:
    return message(kind, struct.pack("!bH", 0, columns) + struct.pack("!h", 0) * columns)


def split(data: bytes) -> list[tuple[str, bytes]]:
    """The messages that `data` consists of."""
    found, offset = [], 0
    while offset < len(data):
        length = struct.unpack_from("!i", data, offset + 1)[0]
        assert length >= 4
        assert offset + 1 + length <= len(data), "the stream ends in the middle of a message"
        found.append((chr(data[offset]), data[offset + 5 : offset + 1 + length]))
        offset += 1 + length
    return found


def kinds(data: bytes) -> str:
    """Only their kinds."""
    return "".join(kind for kind, _ in split(data))
