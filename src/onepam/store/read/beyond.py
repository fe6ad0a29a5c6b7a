"""What a review's items of other systems are, in words."""

from onepam.app.ports import Snapshot
from onepam.domain.reviews.population import SYSTEM, Item
from onepam.kernel.clock import Instant
from onepam.store.db import row

_NEWEST = "SELECT * FROM listed_account WHERE account = :account AND valid_from <= :at ORDER BY valid_from DESC LIMIT 1"


def purpose(role: str) -> str:
    """What is held there."""
    if role.startswith(SYSTEM):
        return f"accounts in {role.removeprefix(SYSTEM)}, another system"
    return f"groups of the directory {role.partition(':')[2]} to which no role is bound"


def words(db: Snapshot, at: Instant, item: Item) -> tuple[str, ...]:
    """Each account with its rights, and each group, as of the opening of the review."""
    found: dict[str, list[str]] = {}
    for way in item.ways:
        found.setdefault(way.binding, []).append(way.group)
    said = []
    for account, rights in found.items():
        known = row(db, _NEWEST, {"account": account, "at": at}) if account else None
        named = (known["name"] or account) if known is not None else ""
        owns = ", as who owns it" if known is not None and known["service"] else ""
        said.append(f"{named}: {', '.join(rights)}{owns}" if account else f"member of {', '.join(rights)}")
    return tuple(said)


def used(db: Snapshot, at: Instant, item: Item) -> Instant | None:
    """When an account of it was last used, as the lists by `at` say."""
    found = (row(db, _NEWEST, {"account": way.binding, "at": at}) for way in item.ways if way.binding)
    return max((each["used"] for each in found if each is not None and each["used"] is not None), default=None)
