"""Filters and paths of SCIM (RFC 7644, sections 3.4.2.2 and 3.5.2), parsed within bounds.

Microsoft Entra's `emails[type eq "work"].value eq "x"` is understood as well.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onepam.scim.errors import ScimError, invalid_path
from onepam.scim.schema import Attribute, Schema

MAX_CHARACTERS = 2_000
MAX_DEPTH = 12
MAX_TERMS = 50
COMPARISONS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})

_TOKEN = re.compile(r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<mark>[()\[\]])|(?P<word>[^\s()\[\]\"]+))", re.DOTALL)
_NAME = re.compile(r"[A-Za-z$][A-Za-z0-9_$-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: `urn` of the extension ("" for the core), attribute, sub-attribute ("" for none).

    `attribute` is None where the schema does not define it.
    """

    urn: str
    name: str
    sub: str
    attribute: Attribute | None

    @property
    def definition(self) -> Attribute | None:
        """The definition of what the place leads to, the sub-attribute's where there is one."""
        return self.attribute.subs.get(self.sub.lower()) if self.attribute and self.sub else self.attribute


@dataclass(frozen=True, slots=True)
class Compare:
    """`place op value`; `op` is `pr` for "has a value"."""

    place: Place
    op: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Has:
    """`place[inner]`, and where there is a `rest`: `place[inner].sub op value`."""

    place: Place
    inner: "Filter"
    rest: Compare | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """`and`, `or`: all or one of the parts. `not`: its only part is not so."""

    op: str
    parts: tuple["Filter", ...]


Filter = Compare | Has | Join


@dataclass(frozen=True, slots=True)
class Target:
    """The path of a PATCH operation: a place, with a filter for the entries of a multi-valued attribute, or a whole
    extension (`place.name` empty)."""

    place: Place
    entries: Filter | None


def parse_filter(text: str, schema: Schema) -> Filter:
    """Raises `ScimError` (invalidFilter)."""
    return _Parser(text, schema, "invalidFilter").whole_filter()


def parse_path(text: str, schema: Schema) -> Target:
    """Raises `ScimError` (invalidPath)."""
    return _Parser(text, schema, "invalidPath").whole_path()


def place_of(text: str, schema: Schema) -> Place:
    """The place of `name`, `name.sub` or `urn:...:name.sub`. Raises `ScimError` (invalidPath)."""
    urn, rest = _split_urn(text, schema)
    if urn is None:
        attributes: Mapping[str, Attribute] | None = schema.attributes
        urn = ""
    else:
        known = schema.extensions.get(urn.lower())
        urn, attributes = known if known else (urn, None)
    if not rest:
        return Place(urn, "", "", None)
    name, _, sub = rest.partition(".")
    if not _NAME.fullmatch(name) or (sub and not _NAME.fullmatch(sub)) or rest.endswith("."):
        raise invalid_path(f"{text[:80]!r} is not the path of an attribute.")
    attribute = attributes.get(name.lower()) if attributes is not None else None
    if attribute is None:
        return Place(urn, name, sub, None)
    if sub and attribute.type != "complex":
        raise invalid_path(f"{attribute.name} has no sub-attributes.")
    known_sub = attribute.subs.get(sub.lower())
    return Place(urn, attribute.name, known_sub.name if known_sub else sub, attribute)


def _split_urn(text: str, schema: Schema) -> tuple[str | None, str]:
    """The URN of an extension (None for the core) and what follows it."""
    if not text.lower().startswith("urn:"):
        return None, text
    lower = text.lower()
    core = schema.urn.lower()
    if lower.startswith(core + ":"):
        return None, text[len(core) + 1 :]
    for urn in schema.extensions:
        if lower == urn or lower.startswith(urn + ":"):
            return text[: len(urn)], text[len(urn) + 1 :]
    head, _, last = text.rpartition(":")
    if last and _NAME.fullmatch(last.partition(".")[0]) and last.lower() not in ("user", "group"):
        return head, last
    return text, ""


