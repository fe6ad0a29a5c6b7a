"""Entries are read by ranges, and exactly those that are asked for, in that order."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.store.engine import history
from onepam.store.engine.history import neighbours


@given(st.lists(st.integers(0, 12), max_size=20) | st.sets(st.integers(0, 60)).map(sorted), st.integers(1, 6))
def test_ranges_are_what_was_asked_for(indexes: list[int], most: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(history, "AT_ONCE", most)
        found = list(neighbours(indexes))
    assert [index for begin, end in found for index in range(begin, end)] == indexes
    assert all(0 < end - begin <= most for begin, end in found)
    for (begin, end), (following, _) in itertools.pairwise(found):
        assert following != end or end - begin == most, "what follows is read with it"


def test_one_statement_reads_many() -> None:
    assert list(neighbours(range(7, 1_007))) == [(7, 507), (507, 1_007)]
    assert list(neighbours([3, 4, 9, 8, 8])) == [(3, 5), (9, 10), (8, 9), (8, 9)]
    assert list(neighbours([])) == []
