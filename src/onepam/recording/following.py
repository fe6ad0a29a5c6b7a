"""Reads a recording while it grows: each piece of the file gives the frames that it completes.

Tags and places are checked as `open.Reader` checks them. Nothing is vouched for: of a recording that still runs nobody
has said yet what its last chunk is.
"""

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.recording.frames import Closed, Frame, decode
from onepam.recording.open import MAX_WINDOW_BYTES, Tampered
from onepam.recording.seal import BOUND, MAX_PLAIN_BYTES, MAX_RECORD_BYTES, RECORD, TAG_BYTES, header, nonce


class Follower:
    """Takes the bytes of one recording's file in order, in pieces of any size. `ended`: its last frame was given.

    It keeps less than one record (`MAX_RECORD_BYTES`) and one piece.
    """

    def __init__(self, key: bytes, recording: str) -> None:
        self.ended = False
        self._header = header(recording)
        self._cipher = AESGCM(key)
        self._expand = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        self._chunk = self._expand.decompressobj()
        self._held = bytearray()
        self._begun = False
        self._offset = 0
        self._seq = 1
        self._block = 0
        self._records = 0

    def feed(self, piece: bytes) -> list[Frame]:
        """The frames that are whole with this piece. Raises `Tampered`, after which it is not to be fed again."""
        self._held += piece
        if not self._begun:
            size = len(self._header)
            if len(self._held) < size:
                return []
            if not self._held.startswith(self._header):
                raise Tampered("this is not the beginning of the recording", 0, 0)
            self._begun = True
            self._drop(size)
        found: list[Frame] = []
        while (record := self._record()) is not None:
            found += decode(record)
        self.ended = self.ended or any(type(frame) is Closed for frame in found)
        return found

    def _record(self) -> bytes | None:
        """What the next record adds to its chunk, decrypted and decompressed; None while it is not there whole."""
        if len(self._held) < RECORD.size:
            return None
        flag, length = RECORD.unpack_from(self._held)
        if flag > 1 or not TAG_BYTES <= length <= MAX_RECORD_BYTES:
            raise Tampered(f"no record begins with {self._held[: RECORD.size].hex()}", self._offset, self._seq)
        end = RECORD.size + length
        if len(self._held) < end:
            return None
        bound = self._header + BOUND.pack(self._seq, self._block, flag)
        try:
            data = self._cipher.decrypt(nonce(self._records), bytes(self._held[RECORD.size : end]), bound)
            plain = self._chunk.decompress(data)
        except InvalidTag:
            raise Tampered("a record does not carry the tag of its place", self._offset, self._seq) from None
        except zstandard.ZstdError as error:
            raise Tampered(f"it does not decompress: {error}", self._offset, self._seq) from None
        if len(plain) > MAX_PLAIN_BYTES:
            raise Tampered(f"it decompresses to more than {MAX_PLAIN_BYTES} bytes", self._offset, self._seq)
        self._drop(end)
        self._records += 1
        self._block += 1
        if flag:
            self._chunk, self._seq, self._block = self._expand.decompressobj(), self._seq + 1, 0
        return plain

    def _drop(self, size: int) -> None:
        del self._held[:size]
        self._offset += size
