"""A resource's document: what the client sent, checked against the schema, and as it is answered.

Values stay as they were sent, save that truth written as a text ("False") becomes truth, and that an attribute the
schema knows is spelt as the schema spells it. What is empty is not there (RFC 7643, section 2.5).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from onepam.scim.errors import ScimError, invalid_path, invalid_syntax, invalid_value
from onepam.scim.filter import Place, get, place_of
from onepam.scim.schema import Attribute, Schema

MAX_DOCUMENT_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_VALUES = 1_000
"""Entries of one multi-valued attribute of a document; members of groups are counted elsewhere."""

NEVER_KEPT = frozenset({"id", "meta", "groups", "members", "password"})
"""Written by the server, kept elsewhere, or never taken; in lower case."""


def read_json(body: bytes) -> dict[str, Any]:
    """The object in a request's body. Raises `ScimError` (invalidSyntax)."""
    try:
        found = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise invalid_syntax(f"The body is no JSON: {str(error)[:120]}.") from None
    if not isinstance(found, dict):
        raise invalid_syntax("The body is no JSON object.")
    _bounded(found, 0)
    return found


def canonical(document: Mapping[str, Any]) -> str:
    """The document as it is kept. Raises `ScimError` for one that is too large."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode("utf-8")) > MAX_DOCUMENT_BYTES:
        raise ScimError(413, "", f"A resource has at most {MAX_DOCUMENT_BYTES} bytes.")
    return text


def read_resource(found: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """A whole resource as POST and PUT send it, without what the server writes. Raises `ScimError`."""
    document: dict[str, Any] = {}
    for key, value in found.items():
        if key.lower() in NEVER_KEPT:
            continue
        place = _key_place(key, schema)
        put(document, place, value, schema)
    for attribute in schema.attributes.values():
        if attribute.required and attribute.name not in document:
            raise invalid_value(f"{attribute.name} is missing.")
    _one_primary(document)
    return document


def put(document: dict[str, Any], place: Place, value: Any, schema: Schema) -> None:
    """Sets the value at a place that names no entry; an empty value removes it. Raises `ScimError`."""
    if not place.name:
        _put_extension(document, place.urn, value, schema)
        return
    base = extension(document, place.urn) if place.urn else document
    if place.sub:
        owner = base.setdefault(place.name, {})
        if not isinstance(owner, dict):
            raise invalid_path(f"{place.name} has entries; say which with a filter.")
        _set(owner, place.sub, checked(value, place.definition, place.sub))
        if not owner:
            del base[place.name]
    else:
        _set(base, place.name, checked(value, place.attribute, place.name))
    if place.urn and not base:
        document.pop(place.urn, None)


def extension(document: dict[str, Any], urn: str) -> dict[str, Any]:
    """The part of the document under an extension's URN, which is added to `schemas`."""
    for key in document:
        if key.lower() == urn.lower():
            found = document[key]
            if not isinstance(found, dict):
                raise invalid_path(f"{urn[:80]} is no extension.")
            return found
    made: dict[str, Any] = document.setdefault(urn, {})
    schemas = document.get("schemas")
    if isinstance(schemas, list) and urn not in schemas:
        document["schemas"] = [*schemas, urn]
    return made


def checked(value: Any, attribute: Attribute | None, name: str) -> Any:
    """The value as it is kept; None for an empty one. Raises `ScimError` (invalidValue)."""
    if attribute is None:
        return None if value in (None, [], {}) else value
    if not attribute.multi:
        return _single(value, attribute, name)
    entries = value if isinstance(value, list) else [value]
    if len(entries) > MAX_VALUES:
        raise invalid_value(f"{name} has {len(entries):,} entries; at most {MAX_VALUES:,} are kept.")
    return [each for each in (_single(entry, attribute, name) for entry in entries) if each is not None] or None


def _single(value: Any, attribute: Attribute, name: str) -> Any:
    if value is None:
        return None
    match attribute.type:
        case "complex":
            return _complex(value, attribute, name)
        case "boolean":
            value = _unwrapped(value)
            if isinstance(value, str) and value.strip().lower() in ("true", "false"):
                return value.strip().lower() == "true"
            if not isinstance(value, bool):
                raise invalid_value(f"{name} is true or false, not {_shown(value)}.")
        case "integer" | "decimal":
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise invalid_value(f"{name} is a number, not {_shown(value)}.")
        case _:
            if not isinstance(value, str):
                raise invalid_value(f"{name} is a text, not {_shown(value)}.")
            if attribute.required and not value.strip():
                raise invalid_value(f"{name} is empty.")
    return value


