from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.canonical import MAX_DEPTH, MAX_INTEGER, NotCanonical, decode, encode, scan, tagged

integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127))
values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
)


@given(values)
def test_a_value_comes_back_from_its_one_encoding(value: Any) -> None:
    data = encode(value)
    assert decode(data) == value
    assert encode(decode(data)) == data


def test_the_encoding_of_rfc_8785() -> None:
    value = {"b": [None, True, -1], "a": '€$\x0f\nA\'B"\\"/', "": (1, 2)}
    assert encode(value) == '{"":[1,2],"a":"€$\\u000f\\nA\'B\\"\\\\\\"/","b":[null,true,-1]}'.encode()


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        MAX_INTEGER + 1,
        -MAX_INTEGER - 1,
        {1: 2},
        {"é": 1},
        {"a": [1.0]},
        b"bytes",
        {1, 2},
        "\ud800",
        nested(MAX_DEPTH + 1),
    ],
)
def test_other_values_have_no_canonical_form(value: Any) -> None:
    with pytest.raises(NotCanonical):
        encode(value)


def test_nesting_up_to_the_bound_is_canonical() -> None:
    assert decode(encode(nested(MAX_DEPTH))) == nested(MAX_DEPTH)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a":1} ',
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'"\\u0041"',
        b'"\\/"',
        b'"\\ud800"',
        b"1.0",
        b"1e3",
        b"-0",
        b"NaN",
        b"9007199254740992",
        b"[" * 100_000,
        b"9" * 5000,
        '{"é":1}'.encode(),
        '"a"'.encode("utf-16"),
        b'\xef\xbb\xbf"a"',
        b'"\xff"',
    ],
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        decode(data)


def test_names_that_are_not_text_are_tagged() -> None:
    assert tagged("naïve".encode()) == "naïve"
    assert tagged(b"\xff") == "base64:/w=="
    assert tagged(b"base64:/w==") == "base64:YmFzZTY0Oi93PT0="


@given(st.binary(), st.binary())
def test_two_names_never_look_alike(one: bytes, other: bytes) -> None:
    assert (tagged(one) == tagged(other)) == (one == other)


def test_a_scan_reads_the_value_that_a_text_begins_with_in_whatever_form() -> None:
    assert scan('{ "b": 1,  "a": [true] } and more') == {"b": 1, "a": [True]}
    with pytest.raises(ValueError, match="Expecting value"):
        scan("and more")
