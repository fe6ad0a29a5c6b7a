"""MySQL's wire: packets, their bounds, and what is read and written of them.

A packet is `length (3 bytes) | sequence (1 byte) | payload`, little-endian; a payload of 2^24-1 bytes and more goes on
in the next packet, until one is shorter (MySQL, "MySQL Packets"; MariaDB, "0 - Packet"). No socket, no state.
"""

from enum import IntFlag
from struct import Struct
from typing import Final

HEAD_BYTES: Final = 4
WHOLE: Final = 0xFF_FFFF
"""The length of a packet that goes on in the next one."""

MOST_COMMAND_BYTES: Final = 1 << 30
"""The server's own bound (max_allowed_packet at most)."""

QUIT, INIT_DB, QUERY, FIELD_LIST = 0x01, 0x02, 0x03, 0x04
STATISTICS, PROCESS_INFO, PROCESS_KILL, PING = 0x09, 0x0A, 0x0C, 0x0E
PREPARE, EXECUTE, LONG_DATA, CLOSE, RESET, SET_OPTION, FETCH, RESET_CONNECTION = (
    0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1F,
)  # fmt: skip
"""Commands of a client that pass (MySQL, "Command Phase"). No other does."""

REFUSED: Final = {
    0x05: "COM_CREATE_DB", 0x06: "COM_DROP_DB", 0x07: "COM_REFRESH", 0x08: "COM_SHUTDOWN", 0x0D: "COM_DEBUG",
    0x11: "COM_CHANGE_USER", 0x12: "COM_BINLOG_DUMP", 0x13: "COM_TABLE_DUMP", 0x15: "COM_REGISTER_SLAVE",
    0x1E: "COM_BINLOG_DUMP_GTID", 0x20: "COM_CLONE", 0xFA: "COM_STMT_BULK_EXECUTE", 0xFE: "COM_MULTI",
}  # fmt: skip
"""Commands that we know and do not pass, by their names."""

OK, ERROR, EOF, LOCAL_INFILE = 0x00, 0xFF, 0xFE, 0xFB
"""First bytes of what a server answers."""

MOST_EOF_BYTES: Final = 8
"""An EOF is at most so long; what is longer and begins alike is a row."""


class Can(IntFlag):
    """Capabilities of either side (MySQL, "Capabilities Flags")."""

    LONG_PASSWORD = 1
    FOUND_ROWS = 1 << 1
    LONG_FLAG = 1 << 2
    CONNECT_WITH_DB = 1 << 3
    ODBC = 1 << 6
    LOCAL_FILES = 1 << 7
    IGNORE_SPACE = 1 << 8
    PROTOCOL_41 = 1 << 9
    INTERACTIVE = 1 << 10
    SSL = 1 << 11
    TRANSACTIONS = 1 << 13
    SECURE_CONNECTION = 1 << 15
    MULTI_STATEMENTS = 1 << 16
    MULTI_RESULTS = 1 << 17
    PS_MULTI_RESULTS = 1 << 18
    PLUGIN_AUTH = 1 << 19
    CONNECT_ATTRS = 1 << 20
    PLUGIN_AUTH_LENENC = 1 << 21
    SESSION_TRACK = 1 << 23


class Status(IntFlag):
    """What a server says of a session with an answer (MySQL, "SERVER_STATUS_flags_enum")."""

    IN_TRANSACTION = 1
    AUTOCOMMIT = 1 << 1
    MORE_RESULTS = 1 << 3
    CURSOR = 1 << 6
    LAST_ROW_SENT = 1 << 7
    OUT_PARAMETERS = 1 << 12
    IN_READ_ONLY_TRANSACTION = 1 << 13
    SESSION_CHANGED = 1 << 14


_SHORT, _LONG, _LONG_LONG = Struct("<H"), Struct("<I"), Struct("<Q")


class Malformed(Exception):
    """The bytes are no message of this kind. The text names what is wrong, not what it contains."""


def packet(sequence: int, payload: bytes) -> bytes:
    """A packet of fewer than 2^24-1 bytes."""
    return len(payload).to_bytes(3, "little") + bytes((sequence & 0xFF,)) + payload


