"""What of a stream is kept where its policy is head and tail: these, samples between, and a digest of all.

A command may send a terabyte. Whoever reads the recording sees how it began and ended and what it was like in between,
and how much is not there; a file that turns up elsewhere can be compared with the digest.
"""

from collections import deque
from hashlib import sha256

from onepam.kernel.clock import MINUTE
from onepam.recording.frames import Omitted, Output, Stream

INPUT_BYTES = 1 << 20
"""What is kept of a command's standard input: its beginning. The rest is counted as omitted as it comes."""

HEAD_BYTES = 1 << 20
SAMPLE_BYTES = 64 * 1024
SAMPLE_EVERY_BYTES = 16 << 20
"""A sample begins when so much was left out since the last one, or after `SAMPLE_EVERY`: what is slow is kept whole."""

SAMPLE_EVERY = MINUTE
"""Microseconds."""

TAIL_BYTES = 64 * 1024


class Excerpt:
    """One stream of one channel: `take` what comes, then `end`. The frames that it gives are all there is to record."""

    def __init__(self, channel: int, stream: Stream) -> None:
        self.bytes = 0
        self._channel = channel
        self._stream = stream
        self._digest = sha256()
        self._keep = HEAD_BYTES
        self._since = 0
        self._skipped = 0
        self._omitted = 0
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0

    @property
    def sha256(self) -> str:
        """Hex, of all that was taken."""
        return self._digest.hexdigest()

    def take(self, at: int, data: bytes) -> list[Output | Omitted]:
        """The stream goes on with `data` (at most `MAX_DATA_BYTES`)."""
        self.bytes += len(data)
        self._digest.update(data)
        frames: list[Output | Omitted] = []
        while data:
            if not self._keep and (self._skipped >= SAMPLE_EVERY_BYTES or at - self._since >= SAMPLE_EVERY):
                self._omitted += self._tail_bytes
                self._tail.clear()
                self._tail_bytes, self._keep = 0, SAMPLE_BYTES
                frames += self._gap(at)
            if self._keep:
                piece = data[: self._keep]
                self._keep -= len(piece)
                frames.append(Output(at, self._channel, self._stream, piece))
                self._since, self._skipped = at, 0
            else:
                piece = data[: SAMPLE_EVERY_BYTES - self._skipped]
                self._skip(piece)
            data = data[len(piece) :]
        return frames

    def end(self, at: int) -> list[Output | Omitted]:
        """The stream is over: the tail, after what is missing before it."""
        tail = b"".join(self._tail)
        kept = tail[-TAIL_BYTES:]
        self._omitted += len(tail) - len(kept)
        frames = self._gap(at)
        self._tail.clear()
        self._tail_bytes = 0
        return [*frames, Output(at, self._channel, self._stream, kept)] if kept else frames

    def _skip(self, piece: bytes) -> None:
        self._skipped += len(piece)
        self._tail.append(piece)
        self._tail_bytes += len(piece)
        while self._tail_bytes - len(self._tail[0]) >= TAIL_BYTES:
            gone = len(self._tail.popleft())
            self._tail_bytes -= gone
            self._omitted += gone

    def _gap(self, at: int) -> list[Output | Omitted]:
        count, self._omitted = self._omitted, 0
        return [Omitted(at, self._channel, self._stream, count)] if count else []
