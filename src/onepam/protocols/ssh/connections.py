"""The two SSH connections of a gateway session: asyncssh's, with a brake on what waits to be sent.

asyncssh bounds what a channel holds back, yet not what the transport does, nor what waits for new keys: a peer that
announces a huge window and never reads, or never ends a key exchange, would fill our memory. Here whoever writes to a
connection hears when its transport is full or its keys change, and pauses its source.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from typing import Any, cast

import asyncssh
from asyncssh.constants import (
    DEFAULT_LANG,
    DISC_BY_APPLICATION,
    DISC_PROTOCOL_ERROR,
    MSG_CHANNEL_OPEN,
    MSG_IGNORE,
    MSG_KEXINIT,
    OPEN_CONNECT_FAILED,
)
from asyncssh.packet import Boolean, SSHPacket, SSHPacketLogger

from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.crowd import Place
from onepam.gateway.parting import cut, part
from onepam.gateway.turns import Turns
from onepam.protocols.ssh.algorithms import HostKey
from onepam.protocols.ssh.algorithms import host_keys as shown
from onepam.protocols.ssh.entering import Entering
from onepam.protocols.ssh.fast_data import FastDataConnection
from onepam.protocols.ssh.portions import KEY_BYTES

WINDOW_BYTES = 2 * 1024 * 1024
"""What a peer may send on one channel before we have taken it: OpenSSH's own."""

PACKET_BYTES = 128 * 1024
"""Largest data packet that we accept; sshd fills it, so bulk output costs a quarter of the packets."""

LEAST_PACKET_BYTES = 1024
"""A peer must take data packets of so many bytes (RFC 4253, 6.1, asks for 32,768; clients and servers take 16,384 and
more): what is cut into crumbs costs a turn of the loop of seconds."""

TRANSPORT_BYTES = 256 * 1024
"""What may wait in a transport before the source is paused."""

MOST_DEFERRED = 16 * 1024
"""Packets to a peer that may wait for the end of a key exchange. Data waits at its source; this is what answers the
peer's own requests, and a batch of crumbs at most."""


def crumbs(who: str, most: int) -> str:
    """Why a channel of a peer that takes packets of at most `most` bytes is refused."""
    return f"{who} takes packets of {most} bytes at most, and {LEAST_PACKET_BYTES} must fit"


class Brake:
    """Tells subscribers whether a connection can take more."""

    def __init__(self) -> None:
        self.full = False
        self._subscribers: list[Callable[[bool], None]] = []

    def subscribe(self, told: Callable[[bool], None]) -> None:
        """`told(True)` when the connection fills, at once if it is full, and `told(False)` when it has drained."""
        self._subscribers.append(told)
        if self.full:
            told(True)

    def unsubscribe(self, told: Callable[[bool], None]) -> None:
        """Tell no more."""
        self._subscribers.remove(told)

    def set(self, full: bool) -> None:
        """The connection's word."""
        self.full = full
        for told in tuple(self._subscribers):
            told(full)


