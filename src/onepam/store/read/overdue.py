"""Whose time is over, and who has left with something left over: for the sweep, which asks again in its command."""

from onepam.app.ports import Snapshot
from onepam.domain.leaving.brake import HoldReason
from onepam.domain.leaving.leaving import SPONSOR_GRACE
from onepam.kernel.clock import FOREVER, Instant
from onepam.store.db import rows

MOST = 50

_NOW = f"valid_until = {FOREVER}"
_LEFT_OVER = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} x WHERE x.{whose} = p.person AND x.valid_until = {FOREVER}{which})"
    for table, whose, which in (
        ("sign_in", "person", ""),
        ("factor", "person", ""),
        ("access_grant", "person", ""),
        ("enrolment", "person", ""),
        ("group_member", "person", ""),
        ("binding", "subject", " AND x.subject_kind = 'person'"),
        ("request", "person", " AND coalesce(x.status, '') = 'open'"),
        ("mfa_exception", "person", " AND x.ends > :at"),
    )
)
_WAITS = f"SELECT 1 FROM person_hold h WHERE h.person = p.person AND h.reason = '{HoldReason.MANY}' AND h.{_NOW}"
_PAST_THEIR_DAY = f"""
SELECT p.person FROM person p
WHERE coalesce(p.ends, {FOREVER}) <= :at AND p.{_NOW} AND p.enabled = 1 AND NOT EXISTS ({_WAITS})
ORDER BY p.ends, p.person LIMIT :most"""
_WITHOUT_SPONSOR = f"""
SELECT p.person FROM leaver l CROSS JOIN person p
WHERE l.removed <= :grace AND l.{_NOW} AND p.owner = l.person AND p.kind = 'vendor' AND p.{_NOW} AND p.enabled = 1
AND NOT EXISTS ({_WAITS})
ORDER BY l.removed, p.person LIMIT :most"""
_GONE = f"""
SELECT p.person FROM leaver l CROSS JOIN person p
WHERE l.removed <= :at AND l.{_NOW} AND p.person = l.person AND p.{_NOW} AND p.enabled = 0 AND ({_LEFT_OVER})
ORDER BY l.removed, p.person LIMIT :most"""
"""From the leavers to people (SQLite keeps the order of a cross join), and to their requests by the person: of people
and of open requests there are many."""


def overdue_people(db: Snapshot, at: Instant, most: int = MOST) -> tuple[str, ...]:
    """People past their last day, vendors whose sponsor has been gone for too long, and leavers who still hold
    something; nobody who waits under a hold of many. Looks at what is so now, and at nobody else."""
    of = {"at": at, "grace": at - SPONSOR_GRACE, "most": most}
    found = {
        each["person"]
        for each in (*rows(db, _PAST_THEIR_DAY, of), *rows(db, _WITHOUT_SPONSOR, of), *rows(db, _GONE, of))
    }
    return tuple(sorted(found)[:most])
