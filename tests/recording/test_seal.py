"""Sealing and opening: what was sealed comes back, a crash is a gap, and every alteration is found and named."""

import itertools
from collections.abc import Callable, Iterator

import pytest
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.kernel.clock import SECOND, Instant
from onepam.kernel.errors import Corrupt
from onepam.recording import seal
from onepam.recording.frames import Closed, Frame, Marker, Omitted, Opened, Output, Stream, encode
from onepam.recording.open import Cut, Foreign, Gap, Reader, Tampered
from onepam.recording.seal import BOUND, RECORD, Head, Sealer, header, nonce

KEY = bytes(range(32))
OPENED = Opened(0, "ses_1", "per_1", "res_1", "root", "ssh", Instant(1_700_000_000_000_000))


def output(at: int, data: bytes = b"hello\r\n") -> Output:
    return Output(at, 1, Stream.STDOUT, data)


class Recorded:
    """A recording in memory, with where its chunks and records begin."""

    def __init__(self) -> None:
        self.sealer = Sealer("rec_1", KEY)
        self.data = bytearray(self.sealer.header)
        self.chunks = [len(self.data)]
        self.records = [len(self.data)]
        self.frames: list[Frame] = []
        self.heads = [self.sealer.head]

    def add(self, *frames: Frame, flush: bool = False) -> None:
        for frame in frames:
            self.sealer.append(frame)
            self.frames.append(frame)
        if flush:
            self._write(self.sealer.flush())

    def seal(self) -> None:
        record, head = self.sealer.seal()
        self._write(record)
        self.heads.append(head)
        self.chunks.append(len(self.data))

    def _write(self, record: bytes | bytearray) -> None:
        self.data += record
        self.records.append(len(self.data))

    def close(self) -> None:
        self.add(Closed(10 * SECOND, "end", self.sealer.counts))
        self.seal()

    def reader(self, data: bytes | None = None, *, final: bool = False) -> Reader:
        return Reader([bytes(self.data) if data is None else data], KEY, self.heads[-1], final=final)


def test_what_is_left_out_counts_apart() -> None:
    recorded = Recorded()
    recorded.add(OPENED, output(10), Omitted(11, 1, Stream.STDOUT, 900), Omitted(12, 1, Stream.STDERR, 100))
    recorded.close()
    reader = recorded.reader(final=True)
    assert list(reader) == recorded.frames
    counts = {"opened": 1, "outputs": 1, "omissions": 2, "frames": 4, "bytes": 7, "omitted_bytes": 1000}
    assert reader.counts == counts
    assert reader.gap is None


def three_chunks() -> Recorded:
    recorded = Recorded()
    recorded.add(OPENED, flush=True)
    recorded.add(output(10), flush=True)
    recorded.add(output(20))
    recorded.seal()
    recorded.add(output(2 * SECOND), Marker(2 * SECOND, "here"))
    recorded.seal()
    recorded.add(output(3 * SECOND, b"x" * 5000), flush=True)
    recorded.close()
    return recorded


def test_a_whole_recording_comes_back_with_its_head_and_counts() -> None:
    recorded = three_chunks()
    reader = recorded.reader(final=True)
    assert list(reader) == recorded.frames
    assert reader.gap is None
    assert reader.head == recorded.heads[-1] == Head(3, reader.head.digest)
    assert reader.recording == "rec_1"
    assert reader.counts == {"opened": 1, "outputs": 4, "markers": 1, "frames": 6, "bytes": 7 + 7 + 7 + 5000}
    assert reader.counts == recorded.sealer.counts


@given(st.integers(1, 700))
def test_any_chunking_of_the_file_gives_the_same(size: int) -> None:
    recorded = three_chunks()
    pieces = [bytes(recorded.data[i : i + size]) for i in range(0, len(recorded.data), size)]
    reader = Reader(pieces, KEY, recorded.heads[-1], final=True)
    assert list(reader) == recorded.frames
    assert reader.head == recorded.heads[-1]


