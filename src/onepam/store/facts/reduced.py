"""Facts of what was kept until a day: what is due by now, and how many a review has."""

from collections.abc import Iterator
from itertools import islice

from onepam.app.ports import Snapshot
from onepam.app.reviews.close_review import ReducedQuery
from onepam.domain.access.model import ConsoleRight
from onepam.domain.reviews.closing import MOST_AT_ONCE, ReducedFacts
from onepam.domain.reviews.events import Withheld
from onepam.kernel.clock import FOREVER, SECOND, Instant
from onepam.store.db import row, rows
from onepam.store.engine.facts import loads
from onepam.store.engine.tables import AT
from onepam.store.facts.directory_brake import who_can_decide
from onepam.store.facts.holders import IN_FORCE, MEMBER
from onepam.store.facts.holdings import bound_roles

AT_ONCE = SECOND
"""What is taken and given within so short a time (microseconds) was given all along: one change or one message of a
directory moves somebody from one binding to another."""

_DUE = f"""
SELECT d.person, d.role, d.review, d.reduced FROM role_reduced d
WHERE d.until <= :over AND d.valid_from <= :at AND :at < d.valid_until AND NOT EXISTS (
    SELECT 1 FROM role_withheld w
    WHERE w.person = d.person AND w.role = d.role AND w.valid_from <= :at AND :at < w.valid_until)
AND (EXISTS (
    SELECT 1 FROM binding b WHERE b.subject = d.person AND b.subject_kind = 'person' AND b.role = d.role AND {IN_FORCE})
  OR EXISTS (
    SELECT 1 FROM group_member m JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group' AND {IN_FORCE}
    WHERE m.person = d.person AND b.role = d.role AND {MEMBER}))
ORDER BY d.until, d.person, d.role"""
"""What something gives still, or anew."""

_DIRECTLY = (
    "SELECT valid_from, valid_until, ends FROM binding WHERE subject = :person AND subject_kind = 'person' "
    "AND role = :role AND valid_from <= :at AND valid_until > :since"
)
_BY_GROUPS = """
SELECT b.valid_from, b.valid_until, b.ends, m.valid_from AS joined, m.valid_until AS parted
FROM group_member m JOIN binding b ON b.subject = m.grp AND b.subject_kind = 'group'
WHERE m.person = :person AND b.role = :role AND m.valid_from <= :at AND m.valid_until > :since
  AND b.valid_from <= :at AND b.valid_until > :since"""


@loads(ReducedQuery)
def reduced(db: Snapshot, query: ReducedQuery, at: Instant) -> ReducedFacts:
    due = reduced_due(db, at)
    held = (each for person, _, _ in due for each in bound_roles(db, person, at))
    administer = frozenset(each.role for each in held if ConsoleRight.ADMINISTER in each.console)
    return ReducedFacts(due, administer, who_can_decide(db, at))


def reduced_due(db: Snapshot, at: Instant, ago: int = 0) -> tuple[tuple[str, str, str], ...]:
    """Person, role and review of what was kept until a day that is over, `ago` microseconds ago at least, and is given
    since without a break."""
    found = rows(db, _DUE, {"at": at, "over": at - ago})
    due = ((who, role, review) for who, role, review, since in found if _given_since(db, who, role, since, at))
    return tuple(islice(due, MOST_AT_ONCE))


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
    """Whether something gave the role ever since, one binding after another: what somebody gave anew is no part of
    it."""
    reached: int = since
    for begun, ended in sorted(_spells(db, {"person": person, "role": role, "since": since, "at": at})):
        if begun > reached + AT_ONCE:
            return False
        reached = max(reached, ended)
    return reached > at


def _spells(db: Snapshot, of: dict[str, object]) -> Iterator[tuple[int, int]]:
    """From when until when each binding gave the role, by each membership."""
    for begun, ended, ends in rows(db, _DIRECTLY, of):
        yield begun, min(ended, FOREVER if ends is None else ends)
    for begun, ended, ends, joined, parted in rows(db, _BY_GROUPS, of):
        yield max(begun, joined), min(ended, parted, FOREVER if ends is None else ends)
