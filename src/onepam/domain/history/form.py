"""The form of an event kind in words: which fields of which types its entries have.

An entry is read for ever in the form that it was written in, so the form of a version never changes. Two are the same
when these words are; only that an enumeration has gained members makes no new form, for old entries read as they did.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from onepam.domain.history.event import Kind


def form(kind: Kind) -> str:
    """The lines of one version: its name and class, then a field each, by name."""
    hints = get_type_hints(kind.record)
    private = dict.fromkeys(kind.private_fields, ", private")
    names = sorted((*kind.open_fields, *kind.private_fields))
    lines = [f"{kind.name} v{kind.version}, class {kind.klass}"]
    return "\n".join([*lines, *(f"  {name}: {type_in_words(hints[name])}{private.get(name, '')}" for name in names)])


def type_in_words(hint: Any) -> str:
    """The type of a field, down to texts, integers, truths and the members of enumerations."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (inner,) = [each for each in get_args(hint) if each is not NoneType]
        return f"{type_in_words(inner)} or nothing"
    if origin is tuple:
        return f"list of ({type_in_words(get_args(hint)[0])})"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map of ({type_in_words(get_args(hint)[1])})"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return f"one of [{' '.join(sorted(hint))}]"
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        marks = {f.name: "" if f.default is MISSING else "?" for f in fields(hint)}
        return "{" + "; ".join(f"{name}{marks[name]}: {type_in_words(hints[name])}" for name in sorted(marks)) + "}"
    said = {str: "text", int: "integer", bool: "truth"}
    return said.get(hint) or f"{hint.__name__}, {said[cast(Any, hint).__supertype__]}"


def type_in_signs(hint: Any) -> str:
    """The same type in the signs that `ledger/lawful/form.py` reads."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (inner,) = [each for each in get_args(hint) if each is not NoneType]
        return f"{type_in_signs(inner)}?"
    if origin is tuple:
        return f"[{type_in_signs(get_args(hint)[0])}]"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"<{type_in_signs(get_args(hint)[1])}>"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return f"({'|'.join(sorted(hint))})"
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        marks = {f.name: "" if f.default is MISSING else "?" for f in fields(hint)}
        return "{" + ",".join(f"{name}{marks[name]}={type_in_signs(hints[name])}" for name in sorted(marks)) + "}"
    return {str: "text", int: "integer", bool: "truth"}[getattr(hint, "__supertype__", hint)]


def is_same(before: str, after: str) -> bool:
    """Whether entries of the form `before` are read alike in the form `after`: enumerations may have grown."""
    (old, had), (new, has) = _cut(before), _cut(after)
    return old == new and all(left <= right for left, right in zip(had, has, strict=True))


def _cut(words: str) -> tuple[list[str], list[set[str]]]:
    """The words between the enumerations, and the members of each."""
    pieces = re.split(r"one of \[(.*?)\]", words)
    return pieces[::2], [set(members.split(" ")) for members in pieces[1::2]]