def error(sequence: int, number: int, sqlstate: str, words: str) -> bytes:
    """An ERR_Packet of ours."""
    return packet(sequence, b"\xff" + _SHORT.pack(number) + f"#{sqlstate}OnePAM: {words}".encode())


def ok(sequence: int, status: int) -> bytes:
    """An OK_Packet of ours, of no rows. What changed in a session stands in the server's own alone."""
    return packet(sequence, b"\0\0\0" + _SHORT.pack(status & ~Status.SESSION_CHANGED) + b"\0\0")


def lenenc(number: int) -> bytes:
    """A length-encoded integer."""
    if number < 0xFB:
        return bytes((number,))
    if number < 1 << 16:
        return b"\xfc" + _SHORT.pack(number)
    if number < 1 << 24:
        return b"\xfd" + number.to_bytes(3, "little")
    return b"\xfe" + _LONG_LONG.pack(number)


_WIDTHS: Final = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def wide(first: int) -> int:
    """How many bytes of a length-encoded integer follow its first. Raises `Malformed`."""
    if first < 0xFB:
        return 0
    if first not in _WIDTHS:
        raise Malformed("a length is none")
    return _WIDTHS[first]


def number(body: bytes, offset: int) -> tuple[int, int]:
    """A length-encoded integer, and where what follows it begins. Raises `Malformed`."""
    if offset >= len(body):
        raise Malformed("a number has no end")
    more = wide(body[offset])
    if offset + 1 + more > len(body):
        raise Malformed("a number has no end")
    if not more:
        return body[offset], offset + 1
    return int.from_bytes(body[offset + 1 : offset + 1 + more], "little"), offset + 1 + more


def counted(body: bytes, offset: int) -> tuple[bytes, int]:
    """A length-encoded string, and where what follows it begins. Raises `Malformed`."""
    size, offset = number(body, offset)
    if offset + size > len(body):
        raise Malformed("a text is shorter than it says")
    return body[offset : offset + size], offset + size


def ended(body: bytes, offset: int) -> tuple[bytes, int]:
    """The bytes until the next NUL, and where what follows it begins. Raises `Malformed`."""
    end = body.find(0, offset)
    if end < 0:
        raise Malformed("a text has no end")
    return body[offset:end], end + 1


def long(body: bytes, offset: int = 0) -> int:
    """Four bytes. Raises `Malformed`."""
    if offset + _LONG.size > len(body):
        raise Malformed("a number has no end")
    found: int = _LONG.unpack_from(body, offset)[0]
    return found


def status_of_ok(body: bytes) -> tuple[int, int]:
    """Rows that an OK_Packet says were touched, and its status. Raises `Malformed`."""
    affected, offset = number(body, 1)
    _, offset = number(body, offset)
    if offset + _SHORT.size > len(body):
        raise Malformed("an OK is too short")
    return affected, _SHORT.unpack_from(body, offset)[0]


def short_ok(body: bytes) -> bytes:
    """An OK_Packet without what a server says of it in words, and of changes in its session. Raises `Malformed`."""
    _, status = status_of_ok(body)
    end = number(body, number(body, 1)[1])[1]
    return body[:end] + _SHORT.pack(status & ~Status.SESSION_CHANGED) + body[end + _SHORT.size : end + 2 * _SHORT.size]


def status_of_eof(body: bytes) -> int:
    """The status of an EOF_Packet. Raises `Malformed`."""
    if len(body) != 1 + 2 * _SHORT.size:
        raise Malformed("an EOF has another length")
    found: int = _SHORT.unpack_from(body, 1 + _SHORT.size)[0]
    return found


def error_of(body: bytes) -> tuple[int, str, str]:
    """Number, SQLSTATE and words of an ERR_Packet. Raises `Malformed`."""
    if len(body) < 1 + _SHORT.size:
        raise Malformed("an error is too short")
    sqlstate, words = "HY000", body[1 + _SHORT.size :]
    if words[:1] == b"#":
        sqlstate, words = words[1:6].decode("ascii", "replace"), words[6:]
    return _SHORT.unpack_from(body, 1)[0], sqlstate, words.decode("utf-8", "replace")
