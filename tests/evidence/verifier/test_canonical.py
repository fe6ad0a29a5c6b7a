"""The verifier's own JSON and times: one encoding for one value."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.evidence.verifier.archive import Archive
from onepam.evidence.verifier.canonical import instant, iso, lines, members, parse
from onepam.evidence.verifier.refusal import Refused


def test_depth() -> None:
    assert parse(b"[" * 32 + b"]" * 32, "x")
    assert parse(b'{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}', "x")
    for deep in (b"[" * 33 + b"]" * 33, b'{"a":' * 33 + b"1" + b"}" * 33, b"[" * 10**6, b"[" * 5000 + b"]" * 5000):
        with pytest.raises(Refused, match=r"^x: "):
            parse(deep, "x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"b":1,"a":2}', "canonical"), ('{"a":1,"a":1}', "duplicate"), ("1.0", "integer is due"),
        ("1e2", "integer is due"), ("NaN", "integer is due"), ("9007199254740992", "outside"),
        ("-9007199254740992", "outside"), (" 1", "canonical"),
        ('{"\u00e9":1}', "not ASCII"),
        ('"\\u0041"', "canonical"), ("[1", "x: "), ("\ufeff1", "x: "), ('"\ud800"', "x: "),
    ],
)  # fmt: skip
def test_another_spelling_is_refused(text: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        parse(text.encode("utf-8", "surrogatepass"), "x")


def test_the_bounds_of_integers_are_read() -> None:
    assert parse(b"[-9007199254740991,0,9007199254740991]", "x") == [-(2**53) + 1, 0, 2**53 - 1]


class OneFile(Archive):
    """An archive of one file, which is expanded so many bytes at a time."""

    def __init__(self, content: bytes, at_once: int) -> None:
        self._content, self._at_once, self._last = content, at_once, {"x": content[-1:]}

    def size(self, name: str) -> int:
        return len(self._content)

    def pieces(self, name: str) -> Iterator[bytes]:
        return (self._content[at : at + self._at_once] for at in range(0, len(self._content), self._at_once))


@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 100])
def test_lines_are_each_ended(at_once: int) -> None:
    def read(content: bytes) -> list[Any]:
        return list(lines(OneFile(content, at_once), "x"))

    assert read(b"1\n2\n") == [1, 2]
    assert read(b"1000\n2\n30000\n") == [1000, 2, 30000]
    assert read(b"") == []
    with pytest.raises(Refused, match="last line is cut"):
        read(b"1\n2")
    with pytest.raises(Refused, match="x line 2"):
        read(b"1\n\n3\n")


def test_members_are_exactly_these() -> None:
    assert members({"a": 1, "b": None}, "x", a=int, b=object) == {"a": 1, "b": None}
    for wrong in ({"a": 1}, {"a": 1, "b": 1, "c": 1}, {"a": True, "b": 1}, {"a": -1, "b": 1}, [1]):
        with pytest.raises(Refused, match="x: "):
            members(wrong, "x", a=int, b=object)


def test_times_in_utc() -> None:
    assert instant("1970-01-01T00:00:01.000002Z", "x") == 1_000_002
    assert iso(1_000_002) == "1970-01-01T00:00:01.000002Z"
    for wrong in ("1970-01-01T00:00:01Z", "1970-13-01T00:00:01.000002Z", "1970-01-01T00:00:01.000002", None, 7):
        with pytest.raises(Refused, match="is not a time in UTC"):
            instant(wrong, "x")


@given(st.integers(-(10**15), 9_007_199_254_740_991))
def test_a_time_is_written_as_python_writes_it(at: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    assert iso(at) == moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
