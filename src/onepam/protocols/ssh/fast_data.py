"""A short way for channel data through asyncssh: the same packets, with a quarter of the copies.

asyncssh handles any cipher, MAC and compression; bulk data pays for it with a dozen copies of each packet. Here channel
data and the windows for it, under AES-GCM (RFC 5647; OpenSSH's PROTOCOL, 1.6), go straight from the socket's bytes to
their channel, and data from a channel to the transport, all packets of a batch at once. Whatever is not exactly that,
and everything irregular, takes asyncssh's own way, which names the error. Written against asyncssh 2.24;
`tests/protocols/ssh/test_fast_data.py` holds both ways equal.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from os import urandom
from struct import Struct
from time import monotonic
from typing import Any

import asyncssh
from asyncssh.channel import SSHChannel
from asyncssh.connection import SSHConnection
from asyncssh.constants import MSG_CHANNEL_DATA, MSG_CHANNEL_WINDOW_ADJUST
from asyncssh.encryption import Encryption, GCMEncryption
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.protocols.ssh.interleaved import Interleaved
from onepam.protocols.ssh.portions import BULK_BYTES, KEY_BYTES, Portions

KEPT_BYTES = 260 * 1024
"""A part of a packet up to so long stands before the next read; of what asyncssh keeps, there may be more."""

JOINED_BYTES = 32 * 1024
"""Small pieces that wait are joined up to about so much: each by itself costs as much memory as a packet."""

HEARD_SECONDS = 1.0
"""The timer that watches a silent peer is set anew so often, not for every read."""

_TAG_BYTES = 16
_BLOCK_BYTES = 16
_LENGTH = Struct(">I")
_HEAD = Struct(">BBII")  # padding length, message type, channel, length of the data or more window
_SEQUENCE = 0xFFFFFFFF
_PADDING = urandom(2 * _BLOCK_BYTES)
"""Drawn once: under AES-GCM nobody sees it, and a system call for each packet costs more than its encryption."""

_READ = memoryview(bytearray(KEPT_BYTES + BULK_BYTES))
"""Where every connection of the process is read, one after the other. Nothing may keep a piece of it: what is decrypted
has memory of its own."""

_PORTIONS = Portions()
"""Of all connections of the process."""


class Gcm(Encryption):
    """AES-GCM for one direction of a connection, in asyncssh's place: one key schedule instead of one per packet."""

    def __init__(self, encryption: GCMEncryption) -> None:
        cipher = encryption._cipher
        self._aead = AESGCM(cipher._key)
        self._fixed = cipher._iv[:4]
        self._counter = int.from_bytes(cipher._iv[4:], "big")
        self.opened: bytes | None = None
        """The plaintext of the packet that asyncssh is asked to decrypt next, when it was decrypted already."""

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._counter.to_bytes(8, "big")
        self._counter = (self._counter + 1) & 0xFFFFFFFFFFFFFFFF
        return nonce

    def seal(self, header: bytes | memoryview, packet: bytes, sealed: memoryview) -> None:
        """Writes ciphertext and tag of the next packet to `sealed`."""
        self._aead.encrypt_into(self._nonce(), packet, header, sealed)

    def open(self, header: memoryview, sealed: memoryview) -> bytes | None:
        """The next packet; None when its tag is wrong: then the connection must end."""
        try:
            return self._aead.decrypt(self._nonce(), sealed, header)
        except InvalidTag:
            return None

    def encrypt_packet(self, seq: int, header: bytes, packet: bytes) -> tuple[bytes, bytes]:
        """asyncssh's way out."""
        sealed = self._aead.encrypt(self._nonce(), packet, header)
        return header + sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:]

    def decrypt_header(self, seq: int, first_block: bytes, header_len: int) -> tuple[bytes, bytes]:
        """The length travels in clear."""
        return first_block, first_block[:header_len]

    def decrypt_packet(self, seq: int, first: bytes, rest: bytes, header_len: int, mac: bytes) -> bytes | None:
        """asyncssh's way in."""
        if self.opened is not None:
            opened, self.opened = self.opened, None
            return opened or None
        with memoryview(first) as view, memoryview(first[header_len:] + rest + mac) as sealed:
            return self.open(view[:header_len], sealed)