@given(st.lists(st.tuples(st.binary(max_size=2000), st.booleans(), st.booleans()), max_size=20))
def test_any_mixture_of_flushes_and_seals_comes_back(script: list[tuple[bytes, bool, bool]]) -> None:
    recorded = Recorded()
    recorded.add(OPENED)
    for at, (data, flush, sealed) in enumerate(script):
        recorded.add(output(at, data), flush=flush)
        if sealed:
            recorded.seal()
    recorded.close()
    assert list(recorded.reader(final=True)) == recorded.frames


def test_a_chunk_is_due_by_activity_and_by_time() -> None:
    sealer = Sealer("rec_1", KEY)
    assert (sealer.due(5 * SECOND), sealer.unsealed) == (False, False)
    sealer.append(OPENED)
    assert (sealer.due(0), sealer.unsealed) == (False, True)
    assert not sealer.due(SECOND - 1)
    assert sealer.due(SECOND)
    sealer.append(output(1, bytes(seal.MAX_CHUNK_BYTES)))
    assert sealer.due(1)
    sealer.seal()
    assert not sealer.due(9 * SECOND)
    sealer.append(output(9 * SECOND))
    assert not sealer.due(10 * SECOND - 1)
    assert sealer.due(10 * SECOND)


def test_what_came_is_given_before_more_is_asked_for() -> None:
    recorded = three_chunks()
    ends = recorded.records
    pieces = [recorded.data[begin:end] for begin, end in itertools.pairwise([0, *ends])]
    asked: list[int] = []

    def source() -> Iterator[bytes]:
        for piece in pieces:
            asked.append(len(piece))
            yield bytes(piece)

    frames = iter(Reader(source(), KEY))
    assert next(frames) == recorded.frames[0]
    assert sum(asked) == recorded.chunks[1]


def test_flushed_output_is_readable_before_its_seal() -> None:
    recorded = Recorded()
    recorded.add(OPENED, output(5), flush=True)
    assert recorded.sealer.flush() == b""
    reader = Reader([bytes(recorded.data)], KEY)
    assert list(reader) == recorded.frames
    assert reader.gap == Gap(len(recorded.data), 0, 5, "it ends within a chunk")


def test_what_the_sealer_refuses() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer("rec_1", b"short")
    with pytest.raises(ValueError, match="empty chunk"):
        Sealer("rec_1", KEY).seal()
    for name in ("", "x" * 256, "ä"):
        with pytest.raises(ValueError, match=r"id|ascii"):
            Sealer(name, KEY)


def test_the_plaintext_is_not_in_the_file() -> None:
    recorded = Recorded()
    recorded.add(OPENED, output(1, b"unmistakable"), flush=True)
    recorded.close()
    assert b"unmistakable" not in recorded.data
    assert b"per_1" not in recorded.data


def test_a_cut_at_every_byte_is_a_gap_and_loses_nothing_before_it() -> None:
    recorded = three_chunks()
    best = 0
    for cut in range(len(recorded.data)):
        reader = Reader([bytes(recorded.data[:cut])], KEY)
        frames = list(reader)
        assert reader.gap is not None
        assert reader.gap.offset <= cut
        assert reader.gap.seq == sum(end <= cut for end in recorded.chunks[1:])
        assert frames == recorded.frames[: len(frames)]
        assert len(frames) >= best
        assert cut not in recorded.records or reader.gap.offset == cut
        best = len(frames)


def test_a_cut_before_a_vouched_head_is_tampering() -> None:
    recorded = three_chunks()
    reader = recorded.reader(bytes(recorded.data[: recorded.chunks[2]]))
    with pytest.raises(Tampered, match="ends after chunk 2, but chunk 3 was sealed"):
        list(reader)
    assert reader.head == recorded.heads[2]


@pytest.mark.parametrize("zeros", [5, 100, 9000])
def test_a_tail_of_zeros_is_a_gap(zeros: int) -> None:
    recorded = three_chunks()
    cut = recorded.chunks[2]
    reader = Reader([bytes(recorded.data[:cut]) + bytes(zeros)], KEY)
    assert list(reader) == recorded.frames[:5]
    assert reader.gap == Gap(cut, 2, 2 * SECOND, "its tail was never written")


