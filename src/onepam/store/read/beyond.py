"""What a review's items of other systems are, in words, and whether what was removed of them is gone by now."""

from onepam.app.ports import Snapshot
from onepam.domain.reviews.events import Verdict
from onepam.domain.reviews.population import SYSTEM, Item, is_beyond
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.reviews import items_of

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


def still(db: Snapshot, at: Instant, item: Item) -> bool:
    """Whether an account of it is on the list of its system, or its person in one of the groups."""
    of = {"person": item.person, "source": item.role, "at": at}
    accounts = {way.binding for way in item.ways if way.binding}
    listed = f"SELECT 1 FROM listed_account WHERE account = :account AND {AT}"
    member = f"SELECT 1 FROM group_member WHERE person = :person AND source = :source AND grp = :grp AND {AT}"
    return any(row(db, listed, {"account": each, "at": at}) is not None for each in accounts) or any(
        row(db, member, {**of, "grp": way.group}) is not None for way in item.ways if not way.binding
    )


def not_remediated(db: Snapshot, at: Instant, found: Row) -> int:
    """Items of other systems that a review removed and that are there still."""
    decided = rows(
        db,
        f"SELECT person, role FROM review_decision WHERE review = :review AND verdict = '{Verdict.REMOVE}' AND {AT}",
        {"review": found["review"], "at": at},
    )
    removed = {(each["person"], each["role"]) for each in decided if is_beyond(each["role"])}
    if not removed:
        return 0
    return sum(still(db, at, each) for each in items_of(db, found) if (each.person, each.role) in removed)
