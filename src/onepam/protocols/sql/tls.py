"""TLS on a TCP connection that begins in the clear, for both legs of a session.

asyncio's own TLS keeps 256 KiB for each connection, and parts from nobody as a session must. Here a connection that
idles costs what OpenSSL keeps of it, and below the TLS there is a plain transport, which `gateway.parting` ends.
"""

import asyncio
import hashlib
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.parting import cut, part

ALPN = "postgresql"
"""What a client of PostgreSQL that begins with TLS must ask for (PostgreSQL 17, "Direct SSL")."""

READ_BYTES = 64 * 1024

TRANSPORT_BYTES = 128 * 1024
"""What may wait in a transport before the source is paused."""

KEEPALIVE_SECONDS = 30

_DIGEST = "sha256:"


class Leg(asyncio.Protocol):
    """One TCP connection. What comes goes to `heard`, deciphered once it is `secure`; `full` is told whether it takes
    no more for the time being; `lost` once when it has gone. `left` says why it has, once it has by itself."""

    says_goodbye = True
    """Whether we end TLS before the connection (RFC 8446, 6.1)."""

    def __init__(self, left: SessionEnd) -> None:
        self.left = left
        self.heard: Callable[[bytes], object] = _nothing
        self.full: Callable[[bool], object] = _nothing
        self.lost: Callable[[], object] = _nothing
        self.is_full = False
        self.over = asyncio.Event()
        self._connected = False
        self._tls: Named | None = None
        self._when_secured: Callable[[ssl.SSLError | None], object] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=TRANSPORT_BYTES)
        self._connected = True

    def patience(self, seconds: int) -> None:
        """For how long the other side may give no sign of life (RFC 1122, 4.2.3.6; RFC 5482)."""
        plain: socket.socket = self.transport.get_extra_info("socket")
        with suppress(OSError):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_SECONDS)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, max(1, seconds // KEEPALIVE_SECONDS))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)

    # TLS -------------------------------------------------------------------------------------------------------------

    def secure(
        self,
        context: ssl.SSLContext,
        secured: Callable[[ssl.SSLError | None], object],
        *,
        server: bool,
        name: str | None = None,
        first: bytes = b"",
    ) -> None:
        """Begin TLS; `secured` is told once when it stands, or why it does not. `first` was read already. `name` is
        whom a client expects there."""
        self._incoming, self._outgoing, self._when_secured = ssl.MemoryBIO(), ssl.MemoryBIO(), secured
        wrapped = context.wrap_bio(self._incoming, self._outgoing, server_side=server, server_hostname=name)
        self._tls = cast(Named, wrapped)
        Leg.data_received(self, first)

    @property
    def secured(self) -> bool:
        """Whether what passes is enciphered."""
        return self._tls is not None and self._when_secured is None

    @property
    def certificate(self) -> bytes | None:
        """The other side's certificate (DER)."""
        return self._tls.getpeercert(binary_form=True) if self._tls is not None else None

    @property
    def protocol(self) -> str | None:
        """What both sides agreed to speak within the TLS (ALPN, RFC 7301)."""
        return self._tls.selected_alpn_protocol() if self._tls is not None else None

    @property
    def asked(self) -> str:
        """The name that a client asked for (SNI, RFC 6066, 3), empty without one."""
        return self._tls.asked if self._tls is not None else ""

    def _shake(self, tls: "Named", secured: Callable[[ssl.SSLError | None], object]) -> bool:
        """A step of the handshake; whether it is over and well."""
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError as error:
            self._flush()  # the alert
            self._when_secured = None
            secured(error)
            self.transport.close()
            return False
        self._flush()
        self._when_secured = None
        secured(None)
        return True

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.transport.write(self._outgoing.read())

    # What comes ------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        tls = self._tls
        if tls is None:
            self.heard(data)
            return
        self._incoming.write(data)
        if self._when_secured is not None and not self._shake(tls, self._when_secured):
            return
        plain, ended = _deciphered(tls, self._incoming)
        if plain and not self.is_closed():
            self.heard(plain)
        if not self.is_closed():
            self._flush()
            if ended:
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()
        if (secured := self._when_secured) is not None:
            self._when_secured = None
            secured(ssl.SSLEOFError("the connection ended before TLS stood"))
        self.lost()

    def hold(self, held: bool) -> None:
        """Whether to leave in the kernel what comes."""
        if not self.is_closed():
            (self.transport.pause_reading if held else self.transport.resume_reading)()

    # What goes -------------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Nothing goes after the end."""
        if not data or self.is_closed():
            return
        if self._tls is None:
            self.transport.write(data)
            return
        sent = self._tls.write(data)
        if sent < len(data):  # a record at a time
            left = memoryview(data)[sent:]
            while left:
                left = left[self._tls.write(left) :]
        self._flush()

    def pause_writing(self) -> None:
        self.is_full = True
        self.full(True)

    def resume_writing(self) -> None:
        self.is_full = False
        self.full(False)

    # The end ---------------------------------------------------------------------------------------------------------

    def is_closed(self) -> bool:
        return not self._connected or self.over.is_set() or self.transport.is_closing()

    async def wait_closed(self) -> None:
        await self.over.wait()

    def close(self) -> None:
        """What was sent still goes."""
        if not self.is_closed():
            self._say_goodbye()
            self.transport.close()

    def cut(self) -> None:
        """What our kernel holds is dropped."""
        if self._connected and not self.over.is_set():
            cut(self.transport)

    def part_with(self, last: bytes) -> asyncio.Event:
        """`last` still reaches a side that reads. The event is set when nothing more is sent, not even by our kernel;
        this leg is over for us at once."""
        if not self._connected or self.over.is_set():
            return self.over
        if not self.transport.is_closing():
            self.send(last)
            self._say_goodbye()
        self.over.set()
        over = part(self.transport)
        self.lost()
        return over

    def _say_goodbye(self) -> None:
        """close_notify (RFC 8446, 6.1); what the other side answers is of no interest."""
        if self._tls is not None and self._when_secured is None and self.says_goodbye:
            with suppress(ssl.SSLError):
                self._tls.unwrap()
            self._flush()


class Named(ssl.SSLObject):
    """A TLS connection that knows which name its client asked for."""

    asked = ""


def _deciphered(tls: ssl.SSLObject, incoming: ssl.MemoryBIO) -> tuple[bytes, bool]:
    """All that can be read now, and whether the other side has ended."""
    parts: list[bytes] = []
    while incoming.pending or tls.pending():  # asked first: to be told that there is nothing costs more than to read
        try:
            part = tls.read(READ_BYTES)
        except ssl.SSLWantReadError:
            return b"".join(parts), False
        except ssl.SSLError:  # an end as RFC 8446 wants it, or bytes that are none of this connection
            return b"".join(parts), True
        if not part:
            return b"".join(parts), True
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts), False