class _Parser:
    def __init__(self, text: str, schema: Schema, scim_type: str) -> None:
        self._type, self._schema = scim_type, schema
        if len(text) > MAX_CHARACTERS:
            raise self._bad(f"it has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read")
        self._tokens = list(self._split(text))
        self._next, self._terms = 0, 0

    def whole_filter(self) -> Filter:
        found = self._any(0, self._schema)
        self._end()
        return found

    def whole_path(self) -> Target:
        place = self._place(self._word())
        entries = None
        if self._peek() == "[":
            self._next += 1
            entries = self._any(1, self._within(place))
            self._take("]")
            if (rest := self._peek()) is not None and rest.startswith("."):
                self._next += 1
                if place.sub:
                    raise self._bad("a sub-attribute has no sub-attributes")
                place = self._place(f"{self._full(place)}{rest}")
        self._end()
        return Target(place, entries)

    def _any(self, depth: int, schema: Schema) -> Filter:
        parts = [self._all(depth, schema)]
        while self._word_is("or"):
            parts.append(self._all(depth, schema))
        return parts[0] if len(parts) == 1 else Join("or", tuple(parts))

    def _all(self, depth: int, schema: Schema) -> Filter:
        parts = [self._term(depth, schema)]
        while self._word_is("and"):
            parts.append(self._term(depth, schema))
        return parts[0] if len(parts) == 1 else Join("and", tuple(parts))

    def _term(self, depth: int, schema: Schema) -> Filter:
        self._terms += 1
        if depth > MAX_DEPTH or self._terms > MAX_TERMS:
            raise self._bad("it is too deep or too long")
        if self._word_is("not"):
            if self._peek() != "(":
                raise self._bad("'not' is followed by a bracket")
            return Join("not", (self._term(depth + 1, schema),))
        if self._peek() == "(":
            self._next += 1
            found = self._any(depth + 1, schema)
            self._take(")")
            return found
        place = self._place(self._word(), schema)
        if not place.name:
            raise self._bad("a schema is not an attribute")
        if self._peek() == "[":
            self._next += 1
            inner = self._any(depth + 1, self._within(place))
            self._take("]")
            if (rest := self._peek()) is not None and rest.startswith("."):
                self._next += 1
                return Has(place, inner, self._comparison(self._place(f"{self._full(place)}{rest}")))
            return Has(place, inner)
        return self._comparison(place)

    def _comparison(self, place: Place) -> Compare:
        op = self._word().lower()
        if op == "pr":
            return Compare(place, "pr")
        if op not in COMPARISONS:
            raise self._bad(f"{op[:20]!r} is no operator")
        return Compare(place, op, self._value())

    def _value(self) -> Any:
        token = self._peek()
        if token is None:
            raise self._bad("a value is missing")
        self._next += 1
        try:
            value = json.loads(token if token.startswith('"') else token.lower())
        except (ValueError, RecursionError):
            raise self._bad(f"{token[:40]!r} is no value") from None
        if isinstance(value, dict | list):
            raise self._bad("a value is a text, a number, true, false or null")
        return value

    def _within(self, place: Place) -> Schema:
        """What a filter in brackets speaks of: the sub-attributes."""
        subs = place.attribute.subs if place.attribute else {}
        return Schema("urn:none", "", "", subs or {"value": Attribute("value", "string")}, {})

    def _full(self, place: Place) -> str:
        return f"{place.urn}:{place.name}" if place.urn else place.name

    def _place(self, word: str, schema: Schema | None = None) -> Place:
        try:
            return place_of(word, schema or self._schema)
        except ScimError as error:
            raise ScimError(400, self._type, error.detail) from None

    def _word_is(self, word: str) -> bool:
        token = self._peek()
        if token is None or token.lower() != word:
            return False
        self._next += 1
        return True

    def _word(self) -> str:
        token = self._peek()
        if token is None or token[0] in '()[]"':
            raise self._bad("an attribute or operator is missing")
        self._next += 1
        return token

    def _take(self, mark: str) -> None:
        if self._peek() != mark:
            raise self._bad(f"{mark!r} is missing")
        self._next += 1

    def _end(self) -> None:
        if self._peek() is not None:
            raise self._bad(f"nothing is expected at {self._tokens[self._next][:40]!r}")

    def _peek(self) -> str | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _split(self, text: str) -> Iterator[str]:
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._bad("it breaks off")
            yield found["text"] or found["mark"] or found["word"]
            at = found.end()

    def _bad(self, why: str) -> ScimError:
        what = "filter" if self._type == "invalidFilter" else "path"
        return ScimError(400, self._type, f"This {what} cannot be read: {why}.")


