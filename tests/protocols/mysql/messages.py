"""Packets of MySQL as a test writes them, by another pen than the product's."""

from struct import pack


def packet(sequence: int, payload: bytes) -> bytes:
    """A payload of any length, in as many packets as it takes."""
    out = b""
    while True:
        part, payload = payload[: 2**24 - 1], payload[2**24 - 1 :]
        out += pack("<I", len(part))[:3] + bytes([sequence % 256]) + part
        sequence += 1
        if len(part) < 2**24 - 1:
            return out


def query(text: bytes) -> bytes:
    return packet(0, b"\x03" + text)


def prepare(text: bytes) -> bytes:
    return packet(0, b"\x16" + text)


def execute(name: int, more: bytes = b"", *, cursor: bool = False) -> bytes:
    return packet(0, b"\x17" + pack("<IBI", name, cursor, 1) + more)


def ahead(name: int, parameter: int, data: bytes) -> bytes:
    return packet(0, b"\x18" + pack("<IH", name, parameter) + data)


def close(name: int) -> bytes:
    return packet(0, b"\x19" + pack("<I", name))


def fetch(name: int, rows: int) -> bytes:
    return packet(0, b"\x1c" + pack("<II", name, rows))


def ok(sequence: int = 1, affected: int = 0, status: int = 2) -> bytes:
    return packet(sequence, b"\0" + bytes([affected]) + b"\0" + pack("<HH", status, 0))


def eof(sequence: int, status: int = 2) -> bytes:
    return packet(sequence, b"\xfe" + pack("<HH", 0, status))


def error(sequence: int, number: int = 1146, words: bytes = b"no such table") -> bytes:
    return packet(sequence, b"\xff" + pack("<H", number) + b"#42S02" + words)


def column(sequence: int, name: bytes = b"c") -> bytes:
    return packet(
        sequence, b"\x03def\0\0\0" + bytes([len(name)]) + name + b"\0\x0c" + pack("<HIBHB", 45, 20, 253, 0, 0) + b"\0\0"
    )


def rows(*values: bytes, status: int = 2, sequence: int = 1, begins: int = 2) -> bytes:
    """A result of one column. `begins` is the status behind its description, `status` the one behind its rows."""
    out = packet(sequence, b"\1") + column(sequence + 1) + eof(sequence + 2, begins)
    for place, value in enumerate(values):
        size = bytes([len(value)]) if len(value) < 251 else b"\xfd" + pack("<I", len(value))[:3]
        out += packet(sequence + 3 + place, size + value)
    return out + eof(sequence + 3 + len(values), status)


def prepared(name: int, parameters: int = 0, columns: int = 1) -> bytes:
    out = packet(1, b"\0" + pack("<IHHBH", name, columns, parameters, 0, 0))
    place = 2
    for count in (parameters, columns):
        if count:
            out += b"".join(column(place + each) for each in range(count)) + eof(place + count)
            place += count + 1
    return out
