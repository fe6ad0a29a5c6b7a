"""Search filters: their text (RFC 4515) as a directory reads it (RFC 4511 section 4.5.1.7). Bounded; no guessing."""

import re

from onepam.egress.ldap.ber import boolean, element, octets

MAX_FILTER_CHARACTERS = 2_000
MAX_DEPTH = 20

_AND, _OR, _NOT, _SUBSTRINGS, _PRESENT, _EXTENSIBLE = 0xA0, 0xA1, 0xA2, 0xA4, 0x87, 0xA9
_COMPARED = {"": 0xA3, ">": 0xA5, "<": 0xA6, "~": 0xA8}
_DESCRIPTION = r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)(?:;[A-Za-z0-9-]+)*"
_RULE = r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)"
_ITEM = re.compile(rf"({_DESCRIPTION})([><~]?)=([^()]*)")
_MATCHED = re.compile(rf"({_DESCRIPTION})?(:dn)?(?::({_RULE}))?:=([^()*]*)", re.IGNORECASE)
_VALUE = re.compile(r"(?:[^\\\0]|\\[0-9A-Fa-f]{2})*")


class BadFilter(ValueError):
    """The text is not a filter; the message says where."""


def encoded(text: str) -> bytes:
    """The filter in BER. Raises `BadFilter`."""
    if len(text) > MAX_FILTER_CHARACTERS:
        raise BadFilter(f"a filter has at most {MAX_FILTER_CHARACTERS:,} characters")
    found, end = _filter(text, 0, 1)
    if end != len(text):
        raise BadFilter(f"nothing may follow the filter, at character {end + 1}")
    return found


def _filter(text: str, at: int, depth: int) -> tuple[bytes, int]:
    """The filter that begins at `at` with its parenthesis, and where it ends."""
    if depth > MAX_DEPTH:
        raise BadFilter(f"a filter is at most {MAX_DEPTH} deep")
    if text[at : at + 1] != "(":
        raise BadFilter(f"( is missing at character {at + 1}")
    sign = text[at + 1 : at + 2]
    if sign in ("&", "|", "!"):
        parts, at = [], at + 2
        while text[at : at + 1] == "(":
            part, at = _filter(text, at, depth + 1)
            parts.append(part)
        if not parts or (sign == "!" and len(parts) != 1):
            raise BadFilter(f"{sign} needs {'exactly one filter' if sign == '!' else 'filters'}, at character {at + 1}")
        found = element({"&": _AND, "|": _OR, "!": _NOT}[sign], *parts)
    else:
        end = text.find(")", at)
        if end < 0:
            raise BadFilter("a ) is missing at the end")
        found, at = _item(text[at + 1 : end], at + 2), end
    if text[at : at + 1] != ")":
        raise BadFilter(f") is missing at character {at + 1}")
    return found, at + 1


def _item(text: str, place: int) -> bytes:
    """One comparison, without its parentheses."""
    if (match := _ITEM.fullmatch(text)) is not None:
        name, sign, value = match.groups()
        if sign == "" and value == "*":
            return octets(name, _PRESENT)
        if "*" not in value:
            return element(_COMPARED[sign], octets(name), octets(_bytes(value, place)))
        if sign == "":
            return element(_SUBSTRINGS, octets(name), element(0x30, *_pieces(value, place)))
    elif (match := _MATCHED.fullmatch(text)) is not None and (match[1] or match[3]):
        name, dn, rule, value = match.groups()
        return element(
            _EXTENSIBLE,
            octets(rule, 0x81) if rule else b"",
            octets(name, 0x82) if name else b"",
            octets(_bytes(value, place), 0x83),
            boolean(True, 0x84) if dn else b"",
        )
    raise BadFilter(f"{text[:40]!r} is no comparison, at character {place}")


def _pieces(value: str, place: int) -> list[bytes]:
    first, *middle, last = value.split("*")
    found = [octets(_bytes(first, place), 0x80)] if first else []
    for each in middle:
        if not each:
            raise BadFilter(f"** means nothing, at character {place}")
        found.append(octets(_bytes(each, place), 0x81))
    return [*found, octets(_bytes(last, place), 0x82)] if last else found


def _bytes(value: str, place: int) -> bytes:
    if _VALUE.fullmatch(value) is None:
        raise BadFilter(f"a \\ is followed by two hexadecimal digits, near character {place}")
    parts = re.split(r"\\(..)", value)
    return b"".join(bytes.fromhex(part) if index % 2 else part.encode("utf-8") for index, part in enumerate(parts))
