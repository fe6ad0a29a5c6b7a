"""What we send to a directory and what it answers (RFC 4511 section 4), with paged results (RFC 2696)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from onepam.egress.ldap.ber import (
    ENUMERATED,
    OCTETS,
    SEQUENCE,
    SET,
    Elements,
    Malformed,
    boolean,
    element,
    integer,
    octets,
)

BIND_ANSWER, ENTRY, DONE, REFERENCE, EXTENDED_ANSWER, INTERMEDIATE = 0x61, 0x64, 0x65, 0x73, 0x78, 0x79

START_TLS = "1.3.6.1.4.1.1466.20037"
PAGED = "1.2.840.113556.1.4.319"

MAX_VALUES = 10
"""Values of one attribute that are read: one is what a row needs, and more are counted up to here."""

_BIND, _UNBIND, _SEARCH, _EXTENDED, _CONTROLS = 0x60, 0x42, 0x63, 0x77, 0xA0
_SUBTREE, _NEVER_FOLLOW_ALIASES = 2, 0


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came: the number of the request that it answers, what it is, and its unread content."""

    number: int
    tag: int
    content: bytes
    controls: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """How a request ended; `code` as in RFC 4511 appendix A, `said` is the server's own text."""

    code: int
    said: str


def bind(number: int, name: str, password: str) -> bytes:
    """A simple bind; anonymous where both are empty."""
    return _message(number, element(_BIND, integer(3), octets(name), octets(password, 0x80)))


def unbind(number: int) -> bytes:
    """Good-bye; it has no answer."""
    return _message(number, element(_UNBIND))


def start_tls(number: int) -> bytes:
    """The wish to go on with TLS (RFC 4511 section 4.14)."""
    return _message(number, element(_EXTENDED, octets(START_TLS, 0x80)))


def search(number: int, base: str, condition: bytes, attributes: Sequence[str], size: int, cookie: bytes) -> bytes:
    """A page of `size` entries of the whole subtree; `condition` is a filter in BER. Paging is critical: no paging,
    no search."""
    body = element(
        _SEARCH,
        octets(base),
        integer(_SUBTREE, ENUMERATED),
        integer(_NEVER_FOLLOW_ALIASES, ENUMERATED),
        integer(0),
        integer(0),
        boolean(False),
        condition,
        element(SEQUENCE, *(octets(each) for each in attributes)),
    )
    page = element(SEQUENCE, integer(size), octets(cookie))
    control = element(SEQUENCE, octets(PAGED), boolean(True), octets(page))
    return _message(number, body + element(_CONTROLS, control))


def message(content: bytes) -> Message:
    """What a frame holds. Raises `Malformed`."""
    parts = Elements(content)
    number = parts.number()
    tag, body = parts.take()
    controls = parts.expect(_CONTROLS) if parts.tag == _CONTROLS else b""
    if number < 0 or parts.more:
        raise Malformed("a message with more than its parts")
    return Message(number, tag, body, controls)


def result(found: Message) -> Result:
    """The end of a request. Raises `Malformed`."""
    parts = Elements(found.content)
    code = parts.number(ENUMERATED)
    parts.expect(OCTETS)
    said = parts.expect(OCTETS)[:200].decode("utf-8", "replace")
    return Result(code, "".join(each for each in said if each.isprintable()))


def entry(found: Message, wanted: Collection[str]) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    """The name of an entry and those of its attributes that are wanted, by their names in lower case. Raises
    `Malformed`."""
    parts = Elements(found.content)
    try:
        name = parts.expect(OCTETS).decode("utf-8")
        attributes: dict[str, tuple[bytes, ...]] = {}
        listed = Elements(parts.expect(SEQUENCE))
        while listed.more:
            one = Elements(listed.expect(SEQUENCE))
            attribute = one.expect(OCTETS).decode("ascii").lower()
            values = Elements(one.expect(SET))
            held: list[bytes] = []
            while attribute in wanted and values.more and len(held) < MAX_VALUES:
                held.append(values.expect(OCTETS))
            if attribute in wanted:
                attributes[attribute] = tuple(held)
    except UnicodeDecodeError:
        raise Malformed("a name that is not UTF-8") from None
    return name, attributes


def next_page(found: Message) -> bytes:
    """Where the next page begins; empty after the last. Raises `Malformed`, also where the server did not page."""
    controls = Elements(found.controls)
    while controls.more:
        control = Elements(controls.expect(SEQUENCE))
        if control.expect(OCTETS) != PAGED.encode():
            continue
        if control.tag != OCTETS:
            control.take()  # whether it is critical
        page = Elements(Elements(control.expect(OCTETS)).expect(SEQUENCE))
        page.number()
        return page.expect(OCTETS)
    raise Malformed("a page without word of the next one")


def _message(number: int, *parts: bytes) -> bytes:
    return element(SEQUENCE, integer(number), *parts)