def get(document: Mapping[str, Any], name: str) -> Any:
    """The value under a key, whatever its case; None where there is none."""
    if name in document:
        return document[name]
    lower = name.lower()
    return next((value for key, value in document.items() if key.lower() == lower), None)


def values_at(document: Mapping[str, Any], place: Place) -> list[Any]:
    """All values at a place: entries of lists one by one."""
    base: Any = get(document, place.urn) if place.urn else document
    found = get(base, place.name) if isinstance(base, Mapping) else None
    found = found if isinstance(found, list) else [found]
    if place.sub:
        found = [get(each, place.sub) for each in found if isinstance(each, Mapping)]
    return [each for each in found if each is not None]


def matches(document: Mapping[str, Any], condition: Filter) -> bool:
    """Whether the resource, or the entry of a list, is what the filter asks for."""
    match condition:
        case Join("and", parts):
            return all(matches(document, each) for each in parts)
        case Join("or", parts):
            return any(matches(document, each) for each in parts)
        case Join(_, parts):
            return not matches(document, parts[0])
        case Has(place, inner, rest):
            entries = [each if isinstance(each, Mapping) else {"value": each} for each in values_at(document, place)]
            found = [each for each in entries if matches(each, inner)]
            if rest is None:
                return bool(found)
            sub = rest.place.sub
            values = [value for each in found if (value := get(each, sub)) is not None]
            return _compared(values, rest)
        case Compare():
            return _compared(values_at(document, condition.place), condition)


def _compared(values: list[Any], condition: Compare) -> bool:
    if condition.op == "pr":
        return any(each not in ("", [], {}) for each in values)
    definition = condition.place.definition
    if definition is not None and definition.type == "complex":
        values = [inner for each in values if isinstance(each, Mapping) and (inner := get(each, "value")) is not None]
        definition = definition.subs.get("value")
    exact = definition is not None and (definition.case_exact or definition.type == "dateTime")
    wanted = _key(condition.value, exact)
    if condition.value is None:
        return bool(values) if condition.op == "ne" else condition.op == "eq" and not values
    if condition.op == "ne":
        return all(_key(each, exact) != wanted for each in values)
    return any(_holds(condition.op, _key(each, exact), wanted) for each in values)


def _key(value: Any, exact: bool) -> Any:
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false") and not exact:
        return value.lower()
    text = unicodedata.normalize("NFC", value)
    return text if exact else unicodedata.normalize("NFC", text.casefold())


def _holds(op: str, value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) and isinstance(wanted, str):
        wanted = {"true": True, "false": False}.get(wanted)
    if op == "eq":
        return type(value) is type(wanted) and bool(value == wanted)
    if op in ("co", "sw", "ew"):
        if not isinstance(value, str) or not isinstance(wanted, str):
            return False
        return wanted in value if op == "co" else value.startswith(wanted) if op == "sw" else value.endswith(wanted)
    if isinstance(value, bool) or type(value) is not type(wanted) or not isinstance(value, str | int | float):
        return False
    above, same = bool(value > wanted), bool(value == wanted)
    return {"gt": above, "ge": above or same, "lt": not above and not same, "le": not above}[op]
