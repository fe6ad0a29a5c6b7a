"""Frames: every record comes back from its bytes, and nothing else does."""

from contextlib import suppress
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.recording.frames import (
    MAX_DATA_BYTES,
    MAX_RARE_BYTES,
    ChannelClosed,
    ChannelOpened,
    Closed,
    FileOperation,
    Frame,
    Input,
    Marker,
    Omitted,
    Opened,
    Output,
    Resize,
    Signal,
    Stream,
    TypedInput,
    decode,
    encode,
)
from onepam.recording.statements import (
    MAX_EXECUTED_BYTES,
    MAX_TEXT_BYTES,
    MAX_WORDS_BYTES,
    STATUS,
    Executed,
    Finished,
    Form,
    Outcome,
    Parameter,
    StatementText,
)

at = st.integers(0, (1 << 53) - 1)
u32 = st.integers(0, (1 << 32) - 1)
count = st.integers(0, (1 << 53) - 1)
u64 = st.integers(0, (1 << 64) - 1)
parameters = st.lists(st.builds(Parameter, st.none() | u32 | st.binary(max_size=20), st.booleans()), max_size=4)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(Opened, at, text, text, text, text, text, count.map(Instant)),
    st.builds(ChannelOpened, at, u32, text, text, text, u32, u32),
    st.builds(Output, at, u32, st.sampled_from((Stream.STDOUT, Stream.STDERR)), st.binary(max_size=300)),
    st.builds(Resize, at, u32, u32, u32),
    st.builds(TypedInput, at, u32, count),
    st.builds(Input, at, u32, st.binary(max_size=300)),
    st.builds(Omitted, at, u32, st.sampled_from(Stream), count),
    st.builds(Signal, at, u32, text, st.none() | u32),
    st.builds(Marker, at, text),
    st.builds(
        FileOperation, at, u32, count, text, text, text, text, text, st.none() | count, st.none() | text, st.booleans()
    ),
    st.builds(
        ChannelClosed,
        at,
        u32,
        st.none() | u32,
        st.none() | text,
        count,
        st.none() | text,
        count,
        st.none() | text,
        count,
        st.none() | text,
    ),
    st.builds(StatementText, at, u64, st.binary(max_size=300), st.booleans()),
    st.builds(Executed, at, u64, u64, st.sampled_from(Form), parameters.map(tuple)),
    st.builds(Finished, at, u64, st.sampled_from(Outcome), st.sampled_from(STATUS), u64, u64, text),
    st.builds(Closed, at, text, st.dictionaries(st.text("abc", max_size=5), count, max_size=3)),
)


@given(st.lists(frames, max_size=8))
def test_frames_come_back_from_their_bytes(recorded: list[Frame]) -> None:
    assert list(decode(b"".join(map(encode, recorded)))) == recorded


@given(st.binary(max_size=200))
def test_other_bytes_are_corrupt_or_the_encoding_of_what_they_give(data: bytes) -> None:
    try:
        given_back = list(decode(data))
    except Corrupt:
        return
    assert b"".join(map(encode, given_back)) == data


@given(frames, st.data())
def test_a_flipped_byte_is_corrupt_or_another_frame(frame: Frame, data: st.DataObject) -> None:
    encoded = bytearray(encode(frame))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(Corrupt):
        assert list(decode(bytes(encoded))) != [frame]


def test_output_beyond_the_bound_is_refused() -> None:
    assert encode(Output(0, 1, Stream.STDOUT, bytes(MAX_DATA_BYTES)))
    with pytest.raises(ValueError, match="at most 262144"):
        encode(Output(0, 1, Stream.STDOUT, bytes(MAX_DATA_BYTES + 1)))
    with pytest.raises(ValueError, match="input of 262145 bytes"):
        encode(Input(0, 1, bytes(MAX_DATA_BYTES + 1)))


def test_a_long_command_is_refused() -> None:
    with pytest.raises(ValueError, match="ChannelOpened of"):
        encode(ChannelOpened(0, 1, "exec", "x" * 1024 * 1024))


def test_the_longest_marker_comes_back() -> None:
    longest = Marker(1, "x" * (MAX_RARE_BYTES - len('{"text":""}')))
    assert list(decode(encode(longest))) == [longest]
    with pytest.raises(ValueError, match=f"Marker of {MAX_RARE_BYTES + 1} bytes"):
        encode(Marker(1, longest.text + "x"))
    body = b'{"text":"%b"}' % (longest.text + "x").encode()
    with pytest.raises(Corrupt, match="kind 6"):
        list(decode(pack(">BQI", 6, 1, len(body)) + body))


def test_the_numbers_of_the_streams_stand_in_old_files() -> None:
    for stream, number in ((Stream.STDOUT, 1), (Stream.STDERR, 2), (Stream.STDIN, 3)):
        assert encode(Omitted(7, 5, stream, 9)) == pack(">BQI", 11, 7, 13) + pack(">IBQ", 5, number, 9)


def test_a_channel_that_says_no_more_closed_with_no_bytes() -> None:
    assert ChannelClosed(1, 2) == ChannelClosed(1, 2, None, None, 0, None, 0, None, 0, None)


