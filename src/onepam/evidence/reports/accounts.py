"""Accounts (control IDN-01): each that was enabled at one instant against the staff roster, and the other way round.

An account of a person passes with exactly one living entry of the roster, a service's with an owner who does. Without a
roster of the last 24 hours nothing is tested, and that is said.
"""

from onepam.domain.people.events import PersonKind
from onepam.evidence.envelope import AsOf
from onepam.evidence.report import Column, Report, Row
from onepam.evidence.reports.scope import MAX_ROWS, NAMES, Drawn, Scope, TooLarge, ordered
from onepam.evidence.reports.staff import (
    ACCOUNTS,
    NOT_TESTED,
    PERSON_COLUMNS,
    ROSTER_COLUMNS,
    STAFF,
    TOLD,
    VERSION,
    Account,
    Staff,
    parameters,
    when,
)

NAME = "accounts"
SEEN = """\
SELECT person, max(opened) FROM (
  SELECT person, opened FROM ev_signins_v1 WHERE opened <= :at UNION ALL
  SELECT person, opened FROM ev_connections_v1 WHERE opened <= :at) AS seen
GROUP BY person"""
COLUMNS = (
    *PERSON_COLUMNS,
    Column("kind"),
    Column("owner"),
    Column("last_seen"),
    *ROSTER_COLUMNS,
    Column("finding"),
    Column("result"),
)
LISTED_ONLY = "listed"
"""The result of somebody on the roster without an account: to be read, not a fault."""


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    staff = Staff(scope)
    if len(staff.accounts) + len(staff.unclaimed) > MAX_ROWS:
        raise TooLarge(NAME)
    seen = dict(scope.history.query(SEEN, {"at": scope.as_of}))
    rows = [_account(scope, staff, each, when(seen.get(each.person))) for each in staff.accounts]
    none = {"kind": "", "owner": "", "last_seen": "", "finding": "on the roster, without an account"}
    for entry in staff.unclaimed:
        result = {"roster_age_hours": staff.age, "result": LISTED_ONLY if staff.fresh else NOT_TESTED}
        rows.append(scope.entries.row(COLUMNS, ordered(entry.told, (), staff.version()), **none, **result))
    report = Report(NAME, "Enabled accounts against the staff roster, both ways", 1, COLUMNS, rows)
    query = f"{ACCOUNTS};\n{TOLD};\n{STAFF};\n{VERSION};\n{SEEN};\n{NAMES}"
    return Drawn(report, AsOf(scope.as_of), query, parameters(scope), rests=staff.rests)


def _account(scope: Scope, staff: Staff, each: Account, seen: str) -> Row:
    words = {
        "kind": each.kind.value,
        "owner": each.owner or "",
        "last_seen": seen,
        **staff.result(_findings(staff, each)),
    }
    return scope.entries.row(COLUMNS, ordered(each.head, each.follows, staff.cited(each)), **words)


def _findings(staff: Staff, each: Account) -> list[str]:
    if each.kind is PersonKind.SERVICE:
        if each.owner is None:
            return ["a service without an owner"]
        return [] if staff.works_here(each.owner) else ["a service whose owner is not on the roster"]
    if not each.listed:
        return ["on no roster, or has left it"]
    return [] if len(each.listed) == 1 else ["on the roster more than once"]
