"""An event as one sentence: the words that stand beside its kind.

    words="{by} approved the request {request}[: {comment}]"

A field stands in braces, or a field of a record in it (`{substance.person}`). What stands in brackets is left out where
one of its fields says nothing: None (not told, or erased) or empty. So private fields stand in brackets only. The one
field that may be None outside is `by`: what nobody ordered, OnePAM did.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_type_hints

from onepam.kernel.clock import Instant, utc

Say = Callable[[str, str], str]
"""How a text of a field is said, by the field's name: a person by name instead of id, a code in words."""

NOBODY = "OnePAM"
_PARTS = re.compile(r"\[[^\[\]]*\]|[^\[\]]+")
_FIELD = re.compile(r"\{([a-z_.]+)\}")
_CODE = re.compile(r"[a-z_]+(\.[a-z_]+)*")
_CODES = ("because", "code", "cause")


def plainly(field: str, text: str) -> str:
    """As it is written; a code without its points."""
    if field in _CODES and _CODE.fullmatch(text):
        return text.replace("_", " ").replace(".", ": ")
    return text


def naming(called: Mapping[str, str], codes: Mapping[str, str] | None = None) -> Say:
    """Says people and providers by their names and codes by their words, where there are any."""

    def say(field: str, text: str) -> str:
        if field in _CODES:
            return (codes or {}).get(text) or plainly(field, text)
        return called.get(text, text)

    return say


@dataclass(frozen=True, slots=True)
class _Field:
    """The path to a value in its record, and whether that is a time."""

    path: tuple[str, ...]
    is_time: bool

    def said(self, record: Any, say: Say) -> str:
        """The value as it stands in the sentence; empty for None."""
        for name in self.path:
            record = getattr(record, name)
        if record is None:
            return NOBODY if self.path == ("by",) else ""
        if self.is_time:
            return utc(record)
        if isinstance(record, int):
            return f"{record:,}"
        if isinstance(record, StrEnum):
            return str(getattr(record, "words", record.value.replace("_", " ")))
        return ", ".join(say(self.path[-1], str(each)) for each in ([record] if isinstance(record, str) else record))


@dataclass(frozen=True, slots=True)
class Words:
    """The sentence of a kind: what is said always, and what only where all its fields say something."""

    template: str
    parts: tuple[tuple[bool, tuple[str | _Field, ...]], ...]

    def sentence(self, record: object, say: Say = plainly) -> str:
        """What happened, in one sentence without a full stop. A text is said as `say` gives it, else as it came: it
        may hold whatever a person or a machine wrote."""
        return "".join(self._part(record, say, optional, part) for optional, part in self.parts)

    @staticmethod
    def _part(record: object, say: Say, optional: bool, part: tuple[str | _Field, ...]) -> str:
        said = [each if isinstance(each, str) else each.said(record, say) for each in part]
        return "" if optional and not all(said) else "".join(said)


def words(template: str, hints: Mapping[str, Any], private: tuple[str, ...]) -> Words:
    """The words of a kind whose fields have these types. Raises `ValueError` where they do not fit."""
    texts, found = _PARTS.findall(template), []
    if "".join(texts) != template or not template or re.search(r"[{}]", _FIELD.sub("", template)):
        raise ValueError(f"these are no words of an event: {template!r}")
    for text in texts:
        optional = text.startswith("[")
        split = _FIELD.split(text.strip("[]"))
        part = tuple(_field(each, hints, private, optional) if odd % 2 else each for odd, each in enumerate(split))
        found.append((optional, tuple(each for each in part if each)))
    return Words(template, tuple(found))


def _field(name: str, hints: Mapping[str, Any], private: tuple[str, ...], optional: bool) -> _Field:
    path, inner = tuple(name.split(".")), hints
    for each in path[:-1]:
        record = inner.get(each)
        inner = get_type_hints(record) if is_dataclass(record) else {}
    if path[-1] not in inner:
        raise ValueError(f"words name a field that is not there: {name}")
    hint = inner[path[-1]]
    kinds = set(get_args(hint)) or {hint}
    if not optional and path != ("by",) and (NoneType in kinds or path[0] in private):
        raise ValueError(f"words want brackets around a field that may be None: {name}")
    return _Field(path, Instant in kinds)