class PacketsUnlogged(SSHPacketLogger):
    """Packets are never logged: their formatting alone costs a twentieth of the throughput."""

    def log_sent_packet(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""

    def log_received_packet(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""


class _Tuned(PacketsUnlogged, FastDataConnection):
    """asyncssh's connection with a brake, in batches, and without what costs time and gives nothing here. `left` says
    why it has gone, once it has."""

    left: SessionEnd

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.brake = Brake()
        self._tcp: socket.socket | None = transport.get_extra_info("socket")
        self._transport_full = False
        self._batch: list[Callable[[], object]] | None = None
        cast(asyncio.Transport, transport).set_write_buffer_limits(high=TRANSPORT_BYTES)
        super().connection_made(transport)

    def pause_writing(self) -> None:
        self._transport_full = True
        self._set_brake()

    def resume_writing(self) -> None:
        self._transport_full = False
        self._set_brake()

    def _send_kexinit(self) -> None:
        super()._send_kexinit()
        self._set_brake()

    def send_newkeys(self, k: bytes, h: bytes) -> None:
        """And what waited for them."""
        super().send_newkeys(k, h)
        self._set_brake()

    def _set_brake(self) -> None:
        self.brake.set(self._transport_full or not self._kex_complete)

    def data_received(self, data: bytes, datatype: object = None) -> None:
        """One read of the socket is one batch of packets."""
        batch: list[Callable[[], object]] = []
        self._batch = batch
        try:
            super().data_received(data)
        finally:
            self._batch = None
            for call in batch:
                call()
            if len(data) < KEY_BYTES:
                self._acknowledge()

    def _acknowledge(self) -> None:
        """OpenSSH's second small packet waits until the first is acknowledged (Nagle, RFC 896), and where we have
        nothing to send our kernel would take 40 ms for that: at each sign-in twice."""
        if self._tcp is None:  # it goes through another connection
            return
        with suppress(OSError):  # it was closed just now
            self._tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def after_batch(self, call: Callable[[], object]) -> None:
        """Call once when the packets at hand have been processed."""
        if self._batch is not None:
            self._batch.append(call)
        else:
            self._loop.call_soon(call)

    def cut(self) -> None:
        """`abort`, and nothing that was handed to our kernel before is sent either."""
        transport: asyncio.Transport | None = self._transport
        if transport is not None:
            cut(transport)
        self.abort()

    def _send(self, data: bytes) -> None:
        """Nothing after the end of the transport, which asyncssh hears of a turn of the loop later: of a batch that is
        on its way to a client that was killed, all but the first packet would come too late."""
        transport: asyncio.Transport | None = self._transport
        if transport is not None and not transport.is_closing():
            super()._send(data)

    def send_packet(self, pkttype: int, *args: bytes, handler: SSHPacketLogger | None = None) -> None:
        """asyncssh sends an empty MSG_IGNORE before each packet, against an attack on CBC, which we do not offer."""
        if pkttype == MSG_IGNORE:
            return
        super().send_packet(pkttype, *args, handler=handler)
        if len(self._deferred_packets) > MOST_DEFERRED and self.left is not SessionEnd.KEYS_STALLED:
            self._stalled()

    def _stalled(self) -> None:
        """A peer that begins a key exchange, does not end it, and goes on asking."""
        self.left = SessionEnd.KEYS_STALLED
        words = f"{self.left.words}, and more than {MOST_DEFERRED} packets wait for it"
        self._send_disconnect(DISC_PROTOCOL_ERROR, f"OnePAM: {words}.", DEFAULT_LANG)
        self._deferred_packets = []
        self._force_close(asyncssh.ProtocolError(words))


class PersonConnection(Entering, _Tuned, asyncssh.SSHServerConnection):
    """A person's client at our door.

    The client's order of ciphers decides (RFC 4253, 7.1), and OpenSSH's prefers two that cost us several times the
    processor time of AES-GCM. Its first KEXINIT comes without waiting for ours, so ours waits for it, and offers
    AES-GCM alone where the client has it.
    """

    left = SessionEnd.CLIENT_LEFT
    _hears_first = False

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        options: asyncssh.SSHServerConnectionOptions,
        silent_seconds: int,
        place: Place,
        turns: Turns,
    ) -> None:
        super().__init__(loop, options, place, turns)
        self._silent_seconds = silent_seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The kernel waits as long as we do for a client that acknowledges nothing (RFC 5482): by itself it would give
        up at some time of its own, or, with a client that is stopped and full, never."""
        super().connection_made(transport)
        if self._tcp is not None:
            self._tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self._silent_seconds * 1000)

    def within(self, owner: Callable[[], asyncssh.SSHServer], keys: Sequence[HostKey]) -> "PersonConnection":
        """A connection that is to go through this one, which counts as from the same client; it shows `keys`."""
        options = copy(self._options)
        options.protocol_factory = owner
        options.server_host_keys = shown(keys)
        inner = PersonConnection(self._loop, options, self._silent_seconds, self.place, self._turns)
        inner.goes_through = True
        return inner

    def part(self, words: str) -> asyncio.Event:
        """Ends the connection as asyncssh's own abort does, yet what was forwarded already and `words` still reach a
        client that reads; from one that does not the rest is kept, even by our kernel. The event is set then."""
        transport: asyncio.Transport | None = self._transport
        if transport is None:
            over = asyncio.Event()
            over.set()
            return over
        with suppress(asyncssh.Error):
            self._send_disconnect(DISC_BY_APPLICATION, f"OnePAM: {words}.", DEFAULT_LANG)
        self._transport = None
        self._loop.call_soon(self._cleanup, None)
        self.place.leave()  # the transport's end is no longer told to this protocol
        return part(transport)

    def _send_kexinit(self) -> None:
        self._hears_first = not self._client_kexinit and self._client_version.startswith(b"SSH-2.0-OpenSSH_")
        if not self._hears_first:
            super()._send_kexinit()

    async def _process_kexinit(self, kind: int, number: int, packet: SSHPacket) -> None:
        payload = packet.get_full_payload()
        offered = SSHPacket(payload[1 + 16 :])
        exchanges, host_keys = offered.get_namelist(), offered.get_namelist()
        if self._hears_first:
            self._kexinit_sent = False  # asyncssh sends it now
            theirs = {*offered.get_namelist()} & {*offered.get_namelist()}
            ours = [algorithm for algorithm in self._enc_algs if b"-gcm@" in algorithm and algorithm in theirs]
            self._enc_algs = ours or self._enc_algs
        await super()._process_kexinit(kind, number, packet)
        # RFC 4253, 7: a guess is right where both sides prefer the same exchange and the same kind of host key.
        # asyncssh looks at the exchange alone, and would take for the real beginning what the client has given up.
        preferred = [*self._kex_algs[:1], *(self._server_host_key_algs or ())[:1]]
        alike = [*exchanges[:1], *host_keys[:1]] == preferred
        self._ignore_first_kex = payload[-5] != 0 and not alike

    def _process_channel_open(self, kind: int, number: int, packet: SSHPacket) -> None:
        """Refused before anything is made for it where the client takes only crumbs."""
        asked = SSHPacket(packet.get_full_payload()[1:])
        asked.get_string()
        channel, _window, most = asked.get_uint32(), asked.get_uint32(), asked.get_uint32()
        if most < LEAST_PACKET_BYTES:
            self.send_channel_open_failure(channel, OPEN_CONNECT_FAILED, crumbs("the client", most), DEFAULT_LANG)
        else:
            super()._process_channel_open(kind, number, packet)

    _packet_handlers = {  # noqa: RUF012
        **Entering._packet_handlers,
        MSG_KEXINIT: _process_kexinit,
        MSG_CHANNEL_OPEN: _process_channel_open,
    }


class TargetConnection(_Tuned, asyncssh.SSHClientConnection):
    """Our connection to a target.

    The one key that we have signs at once. asyncssh asks before which methods there are, and then whether the key would
    do; both may be left out (RFC 4252, 5.2 and 7), and sshd takes at least 5 ms for each question about a key.
    """

    left = SessionEnd.TARGET_LOST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._auth_methods = [b"publickey"]

    async def send_userauth_request(self, method: bytes, *args: bytes, key: Any = None, trivial: bool = True) -> None:
        """As asyncssh's, signed."""
        if method == b"publickey" and key is None:
            asking: Any = self._auth
            args, key, trivial = (Boolean(True), *args[1:]), asking._keypair, False
        await super().send_userauth_request(method, *args, key=key, trivial=trivial)
