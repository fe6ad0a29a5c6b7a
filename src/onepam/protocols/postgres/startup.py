"""What a client says before it has signed in (PostgreSQL, "Message Formats": SSLRequest, GSSENCRequest, CancelRequest,
StartupMessage, PasswordMessage), and what it is told. Pure.

These come without a kind: `length (u32, of all) | code (u32) | ...`, big-endian.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct
from typing import Final

from onepam.protocols.postgres import wire
from onepam.protocols.postgres.wire import HEAD, Malformed

TLS_BYTE: Final = 0x16
"""With this a client begins that speaks TLS at once (RFC 8446, 5.1: a handshake)."""

MOST_STARTUP_BYTES: Final = 10_000
"""The server's own bound (MAX_STARTUP_PACKET_LENGTH)."""

MOST_PASSWORD_BYTES: Final = 4096
MOST_PARAMETERS: Final = 100

NEWEST_MINOR: Final = 2
"""Of version 3: 3.2 has longer keys to cancel by; in the rest it is 3.0."""

_LENGTH_AND_CODE: Final = Struct(">II")
_LONG: Final = Struct(">I")
_CANCEL, _TLS, _GSS = (1234 << 16 | minor for minor in (5678, 5679, 5680))
_EXTENSION: Final = "_pq_."
_PASSWORD_KIND: Final = ord("p")
_AUTHENTICATION, _KEY, _NEGOTIATE = ord("R"), ord("K"), ord("v")

LET_IN: Final = HEAD.pack(_AUTHENTICATION, 8) + _LONG.pack(0)
ASK_PASSWORD: Final = HEAD.pack(_AUTHENTICATION, 8) + _LONG.pack(3)


@dataclass(frozen=True, slots=True)
class WantsTls:
    """An SSLRequest."""


@dataclass(frozen=True, slots=True)
class WantsGss:
    """A GSSENCRequest."""


@dataclass(frozen=True, slots=True)
class WantsCancel:
    """A CancelRequest: of the session that was told this process and this key."""

    process: int
    key: bytes


@dataclass(frozen=True, slots=True)
class Startup:
    """A StartupMessage. `parameters` are all but those that ask for a protocol's extensions, which are `unknown`."""

    minor: int
    parameters: Mapping[str, str]
    unknown: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """Who signs in."""
        return self.parameters.get("user", "")

    @property
    def replicates(self) -> bool:
        """Whether it asks for a replication's stream."""
        return self.parameters.get("replication", "off").lower() not in ("", "0", "f", "n", "false", "no", "off")

    def negotiated(self) -> bytes:
        """A NegotiateProtocolVersion, where something was asked for that there is not; else nothing."""
        if self.minor <= NEWEST_MINOR and not self.unknown:
            return b""
        names = b"".join(name.encode() + b"\0" for name in self.unknown)
        newest = 3 << 16 | min(self.minor, NEWEST_MINOR)
        return wire.message(_NEGOTIATE, _LENGTH_AND_CODE.pack(newest, len(self.unknown)) + names)


def first(data: bytes | bytearray) -> tuple[WantsTls | WantsGss | WantsCancel | Startup, int] | None:
    """The first message, and how many bytes it has; None while it is not whole. Raises `Malformed`."""
    if len(data) < _LENGTH_AND_CODE.size:
        return None
    length, code = _LENGTH_AND_CODE.unpack_from(data)
    if not _LENGTH_AND_CODE.size <= length <= MOST_STARTUP_BYTES:
        raise Malformed("this is no start of PostgreSQL's protocol")
    if len(data) < length:
        return None
    body = bytes(data[_LENGTH_AND_CODE.size : length])
    if code in (_TLS, _GSS):
        if body:
            raise Malformed("something follows a request for encryption")
        return (WantsTls() if code == _TLS else WantsGss()), length
    if code == _CANCEL:
        if not _LONG.size < len(body) <= _LONG.size + 256:
            raise Malformed("a request to cancel has another length")
        return WantsCancel(_LONG.unpack_from(body)[0], body[_LONG.size :]), length
    if code >> 16 != 3:
        raise Malformed(f"version {code >> 16}.{code & 0xFFFF} of the protocol is not spoken here, but 3.0 to 3.2 are")
    return _startup(code & 0xFFFF, body), length


def _startup(minor: int, body: bytes) -> Startup:
    *parts, last = body.split(b"\0")
    if last or len(parts) % 2 != 1 or parts[-1]:
        raise Malformed("the parameters of the start have no end")
    try:
        texts = [part.decode() for part in parts[:-1]]
    except UnicodeDecodeError:
        raise Malformed("a parameter of the start is no UTF-8") from None
    found = dict(zip(texts[::2], texts[1::2], strict=True))
    if len(found) > MOST_PARAMETERS or "" in found:
        raise Malformed("these are no parameters of a start")
    unknown = tuple(name for name in found if name.startswith(_EXTENSION))
    return Startup(minor, {name: value for name, value in found.items() if name not in unknown}, unknown)


def password(data: bytes | bytearray) -> tuple[bytes, int] | None:
    """The password of a PasswordMessage, and how many bytes the message has; None while it is not whole. Raises
    `Malformed`."""
    if data and data[0] != _PASSWORD_KIND:
        raise Malformed("a password was asked for, and something else came")
    if len(data) < HEAD.size:
        return None
    length = HEAD.unpack_from(data)[1]
    if not 5 <= length <= MOST_PASSWORD_BYTES:
        raise Malformed("this is no password")
    if len(data) < 1 + length:
        return None
    word, end = wire.string(bytes(data[HEAD.size : 1 + length]), 0)
    if end != length - 4:
        raise Malformed("something follows the password")
    return word, 1 + length


def key_to_cancel(process: int, key: bytes) -> bytes:
    """A BackendKeyData."""
    return wire.message(_KEY, _LONG.pack(process) + key)
