"""The codec, the filters and the conversation, against bytes of every shape."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepam.egress.ldap import ber, messages, pull
from onepam.egress.ldap.ber import Elements, Frames, Malformed, boolean, element, integer, octets
from onepam.egress.ldap.filters import MAX_DEPTH, BadFilter, encoded
from onepam.egress.ldap.pull import Pull, Search, StartTls, Stopped
from onepam.kernel.errors import Refused

SEARCH = Search("dc=example", encoded("(cn=*)"), ("CN", "mail"), "cn=reader", "secret", 10)


def ended(number: int, tag: int, code: int = 0, said: str = "", more: bytes = b"", controls: bytes = b"") -> bytes:
    body = element(tag, integer(code, 0x0A), octets(""), octets(said), more)
    return element(0x30, integer(number), body, controls)


def paged(cookie: bytes = b"", name: str = messages.PAGED) -> bytes:
    value = octets(element(0x30, integer(0), octets(cookie)))
    return element(0xA0, element(0x30, octets("1.2.3"), boolean(True)), element(0x30, octets(name), value))


def entry(number: int, name: str = "cn=a", *attributes: bytes) -> bytes:
    return element(0x30, integer(number), element(0x64, octets(name), element(0x30, *attributes)))


def attribute(name: str, *values: str) -> bytes:
    return element(0x30, octets(name), element(0x31, *(octets(each) for each in values)))


def code(run: Callable[[], object]) -> str:
    with pytest.raises(Stopped) as stopped:
        run()
    assert isinstance(stopped.value.refused, Refused)
    return stopped.value.refused.code


@given(st.integers(0, 2**62), st.binary(max_size=300), st.booleans())
def test_what_is_written_is_read(number: int, data: bytes, flag: bool) -> None:
    parts = Elements(element(0x30, integer(number), octets(data), boolean(flag)))
    inner = Elements(parts.expect(0x30))
    assert inner.number() == number
    assert inner.expect(0x04) == data
    assert inner.expect(0x01) == (b"\xff" if flag else b"\x00")
    assert not parts.more
    assert not inner.more
    assert inner.tag == -1


@pytest.mark.parametrize(
    "data",
    ["", "04", "0405ab", "0480", "0485ffffffff00", "1f0100", "04840100000000", "048300ffffff"],
)
def test_elements_that_are_refused(data: str) -> None:
    with pytest.raises(Malformed):
        Elements(bytes.fromhex(data)).take()


@pytest.mark.parametrize("data", ["0200", "0209010101010101010101", "040101"])
def test_numbers_that_are_refused(data: str) -> None:
    with pytest.raises(Malformed):
        Elements(bytes.fromhex(data)).number()


@given(st.lists(st.binary(max_size=200), max_size=5), st.lists(st.integers(1, 50), min_size=1))
def test_a_stream_is_cut_into_messages_wherever_it_breaks(contents: list[bytes], cuts: list[int]) -> None:
    stream, frames, found, at = b"".join(element(0x30, each) for each in contents), Frames(), [], 0
    while at < len(stream):
        size = cuts[at % len(cuts)]
        found += frames.feed(stream[at : at + size])
        at += size
    assert found == contents
    assert frames.empty


@pytest.mark.parametrize("data", [b"\x04\x00", b"HTTP/1.1 400", b"\x30\x80", b"\x30\x85", b"\x30\x84\xff\xff\xff\xff"])
def test_a_stream_that_is_no_ldap_is_noticed_at_once(data: bytes) -> None:
    with pytest.raises(Malformed):
        Frames().feed(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cn=a",
        "(cn=a",
        "(cn=a))",
        "(cn=a)(cn=b)",
        "()",
        "(&)",
        "(!(cn=a)(cn=b))",
        "(cn)",
        "(=a)",
        "(c n=a)",
        "(cn=a**b)",
        "(cn=\\)",
        "(cn=\\g0)",
        "(cn=\\2)",
        "(cn=a\0)",
        "(cn>=a*)",
        "(:=a)",
        "(:dn:=a)",
        "(cn:1.2:=a*)",
        "(1=a)",
        "(|(cn=a)",
        "(&(cn=a)x)",
        "(" * 3000,
        "(!" * (MAX_DEPTH + 1) + "(cn=a)" + ")" * (MAX_DEPTH + 1),
        "(cn=" + "a" * 3000 + ")",
    ],
)
def test_filters_that_are_refused(text: str) -> None:
    with pytest.raises(BadFilter):
        encoded(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(cn=*)", "8702636e"),
        ("(cn=)", "a3060402636e0400"),
        ("(cn=a)", "a3070402636e040161"),
        ("(cn=\\2a)", "a3070402636e04012a"),
        ("(cn>=a)", "a5070402636e040161"),
        ("(cn<=a)", "a6070402636e040161"),
        ("(cn~=a)", "a8070402636e040161"),
        ("(cn=a*b*c)", "a40f0402636e3009800161810162820163"),
        ("(cn=*b*)", "a4090402636e3003810162"),
        ("(!(cn=*))", "a2048702636e"),
        ("(&(cn=*)(sn=*))", "a0088702636e8702736e"),
        ("(cn:dn:2.4.6:=a)", "a9118105322e342e368202636e8301618401ff"),
        ("(:2.4.6:=a)", "a90a8105322e342e36830161"),
        ("(cn:=a)", "a9078202636e830161"),
    ],
)
def test_filters_in_bytes(text: str, expected: str) -> None:
    assert encoded(text).hex() == expected


@settings(max_examples=500)
@given(st.text(alphabet="()&|!=<>~*\\:;.-acn02 \u00e4", max_size=60))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    try:
        found = encoded(text)
    except BadFilter:
        return
    parts = Elements(found)
    parts.take()
    assert not parts.more


def test_pages_until_the_last() -> None:
    asked = Pull("ldap.example", SEARCH)
    assert b"cn=reader" in asked.begin()
    assert b"secret" in asked.begin()
    first = asked.receive(ended(1, 0x61))
    assert b"dc=example" in first
    assert (
        asked.receive(entry(2, "cn=a", attribute("CN", "a", "b"), attribute("mail"), attribute("not", "asked"))) == b""
    )
    second = asked.receive(ended(2, 0x65, controls=paged(b"next")))
    assert b"next" in second
    assert asked.receive(entry(3, "cn=b") + ended(3, 0x65, controls=paged())) == b""
    assert asked.done
    assert [(each.dn, each.attributes) for each in asked.entries] == [
        ("cn=a", {"cn": (b"a", b"b"), "mail": ()}),
        ("cn=b", {}),
    ]
    assert asked.end() == bytes.fromhex("30050201044200")
    assert code(lambda: asked.receive(entry(3))) == "directory.protocol"


def test_a_value_too_many_is_left_out_and_still_too_many() -> None:
    asked = Pull("ldap.example", SEARCH)
    asked.receive(ended(1, 0x61))
    asked.receive(entry(2, "cn=a", attribute("cn", *map(str, range(500)))))
    assert len(asked.entries[0].attributes["cn"]) == messages.MAX_VALUES


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (ended(2, 0x61), "protocol"),
        (ended(1, 0x65), "protocol"),
        (ended(1, 0x61, 49), "bind"),
        (ended(1, 0x61, 14), "bind"),
        (ended(0, 0x78, 52), "down"),
        (element(0x30, integer(1), element(0x61)), "protocol"),
        (element(0x30, element(0x02, b"\xff"), element(0x61)), "protocol"),
        (element(0x30, integer(1), element(0x61), element(0xA0), octets("")), "protocol"),
        (b"\x16\x03\x01", "protocol"),
    ],
)
def test_what_ends_it_before_the_search(heard: bytes, expected: str) -> None:
    assert code(lambda: Pull("ldap.example", SEARCH).receive(heard)) == f"directory.{expected}"


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (ended(2, 0x65), "protocol"),
        (ended(2, 0x65, controls=paged(name="1.2.4")), "protocol"),
        (ended(2, 0x65, 3), "incomplete"),
        (ended(2, 0x65, 4), "incomplete"),
        (ended(2, 0x65, 11), "incomplete"),
        (ended(2, 0x65, 10), "referral"),
        (ended(2, 0x65, 12), "search"),
        (ended(2, 0x65, 80, "odd\x07"), "search"),
        (element(0x30, integer(2), element(0x73, octets("ldap://elsewhere"))), "referral"),
        (element(0x30, integer(2), element(0x79)), "protocol"),
        (element(0x30, integer(2), element(0x64)), "protocol"),
        (element(0x30, integer(2), element(0x64, octets(b"\xff"), element(0x30))), "protocol"),
        (element(0x30, integer(2), element(0x65)), "protocol"),
        (ended(2, 0x65, controls=paged(b"c" * 70_000)), "too_large"),
        (entry(2) * 11, "too_large"),
        (entry(3), "protocol"),
    ],
)
def test_what_ends_it_in_the_search(heard: bytes, expected: str) -> None:
    asked = Pull("ldap.example", SEARCH)
    asked.receive(ended(1, 0x61))
    assert code(lambda: asked.receive(heard)) == f"directory.{expected}"


def test_pages_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "MAX_PAGES", 3)
    asked = Pull("ldap.example", SEARCH)
    asked.receive(ended(1, 0x61))
    for number in (2, 3):
        assert asked.receive(ended(number, 0x65, controls=paged(b"again")))
    assert code(lambda: [asked.receive(ended(n, 0x65, controls=paged(b"again"))) for n in (4, 5)]) == (
        "directory.too_large"
    )


def test_words_of_a_server_are_shown_without_signs_that_hide() -> None:
    asked = Pull("ldap.example", SEARCH)
    with pytest.raises(Stopped) as stopped:
        asked.receive(ended(1, 0x61, 49, "data 52e\x1b[2J\u202e" + "x" * 500))
    assert stopped.value.refused.message.startswith(
        'ldap.example does not let the account in: account or password is wrong ("data 52e[2Jx'
    )
    assert len(stopped.value.refused.message) < 300


LEAVES = (
    st.binary(max_size=20).map(octets)
    | st.integers(0, 300).map(integer)
    | st.integers(0, 100).map(lambda value: integer(value, 0x0A))
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda tag, parts: element(tag, *parts), st.sampled_from((0x30, 0x31, 0x61, 0x64, 0x65, 0xA0)), st.lists(inner)
    ),
    max_leaves=12,
)
NEAR = st.builds(
    lambda number, tag, parts: element(0x30, integer(number), element(tag, *parts)),
    st.integers(0, 3),
    st.sampled_from((0x61, 0x64, 0x65, 0x73, 0x78, 0x79)),
    st.lists(TREES, max_size=4),
)


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=40) | NEAR | TREES, max_size=6), st.booleans())
def test_whatever_a_server_sends_stops_it_or_is_read(heard: list[bytes], bound: bool) -> None:
    asked = Pull("ldap.example", SEARCH)
    try:
        if bound:
            asked.receive(ended(1, 0x61))
        for each in heard:
            asked.receive(each)
    except Stopped:
        pass
    assert len(asked.entries) <= SEARCH.most


@settings(max_examples=300)
@given(st.data())
def test_one_wrong_byte_stops_it_or_is_read(data: st.DataObject) -> None:
    good = (
        ended(1, 0x61)
        + entry(2, "cn=a", attribute("cn", "a"), attribute("mail", "a@example.com"))
        + ended(2, 0x65, controls=paged())
    )
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes((data.draw(st.integers(0, 255)),)) + good[at + 1 :]
    asked = Pull("ldap.example", SEARCH)
    try:
        asked.receive(bad)
    except Stopped:
        return
    assert all(isinstance(each.dn, str) for each in asked.entries)


@given(st.binary(max_size=60))
def test_before_encryption_only_consent_goes_on(heard: bytes) -> None:
    asked = StartTls("ldap.example")
    try:
        asked.receive(heard)
    except Stopped:
        return
    assert not asked.done


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (ended(1, 0x78, 2), "tls"),
        (ended(1, 0x61), "protocol"),
        (ended(2, 0x78), "protocol"),
        (ended(1, 0x78) + ended(1, 0x78), "protocol"),
        (ended(1, 0x78) + b"\x30", "protocol"),
        (element(0x30, integer(1), element(0x78)), "protocol"),
    ],
)
def test_start_tls_that_does_not_come_about(heard: bytes, expected: str) -> None:
    assert code(lambda: StartTls("ldap.example").receive(heard)) == f"directory.{expected}"


def test_start_tls() -> None:
    asked = StartTls("ldap.example")
    assert asked.begin().hex() == "301d02010177188016312e332e362e312e342e312e313436362e3230303337"
    asked.receive(ended(1, 0x78)[:5])
    assert not asked.done
    asked.receive(ended(1, 0x78)[5:])
    assert asked.done


def test_lengths_of_every_size() -> None:
    assert Frames().feed(b"\x30\x82\x01") == [], "the length is not whole yet"
    for size in (0, 127, 128, 255, 256, 65_536):
        assert Elements(element(0x04, bytes(size))).take() == (0x04, bytes(size))
    assert ber.MAX_MESSAGE_BYTES < pull.MAX_BYTES
