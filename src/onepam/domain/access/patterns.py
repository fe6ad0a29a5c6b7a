"""Patterns that are looked for in what people send: a small language of regular expressions, matched in linear time.

Python's own matcher goes back when it fails, and a text can be written that makes it do so for hours. This one walks a
text once, and gives up with `None` where that would take too many steps.

Known: letters, `.`, `[a-z]`, `[^a-z]`, `\\d \\w \\s` and their capitals, `\\b`, `^`, `$`, groups `(…)`, `|`,
and the counts `* + ? {m} {m,} {m,n}`. Letters and digits are those of ASCII.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

MAX_CHARACTERS = 200
"""Longest pattern."""

MAX_STEPS = 1_000
"""Largest pattern, in characters that it tells apart when its counts are written out."""

MAX_WORK = 100_000
"""What looking at one text may cost, in moves that were not made before; more is not looked at."""

_MOST_STATES = 2_000
_MOST_COUNT = 255
_WORD: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_CLASSES: Final = {"d": frozenset("0123456789"), "w": _WORD, "s": frozenset(" \t\n\r\f\v")}
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_COUNT = re.compile(r"\{([0-9]{1,3})(,([0-9]{1,3})?)?\}", re.ASCII)
_READ, _SPLIT, _BOUNDARY, _BEGIN, _END, _FOUND = range(6)
_EDGE = ""
"""In the place of a character: there is none, for the text begins or ends here."""


class BadPattern(ValueError):
    """This is no pattern. The text says why."""


class _Set(NamedTuple):
    """Characters: these, or all but these."""

    of: frozenset[str]
    but: bool = False

    def has(self, character: str) -> bool:
        """Whether this character is one of them."""
        return (character in self.of) is not self.but


class _At(NamedTuple):
    """A place between two characters: one of `_BOUNDARY`, `_BEGIN`, `_END`."""

    what: int


class _Row(NamedTuple):
    nodes: tuple["_Node", ...]


class _Any(NamedTuple):
    nodes: tuple["_Node", ...]


class _Times(NamedTuple):
    one: "_Node"
    least: int
    most: int | None


_Node = _Set | _At | _Row | _Any | _Times


@dataclass(slots=True)
class Patterns:
    """Several patterns as one. `steps` are (what, set or where to go on, where else)."""

    steps: list[tuple[int, _Set | int, int]] = field(default_factory=list)
    _moves: dict[tuple[frozenset[int], str, str], frozenset[int] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, patterns: Iterable[str]) -> "Patterns":
        """Raises `BadPattern`."""
        nodes = tuple([_Reader(each).whole() for each in patterns])
        return cls(_Steps().all(_Any(nodes)) if nodes else [(_SPLIT, 0, 0)])

    def found(self, text: str) -> bool | None:
        """Whether one of them stands in the text; None where that takes too long to tell."""
        here, before, work, moves = frozenset((0,)), _EDGE, 0, self._moves
        for character in (*text, _EDGE):
            key = (here, before, character)
            if key in moves:
                to = moves[key]
            else:
                to, cost = self._move(here, before, character)
                work += cost
                if work > MAX_WORK:
                    return None
                if len(moves) >= _MOST_STATES:
                    moves.clear()
                moves[key] = to
            if to is None:
                return True
            here, before = to, "a" if character in _WORD else "-"
        return False

    def _move(self, here: frozenset[int], before: str, character: str) -> tuple[frozenset[int] | None, int]:
        """Where one is behind the character, None where a pattern has ended before it; and what that took."""
        waiting, seen, onward = list(here), set(here), {0}
        boundary = (before in _WORD) is not (character in _WORD)
        holds = {_SPLIT: True, _BOUNDARY: boundary, _BEGIN: before == _EDGE, _END: character == _EDGE}
        while waiting:
            what, first, second = self.steps[waiting.pop()]
            if what == _FOUND:
                return None, len(seen)
            if isinstance(first, _Set):
                if character and first.has(character):
                    onward.add(second)
            elif holds[what]:
                for each in (first, second):
                    if each not in seen:
                        seen.add(each)
                        waiting.append(each)
        return frozenset(onward), len(seen)


class _Reader:
    """Reads one pattern."""

    def __init__(self, text: str) -> None:
        if not 0 < len(text) <= MAX_CHARACTERS:
            raise BadPattern(f"it has {len(text)} characters, at most {MAX_CHARACTERS}")
        self._text, self._at = text, 0

    def whole(self) -> _Node:
        """The pattern that the whole text is. Raises `BadPattern`."""
        found = self._either()
        if self._at < len(self._text):
            raise BadPattern("a `)` closes nothing")
        return found

    def _next(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else ""

    def _take(self) -> str:
        if not (character := self._next()):
            raise BadPattern("it ends in the midst of something")
        self._at += 1
        return character

    def _either(self) -> _Node:
        found = [self._row()]
        while self._next() == "|":
            self._at += 1
            found.append(self._row())
        return _Any(tuple(found))

    def _row(self) -> _Node:
        found = []
        while self._next() not in ("", "|", ")"):
            found.append(self._counted(self._one()))
        return _Row(tuple(found))

    def _counted(self, one: _Node) -> _Node:
        character, count = self._next(), _COUNT.match(self._text, self._at)
        if character and character in "*+?":
            self._at += 1
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
        elif count is not None:
            self._at = count.end()
            least = int(count[1])
            most = least if count[2] is None else None if count[3] is None else int(count[3])
            if max(least, most or 0) > _MOST_COUNT or (most is not None and most < least):
                raise BadPattern(f"{count[0]} is no count, of at most {_MOST_COUNT}")
        else:
            return one
        if self._next() and self._next() in "*+?{":
            raise BadPattern("a count follows a count")
        if isinstance(one, _At):
            raise BadPattern("a count follows what is no character")
        return _Times(one, least, most)

    def _one(self) -> _Node:
        character = self._take()
        if character == "(":
            if self._text.startswith("?:", self._at):
                self._at += 2
            found = self._either()
            if self._next() != ")":
                raise BadPattern("a `(` is not closed")
            self._at += 1
            return found
        if character == "[":
            return self._class()
        if character == ".":
            return _Set(frozenset("\n"), but=True)
        if character in "^$":
            return _At(_BEGIN if character == "^" else _END)
        if character in "*+?{":
            raise BadPattern(f"nothing stands before `{character}`")
        if character == "\\":
            return _At(_BOUNDARY) if self._next() == "b" and self._take() else self._escaped()
        return _Set(frozenset(character))

    def _escaped(self) -> _Set:
        character = self._take()
        if (known := _CLASSES.get(character.lower())) is not None:
            return _Set(known, but=character.isupper())
        if character in _CONTROLS:
            return _Set(frozenset(_CONTROLS[character]))
        if character in _WORD:
            raise BadPattern(f"`\\{character}` is not known here")
        return _Set(frozenset(character))

    def _class(self) -> _Set:
        but, found, first = self._next() == "^", set[str](), True
        self._at += but
        while first or self._next() != "]":
            one, first = self._member(), False
            if self._next() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                last = self._member()
                if len(one) != 1 or len(last) != 1 or (begin := ord(*one)) > (end := ord(*last)) or end > begin + 1000:
                    raise BadPattern("a range in brackets has no such ends")
                found.update(map(chr, range(begin, end + 1)))
            else:
                found |= one
        self._at += 1
        return _Set(frozenset(found), but)

    def _member(self) -> frozenset[str]:
        character = self._take()
        if character != "\\":
            return frozenset(character)
        if (known := self._escaped()).but:
            raise BadPattern("a capital class stands in brackets")
        return known.of


class _Steps:
    """Writes patterns out as steps."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, _Set | int, int]] = [(_SPLIT, 1, 1)]

    def all(self, node: _Node) -> list[tuple[int, _Set | int, int]]:
        """The steps of a pattern, and behind them that it was found."""
        self._write(node)
        self._steps.append((_FOUND, 0, 0))
        return self._steps

    def _add(self, what: int, first: _Set | int, second: int) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise BadPattern(f"it is too large: at most {MAX_STEPS} characters, with its counts written out")
        self._steps.append((what, first, second))
        return len(self._steps) - 1

    def _write(self, node: _Node) -> None:
        """Its steps; they go on at what is written next."""
        if isinstance(node, _Set):
            self._add(_READ, node, len(self._steps) + 1)
        elif isinstance(node, _At):
            self._add(node.what, len(self._steps) + 1, len(self._steps) + 1)
        elif isinstance(node, _Row):
            for each in node.nodes:
                self._write(each)
        elif isinstance(node, _Any):
            self._any(node.nodes)
        else:
            for _ in range(node.least):
                self._write(node.one)
            if node.most is None:
                self._loop(node.one)
            else:
                self._maybe(node.one, node.most - node.least)

    def _any(self, nodes: tuple[_Node, ...]) -> None:
        leave = []
        for each in nodes[:-1]:
            choice = self._add(_SPLIT, 0, 0)
            self._write(each)
            leave.append(self._add(_SPLIT, 0, 0))
            self._steps[choice] = (_SPLIT, choice + 1, len(self._steps))
        self._write(nodes[-1])
        for end in leave:
            self._steps[end] = (_SPLIT, len(self._steps), len(self._steps))

    def _loop(self, one: _Node) -> None:
        choice = self._add(_SPLIT, len(self._steps) + 1, 0)
        self._write(one)
        self._add(_SPLIT, choice, choice)
        self._steps[choice] = (_SPLIT, choice + 1, len(self._steps))

    def _maybe(self, one: _Node, times: int) -> None:
        choices = []
        for _ in range(times):
            choices.append(self._add(_SPLIT, len(self._steps) + 1, 0))
            self._write(one)
        for each in choices:
            self._steps[each] = (_SPLIT, each + 1, len(self._steps))
