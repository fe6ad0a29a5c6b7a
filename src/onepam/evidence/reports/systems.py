"""Accounts of other systems (controls IDN-01, OFF-03): each that was on the list in force at one instant, who stands
behind it, and what is found of it."""

import json
from collections.abc import Mapping
from typing import Any

from onepam.evidence.envelope import AsOf
from onepam.evidence.report import Column, Report, Said
from onepam.evidence.reports.scope import MAX_ROWS, NAMED, NAMES, Drawn, Scope, TooLarge, ordered
from onepam.evidence.reports.staff import parameters, when
from onepam.kernel.clock import DAY

NAME = "systems"

QUERY = """\
SELECT a.system, a.account, a.rights, a.person, a.service, a.because, a.used, s.owner, s.days, s.list, a.since,
       s.taken,
       CASE WHEN p.enabled = 0 THEN coalesce(g.left_at, g.removed) WHEN p.ends <= :at THEN p.ends END AS gone
FROM ev_listed_v1 a
JOIN ev_systems_v1 s ON s.system = a.system AND s.valid_from <= :at AND :at < s.valid_until
LEFT JOIN ev_accounts_v1 p ON p.person = a.person AND p.valid_from <= :at AND :at < p.valid_until
LEFT JOIN ev_gone_v1 g ON g.person = a.person AND g.valid_from <= :at AND :at < g.valid_until
WHERE a.valid_from <= :at AND :at < a.valid_until ORDER BY a.system, a.account"""
TOLD = "SELECT entry, kind, account, list FROM ev_listings_v1 WHERE time <= :at AND entry < :end ORDER BY entry"

LISTED, LINKED, TAKEN = "listed_account.set", "listed_account.linked", "account_list.taken"

COLUMNS = (
    Column("system"),
    Column("account"),
    Column("rights"),
    Column("person"),
    Column("service"),
    Column("known"),
    Column("last_used"),
    Column("finding"),
    Column("since"),
    Column("due"),
    Column("answers"),
    Column("name", [Said(LISTED, "payload.name")]),
    Column("listed", [Said(LISTED, "header.time")]),
    Column("linked", [Said(LINKED, "header.time")]),
    Column("person_name", [Said(kind, "payload.name") for kind in NAMED]),
    Column("list_made", [Said(TAKEN, "body.made:time")]),
    Column("list_digest", [Said(TAKEN, "body.digest")]),
    Column("brought_by", [Said(TAKEN, "body.by")]),
)


def draw(scope: Scope) -> Drawn:
    """Raises `TooLarge`."""
    told = dict[tuple[str, str], int]()
    for entry, kind, account, name in scope.history.query(TOLD, parameters(scope)):
        told[kind, name if kind == TAKEN else account] = entry
    last, rows = scope.history.size_at(scope.as_of) - 1, []
    for found in scope.history.query(QUERY, parameters(scope)):
        system, account, rights, person, service, because, used, owner, days, name, since, taken, gone = found
        words = {
            "system": system,
            "account": account,
            "rights": ", ".join(json.loads(rights)),
            "person": person or "",
            "service": "yes" if service else "",
            "known": because,
            "last_used": when(used),
            "answers": owner,
            **_finding(person, since, taken, gone, days),
        }
        others = [told[key] for key in ((LINKED, account), (TAKEN, name)) if key in told]
        cited = ordered(told[LISTED, account], (), [*others, *scope.named(person, last)])
        rows.append(scope.entries.row(COLUMNS, cited, **words))
        if len(rows) > MAX_ROWS:
            raise TooLarge(NAME)
    report = Report(NAME, "Accounts of other systems: who stands behind each, and what is found", 1, COLUMNS, rows)
    return Drawn(report, AsOf(scope.as_of), f"{QUERY};\n{TOLD};\n{NAMES}", parameters(scope))


def _finding(person: str | None, since: Any, taken: Any, gone: Any, days: int) -> Mapping[str, str]:
    """What is found of an account, since when, and until when it is to be mended."""
    if person is not None and gone is None:
        return {"finding": "", "since": "", "due": ""}
    begun = since if person is None else max(since, gone)
    found = "nobody" if person is None else "still_there" if taken > begun else "left"
    return {"finding": found, "since": when(begun), "due": when(begun + days * DAY)}
