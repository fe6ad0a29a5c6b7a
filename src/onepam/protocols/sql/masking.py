"""What the recording of a session does not show: literals and parameters that are bound to a masked column, and texts
in which a masked pattern stands. In their place stands their size, and no digest, for short secrets can be guessed.

What cannot be decided is masked. Neither the client nor the target hears anything of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from onepam.domain.access.patterns import Patterns
from onepam.protocols.sql.literals import Literal, What, behind_blanks, literals
from onepam.protocols.sql.readings import floating, integer, readings
from onepam.recording.statements import Parameter

MOST_LITERALS = 5_000
"""Of a text with more literals none is looked at: all are masked."""

MOST_BYTES = 64 * 1024
"""A text, or a value, of more bytes is not looked for patterns."""

_JOINS: Final = re.compile(rb"(?:[^\S\n\r]|--[^\n\r]*+)*+[\n\r](?:\s|--[^\n\r]*+[\n\r])*+")
_OWN_ESCAPES: Final = re.compile(rb"uescape\b", re.IGNORECASE)
"""Behind `U&'…'`: it has an escape of its own, and is not read."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a text may be shown, by how it is written. `literals`: where those begin (in bytes) that are bound to no
    masked column; `parameters`: numbers of those that are. `code`: what stands between dollars in it is a body of SQL
    or of another language. None in the place of a `Shown`: everything, as no masked column has to do with it."""

    literals: frozenset[int] = frozenset()
    parameters: frozenset[int] = frozenset()
    code: bool = False


NOTHING: Final = Shown()


@dataclass(frozen=True, slots=True)
class Masked:
    """A text as it is recorded, how many of its parts are masked, and what of parameters may be shown."""

    text: bytes
    parts: int
    shown: Shown | None

    @property
    def words(self) -> str:
        """What the recording says of it."""
        return parts_masked(self.parts)


def parts_masked(parts: int) -> str:
    """What the recording says of a text of which so many parts are masked."""
    return "" if not parts else f"masked: {parts} part{'s' if parts > 1 else ''} of the text"


class Masking:
    """The mask of one session. `reads` says what of a text may be shown, with its masked columns; None in its place
    where no column is masked. `finds` gives the literals and comments of a text, in order; two between which no more
    than `joins` stands are one for the server."""

    def __init__(
        self,
        patterns: Patterns | None,
        reads: Callable[[str], Shown | None] | None,
        finds: Callable[[bytes], list[Literal]] = literals,
        joins: re.Pattern[bytes] = _JOINS,
    ) -> None:
        self._patterns, self._reads, self._finds, self._joins = patterns, reads, finds, joins

    @property
    def columns(self) -> bool:
        """Whether a column is masked."""
        return self._reads is not None

    def text(self, text: bytes, words: str | None) -> Masked:
        """A text as it is recorded. `words` is how it reads, None where that is not sure."""
        if words is None:
            return Masked(_whole(len(text)), 1, NOTHING)
        shown = None if self._reads is None else self._reads(words)
        if shown is not None and words.encode() != text:
            shown = NOTHING
        if shown is None and self._patterns is None:
            return Masked(text, 0, None)
        found = self._finds(text)
        many = len(found) > MOST_LITERALS or (self._patterns is not None and len(text) > MOST_BYTES)
        parts = self._parts(text, found, shown)
        hidden = [each for each in parts if many or self._hides(text, each, shown)]
        if self._patterns is not None and not many:
            hidden = self._with_joined(text, parts, hidden)
        if self._patterns is not None and not many and self._has(_outside(text, found)):
            return Masked(_whole(len(text)), 1, shown)
        return Masked(_replaced(text, hidden), len(hidden), shown)

    def parameters(
        self, parameters: tuple[Parameter, ...], shown: Shown | None
    ) -> tuple[tuple[Parameter, ...], tuple[int, ...]]:
        """Parameters as they are recorded, and the numbers (from 1) of those that are masked."""
        found, masked = [], []
        for number, each in enumerate(parameters, 1):
            if each.value is None or not (
                (shown is not None and number not in shown.parameters) or self._has_value(each)
            ):
                found.append(each)
            else:
                size = each.value if isinstance(each.value, int) else len(each.value)
                found.append(Parameter(size, each.binary))
                masked.append(number)
        return tuple(found), tuple(masked)

    def words(self, words: str, *, bound: bool) -> str:
        """What a target said, `SQLSTATE message`, as it is recorded. `bound`: of a statement that has to do with a
        masked column, whose values a message may repeat."""
        code, space, message = words.partition(" ")
        if message and (bound or self._has(message)):
            return f"{code}{space}{_size(len(message.encode()))}"
        return words

    def value(self, value: bytes, *, binary: bool) -> bool:
        """Whether a masked pattern stands in a value of a result, or it cannot be told."""
        return self._has_value(Parameter(value, binary))

    def name(self, name: str, *, hidden: bool = False) -> str:
        """The name of a column of a result as it is recorded; `hidden` for one that may repeat what is not."""
        return _size(len(name.encode())) if hidden or self._has(name) else name

    def _parts(self, text: bytes, found: list[Literal], shown: Shown | None) -> list[Literal]:
        """The literals; of a body of code those inside it."""
        if shown is None or not shown.code:
            return found
        parts: list[Literal] = []
        for each in found:
            if each.what is not What.QUOTED:
                parts.append(each)
                continue
            begin, end = each.inner
            parts += (
                Literal(one.what, begin + one.start, begin + one.end, (begin + one.inner[0], begin + one.inner[1]))
                for one in self._finds(text[begin:end])
            )
        return parts

    def _hides(self, text: bytes, literal: Literal, shown: Shown | None) -> bool:
        begin, end = literal.inner
        if shown is not None and literal.what is not What.COMMENT and not _bears(text, literal, shown):
            return True
        if (
            self._patterns is not None
            and literal.what is What.STRING
            and _OWN_ESCAPES.match(text, behind_blanks(text, literal.end))
        ):
            return True
        return self._has(text[begin:end].decode("utf-8", "backslashreplace"))

    def _with_joined(self, text: bytes, parts: list[Literal], hidden: list[Literal]) -> list[Literal]:
        """Literals that the server joins into one, for nothing but the end of a line is between them, are one here."""
        rows, found = list[list[Literal]](), {*hidden}
        for each in parts:
            if each.what is What.COMMENT:
                continue
            if rows and each.what is What.STRING and self._joins.fullmatch(text, rows[-1][-1].end, each.start):
                rows[-1].append(each)
            else:
                rows.append([each])
        for row in rows:
            if len(row) > 1:
                said = b"".join(text[slice(*each.inner)] for each in row).decode("utf-8", "backslashreplace")
                if not found.isdisjoint(row) or self._has(said):
                    found.update(row)
        return sorted(found, key=lambda each: each.start)

    def _has(self, text: str) -> bool:
        """Whether a masked pattern stands there, however it is written, or it cannot be told."""
        patterns = self._patterns
        if patterns is None:
            return False
        return len(text) > MOST_BYTES or any(patterns.found(each) is not False for each in readings(text))

    def _has_value(self, parameter: Parameter) -> bool:
        value = parameter.value
        if self._patterns is None or not isinstance(value, bytes):
            return False
        if not parameter.binary:
            try:
                return self._has(value.decode("utf-8"))
            except UnicodeDecodeError:
                return True
        whole, real, text = integer(value), floating(value), as_text(value)
        if whole is not None and self._has(str(whole)):
            return True
        if real is not None and (self._has(repr(real)) or self._has(f"{real:.0f}")):
            return True
        if text is not None:
            return self._has(text)
        return whole is None and len(value) > 1  # what it stands for depends on its type, which nobody tells us


def as_text(value: bytes) -> str | None:
    """The text that a value in binary form may be, of letters and blanks; None where it looks like none."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if all(each.isprintable() or each.isspace() for each in text) else None