class FastDataConnection(SSHConnection, asyncio.BufferedProtocol):
    """A connection that takes channel data on the short way."""

    _ahead = 0
    """Bytes of what is kept of a packet that stand before what is being read."""

    _heard = 0.0

    party: object
    """Whose connection it is: `Portions`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.party = object()
        super().connection_made(transport)

    @property
    def portion(self) -> int:
        """Bytes that may be taken now without keeping others waiting."""
        return _PORTIONS.most(self.party, self._loop.time())

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next read goes: right behind what is kept of a packet."""
        kept = len(self._inpbuf)
        self._ahead = ahead = kept if kept <= KEPT_BYTES else 0
        if ahead:
            _READ[:ahead] = self._inpbuf
        return _READ[ahead : ahead + self.portion]

    def buffer_updated(self, nbytes: int) -> None:
        """So much was read."""
        data: Any = _READ[self._ahead : self._ahead + nbytes]
        try:
            self.data_received(data)
        finally:
            self._ahead = 0

    def data_received(self, data: bytes, datatype: object = None) -> None:
        """Channel data on the short way, everything else as ever. `data` is good until this returns."""
        start, view = 0, memoryview(data)
        if self._inpbuf:
            view = _READ[: self._ahead + len(data)] if self._ahead else memoryview(self._inpbuf + data)
            self._inpbuf = b""
        while (gcm := self._fast_cipher()) is not None and start < len(view):
            start, irregular = self._taken(gcm, view, start)
            if irregular:
                break
            if self._fast_cipher() is gcm:  # the rest is less than a packet
                self._inpbuf = bytes(view[start:])
                return self._reset_keepalive_timer()
        if start < len(view):
            super().data_received(bytes(view[start:]))
        return None

    def _reset_keepalive_timer(self) -> None:
        now = self._loop.time()
        if self._keepalive_timer is None or now - self._heard >= HEARD_SECONDS:
            self._heard = now
            super()._reset_keepalive_timer()

    def _fast_cipher(self) -> Gcm | None:
        """The cipher of what comes in, when a packet begins here and may be taken on the short way."""
        if self._recv_handler != self._recv_pkthdr or not self._auth_complete or self._decompressor is not None:
            return None
        if type(self._recv_encryption) is GCMEncryption:
            self._recv_encryption = Gcm(self._recv_encryption)
        return self._recv_encryption if type(self._recv_encryption) is Gcm else None

    def _taken(self, gcm: Gcm, data: memoryview, start: int) -> tuple[int, bool]:
        """Where the whole packets of `data` from `start` on end, or those of this cipher, all delivered; and whether
        asyncssh has to say what is wrong with what follows."""
        while len(data) - start > _LENGTH.size:
            (length,) = _LENGTH.unpack_from(data, start)
            if length > self._max_recv_pktlen or length < _BLOCK_BYTES:
                return start, True
            body = start + _LENGTH.size
            end = body + length + _TAG_BYTES
            if end > len(data):
                break
            packet = gcm.open(data[start:body], data[body:end])
            if packet is None or not self._delivered(packet):
                gcm.opened = packet or b""
                super().data_received(bytes(data[start:end]))
            start = end
            if self._recv_handler != self._recv_pkthdr or self._recv_encryption is not gcm:
                break  # an answer is awaited, the keys are new, or the connection has ended
        return start, False

    def _delivered(self, packet: bytes) -> bool:
        padding, kind, number, amount = _HEAD.unpack_from(packet)
        channel = self._channels.get(number)
        if channel is None:
            return False
        if kind == MSG_CHANNEL_DATA:
            whole = _HEAD.size + amount + padding == len(packet)
            if not whole or channel._recv_state != "open" or amount > channel._recv_window:
                return False
            data: Any = memoryview(packet)[_HEAD.size : _HEAD.size + amount]
            self._counted()
            if amount < KEY_BYTES:
                _PORTIONS.typed(self.party, self._loop.time())
            channel._accept_data(data if isinstance(channel, FastDataChannel) else bytes(data))
            return True
        if kind == MSG_CHANNEL_WINDOW_ADJUST and isinstance(channel, FastDataChannel):
            if _HEAD.size + padding != len(packet) or channel._recv_state not in ("open", "eof_pending", "eof"):
                return False
            self._counted()
            channel.widen(amount)
            return True
        return False

    def _counted(self) -> None:
        self._recv_seq = (self._recv_seq + 1) & _SEQUENCE
        self._auth_final = True

    def data_cipher(self) -> Gcm | None:
        """The cipher for data that may go out now on the short way."""
        cipher = self._send_encryption
        if type(cipher) is GCMEncryption:
            self._send_encryption = cipher = Gcm(cipher)
        ready = self._kex_complete and self._auth_complete and self._compressor is None and self._transport is not None
        rekey = self._rekey_bytes_sent >= self._rekey_bytes or (
            bool(self._rekey_seconds) and monotonic() >= self._rekey_time
        )
        return cipher if type(cipher) is Gcm and ready and not rekey else None

    def send_data(self, cipher: Gcm, channel: int, pieces: Sequence[memoryview]) -> None:
        """Packets of channel data; the caller has seen to window and packet size."""
        room = _LENGTH.size + _HEAD.size + _BLOCK_BYTES + 3 + _TAG_BYTES
        packets: Any = memoryview(bytearray(sum(map(len, pieces)) + room * len(pieces)))
        end = 0
        for data in pieces:
            length = _HEAD.size + len(data)
            padding = -length % _BLOCK_BYTES
            if padding < 4:
                padding += _BLOCK_BYTES
            start, body = end, end + _LENGTH.size
            end = body + length + padding + _TAG_BYTES
            _LENGTH.pack_into(packets, start, length + padding)
            packet = b"".join((_HEAD.pack(padding, MSG_CHANNEL_DATA, channel, len(data)), data, _PADDING[:padding]))
            cipher.seal(packets[start:body], packet, packets[body:end])
        self._send(packets[:end])
        self._send_seq = (self._send_seq + len(pieces)) & _SEQUENCE
        self._rekey_bytes_sent += end


