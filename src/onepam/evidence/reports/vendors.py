"""Vendors (control VND-01): who answers for them, their contract's end, and when their access ends at the latest."""

from onepam.domain.people.events import PersonKind
from onepam.evidence.envelope import AsOf
from onepam.evidence.report import Column, Report, Row, Said
from onepam.evidence.reports.scope import NAMES, Drawn, Scope, ordered
from onepam.evidence.reports.staff import (
    ACCOUNTS,
    LISTED,
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
from onepam.kernel.clock import DAY

NAME = "vendors"
AHEAD = 90 * DAY
"""How far ahead the end of a vendor's access may lie at any time; who stays longer is confirmed again."""

COLUMNS = (
    *PERSON_COLUMNS,
    Column("sponsor"),
    Column("access_ends"),
    Column("contract_ends", [Said(LISTED, "body.contract_ends:time")]),
    *ROSTER_COLUMNS,
    Column("finding"),
    Column("result"),
)


def draw(scope: Scope) -> Drawn:
    """Enabled accounts of vendors as of the scope's instant."""
    staff = Staff(scope)
    rows = [_vendor(scope, staff, each) for each in staff.accounts if each.kind is PersonKind.VENDOR]
    report = Report(NAME, "Vendors: sponsor, contract, and the end of access", 1, COLUMNS, rows)
    query = f"{ACCOUNTS};\n{TOLD};\n{STAFF};\n{VERSION};\n{NAMES}"
    return Drawn(report, AsOf(scope.as_of), query, parameters(scope), rests=staff.rests)


def _vendor(scope: Scope, staff: Staff, each: Account) -> Row:
    words = {"sponsor": each.owner or "", "access_ends": when(each.ends), **staff.result(_findings(staff, each))}
    return scope.entries.row(COLUMNS, ordered(each.head, each.follows, staff.cited(each)), **words)


def _findings(staff: Staff, each: Account) -> list[str]:
    found = []
    if len(each.listed) != 1:
        found.append("on the roster more than once" if each.listed else "on no roster, or has left it")
    if each.owner is None:
        found.append("no sponsor")
    elif not staff.works_here(each.owner):
        found.append("the sponsor is not on the roster")
    contract = [entry.contract_ends for entry in each.listed if entry.contract_ends is not None]
    if not contract:
        found.append("no contract end")
    if each.ends is None:
        found.append("access without an end")
    elif contract and each.ends > min(contract):
        found.append("access outlasts the contract")
    elif each.ends > staff.at + AHEAD:
        found.append("access ends more than 90 days ahead")
    return found