# Who is who ----------------------------------------------------------------------------------------------------------


_ANY_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME: a client whose certificate has expired is told so by us, in words."""


def server_context(chain: bytes, key: bytes, clients: bytes = b"") -> ssl.SSLContext:
    """Our listener's side, with a certificate and what stands between it and its root (PEM), and its private key.
    A client may show a certificate of the authority of `clients` (PEM), or none; when it was valid nobody has looked.
    Raises `ssl.SSLError` where they do not belong together."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _hardened(context)
    context.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0
    context.set_alpn_protocols([ALPN])
    context.sslobject_class = Named
    context.sni_callback = _noted  # type: ignore[assignment]
    load_pair(context, chain, key)
    if clients:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=clients.decode("ascii"))
        context.verify_flags |= ssl.VerifyFlags(_ANY_TIME)
    return context


def _noted(tls: Named, name: str | None, context: ssl.SSLContext) -> None:
    tls.asked = (name or "").lower()


@dataclass(frozen=True, slots=True)
class Pins:
    """What a target is known by: digests (SHA-256) of its certificate, or authorities (PEM) that vouch for its name."""

    digests: frozenset[bytes]
    authorities: str

    @classmethod
    def of(cls, pins: Sequence[str]) -> "Pins":
        """Raises `ValueError` for one that is neither."""
        digests = [bytes.fromhex(pin.removeprefix(_DIGEST)) for pin in pins if pin.startswith(_DIGEST)]
        if any(len(digest) != hashlib.sha256().digest_size for digest in digests):
            raise ValueError("a digest of a certificate has 64 hexadecimal digits")
        authorities = [pin for pin in pins if not pin.startswith(_DIGEST)]
        found = cls(frozenset(digests), "\n".join(authorities))
        for context in found.contexts(None):
            del context  # that each can be read
        return found

    def contexts(self, client: tuple[bytes, bytes] | None, alpn: str = "") -> list[ssl.SSLContext]:
        """One for each way in which a target may be known; of each the handshake says whether it is, but of a digest,
        which `has` compares. `client` is our certificate and its key (PEM), `alpn` what is spoken within (RFC 7301)."""
        ways = [*([self.authorities] if self.authorities else []), *([""] if self.digests else [])]
        return [_client_context(way, client, alpn) for way in ways]

    def has(self, certificate: bytes | None) -> bool:
        """Whether this is the certificate (DER) of a digest."""
        return certificate is not None and hashlib.sha256(certificate).digest() in self.digests


def _client_context(authorities: str, client: tuple[bytes, bytes] | None, alpn: str) -> ssl.SSLContext:
    """Our side towards a target. Without authorities nobody vouches for its certificate, which is compared."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _hardened(context)
    context.sslobject_class = Named
    if alpn:
        context.set_alpn_protocols([alpn])
    if authorities:
        try:
            context.load_verify_locations(cadata=authorities)
        except ssl.SSLError as error:
            raise ValueError(f"no certificate in PEM form: {error}") from None
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client is not None:
        load_pair(context, *client)
    return context


def _hardened(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION


def load_pair(context: ssl.SSLContext, chain: bytes, key: bytes) -> None:
    """A certificate and its key, neither of which ever lies in a file. Raises `ssl.SSLError`."""
    file = os.memfd_create("pair", os.MFD_CLOEXEC)
    try:
        os.write(file, chain.rstrip() + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{file}", password=b"")  # of one that asks for a password: an error
    finally:
        os.close(file)


def _nothing(*_: object) -> None:
    pass
