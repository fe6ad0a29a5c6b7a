"""Whether a body has the form of its kind: its members and no others, each of its type.

Rules read bodies as their kinds have them. So a body is held against the form first, whoever wrote it: a list where a
name is due, a text where days are, a word that no enumeration has, are findings and no errors of whoever judges.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Union

from onepam.ledger.lawful.forms import FORMS

Fits = Callable[[Any], bool]
"""Whether a value has a type."""

Type = Union[frozenset[type], Fits]
"""Plain types, of which a value has one, or else who asks: most values are plain, and need no call."""

Said = tuple[Any, ...]
"""A type as the forms say it, taken apart: the sign that it begins with, or `?` of what may be null, or the word of a
plain one; then the texts of an enumeration, the type within, or the types of the members and which may not be left out.
"""

_TYPES = {"text": str, "integer": int, "truth": bool}


class Form:
    """The form of one version of a kind, from its members, each `member=type`.

    A type is `text`, `integer`, `truth`, `(a|b)` one of these texts, `[type]` a list, `<type>` an object of any names,
    `{member=type,member?=type}` an object of these, of which those with `?` may be left out; with `?` after it, null.
    """

    def __init__(self, said: Sequence[str]) -> None:
        of = {name: _whole(kind) for name, kind in (each.split("=", 1) for each in said)}
        self.type: Said = ("{", of, frozenset(of))
        """The form as a type, taken apart."""
        self.fits: Fits = _object({name: _type(kind) for name, kind in of.items()}, frozenset(of))
        """Whether the value of a body has this form."""


def _whole(said: str) -> Said:
    kind, rest = _apart(re.findall(r"\w[\w.-]*|\W", said))
    if rest:
        raise ValueError(f"{said}: {''.join(rest)} is left over")
    return kind


def _apart(tokens: list[str]) -> tuple[Said, list[str]]:
    """The type with which the tokens begin, and the tokens after it."""
    kind: Said
    first, rest = tokens[0], tokens[1:]
    if first == "(":
        end = rest.index(")")
        kind, rest = (first, frozenset(rest[:end:2])), rest[end + 1 :]
    elif first == "{":
        kind, rest = _members(rest)
    elif first in ("[", "<"):
        inner, rest = _apart(rest)
        kind, rest = (first, inner), rest[1:]
    else:
        kind = (first,)
    return (("?", kind), rest[1:]) if rest[:1] == ["?"] else (kind, rest)


def _members(tokens: list[str]) -> tuple[Said, list[str]]:
    of: dict[str, Said] = {}
    needed = set()
    while True:
        name, tokens = tokens[0], tokens[1:]
        if tokens[0] == "?":
            tokens = tokens[1:]
        else:
            needed.add(name)
        of[name], tokens = _apart(tokens[1:])
        last, tokens = tokens[0], tokens[1:]
        if last == "}":
            return ("{", of, frozenset(needed)), tokens


def _type(said: Said) -> Type:
    sign = said[0]
    if sign == "?":
        return _or_nothing(_type(said[1]))
    if sign == "(":
        return _one_of(said[1])
    if sign == "[":
        return _list(_type(said[1]))
    if sign == "<":
        return _map(_type(said[1]))
    if sign == "{":
        return _object({name: _type(kind) for name, kind in said[1].items()}, said[2])
    return frozenset({_TYPES[sign]})


def _or_nothing(kind: Type) -> Type:
    if isinstance(kind, frozenset):
        return kind | {type(None)}
    fits = kind
    return lambda value: value is None or fits(value)


def _one_of(texts: frozenset[str]) -> Fits:
    return lambda value: type(value) is str and value in texts


def _list(inner: Type) -> Fits:
    all_fit = _each(inner)
    return lambda value: type(value) is list and all_fit(value)


def _map(inner: Type) -> Fits:
    all_fit = _each(inner)
    return lambda value: type(value) is dict and all_fit(value.values())


def _each(kind: Type) -> Callable[[Iterable[Any]], bool]:
    if isinstance(kind, frozenset):
        types = kind
        return lambda values: types.issuperset(map(type, values))
    fits = kind
    return lambda values: all(map(fits, values))


def _object(of: Mapping[str, Type], needed: frozenset[str]) -> Fits:
    plain = {name: kind for name, kind in of.items() if isinstance(kind, frozenset)}
    other = {name: kind for name, kind in of.items() if not isinstance(kind, frozenset)}
    names = of.keys()

    def fits(value: Any) -> bool:
        if type(value) is not dict or not (value.keys() == names or needed <= value.keys() <= names):
            return False
        for name, each in value.items():
            types = plain.get(name)
            if not (other[name](each) if types is None else type(each) in types):
                return False
        return True

    return fits


def _forms() -> dict[tuple[str, int], Form]:
    """By kind and version. A line that begins with two spaces goes on with the one before; one that
    begins with four, within its last word."""
    found = {}
    for line in FORMS.strip().replace("\n    ", "").replace("\n  ", " ").splitlines():
        kind, version, *members = line.split(" ")
        found[kind, int(version)] = Form(members)
    return found


OF_KINDS: Mapping[tuple[str, int], Form] = _forms()


def of_form(kind: str, version: int, body: Any) -> Any:
    """The value of a body, which has the form of its kind. Raises `ValueError`, and `KeyError` for a kind without."""
    if not OF_KINDS[kind, version].fits(body):
        raise ValueError("it has not the form of its kind")
    return body
