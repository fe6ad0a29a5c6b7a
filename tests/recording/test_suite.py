"""A recording of another codec, cipher or hash is refused, and named by its numbers."""

import pytest

from onepam.recording.open import Reader, Tampered
from onepam.recording.seal import MAGIC, header

KEY = bytes(32)


@pytest.mark.parametrize(("place", "named"), [(0, "2 1 1"), (1, "1 2 1"), (2, "1 1 2")])
def test_what_this_release_does_not_read_is_named(place: int, named: str) -> None:
    data = bytearray(header("rec_1"))
    data[len(MAGIC) + place] = 2
    for ends in (len(data), len(MAGIC) + 3):
        with pytest.raises(Tampered, match=f"reads no recording of codec, cipher and hash {named}"):
            list(Reader([bytes(data[:ends])], KEY))


def test_a_file_that_ends_before_it_says_so_has_a_gap() -> None:
    for ends in range(len(MAGIC), len(MAGIC) + 4):
        reader = Reader([header("rec_1")[:ends]], KEY)
        assert list(reader) == []
        assert reader.gap is not None
