"""PATCH (RFC 7644, section 3.5.2) in the shapes that directories really send.

An operation may have no path, keys with dots or URNs in its value, a capital letter, truth as a text, and a removal may
name what to remove in its value. Whatever cannot be done is refused; nothing is passed over in silence.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepam.scim.document import NEVER_KEPT, checked, extension, only_one_primary, put
from onepam.scim.errors import ScimError, invalid_path, invalid_syntax, invalid_value
from onepam.scim.filter import Compare, Filter, Join, Place, Target, get, matches, parse_path
from onepam.scim.schema import Attribute, Schema

MESSAGE = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MAX_OPERATIONS = 10_000
MAX_WORK = 200_000
"""Entries that the operations of one request may look through: an operation costs what its attribute holds."""

ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Operation:
    """`op` is add, replace or remove. `value` is ABSENT where the message has none. `loose`: it came without a path."""

    op: str
    target: Target
    value: Any
    loose: bool = False


def read_operations(message: Mapping[str, Any], schema: Schema) -> list[Operation]:
    """The operations of a message, those without a path taken apart. Raises `ScimError`."""
    schemas = get(message, "schemas")
    if schemas is not None and (not isinstance(schemas, list) or MESSAGE not in schemas):
        raise invalid_syntax(f"The body is no {MESSAGE}.")
    given = get(message, "Operations")
    if not isinstance(given, list) or not given:
        raise invalid_syntax("Operations is missing or empty.")
    if len(given) > MAX_OPERATIONS:
        raise ScimError(413, "", f"At most {MAX_OPERATIONS:,} operations are taken at once.")
    found: list[Operation] = []
    for each in given:
        found += _read(each, schema)
        if len(found) > MAX_OPERATIONS:
            raise ScimError(413, "", f"At most {MAX_OPERATIONS:,} operations are taken at once.")
    return found


def _read(given: Any, schema: Schema) -> list[Operation]:
    if not isinstance(given, Mapping):
        raise invalid_syntax("An operation is an object.")
    op = get(given, "op")
    if not isinstance(op, str) or op.lower() not in ("add", "replace", "remove"):
        raise invalid_syntax("op is add, replace or remove.")
    op = op.lower()
    path = get(given, "path")
    value = get(given, "value") if any(key.lower() == "value" for key in given) else ABSENT
    if path is not None and not isinstance(path, str):
        raise invalid_path("path is a text.")
    if op != "remove" and value is ABSENT:
        raise invalid_value(f"{op} needs a value.")
    if path:
        return [Operation(op, parse_path(path, schema), value)]
    if op == "remove":
        raise ScimError(400, "noTarget", "remove needs a path.")
    if isinstance(value, list) and len(value) == 1:  # some clients send the object in a list of one
        value = value[0]
    if not isinstance(value, Mapping):
        raise invalid_value(f"{op} without a path needs an object.")
    if not value:
        raise invalid_value(f"{op} of nothing changes nothing.")
    return [operation for key, each in value.items() for operation in _loose(op, key, each, schema)]


def _loose(op: str, key: str, value: Any, schema: Schema) -> list[Operation]:
    """A key of a value without a path: an attribute, a path, or the URN of an extension (or of the core)."""
    target = parse_path(key, schema)
    if target.place.name:
        return [Operation(op, target, value, loose=True)]
    if value is None:
        return [Operation("remove", target, ABSENT, loose=True)]
    if not isinstance(value, Mapping):
        raise invalid_value(f"{key[:80]} is a schema: its value is an object.")
    return [Operation(op, parse_path(f"{key}:{name}", schema), each, loose=True) for name, each in value.items()]


def apply(document: Mapping[str, Any], operations: list[Operation], schema: Schema, known: Mapping[str, Any]) -> Any:
    """The document after the operations; the one given stays as it was. Raises `ScimError`.

    `known` is what the server answers under names that cannot be written: repeating it is no change.
    """
    found = copy.deepcopy(dict(document))
    work = 0
    for operation in operations:
        place = operation.target.place
        if _read_only(operation, known):
            continue
        if place.attribute is not None and place.attribute.multi:
            work += len(found.get(place.name, ())) + 1
            if work > MAX_WORK:
                raise ScimError(413, "", "These operations are too much work for one request.")
        _apply_one(found, operation, schema)
    for attribute in schema.attributes.values():
        if attribute.required and attribute.name not in found:
            raise invalid_value(f"{attribute.name} cannot be removed.")
    return found


def _read_only(operation: Operation, known: Mapping[str, Any]) -> bool:
    """Whether the operation repeats what the server writes, which changes nothing. Raises `ScimError` (mutability)."""
    place = operation.target.place
    attribute = place.attribute
    written = attribute is not None and attribute.read_only
    if place.urn or not (written or place.name.lower() in NEVER_KEPT):
        if place.definition is not None and place.definition.read_only and not operation.loose:
            raise ScimError(400, "mutability", f"{place.name}.{place.sub} is written by the server.")
        return False
    if operation.loose and place.name in known and known[place.name] == operation.value:
        return True
    raise ScimError(400, "mutability", f"{place.name} cannot be written.")


def _apply_one(document: dict[str, Any], operation: Operation, schema: Schema) -> None:
    place, value = operation.target.place, operation.value
    if not place.name:
        _whole_extension(document, operation, schema)
        return
    if operation.target.entries is not None:
        _entries(document, operation)
    elif operation.op == "remove":
        _remove(document, place, value, schema)
    elif place.attribute is not None and place.attribute.multi:
        _multi(document, operation)
    elif isinstance(value, Mapping) and place.attribute is not None and not place.sub:
        _merge(document, place, value, schema)
    else:
        if place.sub and place.attribute is not None and place.attribute.multi:
            raise invalid_path(f"{place.name} has entries; say which with a filter.")
        put(document, place, value, schema)


def _whole_extension(document: dict[str, Any], operation: Operation, schema: Schema) -> None:
    place, value = operation.target.place, operation.value
    if operation.op == "remove":
        if value is not ABSENT and value not in (None, {}, []):
            raise invalid_value("A removal of a schema has no value.")
        put(document, place, None, schema)
        return
    if not isinstance(value, Mapping):
        raise invalid_value(f"{place.urn[:80]} is a schema: its value is an object.")
    for key, each in value.items():
        target = parse_path(f"{place.urn}:{key}", schema)
        _apply_one(document, Operation(operation.op, target, each), schema)


def _merge(document: dict[str, Any], place: Place, value: Mapping[str, Any], schema: Schema) -> None:
    """A complex attribute takes over the sub-attributes that are named; the others stay."""
    attribute = place.attribute
    if attribute is None or attribute.type != "complex":
        put(document, place, value, schema)
        return
    base = extension(document, place.urn) if place.urn else document
    old = base.get(place.name)
    new = dict(old) if isinstance(old, Mapping) else {}
    for key, each in value.items():
        sub = attribute.subs.get(key.lower())
        name = sub.name if sub else key
        kept = checked(each, sub, f"{place.name}.{name}")
        new.pop(name, None)
        if kept is not None:
            new[name] = kept
    put(document, place, new or None, schema)


def _remove(document: dict[str, Any], place: Place, value: Any, schema: Schema) -> None:
    base: Any = get(document, place.urn) if place.urn else document
    held = base.get(place.name) if isinstance(base, Mapping) else None
    if isinstance(held, list) and place.sub:
        for each in held:
            if isinstance(each, dict):
                each.pop(place.sub, None)
        put(document, Place(place.urn, place.name, "", place.attribute), [each for each in held if each], schema)
    elif isinstance(held, list) and value is not ABSENT and value not in (None, [], {}):
        gone = [_entry(each, place.attribute) for each in (value if isinstance(value, list) else [value])]
        put(document, place, [each for each in held if not any(_same(each, other) for other in gone)], schema)
    elif held is not None:
        put(document, place, None, schema)


def _multi(document: dict[str, Any], operation: Operation) -> None:
    """The whole of a multi-valued attribute: added to, or replaced."""
    place = operation.target.place
    attribute = place.attribute
    if attribute is None or place.sub:
        raise invalid_path(f"{place.name} has entries; say which with a filter.")
    base = extension(document, place.urn) if place.urn else document
    new = checked(operation.value, attribute, place.name) or []
    held = base.get(place.name, []) if operation.op == "add" else []
    if not isinstance(held, list):
        held = [held]
    added = [each for place_in_list, each in enumerate(new) if each not in held and each not in new[:place_in_list]]
    merged = [*held, *added]
    if (first := next((each for each in new if _primary(each)), None)) is not None:
        only_one_primary(merged, next(each for each in merged if each == first))
    kept = checked(merged, attribute, place.name)
    if kept is None:
        base.pop(place.name, None)
    else:
        base[place.name] = kept


def _entries(document: dict[str, Any], operation: Operation) -> None:
    """The entries of a multi-valued attribute that a filter chooses."""
    place, chosen = operation.target.place, operation.target.entries
    attribute = place.attribute
    if attribute is None or chosen is None or not attribute.multi:
        raise invalid_path(f"{place.name} has no entries to choose from.")
    base = extension(document, place.urn) if place.urn else document
    entries: list[Any] = list(base.get(place.name, []))
    found = [each for each in entries if matches(each if isinstance(each, Mapping) else {"value": each}, chosen)]
    if operation.op == "remove":
        if not place.sub:
            entries = [each for each in entries if not any(each is other for other in found)]
        for each in found if place.sub else ():
            each.pop(place.sub, None)
    else:
        if not found:
            made = _described(chosen, attribute)
            entries.append(made)
            found = [made]
        for each in found:
            _write_entry(each, place, operation.value, entries)
    kept = checked([each for each in entries if each], attribute, place.name)
    if kept is None:
        base.pop(place.name, None)
    else:
        base[place.name] = kept


def _write_entry(entry: Any, place: Place, value: Any, entries: list[Any]) -> None:
    attribute = place.attribute
    if attribute is None or not isinstance(entry, dict):
        raise invalid_path(f"{place.name} has plain values, which have no parts.")
    if place.sub:
        value = {place.sub: value}
    if not isinstance(value, Mapping):
        raise invalid_value(f"An entry of {place.name} is an object.")
    for key, each in value.items():
        sub = attribute.subs.get(key.lower())
        name = sub.name if sub else key
        kept = checked(each, sub, f"{place.name}.{name}")
        entry.pop(name, None)
        if kept is not None:
            entry[name] = kept
    if _primary(entry):
        only_one_primary(entries, entry)


def _described(chosen: Filter, attribute: Attribute) -> dict[str, Any]:
    """The entry that a filter of `eq` and `and` describes, as Microsoft Entra expects it to be made."""
    parts = chosen.parts if isinstance(chosen, Join) and chosen.op == "and" else (chosen,)
    made: dict[str, Any] = {}
    for each in parts:
        if not isinstance(each, Compare) or each.op != "eq" or each.place.sub or each.value is None:
            raise ScimError(400, "noTarget", f"No entry of {attribute.name} is meant by this filter.")
        sub = attribute.subs.get(each.place.name.lower())
        made[each.place.name] = checked(each.value, sub, f"{attribute.name}.{each.place.name}")
    return made


def _entry(value: Any, attribute: Attribute | None) -> Any:
    return (
        {"value": value} if attribute is not None and attribute.type == "complex" and isinstance(value, str) else value
    )


def _same(entry: Any, other: Any) -> bool:
    """Whether a removal that names `other` means the entry: all that it says is so."""
    if isinstance(entry, Mapping) and isinstance(other, Mapping):
        return bool(other) and all(get(entry, key) == value for key, value in other.items() if key.lower() != "$ref")
    return bool(entry == other)


def _primary(entry: Any) -> bool:
    return isinstance(entry, Mapping) and entry.get("primary") is True
