"""What a server and a client of MySQL say until the client is in (MySQL, "Connection Phase"), of both legs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Final

from onepam.protocols.mysql import wire
from onepam.protocols.mysql.wire import Can, Malformed, Status

OFFERED: Final = (
    Can.LONG_PASSWORD | Can.FOUND_ROWS | Can.LONG_FLAG | Can.CONNECT_WITH_DB | Can.ODBC | Can.IGNORE_SPACE
    | Can.PROTOCOL_41 | Can.INTERACTIVE | Can.SSL | Can.TRANSACTIONS | Can.SECURE_CONNECTION | Can.MULTI_STATEMENTS
    | Can.MULTI_RESULTS | Can.PS_MULTI_RESULTS | Can.PLUGIN_AUTH | Can.CONNECT_ATTRS | Can.PLUGIN_AUTH_LENENC
    | Can.SESSION_TRACK | Can.LOCAL_FILES
)  # fmt: skip
"""What our listener can: what every server has since MySQL 5.6 and MariaDB 10.0, so that whatever a client takes of it
the target has, too; of an older one than MySQL 5.7 and MariaDB 10.2 a client hears of no changes in its session, and
reads its OK alike. Not among it: compression; results without EOF. The target hears of files of
the client's (LOCAL INFILE) only where the access gives them."""

NEEDED: Final = Can.PROTOCOL_41 | Can.SECURE_CONNECTION | Can.PLUGIN_AUTH
"""What either side must be able to."""

CACHING_SHA2, CLEAR = "caching_sha2_password", "mysql_clear_password"
"""Ways in which a client gives its password within TLS. The first one is what stock clients do without being told; of
it there is the full authentication alone, and nothing is cached."""

CHANGES: Final = Can.FOUND_ROWS | Can.CONNECT_WITH_DB | Can.MULTI_STATEMENTS | Can.MULTI_RESULTS | Can.PS_MULTI_RESULTS
"""What makes a target answer otherwise: a client that took it from us must have it of the target."""

NONCE_BYTES: Final = 20
MOST_HANDSHAKE_BYTES: Final = 64 * 1024
MOST_ATTRIBUTES: Final = 100
_FIXED: Final = Struct("<IIB23x")
_ATTRIBUTES_BYTES: Final = 32 * 1024


def greeting(version: str, thread: int, nonce: bytes) -> bytes:
    """Our HandshakeV10: the version that is claimed, and the connection's number, by which KILL knows it."""
    can = int(OFFERED)
    payload = (
        b"\x0a" + version.encode("ascii") + b"\0" + thread.to_bytes(4, "little") + nonce[:8] + b"\0"
        + (can & 0xFFFF).to_bytes(2, "little") + b"\x2d" + int(Status.AUTOCOMMIT).to_bytes(2, "little")
        + (can >> 16).to_bytes(2, "little") + bytes((NONCE_BYTES + 1,)) + b"\0" * 10 + nonce[8:] + b"\0"
        + CACHING_SHA2.encode() + b"\0"
    )  # fmt: skip
    return wire.packet(0, payload)


@dataclass(frozen=True, slots=True)
class Start:
    """A HandshakeResponse41. `password` is the first answer to the plugin that the client names."""

    can: Can
    collation: int
    user: str
    password: bytes
    database: str | None
    plugin: str
    attributes: Mapping[str, str]


NOBODY: Final = Start(OFFERED & ~Can.LOCAL_FILES, 45, "", b"", None, CLEAR, {})
"""In the place of a client, where the gateway signs in for itself."""


def wants_tls(payload: bytes) -> bool:
    """Whether it is an SSLRequest. Raises `Malformed` for what is no beginning of a client's."""
    if len(payload) < _FIXED.size:
        raise Malformed("this is no start of MySQL's protocol")
    can, _, _ = _FIXED.unpack_from(payload)
    if can & NEEDED != NEEDED:
        raise Malformed("this client is older than MySQL 5.6 and MariaDB 10.0")
    return len(payload) == _FIXED.size and bool(can & Can.SSL)


