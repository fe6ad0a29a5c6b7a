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

_BEHIND: Final = 384
"""So many bytes before a literal say what it is, where each run of blanks is one."""

_BLANKS: Final = re.compile(rb"\s{2,}")
_COMMENTS: Final = re.compile(rb"/\*.*?\*/|(?:--|#)[^\n]*", re.DOTALL)

_NAME: Final = (
    rb"""(?:[\w.$%-]|'[^']*'|"[^"]*"|`[^`]*`)++(?:\s*+\(\s*+\))?+"""
    rb"""(?:\s*+@\s*+(?:[\w.$%-]|'[^']*'|"[^"]*"|`[^`]*`)++)?+"""
)
_PASSWORD: Final = (
    rb"""password["`]?+\s*+(?:for\s++""" + _NAME + rb"\s*+)?+(?::?=\s*+|to\s++)?+(?:(?:old_)?+password\s*+)?+\(?+\s*+"
)
_IDENTIFIED: Final = (
    rb"identified\s++(?:(?:with|via)\s++" + _NAME + rb"\s*+)?+(?:by|as|using)\s*+(?:password\s*+)?+\(?+\s*+"
)
_OR: Final = rb"\bor\s++" + _NAME + rb"\s*+(?:as|using)\s*+(?:password\s*+)?+\(?+\s*+"
_BEFORE: Final = rb"(?:%b|%b|%b)" % (_PASSWORD, _IDENTIFIED, _OR)
_STANDS: Final = re.compile(_BEFORE + rb"\Z", re.IGNORECASE)
_BINDS: Final = re.compile(_BEFORE + rb"(?:\?|\$\d|:\w|@\w)", re.IGNORECASE)

_GOES_ON: Final = re.compile(rb"\s*+(?:replace\s*+)?+", re.IGNORECASE)
"""Between a password and the rest of it, which the server joins; or the one that was there before."""

_OPENS: Final = re.compile(rb"""(?:password|identified\s++by)[\s=:'"]++\Z""", re.IGNORECASE)
_JOINS: Final = re.compile(rb"\s*+(?:\|\||,)[\s(\w.]*+")
"""The end of a literal that the next one goes on with, and what stands between both."""

_INSIDE: Final = re.compile(
    rb"""password["`]?+\s*+(?:['"$=:(\\]|/\*|--|(?:[enbx]|u&)['\\])|set\s++password\b"""
    rb"""|identified\s++(?:by|with|via)\b""",
    re.IGNORECASE,
)
"""Within a literal: a connection string, or a text that is run from there."""

_ADDRESS: Final = re.compile(rb"(?<![^@\s])(?=[^@\s]*+@)[^@\s]*?://[^/\s:@]*+:[^@\s]")
"""An address with a password in it. What stands before an `@` is looked at from its beginning, and once."""

_MOST_DEEP: Final = 8
"""So deep in quotes within quotes a password is looked for; what is deeper is taken out where one is announced."""

NEAR_BYTES: Final = 64
_NEAR: Final = re.compile(
    rb"""password["`\\]{0,2}+(?:\s{32}|\s{0,31}(?:['"$=:(\\\#]|/\*|--|for\b|to\b|(?:old_)?password|[enbx]'|u&))"""
    rb"""|identified(?:\s{32}|\s{0,31}(?:/\*|--|\#|by\b|with\b|via\b))"""
    rb"""|://[^/\s:@]{0,50}:(?![0-9]{1,5}[/'"\s?,;)])[^@\s]""",
    re.IGNORECASE,
)
"""In so many bytes."""

_MASKED: Final = re.compile(rb"\[masked: \d+ bytes?\]")


def announced(text: bytes) -> bool:
    """Whether there may be one; most texts have none, and are read no further."""
    small = text.lower()
    return b"password" in small or b"identified" in small or b"://" in small


def hidden(text: bytes, reads: Reads = literals, depth: int = 0) -> tuple[bytes, int]:
    """The text without its passwords, and how many parts were taken out; in their place stands their size. `depth`: in
    so many quotes it stands."""
    if not announced(text):
        return text, 0
    parts, before = list[bytes](), bytearray()
    offset = shown = count = 0
    goes_on: re.Pattern[bytes] | None = None
    gap = b""
    for each in reads(text):
        between = _BLANKS.sub(b" ", text[offset : each.start])
        before += between
        gap += between
        joined = goes_on is not None and each.what is What.STRING and goes_on.fullmatch(gap) is not None
        said = _instead(text, each, bytes(before[-_BEHIND:]), reads, depth, joined=joined)
        if said is not None:
            parts += (text[shown : each.start], said)
            shown, count = each.end, count + 1
        before = before[-_BEHIND:] + (b" " if each.what is What.COMMENT else text[each.start : each.end])
        if each.what is not What.COMMENT:
            gap, goes_on = b"", _continued(text, each, masked=said is not None)
        offset = each.end
    return b"".join((*parts, text[shown:])), count


def _continued(text: bytes, literal: Literal, *, masked: bool) -> re.Pattern[bytes] | None:
    """What stands between a literal and one that belongs to it; None where none does."""
    if _OPENS.search(text, literal.inner[0], literal.inner[1]) is not None:
        return _JOINS
    return _GOES_ON if masked else None


def surely_hidden(text: bytes, reads: Reads, otherwise: Reads) -> tuple[bytes, int]:
    """As `hidden`; where it depends on the session whether a backslash escapes, and that makes a difference, all of a
    text in which there is a password is taken out."""
    said = hidden(text, reads)
    if b"\\" not in text or said == hidden(text, otherwise):
        return said
    return b"/* [masked: %d bytes] */" % len(text), 1


def near(piece: bytes) -> int:
    """Where in a piece of a text that is not read whole a password may be announced; negative where none is."""
    found = _NEAR.search(piece)
    return -1 if found is None else found.start()


def binds(text: bytes) -> bool:
    """Whether a parameter stands where a password does."""
    if not announced(text):
        return False
    end = text.rfind(b"*/") + 1  # behind it nothing is a comment that begins so, and nobody looks for its end
    bare = _COMMENTS.sub(b" ", text[:end] + text[end:].replace(b"/*", b"/+"))
    return any(_BINDS.search(each) for each in (text, bare))


def _inside(inner: bytes) -> bool:
    """Whether a password stands within a literal or a comment."""
    return _INSIDE.search(inner) is not None or (b"://" in inner and _ADDRESS.search(inner) is not None)


def _instead(text: bytes, literal: Literal, before: bytes, reads: Reads, depth: int, *, joined: bool) -> bytes | None:
    """What stands in the place of a literal that is a password or has one; None where it stays."""
    begin, end = literal.inner
    inner = text[begin:end]
    if literal.what is What.NUMBER or _MASKED.fullmatch(inner):
        return None
    size = b"[masked: %d byte%b]" % (len(inner), b"" if len(inner) == 1 else b"s")
    if literal.what is What.COMMENT:
        return b"/* %b */" % size if _inside(inner) else None
    if joined or (announced(before) and _STANDS.search(before)):
        return b"'%b'" % size
    if literal.what is What.QUOTED and depth < _MOST_DEEP:
        body, found = hidden(inner, reads, depth + 1)
        return text[literal.start : begin] + body + text[end : literal.end] if found else None
    within = announced(inner) if literal.what is What.QUOTED else _inside(inner)
    return b"'%b'" % size if within else None
