"""The sealer: frames in, bytes of an append-only recording file out. A pure state machine; the caller writes.

    file   = header | record ...
    header = magic | codec (u8) | cipher (u8) | hash (u8) | length of the id (u8) | recording id (ASCII)
    record = final (u8) | length of the ciphertext (u32) | ciphertext with its tag

Codec 1 is zstd (RFC 8878), cipher 1 AES-256-GCM, hash 1 SHA-256; there are no others yet, and a reader refuses them.
The records of one chunk, decrypted and joined, are one zstd stream of whole frames; the record with `final` = 1 ends
the chunk. Each record is a flushed block under AES-256-GCM of its own, so it can be handed to the kernel at once and is
never written twice. Nonce = number of the record in the file (u96), so a key serves one recording only; associated
data = header | chunk (u64) | block in the chunk (u32) | final (u8).

    head[0] = SHA-256(header)        head[i] = SHA-256(head[i-1] | all records of chunk i, as in the file)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from struct import Struct

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.kernel.clock import SECOND
from onepam.recording.counts import Counts
from onepam.recording.frames import MAX_FRAME_BYTES, Frame, encode

MAGIC = b"onepam recording 1\n"
ZSTD, AES_256_GCM, SHA_256 = 1, 1, 1
SUITE = bytes((ZSTD, AES_256_GCM, SHA_256))
"""Codec, cipher and hash of a recording: ◆ never use a number again."""
RECORD = Struct(">BI")
BOUND = Struct(">QIB")
TAG_BYTES = 16
KEY_BYTES = 32

MAX_CHUNK_BYTES = 64 * 1024
"""Activity, in bytes of frames, after which a chunk is due; one frame may exceed it."""

MAX_CHUNK_TIME = SECOND
"""Time after a chunk's first frame after which it is due, in microseconds."""

MAX_PLAIN_BYTES = MAX_CHUNK_BYTES + MAX_FRAME_BYTES
"""Largest chunk, decompressed."""

MAX_RECORD_BYTES = MAX_PLAIN_BYTES + 4096
"""Largest ciphertext of a record: what cannot be compressed grows by less than this."""

MAX_BLOCKS = 1 << 16
"""Most records of a chunk."""

# Level 1 in a window of 64 KiB: 550 KiB of memory while a session writes, and faster than any target is read.
_PARAMETERS = zstandard.ZstdCompressionParameters.from_level(1, window_log=16, source_size=1 << 16)


@dataclass(frozen=True, slots=True)
class Head:
    """The chain after chunk `seq` (1 is the first, 0 the file header alone)."""

    seq: int
    digest: bytes


def header(recording: str) -> bytes:
    """The first bytes of the file. Raises `ValueError` unless `recording` is 1 to 255 ASCII characters."""
    name = recording.encode("ascii")
    if not 1 <= len(name) <= 255:
        raise ValueError(f"a recording id of {len(name)} characters")
    return MAGIC + SUITE + bytes([len(name)]) + name


def nonce(record: int) -> bytes:
    """The nonce of the record number `record` (from 0) of a file."""
    return record.to_bytes(12, "big")


class Sealer:
    """Turns the frames of one recording into its bytes. One key, one `Sealer`, one recording.

    `append` frames, then `flush` for what must reach the kernel now, or `seal` when `due` says so. After a `Closed`
    frame has been sealed nothing may follow.
    """

    def __init__(self, recording: str, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a recording key has 32 bytes")
        self.header = header(recording)
        self.head = Head(0, sha256(self.header).digest())
        self._cipher = AESGCM(key)
        self._compressor: zstandard.ZstdCompressor | None = None
        self._stream: zstandard.ZstdCompressionObj | None = None
        self._pending: list[bytes] = []
        self._chunk = sha256(self.head.digest)
        self._records = 0
        self._blocks = 0
        self._activity = 0
        self._since = 0
        self._counts = Counts()

    @property
    def counts(self) -> Mapping[str, int]:
        """What there is so far: `Counts.stated`."""
        return self._counts.stated

    @property
    def unsealed(self) -> bool:
        """Whether frames wait for their seal."""
        return bool(self._activity)

    def append(self, frame: Frame) -> None:
        """Take the next frame. Raises `ValueError` when it passes a bound of its kind; nothing was taken then."""
        data = encode(frame)
        if not self._activity:
            self._since = frame.at
        self._pending.append(data)
        self._activity += len(data)
        self._counts.add(frame)

    def due(self, at: int) -> bool:
        """Whether the chunk must be sealed now (`at`: microseconds since the recording began)."""
        return self._activity >= MAX_CHUNK_BYTES or (self.unsealed and at - self._since >= MAX_CHUNK_TIME)

    def flush(self) -> bytearray:
        """What was appended since, as one record that can be read without what follows; empty where nothing was."""
        if not self._pending:
            return bytearray()
        if self._stream is None:
            self._stream = self._compression().compressobj()
        data = self._stream.compress(self._taken()) + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return self._record(data, final=False)

    def seal(self) -> tuple[bytearray, Head]:
        """The last record of the chunk, and the chain's new head. Raises `ValueError` when nothing was appended."""
        if not self._activity:
            raise ValueError("an empty chunk")
        if self._stream is None:
            data = self._compression().compress(self._taken())
        else:
            data = self._stream.compress(self._taken()) + self._stream.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH)
            self._stream = None
        record = self._record(data, final=True)
        self.head = Head(self.head.seq + 1, self._chunk.digest())
        self._chunk = sha256(self.head.digest)
        if self._activity < MAX_CHUNK_BYTES:
            self._compressor = None  # 100 KiB that an idle session would keep; a bulk stream goes on
        self._blocks = self._activity = 0
        return record, self.head

    def _compression(self) -> zstandard.ZstdCompressor:
        if self._compressor is None:
            self._compressor = zstandard.ZstdCompressor(compression_params=_PARAMETERS)
        return self._compressor

    def _taken(self) -> bytes:
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self._pending.clear()
        return data

    def _record(self, data: bytes, *, final: bool) -> bytearray:
        """Encrypted in its place: bulk output is not copied once more."""
        bound, size = self.header + BOUND.pack(self.head.seq + 1, self._blocks, final), len(data) + TAG_BYTES
        record = bytearray(RECORD.size + size)
        RECORD.pack_into(record, 0, final, size)
        self._cipher.encrypt_into(nonce(self._records), data, bound, memoryview(record)[RECORD.size :])
        self._chunk.update(record)
        self._records += 1
        self._blocks += 1
        return record
