"""The tokens of a text as MySQL and MariaDB read them under the settings of a guarded session (`guarding.py`): quotes
are those of strings, a backslash escapes, and a byte of ASCII is always itself.

Where both servers, their versions or their settings could read a text in different ways there is no reading:
executable comments and hints, comments within comments, numbers that run into names, letters beyond ASCII outside of
quotes, names that begin with a dollar: MySQL 9 reads a text between `$$` and `$$`, or `$a$` and `$a$`. At the end of a
text `$$` begins none; MySQL's client asks so whether a server knows them. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple
from unicodedata import normalize

from onepam.protocols.sql.literals import Literal, What

MOST_TOKENS: Final = 20_000
"""Of a text with more there is no reading."""


class Kind(Enum):
    """`NAME` is quoted by backticks, `PLACE` a parameter's, `VARIABLE` one of the session, the server or a user, or the
    host of an account."""

    WORD = "word"
    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    PLACE = "place"
    VARIABLE = "variable"
    SIGN = "sign"


class Token(NamedTuple):
    """`text` is as it stands there, of a word in upper case; it begins at byte `start` and ends before `end`."""

    kind: Kind
    text: str
    start: int
    end: int


Part = Sequence[Token]
"""The tokens of a statement."""

_QUOTED = rb"'(?:[^'\\]++|\\.|'')*+'", rb'"(?:[^"\\]++|\\.|"")*+"', rb"`(?:[^`]++|``)++`"
PIECE: Final = re.compile(
    rb"""(?P<blank>[\t\n\v\f\r ]++)
    |(?P<line>\#[^\n]*+|--(?=[\x00-\x20\x7f]|\Z)[^\n]*+)
    |(?P<block>/\*(?!!|\+|[mM]!))
    |(?P<number>(?:0x[0-9A-Fa-f]++|0b[01]++|(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+)(?![\w$.]))
    |(?P<word>[A-Za-z_][A-Za-z0-9_$]*+|\$\$(?=[\t\n\v\f\r ;]*+\Z))
    |(?P<string>%b|%b)
    |(?P<name>%b)
    |(?P<variable>@@?(?:(?:[A-Za-z0-9_$]++\.)*+(?:[A-Za-z0-9_$]++|%b|%b|%b))?+)
    |(?P<place>\?)
    |(?P<sign>->>|->|<=>|<<|>>|<>|<=|>=|!=|:=|\|\||&&|/(?!\*)|\*(?!/)|[-+%%(),.;:<>=!~^|&])"""
    % (*_QUOTED, *_QUOTED),
    re.VERBOSE | re.DOTALL,
)
"""A token, a blank, a comment until the end of its line, or the beginning of another one."""

_KINDS: Final = {each.value: each for each in Kind}
_NAMES: Final = frozenset((Kind.WORD, Kind.NAME, Kind.VARIABLE, Kind.STRING, Kind.NUMBER))


def tokens(text: bytes) -> tuple[Token, ...] | None:
    """All of them, in order; None where it cannot be told how a server reads it."""
    found: list[Token] = []
    for each in _walk(text):
        if each is None or len(found) > MOST_TOKENS:
            return None
        if not isinstance(each, Token):
            continue
        before = found[-1] if found else None
        if each.kind is Kind.NUMBER and before is not None and _runs_into(before, each):
            return None
        found.append(each)
    return tuple(found)


def words(part: Part) -> list[str]:
    """The words of a statement in upper case; "" for what is none, or is a name behind a point."""
    return [
        each.text if each.kind is Kind.WORD and (not place or part[place - 1].text != ".") else ""
        for place, each in enumerate(part)
    ]


def split(found: Part) -> Iterator[Part]:
    """The statements of a text in order, without the semicolons between them and without those that are blank."""
    start = 0
    for place, each in enumerate(found):
        if each.text == ";" and each.kind is Kind.SIGN:
            if place > start:
                yield found[start:place]
            start = place + 1
    if len(found) > start:
        yield found[start:]


def closing(part: Part, opened: int) -> int:
    """Where the parenthesis that opens there is closed; behind the end where it is not."""
    depth = 0
    for place in range(opened, len(part)):
        if part[place].kind is Kind.SIGN:
            depth += {"(": 1, ")": -1}.get(part[place].text, 0)
            if not depth:
                return place
    return len(part)


def name(token: Token) -> str:
    """The name that a word or a name is, as both servers compare names; "" for what is none."""
    if token.kind is Kind.WORD:
        return token.text.casefold()
    if token.kind is Kind.NAME:
        return normalize("NFKC", token.text[1:-1].replace("``", "`")).casefold()
    return ""


def literals(text: bytes) -> list[Literal]:
    """Its literals and comments; of a text that cannot be read all of it is one."""
    found: list[Literal] = []
    for each in _walk(text):
        if each is None:
            return [Literal(What.COMMENT, 0, len(text), (0, len(text)))]
        if isinstance(each, Literal):
            found.append(each)
        elif each.kind is Kind.STRING:
            found.append(Literal(What.STRING, each.start, each.end, (each.start + 1, each.end - 1)))
        elif each.kind is Kind.NUMBER:
            found.append(Literal(What.NUMBER, each.start, each.end, (each.start, each.end)))
    return found


def _walk(text: bytes) -> Iterator[Token | Literal | None]:
    """Each token and each comment; None, and nothing more, where it cannot be told."""
    if b"\0" in text or not _is_utf8(text):
        yield None
        return
    offset, size = 0, len(text)
    while offset < size:
        piece = PIECE.match(text, offset)
        if piece is None:
            yield None
            return
        start, offset, kind = offset, piece.end(), piece.lastgroup
        if kind == "line":
            yield Literal(What.COMMENT, start, offset, (start + (1 if text[start] == 0x23 else 2), offset))
        elif kind == "block":
            end = text.find(b"*/", offset)
            if end < 0 or text.find(b"/*", offset, end + 1) >= 0:
                yield None
                return
            yield Literal(What.COMMENT, start, end + 2, (offset, end))
            offset = end + 2
        elif kind is not None and kind != "blank":
            said = piece[0].decode()
            yield Token(_KINDS[kind], said.upper() if kind == "word" else said, start, offset)


def _runs_into(before: Token, number: Token) -> bool:
    """Whether a number may be a part of a name, as in `t.1`, which the servers read so."""
    if before.text == "." or (before.kind in _NAMES and before.end == number.start):
        return True
    return number.text.startswith(".") and before.kind in _NAMES


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
