"""Opens a recording file: verifies chain, tags and counts, gives the frames back, and names what is wrong.

Two things can be wrong. A *gap* is what a crash leaves: the file ends in the middle of a chunk, of a record, or without
its `Closed` frame; everything before is whole. *Tampering* is what no crash leaves: bytes changed, records dropped,
swapped, repeated (`Tampered`), cut off before a head that was vouched for (`Cut`), or another recording in the place of
this one (`Foreign`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onepam.kernel.errors import Corrupt
from onepam.recording.counts import Counts
from onepam.recording.frames import Closed, Frame, Opened, decode
from onepam.recording.seal import (
    BOUND,
    KEY_BYTES,
    MAGIC,
    MAX_BLOCKS,
    MAX_PLAIN_BYTES,
    MAX_RECORD_BYTES,
    RECORD,
    SUITE,
    TAG_BYTES,
    Head,
    header,
    nonce,
)

MAX_WINDOW_BYTES = 1 << 20

UNWRITTEN_BYTES = 64
"""So many zeros at the end of a ciphertext mean that the disk never got it (chance otherwise: 2^-512)."""

MAX_UNWRITTEN_BYTES = 64 << 20
"""A crash leaves no more zeros at the end: a recorder pauses long before so much waits for the disk. A file of zeros
without end costs nobody a disk, and would keep its reader for ever."""


class Tampered(Corrupt):
    """The file is not what was sealed; the message says what and where, `offset` is the first byte in doubt."""

    def __init__(self, what: str, offset: int, chunk: int) -> None:
        super().__init__(f"recording altered at byte {offset}, chunk {chunk}: {what}")
        self.offset = offset
        self.chunk = chunk


class Cut(Tampered):
    """The file ends before a head that was vouched for: sealed chunks are lost."""


class Foreign(Tampered):
    """Every tag holds, and it is not what was vouched for: another recording, or one sealed anew under this key."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The file ends too early without a trace of tampering.

    `offset` is the first byte that could not be used, `seq` the last sealed chunk and `at` the time of the last frame
    that could be read (microseconds since the start).
    """

    offset: int
    seq: int
    at: int
    what: str


class _Unwritten(Exception):
    """The file ends here; the message says within what."""


class Reader:
    """Iterate it once for the frames; `recording`, `head`, `gap` and `counts` tell how far it came.

    `expected` is the head that somebody vouched for (the ledger): the file must contain its chunk, with its digest.
    With `final` it must also end there. `sealed` is an earlier head that was vouched for as well, `named` the recording
    that it must be. Iterating raises `Tampered`, after all frames before the damage were given.
    """

    def __init__(
        self,
        source: Iterable[bytes],
        key: bytes,
        expected: Head | None = None,
        *,
        final: bool = False,
        sealed: Head | None = None,
        named: str = "",
    ) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("a recording key has 32 bytes")
        self.recording = ""
        self._header = b""
        self.head = Head(0, b"")
        self.gap: Gap | None = None
        self._bytes = _Bytes(source)
        self._cipher = AESGCM(key)
        self._expand = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW_BYTES)
        self._vouchers = tuple(each for each in (expected, sealed) if each is not None)
        self._last = expected.seq if expected and final else None
        self._named = named
        self._counts = Counts()
        self._records = 0
        self._at = 0
        self._closed = False

    @property
    def counts(self) -> Mapping[str, int]:
        """The counts of the frames given so far, as `Sealer.counts`."""
        return self._counts.stated

    def __iter__(self) -> Iterator[Frame]:
        self._open()
        while self.gap is None and not self._bytes.ended():
            if self._closed:
                raise Tampered("it goes on after its closing frame", self._bytes.offset, self.head.seq + 1)
            yield from self._chunk()
        if self.gap is None and not self._closed:
            self.gap = Gap(self._bytes.offset, self.head.seq, self._at, "it has no closing frame")
        sealed = max((each.seq for each in self._vouchers), default=0)
        if self.head.seq < sealed:
            words = f"it ends after chunk {self.head.seq}, but chunk {sealed} was sealed"
            raise Cut(words, self._bytes.offset, self.head.seq + 1)

    def _open(self) -> None:
        magic = MAGIC + SUITE
        start = bytes(self._bytes.take(len(magic) + 1))
        suite = start[len(MAGIC) : len(magic)]
        if start.startswith(MAGIC) and not SUITE.startswith(suite):
            named = " ".join(map(str, suite))
            raise Tampered(f"this release reads no recording of codec, cipher and hash {named}", 0, 0)
        name = bytes(self._bytes.take(start[-1])) if start[:-1] == magic else b""
        if self._bytes.ended() and (magic.startswith(start) or len(name) < start[-1]):
            self.gap = Gap(0, 0, 0, "it ends within its header")
            return
        if not name.isascii() or start + name != (header(name.decode("ascii")) if name else b""):
            raise Tampered("this is not the beginning of a recording", 0, 0)
        self.recording, self._header = name.decode("ascii"), start + name
        if self._named not in ("", self.recording):
            raise Foreign(f"it is the recording {self.recording}", 0, 0)
        self.head = Head(0, sha256(self._header).digest())
        self._vouched(0)

    def _chunk(self) -> Iterator[Frame]:
        offset, chain = self._bytes.offset, sha256(self.head.digest)
        blocks: list[bytes] = []
        final = False
        while not final:
            at = self._bytes.offset
            try:
                final, start, sealed, data = self._record(len(blocks))
            except _Unwritten as end:
                yield from self._frames_of(blocks, offset, whole=False)
                self.gap = Gap(at, self.head.seq, self._at, str(end))
                return
            chain.update(start)
            chain.update(sealed)
            blocks.append(data)
        self.head = Head(self.head.seq + 1, chain.digest())
        self._vouched(offset)
        yield from self._frames_of(blocks, offset, whole=True)

    def _record(self, block: int) -> tuple[bool, memoryview, memoryview, bytes]:
        """(final, its beginning and its ciphertext as they stand in the file, decrypted). Raises `_Unwritten` where the
        file was not written so far."""
        offset, chunk = self._bytes.offset, self.head.seq + 1
        start = self._bytes.take(RECORD.size)
        if len(start) < RECORD.size:
            raise _Unwritten("it ends within a chunk")
        flag, length = RECORD.unpack(start)
        if flag > 1 or not TAG_BYTES <= length <= MAX_RECORD_BYTES or block >= MAX_BLOCKS:
            if not any(start) and self._bytes.only_zeros():
                raise _Unwritten("its tail was never written")
            raise Tampered(f"no record begins with {start.hex()}", offset, chunk)
        sealed = self._bytes.take(length)
        if len(sealed) < length:
            raise _Unwritten("it ends within a record")
        bound = self._header + BOUND.pack(chunk, block, flag)
        try:
            data = self._cipher.decrypt(nonce(self._records), sealed, bound)
        except InvalidTag:
            if not any(sealed[-UNWRITTEN_BYTES:]) and self._bytes.only_zeros():
                raise _Unwritten("its tail was never written") from None
            raise Tampered("a record does not carry the tag of its place", offset, chunk) from None
        self._records += 1
        return bool(flag), start, sealed, data

    def _frames_of(self, blocks: list[bytes], offset: int, *, whole: bool) -> Iterator[Frame]:
        chunk = self.head.seq + (0 if whole else 1)
        for frame in decode(self._decompressed(b"".join(blocks), offset, chunk)):
            if self._closed:
                raise Tampered("it goes on after its closing frame", offset, chunk)
            if (type(frame) is Opened) is self._counts.begun or frame.at < self._at:
                raise Tampered("its frames are not in the order of a recording", offset, chunk)
            if type(frame) is Closed:
                if dict(frame.counts) != dict(self.counts):
                    raise Tampered(f"it holds {dict(self.counts)}, but was closed with {frame.counts}", offset, chunk)
                self._closed = True
            self._counts.add(frame)
            self._at = frame.at
            yield frame

    def _decompressed(self, data: bytes, offset: int, chunk: int) -> bytes:
        try:
            if data and 0 <= zstandard.frame_content_size(data) <= MAX_PLAIN_BYTES:  # sealed in one piece
                return self._expand.decompress(data, allow_extra_data=False)
            with self._expand.stream_reader(BytesIO(data)) as stream:
                plain = stream.read(MAX_PLAIN_BYTES + 1)
        except zstandard.ZstdError as error:
            raise Tampered(f"it does not decompress: {error}", offset, chunk) from None
        if len(plain) > MAX_PLAIN_BYTES:
            raise Tampered(f"it decompresses to more than {MAX_PLAIN_BYTES} bytes", offset, chunk)
        return plain

    def _vouched(self, offset: int) -> None:
        """Compare the head just reached with those that were vouched for."""
        if any(each.seq == self.head.seq and each != self.head for each in self._vouchers):
            raise Foreign("its chain does not lead to the head that was vouched for", offset, self.head.seq)
        if self._last is not None and self.head.seq > self._last:
            raise Tampered("it goes on after the head that was vouched for as its last", offset, self.head.seq)


class _Bytes:
    """Exact reads from pieces of any size; what lies within one piece is not copied."""

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = iter(source)
        self._piece = memoryview(b"")
        self.offset = 0

    def take(self, size: int) -> memoryview:
        """The next `size` bytes, or all there are."""
        data, self._piece = self._piece[:size], self._piece[size:]
        if len(data) < size:
            data = self._joined(data, size)
        self.offset += len(data)
        return data

    def ended(self) -> bool:
        """Whether nothing is left."""
        while not self._piece:
            piece = next(self._source, None)
            if piece is None:
                return True
            self._piece = memoryview(piece)
        return False

    def only_zeros(self) -> bool:
        """Whether nothing but zero bytes is left, and no more of them than a crash leaves."""
        most = MAX_UNWRITTEN_BYTES
        while piece := self.take(MAX_RECORD_BYTES):
            most -= len(piece)
            if any(piece) or most < 0:
                return False
        return True

    def _joined(self, begun: memoryview, size: int) -> memoryview:
        parts, missing = [begun], size - len(begun)
        while missing and not self.ended():
            parts.append(self._piece[:missing])
            self._piece = self._piece[missing:]
            missing -= len(parts[-1])
        return memoryview(b"".join(parts))
