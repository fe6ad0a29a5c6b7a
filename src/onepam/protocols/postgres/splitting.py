"""Where the statements of a text end, as psql tells (PostgreSQL, "psql", `;`). Pure.

A server takes several statements in one text only by a protocol that gives all rows of each; asked one by one, each may
be bounded. Who splits wrongly gets an error from the server, and no more than that: each part is judged by itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<blank> \s++ | --[^\r\n]*+ )
    | (?P<comment> /\* )
    | [eE]'(?:[^'\\]|\\.|'')*+ (?:'|\Z|\\\Z)
    | '(?:[^']|'')*+ (?:'|\Z)
    | "(?:[^"]|"")*+ (?:"|\Z)
    | (?P<dollar> \$(?:[^\W\d]\w*+)?+\$ )
    | (?P<word> [^\W\d][\w$]*+ )
    | \d[\w.]*+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT: Final = re.compile(r"/\*|\*/")
_ROUTINES: Final = ("function", "procedure")


@dataclass(frozen=True, slots=True)
class Part:
    """One statement, and how many characters of the whole text stand before it."""

    text: str
    start: int


class _Words:
    """Whether a semicolon stands within the body of a routine in SQL (`BEGIN ATOMIC … END`)."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self.depth = 0

    def take(self, word: str) -> None:
        if len(self._first) < 4:
            self._first.append(word)
        if not self._routine():
            return
        if word == "begin" or (word == "case" and self.depth):
            self.depth += 1
        elif word == "end" and self.depth:
            self.depth -= 1

    def _routine(self) -> bool:
        rest = self._first[3:] if self._first[1:3] == ["or", "replace"] else self._first[1:]
        return self._first[:1] == ["create"] and rest[:1] in [[each] for each in _ROUTINES]


def split(text: str) -> Iterator[Part]:
    """The statements of a text in order, without the semicolons between them and without those that are blank."""
    start, depth, says, words = 0, 0, False, _Words()
    for begins, ends, found, word in _tokens(text):
        if found == ";" and not depth and not words.depth:
            if says:
                yield _part(text, start, begins)
            start, says, words = ends, False, _Words()
            continue
        says = says or bool(found)
        if word:
            words.take(found.lower())
        elif found in ("(", ")"):
            depth = max(0, depth + (1 if found == "(" else -1))
    if says:
        yield _part(text, start, len(text))


def _tokens(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Where each token begins and ends, the token ("" for what says nothing), and whether it is a word."""
    at = 0
    while (found := _TOKEN.match(text, at)) is not None:
        begins, at = at, found.end()
        kind = found.lastgroup
        if kind == "comment":
            at = _after_comment(text, at)
        elif kind == "dollar":
            end = text.find(found[0], at)
            at = len(text) if end < 0 else end + len(found[0])
        yield begins, at, "" if kind in ("blank", "comment") else found[0], kind == "word"


def _after_comment(text: str, at: int) -> int:
    depth = 1
    while depth and (found := _COMMENT.search(text, at)) is not None:
        depth, at = depth + (1 if found[0] == "/*" else -1), found.end()
    return len(text) if depth else at


def _part(text: str, start: int, end: int) -> Part:
    whole = text[start:end]
    return Part(whole.strip(), start + len(whole) - len(whole.lstrip()))
