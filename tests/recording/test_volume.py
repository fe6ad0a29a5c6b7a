"""Head, samples, tail and digest: what is kept, what is counted, and that nothing is lost between."""

from hashlib import sha256
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.clock import SECOND
from onepam.recording import volume
from onepam.recording.frames import Omitted, Output, Stream
from onepam.recording.volume import (
    HEAD_BYTES,
    SAMPLE_BYTES,
    SAMPLE_EVERY,
    SAMPLE_EVERY_BYTES,
    TAIL_BYTES,
    Excerpt,
)

CONTENT = Random(1).randbytes(1 << 16)


def stream(size: int) -> bytes:
    return (CONTENT * (size // len(CONTENT) + 1))[:size]


def excerpt(data: bytes, pieces: int = 200_000, step: int = 0) -> tuple[list[Output | Omitted], Excerpt]:
    """What is recorded of `data`, in pieces, each `step` microseconds after the one before."""
    found, frames, at = Excerpt(1, Stream.STDERR), list[Output | Omitted](), 0
    for start in range(0, len(data), pieces):
        at += step
        frames += found.take(at, data[start : start + pieces])
    return [*frames, *found.end(at)], found


def whole(frames: list[Output | Omitted], data: bytes) -> None:
    """Every output stands where the counts before it say, and together they are all of it."""
    offset = 0
    for frame in frames:
        assert (frame.channel, frame.stream) == (1, Stream.STDERR)
        if isinstance(frame, Output):
            assert data[offset : offset + len(frame.data)] == frame.data
            offset += len(frame.data)
        else:
            assert frame.count > 0
            offset += frame.count
    assert offset == len(data)


def test_little_is_kept_whole() -> None:
    for size in (0, 1, HEAD_BYTES, HEAD_BYTES + TAIL_BYTES):
        frames, found = excerpt(stream(size))
        assert b"".join(frame.data for frame in frames if isinstance(frame, Output)) == stream(size)
        assert not any(isinstance(frame, Omitted) for frame in frames)
        assert (found.bytes, found.sha256) == (size, sha256(stream(size)).hexdigest())


def test_of_much_the_head_samples_and_the_tail() -> None:
    data = stream(40 << 20)
    frames, found = excerpt(data)
    whole(frames, data)
    kept = [len(frame.data) for frame in frames if isinstance(frame, Output)]
    assert sum(kept) == HEAD_BYTES + 2 * SAMPLE_BYTES + TAIL_BYTES
    left_out = [frame.count for frame in frames if isinstance(frame, Omitted)]
    assert left_out[:2] == [SAMPLE_EVERY_BYTES] * 2
    assert found.sha256 == sha256(data).hexdigest()


def test_what_is_slow_is_kept_whole() -> None:
    """A log that grows by a sample's size in the time of one."""
    data = stream(4 << 20)
    frames, _ = excerpt(data, SAMPLE_BYTES, SAMPLE_EVERY)
    whole(frames, data)
    assert not any(isinstance(frame, Omitted) for frame in frames)


@given(st.integers(0, 200_000), st.integers(1, 70_000), st.integers(0, SAMPLE_EVERY // SECOND))
def test_whatever_the_pieces(size: int, pieces: int, seconds: int) -> None:
    before = volume.HEAD_BYTES, volume.SAMPLE_BYTES, volume.SAMPLE_EVERY_BYTES, volume.TAIL_BYTES
    volume.HEAD_BYTES, volume.SAMPLE_BYTES, volume.SAMPLE_EVERY_BYTES, volume.TAIL_BYTES = 10_000, 700, 20_000, 900
    try:
        frames, found = excerpt(stream(size), pieces, seconds * SECOND)
    finally:
        volume.HEAD_BYTES, volume.SAMPLE_BYTES, volume.SAMPLE_EVERY_BYTES, volume.TAIL_BYTES = before
    whole(frames, stream(size))
    assert found.sha256 == sha256(stream(size)).hexdigest()
    if size > 10_000 + 900:
        assert isinstance(frames[-1], Output)
