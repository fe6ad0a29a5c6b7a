"""Where a text of SQL has literals and comments, told by its letters alone, in one walk: also of what no grammar reads.

PostgreSQL, "Lexical Structure". Strings are standard ones: with `standard_conforming_strings` off this is no reading.
"""

import re
from enum import Enum
from typing import Final, NamedTuple

_NAME = rb"[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*"
_TOKEN: Final = re.compile(
    rb"""[\s(),;=+*<>~!@#%^&|`?\[\]:]+
    |(?P<escaped>[eE]')
    |(?P<string>(?:[bBxXnN]|[uU]&)?')
    |(?P<line>--[^\r\n]*)
    |(?P<block>/\*)
    |\$[0-9]+
    |(?P<dollar>\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$)
    |"[^"]*"
    |"""
    + _NAME
    + rb"""
    |(?P<number>(?:[0-9]|\.[0-9])(?:[eE][+-][0-9]|[0-9A-Za-z_.])*)
    |.""",
    re.VERBOSE | re.DOTALL,
)
_STRING_END: Final = re.compile(rb"[^']*+(?:''[^']*+)*+'")
_ESCAPED_END: Final = re.compile(rb"(?:[^'\\]|\\.|'')*+'", re.DOTALL)
_COMMENT: Final = re.compile(rb"/\*|\*/")
_BLANK: Final = re.compile(rb"(?:\s|--[^\r\n]*+)*+")


class What(Enum):
    """`QUOTED`: between dollars, as the bodies of functions are."""

    STRING = "string"
    NUMBER = "number"
    QUOTED = "quoted"
    COMMENT = "comment"


class Literal(NamedTuple):
    """A literal or a comment, with its quotes: the bytes from `start` to `end`. What it says is between `inner`."""

    what: What
    start: int
    end: int
    inner: tuple[int, int]


def literals(text: bytes, *, escapes: bool = False) -> list[Literal]:
    """All of them, in order. What has no end ends with the text. With `escapes` a backslash does in every string, as
    where `standard_conforming_strings` is off."""
    found: list[Literal] = []
    offset, size = 0, len(text)
    while offset < size:
        token = _TOKEN.match(text, offset)
        assert token is not None
        start, offset = offset, token.end()
        kind = token.lastgroup
        if kind is None:
            continue
        if kind == "number":
            found.append(Literal(What.NUMBER, start, offset, (start, offset)))
        elif kind == "line":
            found.append(Literal(What.COMMENT, start, offset, (start + 2, offset)))
        elif kind == "block":
            offset = _comment_end(text, offset)
            found.append(Literal(What.COMMENT, start, offset, (start + 2, offset)))
        elif kind == "dollar":
            close = text.find(token[0], offset)
            inner = (offset, size if close < 0 else close)
            offset = size if close < 0 else close + len(token[0])
            found.append(Literal(What.QUOTED, start, offset, inner))
        else:
            end = (_ESCAPED_END if escapes or kind == "escaped" else _STRING_END).match(text, offset)
            inner = (offset, size if end is None else end.end() - 1)
            offset = size if end is None else end.end()
            found.append(Literal(What.STRING, start, offset, inner))
    return found


def behind_blanks(text: bytes, offset: int = 0) -> int:
    """Where from here something stands that is neither blank nor a comment."""
    while (blank := _BLANK.match(text, offset)) and text.startswith(b"/*", offset := blank.end()):
        offset = _comment_end(text, offset + 2)
    return offset


def _comment_end(text: bytes, offset: int) -> int:
    """Behind the comment of which the beginning was read; comments may be nested."""
    depth = 1
    for found in _COMMENT.finditer(text, offset):
        depth += 1 if found[0] == b"/*" else -1
        if not depth:
            return found.end()
    return len(text)
