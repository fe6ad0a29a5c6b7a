"""The leaf format is frozen: these bytes never change."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.kernel import canonical
from onepam.kernel.clock import Instant
from onepam.ledger.entry import Entry, Header, leaf_hash, payload_digest

words = st.from_regex(r"\A[a-z][a-z0-9_.]{0,99}\Z")
versions = st.integers(1, 999_999_999)
integers = st.integers(0, canonical.MAX_INTEGER)
headers = st.builds(Header, integers, integers.map(Instant), words, versions, words, integers)

GOLDEN = b'{"class":"request","class_seq":3,"index":7,"kind":"request.approved","time":1772546400000000,"v":1}'


def test_the_golden_leaf() -> None:
    entry = Entry(Header(7, Instant(1_772_546_400_000_000), "request.approved", 1, "request", 3), b'{"a":1}')
    assert entry.header.encode() == GOLDEN
    assert entry.leaf() == sha256(b"\x00" + GOLDEN + sha256(b'{"a":1}').digest()).digest()
    assert entry.leaf().hex() == "3bbbecf56bae53a5ef2e8a3bef0b9491f7296f1f7658fc2a3f00498951e186f5"
    assert leaf_hash(GOLDEN, sha256(b'{"a":1}').digest()) == entry.leaf()


@given(headers)
def test_a_header_is_canonical_and_comes_back(header: Header) -> None:
    data = header.encode()
    assert Header.decode(data) == header
    assert canonical.encode(canonical.decode(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOLDEN + b"\n",
        GOLDEN.replace(b'"index":7', b'"index":07'),
        GOLDEN.replace(b'"index":7', b'"index":-7'),
        GOLDEN.replace(b'"index":7', b'"index":9007199254740992'),
        GOLDEN.replace(b"request.approved", b"Request"),
        GOLDEN.replace(b"request.approved", b"r" * 600),
        GOLDEN.replace(b"request.approved", b"request-approved"),
        GOLDEN.replace(b'"v":1', b'"v":1,"w":1'),
        GOLDEN.replace(b'"v":1', b'"v":0'),
        GOLDEN.replace(b",", b", "),
    ],
)
def test_other_bytes_are_no_header(data: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        Header.decode(data)


def test_a_payload_is_named_by_its_salted_digest() -> None:
    assert payload_digest(b"s" * 32, b"name") == sha256(b"s" * 32 + b"name").hexdigest()
