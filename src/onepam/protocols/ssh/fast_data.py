"""A short way for channel data through asyncssh: the same packets, with a quarter of the copies.

asyncssh handles any cipher, MAC and compression; bulk data pays for it with a dozen copies of each packet. Here channel
data under AES-GCM (RFC 5647; OpenSSH's PROTOCOL, 1.6) goes straight from the socket's bytes to its channel, and from a
channel to the transport. Whatever is not exactly that, and everything irregular, takes asyncssh's own way, which names
the error. Written against asyncssh 2.24; `tests/protocols/ssh/test_fast_data.py` holds both ways equal.
"""

from os import urandom
from struct import Struct
from time import monotonic
from typing import Any

from asyncssh.channel import SSHChannel
from asyncssh.connection import SSHConnection
from asyncssh.constants import MSG_CHANNEL_DATA
from asyncssh.encryption import Encryption, GCMEncryption
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_TAG_BYTES = 16
_BLOCK_BYTES = 16
_LENGTH = Struct(">I")
_DATA_HEAD = Struct(">BBII")  # padding length, message type, channel, length of the data
_SEQUENCE = 0xFFFFFFFF


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

    def seal(self, header: bytes, packet: bytes) -> bytes:
        """Ciphertext and tag of the next packet."""
        return self._aead.encrypt(self._nonce(), packet, header)

    def open(self, header: memoryview, sealed: memoryview) -> bytes | None:
        """The next packet; None when its tag is wrong: then the connection must end."""
        try:
            return self._aead.decrypt(self._nonce(), sealed, header)
        except InvalidTag:
            return None

    def encrypt_packet(self, seq: int, header: bytes, packet: bytes) -> tuple[bytes, bytes]:
        """asyncssh's way out."""
        sealed = self.seal(header, packet)
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


class FastDataConnection(SSHConnection):
    """A connection that takes channel data on the short way."""

    def data_received(self, data: bytes, datatype: object = None) -> None:
        """Channel data on the short way, everything else as ever."""
        if self._inpbuf:
            data = self._inpbuf + data
            self._inpbuf = b""
        start = 0
        while (gcm := self._fast_cipher()) is not None and start < len(data):
            start, irregular = self._taken(gcm, data, start)
            if irregular:
                break
            if self._fast_cipher() is gcm:  # the rest is less than a packet
                self._inpbuf = data[start:] if start else data
                return self._reset_keepalive_timer()
        if start < len(data):
            super().data_received(data[start:] if start else data)
        return None

    def _fast_cipher(self) -> Gcm | None:
        """The cipher of what comes in, when a packet begins here and may be taken on the short way."""
        if self._recv_handler != self._recv_pkthdr or not self._auth_complete or self._decompressor is not None:
            return None
        if type(self._recv_encryption) is GCMEncryption:
            self._recv_encryption = Gcm(self._recv_encryption)
        return self._recv_encryption if type(self._recv_encryption) is Gcm else None

    def _taken(self, gcm: Gcm, data: bytes, start: int) -> tuple[int, bool]:
        """Where the whole packets of `data` from `start` on end, or those of this cipher, all delivered; and whether
        asyncssh has to say what is wrong with what follows."""
        with memoryview(data) as view:
            while len(data) - start > _LENGTH.size:
                (length,) = _LENGTH.unpack_from(data, start)
                if length > self._max_recv_pktlen or length < _BLOCK_BYTES:
                    return start, True
                body = start + _LENGTH.size
                end = body + length + _TAG_BYTES
                if end > len(data):
                    break
                with view[start:body] as header, view[body:end] as sealed:
                    packet = gcm.open(header, sealed)
                if packet is None or not self._delivered(packet):
                    gcm.opened = packet or b""
                    super().data_received(data[start:end])
                start = end
                if self._recv_handler != self._recv_pkthdr or self._recv_encryption is not gcm:
                    break  # an answer is awaited, the keys are new, or the connection has ended
        return start, False

    def _delivered(self, packet: bytes) -> bool:
        padding, kind, number, length = _DATA_HEAD.unpack_from(packet)
        if kind != MSG_CHANNEL_DATA or _DATA_HEAD.size + length + padding != len(packet):
            return False
        channel = self._channels.get(number)
        if channel is None or channel._recv_state != "open" or length > channel._recv_window:
            return False
        self._recv_seq = (self._recv_seq + 1) & _SEQUENCE
        self._auth_final = True
        channel._accept_data(packet[_DATA_HEAD.size : _DATA_HEAD.size + length])
        return True

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

    def send_data(self, cipher: Gcm, channel: int, data: bytes) -> None:
        """One packet of channel data; the caller has seen to window and packet size."""
        length = _DATA_HEAD.size + len(data)
        padding = -length % _BLOCK_BYTES
        if padding < 4:
            padding += _BLOCK_BYTES
        head = _DATA_HEAD.pack(padding, MSG_CHANNEL_DATA, channel, len(data))
        header = _LENGTH.pack(length + padding)
        sealed = cipher.seal(header, b"".join((head, data, urandom(padding))))
        self._send(header + sealed)
        self._send_seq = (self._send_seq + 1) & _SEQUENCE
        self._rekey_bytes_sent += length + padding


class FastDataChannel(SSHChannel[bytes]):
    """A channel whose data goes out on the short way."""

    def _flush_send_buf(self) -> None:
        connection: Any = self._conn
        cipher = connection.data_cipher() if self._send_buf and self._send_window else None
        while cipher is not None and self._send_buf and self._send_window and self._send_buf[0][1] is None:
            data = self._send_buf[0][0]
            size = min(self._send_window, self._send_pktsize)
            if len(data) > size:
                data, self._send_buf[0] = data[:size], (data[size:], None)
            else:
                del self._send_buf[0]
            self._send_buf_len -= len(data)
            self._send_window -= len(data)
            connection.send_data(cipher, self._send_chan, data)
        super()._flush_send_buf()
