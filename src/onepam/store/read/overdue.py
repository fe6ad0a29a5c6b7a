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
        ("request", "person", " AND x.status = 'open'"),
        ("mfa_exception", "person", " AND x.ends > :at"),
    )
)
_WAITS = f"SELECT 1 FROM person_hold h WHERE h.person = p.person AND h.reason = '{HoldReason.MANY}' AND h.{_NOW}"
_DUE = f"""
SELECT p.person FROM person p WHERE p.{_NOW} AND p.enabled = 1 AND p.ends <= :at AND NOT EXISTS ({_WAITS})
UNION
SELECT p.person FROM leaver l JOIN person p ON p.owner = l.person AND p.kind = 'vendor'
WHERE l.{_NOW} AND l.removed <= :grace AND p.{_NOW} AND p.enabled = 1
AND NOT EXISTS ({_WAITS})
UNION
SELECT p.person FROM leaver l JOIN person p ON p.person = l.person AND p.{_NOW} AND p.enabled = 0
WHERE l.{_NOW} AND ({_LEFT_OVER})
ORDER BY 1 LIMIT :most"""


def overdue_people(db: Snapshot, at: Instant, most: int = MOST) -> tuple[str, ...]:
    """People past their last day, vendors whose sponsor has been gone for too long, and leavers who still hold
    something; nobody who waits under a hold of many. Looks at what is so now."""
    found = rows(db, _DUE, {"at": at, "grace": at - SPONSOR_GRACE, "most": most})
    return tuple(each["person"] for each in found)