def test_a_statement_beyond_a_bound_is_refused() -> None:
    assert encode(StatementText(0, 1, bytes(MAX_TEXT_BYTES), True))
    with pytest.raises(ValueError, match="text of 262145 bytes"):
        encode(StatementText(0, 1, bytes(MAX_TEXT_BYTES + 1)))
    largest = Parameter(bytes(MAX_EXECUTED_BYTES - 19 - 6))
    assert list(decode(encode(Executed(0, 1, 1, Form.SIMPLE, (largest,)))))
    with pytest.raises(ValueError, match="execution of 1048578 bytes"):
        encode(Executed(0, 1, 1, Form.SIMPLE, (largest, Parameter(None))))
    assert list(decode(encode(Finished(0, 1, Outcome.OK, words="x" * MAX_WORDS_BYTES))))
    with pytest.raises(ValueError, match="outcome of 8193 bytes"):
        encode(Finished(0, 1, Outcome.OK, words="x" * (MAX_WORDS_BYTES - 1) + "\u00e9"))
    with pytest.raises(ValueError, match="no state of a transaction"):
        encode(Finished(0, 1, Outcome.OK, b"X"))


def test_the_bytes_of_statements_stand_in_old_files() -> None:
    assert encode(StatementText(7, 5, b"S", True)) == pack(">BQI", 13, 7, 10) + pack(">QB", 5, 1) + b"S"
    three = (Parameter(b"a"), Parameter(None, binary=True), Parameter(9))
    body = pack(">QQBH", 6, 5, 2, 3) + bytes((0, 1, 0, 0, 0, 1)) + b"a" + bytes((1, 0)) + bytes((0, 2, 0, 0, 0, 9))
    assert encode(Executed(7, 6, 5, Form.EXTENDED, three)) == pack(">BQI", 14, 7, len(body)) + body
    assert list(decode(pack(">BQI", 14, 7, len(body)) + body)) == [Executed(7, 6, 5, Form.EXTENDED, three)]
    body = pack(">QBcQQ", 6, 2, b"E", 3, 4) + b"57014 too slow"
    assert encode(Finished(7, 6, Outcome.ERROR, b"E", 3, 4, "57014 too slow")) == pack(">BQI", 15, 7, len(body)) + body
    assert [(each.name, each) for each in Form] == [("SIMPLE", 1), ("EXTENDED", 2), ("COPY", 3), ("FUNCTION", 4)]
    numbers = [("OK", 1), ("ERROR", 2), ("SUSPENDED", 3), ("UNFINISHED", 4), ("REFUSED", 5)]
    assert [(each.name, each) for each in Outcome] == numbers


@pytest.mark.parametrize(
    "data",
    [
        b"\x03",
        pack(">BQI", 3, 0, 9) + b"1234",
        pack(">BQI", 3, 0, 4) + b"1234",
        pack(">BQI", 3, 0, 5) + pack(">IB", 1, 7),
        pack(">BQI", 4, 0, 5) + b"12345",
        pack(">BQI", 5, 0, 5) + b"12345",
        pack(">BQI", 10, 0, 3) + b"123",
        pack(">BQI", 11, 0, 12) + b"123456789012",
        pack(">BQI", 11, 0, 13) + pack(">IBQ", 1, 7, 9),
        pack(">BQI", 77, 0, 0),
        pack(">BQI", 13, 0, 8) + bytes(8),
        pack(">BQI", 13, 0, 9) + pack(">QB", 1, 2),
        pack(">BQI", 13, 0, 9 + MAX_TEXT_BYTES + 1) + bytes(9 + MAX_TEXT_BYTES + 1),
        pack(">BQI", 14, 0, 18) + bytes(18),
        pack(">BQI", 14, 0, 19) + pack(">QQBH", 1, 1, 0, 0),
        pack(">BQI", 14, 0, 19) + pack(">QQBH", 1, 1, 1, 1),
        pack(">BQI", 14, 0, 21) + pack(">QQBHBB", 1, 1, 1, 1, 2, 0),
        pack(">BQI", 14, 0, 21) + pack(">QQBHBB", 1, 1, 1, 1, 0, 3),
        pack(">BQI", 14, 0, 21) + pack(">QQBHBB", 1, 1, 1, 1, 0, 1),
        pack(">BQI", 14, 0, 25) + pack(">QQBHBBI", 1, 1, 1, 1, 0, 1, 1),
        pack(">BQI", 14, 0, 20) + pack(">QQBHB", 1, 1, 1, 0, 0),
        pack(">BQI", 14, 0, 1024 * 1024 + 1) + bytes(1024 * 1024 + 1),
        pack(">BQI", 15, 0, 25) + bytes(25),
        pack(">BQI", 15, 0, 26) + pack(">QBcQQ", 1, 0, b"I", 0, 0),
        pack(">BQI", 15, 0, 26) + pack(">QBcQQ", 1, 1, b"X", 0, 0),
        pack(">BQI", 15, 0, 27) + pack(">QBcQQ", 1, 1, b"I", 0, 0) + b"\xff",
        pack(">BQI", 15, 0, 26 + 8193) + pack(">QBcQQ", 1, 1, b"I", 0, 0) + bytes(8193),
        pack(">BQI", 6, 0, 300_000) + bytes(300_000),
        pack(">BQI", 6, 0, 2) + b"{ ",
        pack(">BQI", 6, 0, 2) + b"[]",
        pack(">BQI", 6, 0, 2) + b"{}",
        pack(">BQI", 6, 0, 10) + b'{"text":1}',
        pack(">BQI", 6, 0, 15) + b'{"text":"a","b"',
    ],
)
def test_malformed_frames_are_named(data: bytes) -> None:
    with pytest.raises(Corrupt):
        list(decode(data))


def test_a_boolean_is_no_number() -> None:
    body = (
        b'{"channel":1,"error_bytes":0,"error_sha256":null,"input_bytes":true,"input_sha256":null,'
        b'"output_bytes":0,"output_sha256":null,"signal":null,"status":null}'
    )
    with pytest.raises(Corrupt, match="input_bytes is a bool"):
        list(decode(pack(">BQI", 8, 0, len(body)) + body))
