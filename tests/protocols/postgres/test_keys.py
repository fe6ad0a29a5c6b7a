"""Keys to cancel by: the number beside them is the target's, so two sessions may have one number."""

from collections.abc import Callable

from onepam.protocols.postgres.keys import LONG_BYTES, SHORT_BYTES, Keys


def counted() -> Callable[[int], bytes]:
    """Bytes that come twice each, so that the first try at another key is the one that there is."""
    numbers = (each // 2 for each in range(2, 1000))
    return lambda size: next(numbers).to_bytes(size, "big")


def test_two_targets_with_one_number_are_told_apart_by_their_keys() -> None:
    keys, cancelled = Keys(counted()), list[str]()
    one = keys.make("10.0.0.1", 0, lambda: cancelled.append("one"), 77)
    other = keys.make("10.0.0.1", 0, lambda: cancelled.append("other"), 77)
    assert one[0] == other[0] == 77
    assert one[1] != other[1]
    assert keys.cancel(*other, "10.0.0.1")
    assert not keys.cancel(*one, "10.0.0.2")
    assert cancelled == ["other"]
    keys.drop(*one)
    assert not keys.cancel(*one, "10.0.0.1")
    assert keys.cancel(*other, "10.0.0.1")
    assert len(keys) == 1
    keys.drop(*other)
    keys.drop(*other)
    assert len(keys) == 0
    assert cancelled == ["other", "other"]


def test_a_target_that_tells_of_no_number_gets_one_of_its_own() -> None:
    keys = Keys(counted())
    first, second = (keys.make("", minor, lambda: None) for minor in (0, 2))
    assert 0 < first[0] < 1 << 31
    assert first[0] != second[0]
    assert (len(first[1]), len(second[1])) == (SHORT_BYTES, LONG_BYTES)