def _unwrapped(value: Any) -> Any:
    """A truth that a client wrote as if it were multi-valued: `[{"value": "False"}]`."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping) and len(value) == 1:
        value = get(value, "value")
    return value


def _complex(value: Any, attribute: Attribute, name: str) -> Any:
    if isinstance(value, str) and "value" in attribute.subs:
        value = {"value": value} if value else {}
    if not isinstance(value, Mapping):
        raise invalid_value(f"{name} is an object, not {_shown(value)}.")
    found: dict[str, Any] = {}
    for key, each in value.items():
        sub = attribute.subs.get(key.lower())
        known = sub.name if sub else key
        if known in found:
            raise invalid_value(f"{name}.{known} is there twice.")
        _set(found, known, checked(each, sub, f"{name}.{known}"))
    return found or None


def _put_extension(document: dict[str, Any], urn: str, value: Any, schema: Schema) -> None:
    """Everything under a URN at once: what it does not name goes."""
    if value in (None, {}, []):
        for key in [key for key in document if key.lower() == urn.lower()]:
            del document[key]
        return
    if not isinstance(value, Mapping):
        raise invalid_value(f"{urn[:80]} is an object, not {_shown(value)}.")
    document.pop(urn, None)
    for key, each in value.items():
        put(document, place_of(f"{urn}:{key}", schema), each, schema)


def _key_place(key: str, schema: Schema) -> Place:
    """A key of a whole resource: an attribute, or the URN of an extension. A dot is no separator here."""
    if key.lower().startswith("urn:"):
        known = schema.extensions.get(key.lower())
        return Place(known[0] if known else key, "", "", None)
    attribute = schema.attributes.get(key.lower())
    return Place("", attribute.name if attribute else key, "", attribute)


def only_one_primary(entries: list[Any], chosen: Mapping[str, Any]) -> None:
    """Where an entry has become the primary one, the others are not (RFC 7644, section 3.5.2)."""
    for each in entries:
        if each is not chosen and isinstance(each, dict) and each.get("primary") is True:
            each["primary"] = False


def _one_primary(document: Mapping[str, Any]) -> None:
    for name, entries in document.items():
        if isinstance(entries, list):
            primary = sum(isinstance(each, Mapping) and each.get("primary") is True for each in entries)
            if primary > 1:
                raise invalid_value(f"{name} has {primary} primary entries.")


def answered(document: Mapping[str, Any], schema: Schema, written: Mapping[str, Any]) -> dict[str, Any]:
    """The resource as a client sees it: `written` is what the server adds."""
    given = document.get("schemas")
    named = [each for each in given if isinstance(each, str)] if isinstance(given, list) else []
    first = [] if schema.urn in named else [schema.urn]
    return {**document, "schemas": first + named, **written}


def projected(
    resource: dict[str, Any], schema: Schema, wanted: Iterable[str], unwanted: Iterable[str]
) -> dict[str, Any]:
    """The resource less what was not asked for (`attributes`, `excludedAttributes`). Raises `ScimError`."""
    keep, drop = [place_of(each, schema) for each in wanted], [place_of(each, schema) for each in unwanted]
    if keep:
        found: dict[str, Any] = {"schemas": resource["schemas"], "id": resource["id"]}
        for place in keep:
            _copy(resource, found, place)
        return found
    found = dict(resource)
    for place in drop:
        if (place.urn, place.name.lower()) not in (("", "id"), ("", "schemas")):
            _drop(found, place)
    return found


def _copy(resource: Mapping[str, Any], found: dict[str, Any], place: Place) -> None:
    source: Any = get(resource, place.urn) if place.urn else resource
    if not isinstance(source, Mapping):
        return
    if not place.name:
        found[place.urn] = source
        return
    value = get(source, place.name)
    if value is None:
        return
    goal = found.setdefault(place.urn, {}) if place.urn else found
    if not place.sub:
        goal[place.name] = value
    elif isinstance(value, Mapping):
        if (inner := get(value, place.sub)) is not None:
            goal.setdefault(place.name, {})[place.sub] = inner
    elif isinstance(value, list):
        kept = goal.setdefault(place.name, [{} for _ in value])
        for entry, each in zip(kept, value, strict=True):
            if isinstance(each, Mapping) and (inner := get(each, place.sub)) is not None:
                entry[place.sub] = inner


def _drop(found: dict[str, Any], place: Place) -> None:
    if place.urn:
        inside = get(found, place.urn)
        if not isinstance(inside, Mapping):
            return
        if place.name:
            found[place.urn] = inside = dict(inside)
            _drop(inside, Place("", place.name, place.sub, place.attribute))
        else:
            found.pop(place.urn, None)
        return
    if not place.sub:
        found.pop(place.name, None)
        return
    value = found.get(place.name)
    if isinstance(value, Mapping):
        found[place.name] = {key: each for key, each in value.items() if key.lower() != place.sub.lower()}
    elif isinstance(value, list):
        found[place.name] = [
            {key: inner for key, inner in each.items() if key.lower() != place.sub.lower()}
            if isinstance(each, Mapping)
            else each
            for each in value
        ]


def _set(owner: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        owner.pop(name, None)
    else:
        owner[name] = value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len({key.lower() for key in found}) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _bounded(value: Any, depth: int) -> None:
    """Neither too deep nor with half of a surrogate pair, which no UTF-8 can carry."""
    if depth > MAX_DEPTH:
        raise invalid_syntax(f"The body is more than {MAX_DEPTH} levels deep.")
    if isinstance(value, dict):
        for key, each in value.items():
            _bounded(key, depth)
            _bounded(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _bounded(each, depth + 1)
    elif isinstance(value, str):
        if not value.isascii():
            try:
                value.encode("utf-8")
            except UnicodeEncodeError:
                raise invalid_syntax("The body has half of a surrogate pair.") from None
    elif isinstance(value, float) and value in (float("inf"), float("-inf")):
        raise invalid_syntax("The body has a number that is too large.")


def _shown(value: Any) -> str:
    return repr(value)[:40]
