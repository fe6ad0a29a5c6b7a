"""What a review's items of other systems are, in words."""

import json
from collections.abc import Iterable, Mapping

from onepam.app.ports import Snapshot
from onepam.domain.reviews.population import SYSTEM, Item, is_beyond
from onepam.kernel.clock import Instant
from onepam.store.db import Row, rows

_UNTIL_NOW = (
    "SELECT * FROM listed_account WHERE account IN (SELECT value FROM json_each(:accounts)) AND valid_from <= :at "
    "ORDER BY valid_from"
)


def purpose(role: str) -> str:
    """What is held there."""
    if role.startswith(SYSTEM):
        return f"accounts in {role.removeprefix(SYSTEM)}, another system"
    return f"groups of the directory {role.partition(':')[2]} to which no role is bound"


def accounts(db: Snapshot, at: Instant, items: Iterable[Item]) -> Mapping[str, Row]:
    """The accounts of those of the items that are of other systems, as the lists by `at` say last."""
    named = sorted({way.binding for each in items if is_beyond(each.role) for way in each.ways if way.binding})
    found = rows(db, _UNTIL_NOW, {"accounts": json.dumps(named), "at": at}) if named else ()
    return {each["account"]: each for each in found}


def words(known: Mapping[str, Row], item: Item) -> tuple[str, ...]:
    """Each account with its rights, and each group, as of the opening of the review; `known` by `accounts`."""
    found: dict[str, list[str]] = {}
    for way in item.ways:
        found.setdefault(way.binding, []).append(way.group)
    said = []
    for account, rights in found.items():
        it = known.get(account)
        named = (it["name"] or account) if it is not None else ""
        owns = ", as who owns it" if it is not None and it["service"] else ""
        said.append(f"{named}: {', '.join(rights)}{owns}" if account else f"member of {', '.join(rights)}")
    return tuple(said)


def used(known: Mapping[str, Row], item: Item) -> Instant | None:
    """When an account of it was last used, as the lists say; `known` by `accounts`."""
    found = (known[way.binding] for way in item.ways if way.binding in known)
    return max((each["used"] for each in found if each["used"] is not None), default=None)