def start(payload: bytes) -> Start:
    """A HandshakeResponse41 within TLS. Raises `Malformed`."""
    if wants_tls(payload):
        raise Malformed("this client asks for TLS within TLS")
    flags, _, collation = _FIXED.unpack_from(payload)
    can = Can(flags & int(OFFERED))
    user, offset = wire.ended(payload, _FIXED.size)
    if can & Can.PLUGIN_AUTH_LENENC:
        password, offset = wire.counted(payload, offset)
    else:
        size = payload[offset] if offset < len(payload) else 0
        password, offset = payload[offset + 1 : offset + 1 + size], offset + 1 + size
    database = b""
    if can & Can.CONNECT_WITH_DB and offset < len(payload):
        database, offset = wire.ended(payload, offset)
    plugin = b""
    if offset < len(payload):
        plugin, offset = wire.ended(payload, offset)
    attributes = _attributes(payload, offset) if can & Can.CONNECT_ATTRS and offset < len(payload) else {}
    try:
        return Start(
            can, collation, user.decode(), password, database.decode() or None, plugin.decode("ascii"), attributes
        )
    except UnicodeDecodeError:
        raise Malformed("a name in the start is no UTF-8") from None


def _attributes(payload: bytes, offset: int) -> dict[str, str]:
    body, _ = wire.counted(payload, offset)
    found: dict[str, str] = {}
    place = 0
    while place < len(body):
        name, place = wire.counted(body, place)
        value, place = wire.counted(body, place)
        found[name.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
        if len(found) > MOST_ATTRIBUTES:
            raise Malformed("these are too many attributes of a connection")
    return found


def switch(nonce: bytes) -> bytes:
    """The payload that has a client use `CACHING_SHA2` (AuthSwitchRequest)."""
    return b"\xfe" + CACHING_SHA2.encode() + b"\0" + nonce + b"\0"


CLEARLY: Final = b"\xfe" + CLEAR.encode() + b"\0"
"""The payload that has a client use `CLEAR`."""

MISREADS: Final = "MySQL Connector/J"
"""The name of a client that takes a server which says 5.5.5 first, as each MariaDB before 11 does, for so old that its
AuthMoreData has another form, and reads `FULL` wrongly. `CLEAR` it takes within TLS by itself."""


FULL: Final = b"\x01\x04"
"""The payload that asks for the password itself ("perform full authentication")."""


# The target's side ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server said first. `thread` is the connection's number there."""

    version: str
    thread: int
    can: Can
    nonce: bytes
    plugin: str


def greeted(payload: bytes) -> Greeting:
    """A HandshakeV10. Raises `Malformed`."""
    if payload[:1] != b"\x0a":
        raise Malformed("the target does not answer as a MySQL does")
    version, offset = wire.ended(payload, 1)
    rest = payload[offset:]
    if len(rest) < 31:
        raise Malformed("the target is older than MySQL 5.6 and MariaDB 10.0")
    thread, nonce = wire.long(rest), rest[4:12]
    can = int.from_bytes(rest[13:15], "little") | int.from_bytes(rest[18:20], "little") << 16
    size = max(13, rest[20] - 8)
    nonce += rest[31 : 31 + size].rstrip(b"\0")
    plugin = rest[31 + size :].split(b"\0")[0]
    return Greeting(
        version.decode("ascii", "replace"), thread, Can(can & int(OFFERED)), nonce[:NONCE_BYTES],
        plugin.decode("ascii", "replace"),
    )  # fmt: skip


def request(can: Can, collation: int) -> bytes:
    """The payload of our SSLRequest."""
    return _FIXED.pack(int(can | Can.SSL), wire.MOST_COMMAND_BYTES, collation)


def response(asked: Start, login: str, can: Can, plugin: str, answer: bytes) -> bytes:
    """The payload of our HandshakeResponse41: what the client asked for, with our login and our answer."""
    database = (asked.database or "").encode() + b"\0" if can & Can.CONNECT_WITH_DB else b""
    pairs = [wire.lenenc(len(part)) + part for pair in asked.attributes.items() for part in map(str.encode, pair)]
    attributes = b"".join(pairs)[:_ATTRIBUTES_BYTES] if sum(map(len, pairs)) <= _ATTRIBUTES_BYTES else b""
    return (
        request(can, asked.collation) + login.encode() + b"\0" + wire.lenenc(len(answer)) + answer + database
        + plugin.encode() + b"\0" + (wire.lenenc(len(attributes)) + attributes if can & Can.CONNECT_ATTRS else b"")
    )  # fmt: skip