def test_zeros_without_end_are_no_gap() -> None:
    start, more = bytes(three_chunks().data[: three_chunks().chunks[2]]), bytes(1 << 20)
    assert len(list(Reader([start, *[more] * 64], KEY))) == 5
    with pytest.raises(Tampered, match="chunk 3"):
        list(Reader([start, *[more] * 65], KEY))


def test_a_record_whose_end_was_never_written_is_a_gap() -> None:
    recorded = Recorded()
    recorded.add(OPENED)
    recorded.seal()
    recorded.add(output(1, bytes(itertools.islice(itertools.cycle(range(251)), 9000))))
    recorded.close()
    lost = bytes(recorded.data[: len(recorded.data) - 100]) + bytes(100)
    reader = Reader([lost], KEY)
    assert list(reader) == [OPENED]
    assert reader.gap is not None
    assert reader.gap.what == "its tail was never written"


@settings(max_examples=300)
@given(st.integers(0, 100_000), st.integers(1, 255))
def test_every_flipped_byte_is_found(place: int, flip: int) -> None:
    recorded = three_chunks()
    place %= len(recorded.data)
    recorded.data[place] ^= flip
    reader = recorded.reader(final=True)
    frames: list[Frame] = []
    with pytest.raises(Tampered):
        frames.extend(reader)
    assert frames == recorded.frames[: len(frames)]


def swapped(recorded: Recorded) -> bytes:
    (a, b, c), data = recorded.chunks[:3], recorded.data
    return bytes(data[:a] + data[b:c] + data[a:b] + data[c:])


def dropped(recorded: Recorded) -> bytes:
    b, c = recorded.chunks[1:3]
    return bytes(recorded.data[:b] + recorded.data[c:])


def dropped_record(recorded: Recorded) -> bytes:
    b, c = recorded.records[1:3]
    return bytes(recorded.data[:b] + recorded.data[c:])


def repeated(recorded: Recorded) -> bytes:
    b, c = recorded.chunks[1:3]
    return bytes(recorded.data[:c] + recorded.data[b:])


def renamed(recorded: Recorded) -> bytes:
    return header("rec_2") + bytes(recorded.data[len(recorded.sealer.header) :])


def unmagical(recorded: Recorded) -> bytes:
    return b"not a recording" + bytes(recorded.data)


def lengthened(recorded: Recorded) -> bytes:
    return bytes(recorded.data) + b"\x01\x00\x00\x00\x20" + bytes(range(32))


def zeroed(recorded: Recorded) -> bytes:
    b, c = recorded.chunks[1:3]
    return bytes(recorded.data[:b] + bytes(c - b) + recorded.data[c:])


@pytest.mark.parametrize(
    "alter",
    [zeroed, swapped, dropped, dropped_record, repeated, renamed, unmagical, lengthened],
    ids=lambda f: f.__name__,
)
def test_alterations_are_found_with_and_without_a_vouched_head(alter: Callable[[Recorded], bytes]) -> None:
    recorded = three_chunks()
    altered = alter(recorded)
    with pytest.raises(Tampered) as found:
        list(recorded.reader(altered, final=True))
    assert 0 <= found.value.offset <= len(altered)
    with pytest.raises(Tampered):
        list(Reader([altered], KEY))


def test_another_key_opens_nothing() -> None:
    recorded = three_chunks()
    reader = Reader([bytes(recorded.data)], bytes(32))
    with pytest.raises(Tampered, match="chunk 1: a record does not carry the tag of its place"):
        list(reader)
    with pytest.raises(ValueError, match="32 bytes"):
        Reader([], b"")


def test_another_recording_of_the_same_key_and_length_is_found_by_its_head() -> None:
    recorded, other = three_chunks(), Recorded()
    other.add(OPENED, output(7))
    other.close()
    with pytest.raises(Tampered, match="head that was vouched for"):
        list(Reader([bytes(recorded.data)], KEY, other.heads[1]))
    with pytest.raises(Tampered, match="goes on after the head that was vouched for"):
        list(Reader([bytes(recorded.data)], KEY, recorded.heads[2], final=True))
    live = Reader([bytes(recorded.data)], KEY, recorded.heads[2])
    assert list(live) == recorded.frames


