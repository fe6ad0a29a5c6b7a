"""Lists: filter, sorting, pages, and what is left out (RFC 7644, section 3.4.2)."""

from dataclasses import replace
from typing import Any

from onepam.app.ports import Snapshot
from onepam.kernel.clock import Instant
from onepam.scim import groups, users
from onepam.scim.document import projected
from onepam.scim.errors import ScimError, invalid_value
from onepam.scim.filter import Compare, Filter, matches, parse_filter, place_of, values_at
from onepam.scim.request import Answer, Call
from onepam.scim.schema import MOST_PAGE, USUAL_PAGE, Schema, group_schema, user_schema
from onepam.scim.services import ScimServices
from onepam.store.read import provisioning as read

MESSAGE = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MAX_START = 1_000_000
SCANNED = 1_000
"""Resources that are read at a time where a filter has no index."""


async def searched(services: ScimServices, call: Call, kind: str) -> Answer:
    """POST `/.search`: the same as a list, with the parameters in the body. Raises `ScimError`."""
    query: dict[str, str] = {}
    for key, value in call.json().items():
        if key.lower() in ("attributes", "excludedattributes") and isinstance(value, list):
            value = ",".join(str(each) for each in value)
        if key.lower() != "schemas" and value is not None:
            query[key.lower()] = str(value)
    return await listed(services, replace(call, query=query), kind)


async def listed(services: ScimServices, call: Call, kind: str) -> Answer:
    """`/Users` or `/Groups`. Raises `ScimError`."""
    schema = user_schema() if kind == "Users" else group_schema()
    start = min(max(call.number("startIndex", 1), 1), MAX_START)
    count = min(max(call.number("count", USUAL_PAGE), 0), MOST_PAGE)
    text = call.query.get("filter")
    condition = parse_filter(text, schema) if text is not None else None
    wanted, unwanted = call.names("attributes"), call.names("excludedAttributes")
    projected({"schemas": [], "id": ""}, schema, wanted, unwanted)  # a path that is none is refused before the work
    sort = call.query.get("sortby")
    members = kind == "Groups" and needs_members(schema, condition, wanted, unwanted)
    equal = _indexed(condition, read.USER_COLUMNS if kind == "Users" else read.GROUP_COLUMNS)

    def page(db: Snapshot, at: Instant) -> tuple[int, list[dict[str, Any]]]:
        if (condition is None or equal is not None) and sort is None:
            return _direct(services, db, at, call, kind, equal, start - 1, count, members)
        found = [
            each
            for each in _all(services, db, at, call, kind, members)
            if condition is None or matches(each, condition)
        ]
        if sort is not None:
            _sort(found, schema, sort, call.query.get("sortorder", "ascending"))
        return len(found), found[start - 1 : start - 1 + count]

    total, found = await services.reader(page)
    resources = [projected(each, schema, wanted, unwanted) for each in found]
    body = {
        "schemas": [MESSAGE],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }
    return Answer(200, body)


def needs_members(schema: Schema, condition: Filter | None, wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> bool:
    """Whether the members of groups have to be read at all."""
    if condition is not None and _indexed(condition, read.GROUP_COLUMNS) is None:
        return True
    if wanted:
        return any(place_of(each, schema).name == "members" for each in wanted)
    return not any((place := place_of(each, schema)).name == "members" and not place.sub for each in unwanted)


def _indexed(condition: Filter | None, columns: dict[str, str]) -> tuple[str, str] | None:
    """The attribute and value of a filter that an index answers."""
    if not isinstance(condition, Compare) or condition.op != "eq" or not isinstance(condition.value, str):
        return None
    place = condition.place
    name = place.name.lower()
    return (name, condition.value) if not place.urn and not place.sub and name in columns and condition.value else None


def _direct(
    services: ScimServices,
    db: Snapshot,
    at: Instant,
    call: Call,
    kind: str,
    equal: tuple[str, str] | None,
    start: int,
    count: int,
    members: bool,
) -> tuple[int, list[dict[str, Any]]]:
    if kind == "Users":
        total, people = read.users(db, at, call.token.provider, equal, start, count)
        return total, [users.shown(services, each) for each in people]
    total, teams = read.groups(db, at, call.token.provider, equal, start, count, members=members)
    return total, [groups.shown(services, each) for each in teams]


def _all(
    services: ScimServices, db: Snapshot, at: Instant, call: Call, kind: str, members: bool
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        total, some = _direct(services, db, at, call, kind, None, len(found), SCANNED, members)
        if total > read.MOST_SCANNED:
            raise ScimError(400, "tooMany", "There are too many resources to look through; filter by userName.")
        found += some
        if not some or len(found) >= total:
            return found


def _sort(found: list[dict[str, Any]], schema: Schema, sort: str, order: str) -> None:
    place = place_of(sort, schema)
    if order.lower() not in ("ascending", "descending"):
        raise invalid_value("sortOrder is ascending or descending.")
    definition = place.definition

    def key(each: dict[str, Any]) -> tuple[bool, str]:
        values = values_at(each, place)
        first = next(
            (v for v in values if isinstance(v, dict) and v.get("primary") is True), values[0] if values else None
        )
        if isinstance(first, dict):
            first = first.get("value")
        text = "" if first is None else str(first)
        return first is None, text if definition is not None and definition.case_exact else text.casefold()

    found.sort(key=key, reverse=order.lower() == "descending")
