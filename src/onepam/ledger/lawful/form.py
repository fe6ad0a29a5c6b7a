"""Whether a body has the form of its kind: its members and no others, each of its type.

Rules read bodies as their kinds have them. So a body is held against the form first, whoever wrote it: a list where a
name is due, a text where days are, a word that no enumeration has, are findings and no errors of whoever judges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onepam.ledger.lawful.forms import FORMS

Fits = Callable[[Any], bool]
"""Whether a value has a type."""

_TYPES = {"text": str, "integer": int, "truth": bool}


class Form:
    """The form of one version of a kind, from its members, each `member=type`.

    A type is `text`, `integer`, `truth`, `(a|b)` one of these texts, `[type]` a list, `<type>` an object of any names,
    `{member=type,member?=type}` an object of these, of which those with `?` may be left out; with `?` after it, null.
    """

    def __init__(self, said: Sequence[str]) -> None:
        members = [each.split("=", 1) for each in said]
        self._names = frozenset(name for name, _ in members)
        plain = {name: _plain(said) for name, said in members}
        self._plain = tuple((name, types) for name, types in plain.items() if types)
        self._other = tuple((name, _fits(said)) for name, said in members if not plain[name])

    def fits(self, body: Any) -> bool:
        """Whether the value of a body has this form."""
        if type(body) is not dict or body.keys() != self._names:
            return False
        for name, types in self._plain:
            if type(body[name]) not in types:
                return False
        return all(fits(body[name]) for name, fits in self._other)


def _plain(said: str) -> frozenset[type]:
    """The types of what is no list, object or enumeration; none for those."""
    found = _TYPES.get(said.rstrip("?"))
    return frozenset() if found is None else frozenset({found, type(None)} if said.endswith("?") else {found})


def _fits(said: str) -> Fits:
    fits, rest = _type(re.findall(r"\w[\w.-]*|\W", said))
    if rest:
        raise ValueError(f"{said}: {''.join(rest)} is left over")
    return fits


def _type(tokens: list[str]) -> tuple[Fits, list[str]]:
    """Who asks for the type with which the tokens begin, and the tokens after it."""
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        end = rest.index(")")
        fits, rest = _one_of(frozenset(rest[:end:2])), rest[end + 1 :]
    elif first == "{":
        fits, rest = _members(rest)
    elif first in ("[", "<"):
        inner, rest = _type(rest)
        fits, rest = (_list(inner) if first == "[" else _map(inner)), rest[1:]
    else:
        fits = _exactly(_TYPES[first])
    return (_or_nothing(fits), rest[1:]) if rest[:1] == ["?"] else (fits, rest)


def _members(tokens: list[str]) -> tuple[Fits, list[str]]:
    of: dict[str, Fits] = {}
    needed = set()
    while True:
        name, tokens = tokens[0], tokens[1:]
        if tokens[0] == "?":
            tokens = tokens[1:]
        else:
            needed.add(name)
        of[name], tokens = _type(tokens[1:])
        last, tokens = tokens[0], tokens[1:]
        if last == "}":
            return _object(of, frozenset(needed)), tokens


def _exactly(kind: type) -> Fits:
    return lambda value: type(value) is kind


def _or_nothing(fits: Fits) -> Fits:
    return lambda value: value is None or fits(value)


def _one_of(texts: frozenset[str]) -> Fits:
    return lambda value: type(value) is str and value in texts


def _list(fits: Fits) -> Fits:
    return lambda value: type(value) is list and all(fits(each) for each in value)


def _map(fits: Fits) -> Fits:
    return lambda value: type(value) is dict and all(fits(each) for each in value.values())


def _object(of: Mapping[str, Fits], needed: frozenset[str]) -> Fits:
    return lambda value: (
        type(value) is dict
        and needed <= value.keys()
        and all(name in of and of[name](each) for name, each in value.items())
    )


def _forms() -> dict[tuple[str, int], Form]:
    """By kind and version. A line that begins with two spaces goes on with the one before; one that
    begins with four, within its last word."""
    found = {}
    for line in FORMS.strip().replace("\n    ", "").replace("\n  ", " ").splitlines():
        kind, version, *members = line.split(" ")
        found[kind, int(version)] = Form(members)
    return found


OF_KINDS: Mapping[tuple[str, int], Form] = _forms()