class Forger:
    """Somebody who holds the key and seals what the `Sealer` never would."""

    def __init__(self) -> None:
        self.data = header("rec_1")
        self.records = 0

    def record(self, data: bytes, chunk: int, block: int = 0, *, final: bool = True) -> "Forger":
        bound = header("rec_1") + BOUND.pack(chunk, block, final)
        sealed = AESGCM(KEY).encrypt(nonce(self.records), data, bound)
        self.data += RECORD.pack(final, len(sealed)) + sealed
        self.records += 1
        return self

    def chunk(self, *frames: Frame) -> "Forger":
        return self.record(zstandard.compress(b"".join(map(encode, frames))), self.records + 1)


def bomb(size: int) -> bytes:
    compressor = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=16)
    ).compressobj()
    return compressor.compress(bytes(size)) + compressor.flush()


@pytest.mark.parametrize(
    ("forged", "named"),
    [
        (Forger().chunk(output(1)), "not in the order"),
        (Forger().chunk(OPENED, OPENED), "not in the order"),
        (Forger().chunk(OPENED, output(5), output(4)), "not in the order"),
        (Forger().chunk(OPENED, Closed(1, "end", {"frames": 9})), "closed with"),
        (
            Forger().chunk(OPENED, Closed(1, "end", {"opened": 1, "frames": 1, "bytes": 0}), output(3)),
            "chunk 1: it goes on",
        ),
        (
            Forger().chunk(OPENED, Closed(1, "end", {"opened": 1, "frames": 1, "bytes": 0})).chunk(output(3)),
            "chunk 2: it goes on after",
        ),
        (Forger().record(b"no zstd stream", 1), "does not decompress"),
        (Forger().record(zstandard.compress(encode(OPENED)) * 2, 1), "does not decompress"),
        (Forger().record(zstandard.compress(bytes(8 << 20)), 1), "requires too much memory"),
        (Forger().record(bomb(8 << 20), 1), "decompresses to more than"),
        (Forger().record(zstandard.compress(b"no frame"), 1), "half a frame header"),
    ],
)
def test_what_a_holder_of_the_key_forges_is_bounded_and_named(forged: Forger, named: str) -> None:
    with pytest.raises(Corrupt, match=named):
        list(Reader([forged.data], KEY))


def test_the_number_of_records_in_a_chunk_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onepam.recording.open.MAX_BLOCKS", 3)
    forged = Forger()
    for block in range(4):
        forged.record(b"", 1, block, final=False)
    with pytest.raises(Tampered, match="no record begins with"):
        list(Reader([forged.data], KEY))


def test_a_recording_without_its_closing_frame_is_a_gap() -> None:
    recorded = Recorded()
    recorded.add(OPENED, output(3))
    recorded.seal()
    reader = recorded.reader()
    assert list(reader) == recorded.frames
    assert reader.gap == Gap(len(recorded.data), 1, 3, "it has no closing frame")


def test_what_was_sealed_before_must_be_there_as_well() -> None:
    recorded = three_chunks()
    assert len(list(Reader([bytes(recorded.data)], KEY, sealed=recorded.heads[2]))) == 7
    with pytest.raises(Cut, match="ends after chunk 1, but chunk 2 was sealed"):
        list(Reader([bytes(recorded.data[: recorded.chunks[1]])], KEY, recorded.heads[1], sealed=recorded.heads[2]))
    with pytest.raises(Foreign, match="chunk 2: its chain does not lead"):
        list(Reader([bytes(recorded.data)], KEY, recorded.heads[-1], sealed=Head(2, bytes(32))))


def test_another_recording_is_foreign_before_its_first_frame() -> None:
    recorded = three_chunks()
    assert len(list(Reader([bytes(recorded.data)], KEY, named="rec_1"))) == 7
    with pytest.raises(Foreign, match="byte 0, chunk 0: it is the recording rec_1"):
        list(Reader([bytes(recorded.data)], KEY, named="rec_2"))