class FastDataChannel(SSHChannel[bytes]):
    """A channel whose data goes out on the short way. What it receives are pieces (`memoryview`) of memory that is
    theirs: whoever keeps them keeps that."""

    _flushing: asyncio.Handle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._recv_buf: Any = deque()

    def write(self, data: bytes, datatype: asyncssh.DataType = None) -> None:
        """As asyncssh's."""
        self.write_all((data,), datatype)

    def write_all(self, pieces: Iterable[bytes], datatype: asyncssh.DataType = None) -> None:
        """Writes them one after the other, in as few packets and system calls as it can be done."""
        self.write_typed([(piece, datatype) for piece in pieces])

    def write_typed(self, pieces: Iterable[tuple[bytes, asyncssh.DataType]]) -> None:
        """As `write_all`, each piece as data of its own type."""
        if self._send_state != "open":
            raise BrokenPipeError("Channel not open for sending")
        waiting: list[Any] = self._send_buf
        for data, datatype in pieces:
            if data:
                waiting.append((data, datatype))
                self._send_buf_len += len(data)
        self._flush_send_buf()

    def widen(self, amount: int) -> None:
        """The peer takes so many bytes more."""
        self._send_window += amount
        if self._send_buf:
            self._flush_send_buf()

    def in_turn(self, call: Callable[[], object]) -> None:
        """Call once what was received before has been delivered, and reading is not paused."""
        if self._recv_buf or self._recv_paused:
            self._recv_buf.append((call, None))
        else:
            call()

    def _accept_data(self, data: Any, datatype: asyncssh.DataType = None) -> None:
        waits = self._recv_paused or self._recv_buf  # behind what waits for its turn
        if waits and data and self._send_state not in ("close_pending", "closed"):
            self._recv_window -= len(data)
            self._keep(data, datatype)
        else:
            super()._accept_data(data, datatype)

    def _keep(self, data: Any, datatype: asyncssh.DataType) -> None:
        if len(data) >= KEY_BYTES:
            self._recv_buf.append((data, datatype))
            return
        last, kind = self._recv_buf[-1] if self._recv_buf else (None, None)
        if type(last) is bytearray and kind == datatype and len(last) < JOINED_BYTES:
            last += data
        elif type(last) is Interleaved and last.bytes < JOINED_BYTES:
            last.add(data, datatype)
        elif type(last) is bytearray and kind != datatype:
            mixed = Interleaved()
            mixed.add(data, datatype)
            self._recv_buf.append((mixed, None))
        else:
            self._recv_buf.append((bytearray(data), datatype))

    def _flush_recv_buf(self, exc: Exception | None = None) -> None:
        """What waited is delivered in the same portions in which it is read, so that no other connection waits; a piece
        counts for as much as a key at least, since it costs as much."""
        connection: Any = self._conn
        if connection is None:
            self._recv_buf.clear()  # it has ended
        left = connection.portion if self._recv_buf and exc is None else inf
        while left > 0 and self._recv_buf and not self._recv_paused:
            data, datatype = self._recv_buf[0]
            if callable(data):
                self._recv_buf.popleft()
                data()
                continue
            if type(data) is Interleaved:
                mixed, (data, datatype) = data, data.first()
                if not mixed:
                    self._recv_buf.popleft()
            else:
                self._recv_buf.popleft()
            left -= max(len(data), KEY_BYTES)
            self._deliver_data(memoryview(data), datatype)  # type: ignore[arg-type]  # nobody may go on writing to it
        if self._recv_buf and not self._recv_paused and exc is None:
            self._flushing = self._flushing or self._loop.call_soon(self._flush_more)
        else:
            super()._flush_recv_buf(exc)

    def _flush_more(self) -> None:
        self._flushing = None
        self._flush_recv_buf()

    def _flush_send_buf(self) -> None:
        if self._send_buf and self._send_window:
            connection: Any = self._conn
            cipher = connection.data_cipher()
            if cipher is not None and (pieces := self._sendable()):
                connection.send_data(cipher, self._send_chan, pieces)
            if self._send_buf and self._send_window:  # asyncssh's own way takes them apart where they lie
                self._send_buf = [
                    (data if type(data) is bytearray else bytearray(data), datatype)
                    for data, datatype in self._send_buf
                ]
        super()._flush_send_buf()

    def _sendable(self) -> list[memoryview]:
        """What of the data to send fits into the window, cut into packets, and taken away."""
        pieces: list[memoryview] = []
        waiting: list[Any] = self._send_buf
        whole, window = 0, self._send_window
        for data, datatype in waiting:
            if datatype is not None or not window:
                break
            view = memoryview(data)
            while view and window:
                piece = view[: min(window, self._send_pktsize)]
                pieces.append(piece)
                window -= len(piece)
                view = view[len(piece) :]
            if view:
                waiting[whole] = (view, None)
                break
            whole += 1
        del waiting[:whole]
        self._send_buf_len -= self._send_window - window
        self._send_window = window
        return pieces
