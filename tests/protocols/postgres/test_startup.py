"""What a client says before it has signed in, byte for byte, and whatever is no such thing."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepam.protocols.postgres.startup import (
    ASK_PASSWORD,
    LET_IN,
    Startup,
    WantsCancel,
    WantsGss,
    WantsTls,
    first,
    key_to_cancel,
    password,
)
from onepam.protocols.postgres.wire import Malformed


def sent(code: int, body: bytes = b"") -> bytes:
    return pack(">II", 8 + len(body), code) + body


def start(*parts: str, minor: int = 0) -> bytes:
    return sent(3 << 16 | minor, b"".join(part.encode() + b"\0" for part in parts) + b"\0")


def test_each_request_is_told_from_the_next() -> None:
    assert first(b"\0\0\0\x08\x04\xd2\x16\x2f") == (WantsTls(), 8)
    assert first(b"\0\0\0\x08\x04\xd2\x16\x30more") == (WantsGss(), 8)
    assert first(b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x07abcd") == (WantsCancel(7, b"abcd"), 16)
    found, length = first(start("user", "app@db-1", "database", "shop") + b"rest") or (None, 0)
    assert found == Startup(0, {"user": "app@db-1", "database": "shop"})
    assert length == len(start("user", "app@db-1", "database", "shop"))


@given(data=st.binary(max_size=64), cut=st.integers(0, 200))
def test_a_part_is_waited_for(data: bytes, cut: int) -> None:
    whole = start("user", data.hex(), "database", "x")
    assert first(whole[: min(cut, len(whole) - 1)]) is None
    assert first(whole) is not None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GET / HTTP/1.1\r\n", "no start"),
        (b"\0\0\0\x07\0\3\0\0", "no start"),
        (b"\0\0\x27\x11\0\3\0\0", "no start"),
        (sent(2 << 16), "version 2.0"),
        (sent(4 << 16), "version 4.0"),
        (sent(1234 << 16 | 5679, b"x"), "follows a request"),
        (sent(1234 << 16 | 5678, b"\0\0\0\7"), "another length"),
        (sent(1234 << 16 | 5678, bytes(261)), "another length"),
        (sent(3 << 16, b"user\0app\0"), "no end"),
        (sent(3 << 16, b"user\0app"), "no end"),
        (sent(3 << 16, b"user\0\0"), "no end"),
        (sent(3 << 16, b"user\0\xff\0\0"), "UTF-8"),
        (sent(3 << 16), "no end"),
        (start(*[str(number) for number in range(202)]), "no parameters"),
        (start("", "value"), "no parameters"),
    ],
)
def test_what_is_malformed_is_said(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        first(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_malformed(data: bytes) -> None:
    for read in (first, password):
        try:
            found = read(data)
        except Malformed:
            continue
        assert found is None or 0 < found[1] <= len(data)


def test_a_newer_version_and_its_extensions_are_negotiated_down() -> None:
    for minor in (0, 2):
        found, _ = first(start("user", "app", minor=minor)) or (None, 0)
        assert isinstance(found, Startup)
        assert found.negotiated() == b""
    found, _ = first(start("user", "app", "_pq_.later", "on", minor=9)) or (None, 0)
    assert isinstance(found, Startup)
    assert found.parameters == {"user": "app"}
    assert found.negotiated() == b"v" + pack(">III", 23, 3 << 16 | 2, 1) + b"_pq_.later\0"
    found, _ = first(start("user", "app", "_pq_.later", "on")) or (None, 0)
    assert isinstance(found, Startup)
    assert found.negotiated() == b"v" + pack(">III", 23, 3 << 16, 1) + b"_pq_.later\0"


@pytest.mark.parametrize(
    ("value", "asked"), [("true", True), ("database", True), ("off", False), ("0", False), ("", False)]
)
def test_who_asks_for_replication(value: str, asked: bool) -> None:
    assert Startup(0, {"user": "app", "replication": value}).replicates is asked
    assert not Startup(0, {"user": "app"}).replicates


def test_a_password() -> None:
    assert password(b"") is None
    assert password(b"p\0\0\0\x08abc\0more") == (b"abc", 9)
    assert password(b"p\0\0\0\x08abc") is None
    for bad, says in ((b"Q", "something else"), (b"p\0\0\0\4", "no password"), (b"p\0\0\x10\1", "no password")):
        with pytest.raises(Malformed, match=says):
            password(bad)
    with pytest.raises(Malformed, match="follows"):
        password(b"p\0\0\0\x09ab\0c\0")
    with pytest.raises(Malformed, match="no end"):
        password(b"p\0\0\0\x07abc")


def test_what_a_client_is_told() -> None:
    assert LET_IN == b"R\0\0\0\x08\0\0\0\0"
    assert ASK_PASSWORD == b"R\0\0\0\x08\0\0\0\x03"
    assert key_to_cancel(7, b"abcd") == b"K\0\0\0\x0c\0\0\0\x07abcd"
