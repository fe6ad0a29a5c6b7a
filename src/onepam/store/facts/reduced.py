"""Facts of what was kept until a day: what is due by now, and how many a review has."""

from collections.abc import Iterable

from onepam.app.ports import Snapshot
from onepam.app.reviews.close_review import ReducedQuery
from onepam.domain.access.model import ConsoleRight
from onepam.domain.reviews.closing import MOST_AT_ONCE, ReducedFacts
from onepam.domain.reviews.events import Withheld
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import who_can_decide
from onepam.store.facts.holdings import bound_roles

_BINDING = "SELECT valid_from, valid_until FROM binding WHERE binding = :binding AND valid_from <= :at"
_MEMBER = "SELECT valid_from, valid_until FROM group_member WHERE person = :person AND grp = :grp AND valid_from <= :at"


@loads(ReducedQuery)
def reduced(db: Snapshot, query: ReducedQuery, at: Instant) -> ReducedFacts:
    due = reduced_due(db, at)
    held = (each for person, _, _ in due for each in bound_roles(db, person, at))
    administer = frozenset(each.role for each in held if ConsoleRight.ADMINISTER in each.console)
    return ReducedFacts(due, administer, who_can_decide(db, at))


def reduced_due(db: Snapshot, at: Instant, ago: int = 0) -> tuple[tuple[str, str, str], ...]:
    """Person, role and review of what was kept until a day that is over, `ago` microseconds ago at least, and is given
    since without a break."""
    found = rows(
        db,
        "SELECT d.person, d.role, d.review, d.reduced FROM role_reduced d WHERE d.until <= :before "
        "AND d.valid_from <= :at AND :at < d.valid_until AND NOT EXISTS (SELECT 1 FROM role_withheld w "
        "WHERE w.person = d.person AND w.role = d.role AND w.valid_from <= :at AND :at < w.valid_until) "
        f"ORDER BY d.until, d.person, d.role LIMIT {MOST_AT_ONCE}",
        {"at": at, "before": at - ago},
    )
    return tuple((who, role, review) for who, role, review, since in found if _given_since(db, who, role, since, at))


def reduced_of(db: Snapshot, at: Instant, review: str) -> int:
    """How many items of a review are kept until a day, or were."""
    of = {"review": review, "at": at}
    waits = row(db, f"SELECT count(*) FROM role_reduced WHERE review = :review AND {AT}", of)
    over = row(
        db,
        f"SELECT count(*) FROM role_withheld WHERE review = :review AND because = '{Withheld.REDUCED}' AND {AT}",
        of,
    )
    return sum(each[0] for each in (waits, over) if each is not None)


def _given_since(db: Snapshot, person: str, role: str, since: Instant, at: Instant) -> bool:
    """Whether what gives the role now did so already, and ever since: what somebody gave anew is no part of it."""
    for each in bound_roles(db, person, at):
        of = {"binding": each.binding, "person": person, "grp": each.group, "at": at}
        spells = [rows(db, _BINDING, of), *([rows(db, _MEMBER, of)] if each.group else [])]
        if each.role == role and all(_unbroken(those, since) for those in spells):
            return True
    return False


def _unbroken(spells: Iterable[Row], since: Instant) -> bool:
    """Whether these follow each other without a break, back to that time."""
    reached: int | None = None
    for begun, ended in sorted(((each["valid_from"], each["valid_until"]) for each in spells), reverse=True):
        if reached is not None and ended < reached:
            return False
        reached = begun if reached is None else min(reached, begun)
        if reached <= since:
            return True
    return False
