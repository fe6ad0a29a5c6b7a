"""Following a recording that grows: each piece gives what it completes, whatever the pieces are."""

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onepam.kernel.clock import Instant
from onepam.recording.following import Follower
from onepam.recording.frames import Closed, Frame, Opened, Output, Stream
from onepam.recording.open import Tampered
from onepam.recording.seal import BOUND, MAX_PLAIN_BYTES, RECORD, Sealer, header, nonce

KEY = bytes(range(32))
OPENED = Opened(0, "ses_1", "per_1", "res_1", "root", "ssh", Instant(1_700_000_000_000_000))

_SMALL = zstandard.ZstdCompressionParameters.from_level(1, window_log=16)
BOMB = zstandard.ZstdCompressor(compression_params=_SMALL).compress(bytes(MAX_PLAIN_BYTES + 1))


def output(at: int) -> Output:
    return Output(at, 1, Stream.STDOUT, b"line %d\r\n" % at)


def recorded() -> tuple[list[Frame], bytes]:
    """Two chunks of several records each, one of one record, and the end."""
    sealer = Sealer("rec_1", KEY)
    frames: list[Frame] = [OPENED]
    data = bytearray(sealer.header)
    sealer.append(OPENED)
    for at in range(1, 10):
        sealer.append(output(at))
        frames.append(output(at))
        data += sealer.flush()
        if at % 4 == 0:
            data += sealer.seal()[0]
    sealer.append(output(10))
    frames.append(output(10))
    data += sealer.seal()[0]
    closed = Closed(11, "client.closed", sealer.counts)
    sealer.append(closed)
    data += sealer.seal()[0]
    return [*frames, closed], bytes(data)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 200), max_size=40))
@example([len(header("rec_1")) - 1, 1])  # the header comes in two pieces, whatever is drawn
def test_pieces_of_any_size_give_the_same_frames(sizes: list[int]) -> None:
    frames, data = recorded()
    follower, found, at = Follower(KEY, "rec_1"), list[Frame](), 0
    for size in [*sizes, len(data)]:
        found += follower.feed(data[at : at + size])
        at += size
    assert found == frames
    assert follower.ended


def test_a_record_is_given_before_its_chunk_is_sealed() -> None:
    sealer, follower = Sealer("rec_1", KEY), Follower(KEY, "rec_1")
    assert follower.feed(sealer.header) == []
    sealer.append(OPENED)
    assert follower.feed(bytes(sealer.flush())) == [OPENED]
    sealer.append(output(1))
    record = bytes(sealer.flush())
    assert follower.feed(record[:4]) == []
    assert follower.feed(record[4:-1]) == []
    assert follower.feed(record[-1:]) == [output(1)]
    assert not follower.ended


def record(data: bytes, flag: int = 1, bound: tuple[int, int] = (1, 0)) -> bytes:
    """A record of our own under the right key, after the header."""
    start = header("rec_1")
    sealed = AESGCM(KEY).encrypt(nonce(0), data, start + BOUND.pack(*bound, flag))
    return start + RECORD.pack(flag, len(sealed)) + sealed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"another file that is long enough to hold a header", "not the beginning"),
        (header("rec_1") + b"\x02\0\0\0\x20", "no record begins"),
        (header("rec_1") + b"\0\0\0\0\x0f", "no record begins"),
        (record(b"x", bound=(2, 0)), "the tag of its place"),
        (record(b"no compressed stream"), "does not decompress"),
        (record(BOMB), "more than"),
    ],
)
def test_what_no_recorder_writes_is_named(data: bytes, words: str) -> None:
    with pytest.raises(Tampered, match=words):
        Follower(KEY, "rec_1").feed(data)
