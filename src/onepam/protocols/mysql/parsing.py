"""The one place that calls the parser, sqlglot: it reads no bytes of a client's, but the tokens that `lexing.py` has
read, with a place holder for each literal, so that both can differ about none."""

import logging
import re
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp

from onepam.protocols.mysql.functions import named
from onepam.protocols.mysql.lexing import Kind, Part, Token, closing

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it tells the text of what it does not know

MOST_DEPTH: Final = 60
"""Parentheses and CASEs within each other; the parser goes down into each by calls of its own."""

MOST_TOKENS: Final = 4_000
"""What the parser is given: some tenths of a second at most."""

_BASE: Final = 1_000_000
_ROOTS: Final[dict[str, tuple[type[exp.Expr], ...]]] = {
    "SELECT": (exp.Query,),
    "WITH": (exp.Query, exp.Update, exp.Delete, exp.Insert),
    "(": (exp.Query,),
    "INSERT": (exp.Insert,),
    "REPLACE": (exp.Insert,),
    "UPDATE": (exp.Update,),
    "DELETE": (exp.Delete,),
}
_PLAIN: Final = re.compile(r"[\w$.]+", re.ASCII)
_PARAMETER: Final = re.compile(r"p([0-9]+)", re.ASCII)
_LITERALS: Final = (Kind.STRING, Kind.NUMBER, Kind.PLACE)
_CONSTANTS: Final = frozenset((",", "-", "+", "NULL", "DEFAULT", "TRUE", "FALSE"))
_PREFIXES: Final = frozenset(("X", "B", "N"))
_CHARSETS: Final = named("_UTF8 _UTF8MB3 _UTF8MB4 _LATIN1 _ASCII _BINARY")


def parses(part: Part) -> bool:
    """Whether the parser knows all of a statement, and takes it for what its first word says."""
    said = _given(_shortened(part))
    return said is not None and _parses(said, part[0].text)


def tree(part: Part) -> exp.Expr | None:
    """The tree of a statement; None where `parses` says no. `place` finds the tokens of its literals and parameters.
    Nobody changes it."""
    said = _given(part)
    return None if said is None else _tree(said, part[0].text)


def place(node: exp.Expr) -> int | None:
    """Which token of the statement a literal or a parameter is; None for everything else."""
    if isinstance(node, exp.Placeholder):
        found = _PARAMETER.fullmatch(node.name)  # a text may have `:name` itself, which is nothing to a server
        return None if found is None else int(found[1])
    if isinstance(node, exp.Literal):
        number = int(node.name)
        return number if node.is_string else number - _BASE
    return None


def _given(part: Part) -> str | None:
    if not part or _depth(part) > MOST_DEPTH:
        return None
    said = canonical(part)
    return " ".join(said) if len(said) <= MOST_TOKENS else None


def _shortened(part: Part) -> Part:
    """Of many rows of literals and parameters that an INSERT writes the first ones: the others add nothing."""
    if part[:1] and part[0].text not in ("INSERT", "REPLACE"):
        return part
    found: list[Token] = []
    rows = spot = 0
    while spot < len(part):
        if (
            part[spot].text == ","
            and found
            and found[-1].text == ")"
            and [e.text for e in part[spot + 1 : spot + 2]] == ["("]
        ):
            end = closing(part, spot + 1)
            if end < len(part) and all(_is_value(each) for each in part[spot + 2 : end]):
                rows += 1
                if rows > 1:
                    spot = end + 1
                    continue
        found.append(part[spot])
        spot += 1
    return found


def _is_value(token: Token) -> bool:
    return token.kind in _LITERALS or token.text in _CONSTANTS


def canonical(part: Part) -> list[str]:
    """The tokens as the parser has them: in the place of literal or parameter number `n` (the token's) stands
    `1000000 + n`, `'n'` or `:pn`, and REPLACE is an INSERT."""
    said: list[str] = []
    for place, each in enumerate(part):
        if each.kind is Kind.NUMBER:
            said.append(str(_BASE + place))
        elif each.kind is Kind.STRING:
            before = part[place - 1] if place else None
            if before is not None and before.kind is Kind.WORD and _is_prefix(before.text, before.end == each.start):
                said.pop()
            said.append(f"'{place}'")
        elif each.kind is Kind.VARIABLE and not _PLAIN.fullmatch(each.text.lstrip("@")):
            said.append(f"@v{place}")
        elif each.kind is Kind.NAME and "`" in each.text[1:-1]:
            said.append(f"`n{place}`")
        elif each.kind is Kind.PLACE:
            said.append(f":p{place}")
        elif not place and each.text == "REPLACE":
            said.append("INSERT")
        else:
            said.append(each.text)
    return said


def _is_prefix(word: str, adjacent: bool) -> bool:
    """`x'00'`, `_utf8mb4 'a'`."""
    return word in _CHARSETS or (adjacent and word in _PREFIXES)


def _depth(part: Part) -> int:
    deepest = depth = 0
    for each in part:
        if each.text in ("(", "CASE"):
            depth += 1
            deepest = max(deepest, depth)
        elif each.text in (")", "END"):
            depth -= 1
    return deepest


@lru_cache(maxsize=512)
def _parses(said: str, first: str) -> bool:
    return _tree(said, first) is not None


@lru_cache(maxsize=16)
def _tree(said: str, first: str) -> exp.Expr | None:
    try:
        found = sqlglot.parse(said, dialect="mysql")
    except Exception:  # of what is no SQL it raises whatever comes to it, not its own errors alone
        return None
    if len(found) != 1 or found[0] is None or found[0].find(exp.Command) is not None:
        return None
    return found[0] if isinstance(found[0], _ROOTS.get(first, ())) else None