PASSWORDS: Final = Masking(None, None)
"""Where nothing is masked but passwords."""


def _bears(text: bytes, literal: Literal, shown: Shown) -> bool:
    """Whether a literal is one of those that may be shown; of a negative number its sign is where it begins."""
    if literal.start in shown.literals:
        return True
    if literal.what is not What.NUMBER:
        return False
    begin = max(0, literal.start - 16)
    before = text[begin : literal.start].rstrip()
    return before.endswith(b"-") and begin + len(before) - 1 in shown.literals


def _size(size: int) -> str:
    return f"[masked: {size} byte{'' if size == 1 else 's'}]"


def _whole(size: int) -> bytes:
    return f"/* {_size(size)} */".encode()


def _replaced(text: bytes, hidden: list[Literal]) -> bytes:
    parts: list[bytes] = []
    offset = 0
    for each in hidden:
        begin, end = each.inner
        mask = _size(end - begin)
        said = f"/* {mask} */" if each.what is What.COMMENT else f"'{mask}'"
        parts += (text[offset : each.start], said.encode())
        offset = each.end
    return b"".join((*parts, text[offset:]))


def _outside(text: bytes, found: list[Literal]) -> str:
    """The text without its literals."""
    ends = [0, *(place for each in found for place in (each.start, each.end)), len(text)]
    parts = [text[begin:end] for place, (begin, end) in enumerate(pairwise(ends)) if place % 2 == 0]
    return b" ".join(parts).decode("utf-8", "backslashreplace")
