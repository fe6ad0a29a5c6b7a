"""Passwords in a text of SQL, told by its letters alone: what no recording has, whether anything else is masked or not.

`PASSWORD 'x'` of ALTER ROLE and CREATE USER, of a user mapping and of SET PASSWORD; `IDENTIFIED BY 'x'` and its like;
and connection strings, which say `password=x`. What stands between dollars, or within a literal, is looked at, too.
"""

import re
from collections.abc import Callable
from typing import Final

from onepam.protocols.sql.literals import Literal, What, literals

Reads = Callable[[bytes], list[Literal]]
"""Gives the literals and comments of a text, in order."""

_BEHIND: Final = 256
"""So many bytes before a literal say what it is."""

_NAME: Final = rb"""(?:[\w.$%-]|'[^']*'|"[^"]*"|`[^`]*`)++(?:\s*+@\s*+(?:[\w.$%-]|'[^']*'|"[^"]*"|`[^`]*`)++)?+"""
_PASSWORD: Final = (
    rb"password\s*+(?:for\s++" + _NAME + rb"\s*+)?+(?::?=\s*+|to\s++)?+(?:(?:old_)?+password\s*+)?+\(?+\s*+"
)
_IDENTIFIED: Final = (
    rb"identified\s++(?:(?:with|via)\s++" + _NAME + rb"\s*+)?+(?:by|as|using)\s*+(?:password\s*+)?+\(?+\s*+"
)
_BEFORE: Final = rb"(?:%b|%b)" % (_PASSWORD, _IDENTIFIED)
_STANDS: Final = re.compile(_BEFORE + rb"\Z", re.IGNORECASE)
_BINDS: Final = re.compile(_BEFORE + rb"(?:\?|\$\d|:\w|@\w)", re.IGNORECASE)

_INSIDE: Final = re.compile(
    rb"""password\s*+['"$=:]|identified\s++(?:by|with|via)\b|://[^/\s:@]*+:[^@\s]++@""", re.IGNORECASE
)
"""Within a literal: a connection string, or a text that is run from there."""

NEAR_BYTES: Final = 64
_NEAR: Final = re.compile(
    rb"""password[\s=:(]{0,20}(?:['$]|[\s=:(]["])|identified\s{1,20}(?:by|with|via)\b|://[^/\s:@]{0,20}:[^@\s]{1,20}@""",
    re.IGNORECASE,
)
"""In so many bytes."""

_MASKED: Final = re.compile(rb"\[masked: \d+ bytes?\]")


def announced(text: bytes) -> bool:
    """Whether there may be one; most texts have none, and are read no further."""
    small = text.lower()
    return b"password" in small or b"identified" in small or b"://" in small


def hidden(text: bytes, reads: Reads = literals) -> tuple[bytes, int]:
    """The text without its passwords, and how many parts were taken out; in their place stands their size."""
    if not announced(text):
        return text, 0
    parts, before = list[bytes](), bytearray()
    offset = shown = count = 0
    for each in reads(text):
        before += text[offset : each.start]
        said = _instead(text, each, bytes(before[-_BEHIND:]), reads)
        if said is not None:
            parts += (text[shown : each.start], said)
            shown, count = each.end, count + 1
        before = before[-_BEHIND:] + (b" " if each.what is What.COMMENT else text[each.start : each.end])
        offset = each.end
    return b"".join((*parts, text[shown:])), count


def near(piece: bytes) -> int:
    """Where in a piece of a text that is not read whole a password may be announced; negative where none is."""
    found = _NEAR.search(piece)
    return -1 if found is None else found.start()


def binds(text: bytes) -> bool:
    """Whether a parameter stands where a password does."""
    return announced(text) and _BINDS.search(text) is not None


def _instead(text: bytes, literal: Literal, before: bytes, reads: Reads) -> bytes | None:
    """What stands in the place of a literal that is a password or has one; None where it stays."""
    begin, end = literal.inner
    inner = text[begin:end]
    if literal.what is What.NUMBER or _MASKED.fullmatch(inner):
        return None
    size = b"[masked: %d byte%b]" % (len(inner), b"" if len(inner) == 1 else b"s")
    if literal.what is What.COMMENT:
        return b"/* %b */" % size if _INSIDE.search(inner) else None
    if _STANDS.search(before):
        return b"'%b'" % size
    if literal.what is What.QUOTED:
        body, found = hidden(inner, reads)
        return text[literal.start : begin] + body + text[end : literal.end] if found else None
    return b"'%b'" % size if _INSIDE.search(inner) else None
