"""A Bind that is read at once and one that is read as it comes are the same."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from onepam.protocols.postgres import binding
from onepam.protocols.postgres.wire import Malformed
from tests.protocols.postgres import messages as pg

BODIES = st.builds(
    lambda portal, statement, values, formats, results: (
        pg.bind(portal, statement, values, formats)[5:-2] + struct.pack("!H", results) + b"\0\0" * results
    ),
    st.sampled_from(["", "a", "x" * 1025]),
    st.sampled_from(["", "b", "x" * 1025]),
    st.lists(st.none() | st.binary(max_size=6), max_size=3),
    st.lists(st.integers(0, 2), max_size=3),
    st.integers(0, 3),
)


def in_pieces(body: bytes, most: int, size: int) -> binding.Bound | str:
    reader = binding.Reader(most)
    try:
        for offset in range(0, len(body), size):
            reader.take(body[offset : offset + size])
    except Malformed:
        return "malformed"
    return reader.bound or "malformed"


def at_once(body: bytes, most: int) -> binding.Bound | str:
    try:
        return binding.read(body, most)
    except Malformed:
        return "malformed"


@given(BODIES, st.integers(0, 6), st.integers(1, 50))
def test_a_bind(body: bytes, most: int, size: int) -> None:
    assert at_once(body, most) == in_pieces(body, most, size)


@given(BODIES | st.binary(max_size=40), st.data())
def test_a_bind_that_is_cut_or_altered(body: bytes, data: st.DataObject) -> None:
    cut = body[: data.draw(st.integers(0, len(body)))] + data.draw(st.binary(max_size=3))
    if cut and data.draw(st.booleans()):
        where = data.draw(st.integers(0, len(cut) - 1))
        cut = cut[:where] + bytes((data.draw(st.integers(0, 255)),)) + cut[where + 1 :]
    assert at_once(cut, 6) == in_pieces(cut, 6, data.draw(st.integers(1, 50)))
