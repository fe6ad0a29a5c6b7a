import json
from typing import Any, Never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel.canonical import MAX_DEPTH, MAX_INTEGER, NotCanonical, decode, encode, tagged

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


texts_alike = st.sampled_from(
    [
        b"",
        b"{",
        b"1.0",
        b"1e3",
        b"-0",
        b"NaN",
        b"Infinity",
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a":1} ',
        b'"\\u0041"',
    ]
    + [b'"\\ud800"', b'"\xff"', b"9007199254740991", b"9007199254740992", b"-9007199254740992", b"9" * 5000]
    + [b"[" * depth + b"]" * depth for depth in (31, 32, 33, 5000)]
    + [b"[" * 20 + b"]" * 20, '{"\u00e9":1}'.encode(), '"\u00e9"'.encode(), b'"' + b"[" * 40 + b'"', b'{"\x7f":"\x7f"}']
) | st.recursive(
    st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])) | st.floats() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u00e9", max_size=2), inner, max_size=3),
).map(lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())


@given(texts_alike)
def test_both_ways_of_reading_agree(data: bytes) -> None:
    """The definition: the value is in the canonical subset, and is written as the very same bytes."""
    try:
        value = json.loads(data, parse_float=_refused, parse_constant=_refused)
        defined = encode(value) == data
    except (ValueError, RecursionError):
        defined = False
    if defined:
        assert repr(decode(data)) == repr(value)
    else:
        with pytest.raises(NotCanonical):
            decode(data)


def _refused(text: str) -> Never:
    raise ValueError(text)


@pytest.mark.parametrize("depth", range(1, MAX_DEPTH + 2))
def test_both_ways_of_reading_have_one_bound_of_nesting(depth: int) -> None:
    data = b'{"a":' * depth + b"1" + b"}" * depth
    if depth > MAX_DEPTH:
        with pytest.raises(NotCanonical):
            decode(data)
    else:
        assert encode(decode(data)) == data
