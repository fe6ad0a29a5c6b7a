"""What the functions that a statement calls do: whatever stands before a parenthesis and is no word of the grammar."""

from collections.abc import Iterator
from itertools import pairwise

from onepam.domain.access.guardrails import StatementClass
from onepam.protocols.mysql.functions import BEFORE_QUERY, HARMLESS, OPEN, READS_FILES, SPACED, WAITING
from onepam.protocols.mysql.lexing import Kind, Part, closing, words

_NOTHING: frozenset[StatementClass] = frozenset()
_OWN = frozenset((StatementClass.WRITE,))
_FILES = frozenset((StatementClass.EXPORT,))


def called(part: Part) -> frozenset[StatementClass]:
    """What the functions of a statement do beside giving a value; one that is not known may write, and
    `NEXT VALUE FOR` does, which is one without a parenthesis."""
    found = _NOTHING.union(*(does for _, does in _calls(part)))
    return found | _OWN if ("NEXT", "VALUE") in pairwise(words(part)) else found


def strangers(part: Part) -> Iterator[str]:
    """The functions that a statement calls of which it is not known that they read no more than what they are given."""
    for place, does in _calls(part):
        if does and part[place].text not in WAITING:
            yield part[place].text.lower()


def _calls(part: Part) -> Iterator[tuple[int, frozenset[StatementClass]]]:
    for place in range(len(part) - 1):
        after = part[place + 1]
        if after.text == "(" and after.kind is Kind.SIGN and part[place].kind in (Kind.WORD, Kind.NAME):
            yield place, _call(part, place)


def _call(part: Part, place: int) -> frozenset[StatementClass]:
    token, before = part[place], part[place - 1].text if place else ""
    if _is_listed(part, place, before):
        return _NOTHING
    if before == "." or token.kind is Kind.NAME:
        return _OWN
    name = token.text
    if name in READS_FILES:
        return _FILES
    if name in SPACED and token.end != part[place + 1].start:
        return _OWN
    if name in OPEN or name in HARMLESS or (name in BEFORE_QUERY and _opens_query(part, place + 1)):
        return _NOTHING
    return _OWN


def _is_listed(part: Part, place: int, before: str) -> bool:
    """Whether it is followed by a list of columns or the size of a type: `AS x (a, b)`, `WITH x (a) AS (`,
    `INTO t (a)`, `OVER (…)` behind a call, `COLUMNS (…)` of JSON_TABLE."""
    if before == "AS":
        return True
    text = part[place].text
    if (text == "OVER" and before == ")") or (text == "OF" and before == "MEMBER"):
        return True
    if text == "COLUMNS":
        return part[place - 1].kind is Kind.STRING
    if before in ("WITH", "RECURSIVE", ","):
        end = closing(part, place + 1)
        return [each.text for each in part[end + 1 : end + 3]] == ["AS", "("]
    return before == "INTO" and part[0].text in ("INSERT", "REPLACE")


def _opens_query(part: Part, place: int) -> bool:
    return len(part) > place + 1 and part[place + 1].text == "SELECT"
