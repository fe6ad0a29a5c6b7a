"""Columns that follow from the entries of a row: who has not read a policy, and which sessions are drawn.

A session is drawn by its risks and a number that follows from the digest of its recording. The figures here are the
product's, said again.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Optional, Tuple

from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.naming import Names
from onepam.evidence.verifier.refusal import need
from onepam.evidence.verifier.report import ByKind, Report, Row
from onepam.evidence.verifier.rules import BAD_FOUND, CLOSED, OPENED, READ_IT, TOLD_IT
from onepam.kernel.instant import DAY, HOUR

DRAW_WITHIN = 7 * DAY
DRAW_PERCENT = {"any": 2, "privileged": 20, "approved": 5, "vendor": 25, "odd_hours": 10, "killed": 100, "gap": 100}
DRAW_NUMBERS = 1 << 32
DRAW_DAY = range(6, 20)  # hours, UTC
DRAW_COLUMNS = ("drawn", "drawn_because", "due")
KILL_ORDERED = "session.kill_ordered"


def check_watched(pack: Contents, names: Optional[Names], report: Report, row: Row, of: ByKind) -> None:
    """The columns of the reports `policies` and `inspections` that no entry says."""
    if report.name == "policies":
        _check_outstanding(pack, report, row, of)
    elif report.name == "inspections" and names is not None:
        _check_drawn(pack, names, report, row, of)


def _check_outstanding(pack: Contents, report: Report, row: Row, of: ByKind) -> None:
    """Who was told to read a policy and has not confirmed it, the first told first."""
    read = {pack.disclosed.value(index, "body.by") for index in of.get(READ_IT, ())}
    told = dict.fromkeys(pack.disclosed.value(index, "body.person") for index in of.get(TOLD_IT, ()))
    left = "; ".join(str(each) for each in told if each not in read)
    same = row.cells[report.columns["outstanding"]] == left
    need(same, f"{row.where}: outstanding is not what follows from the entries, {left!r}")


def _check_drawn(pack: Contents, names: Names, report: Report, row: Row, of: ByKind) -> None:
    """Whether the session was drawn, why, and until when it is to be inspected."""
    expected = _drawn_cells(pack, names, row, of)
    for column, text in zip(DRAW_COLUMNS, expected):
        same = row.cells[report.columns[column]] == text
        need(same, f"{row.where}: {column} is not what follows from the entries, {text!r}")


def _drawn_cells(pack: Contents, names: Names, row: Row, of: ByKind) -> Tuple[str, str, str]:
    closed = of.get(CLOSED, [])[-1:]
    if not closed:
        return "", "", ""
    bad = of.get(BAD_FOUND, [])[-1:]
    if bad:
        return "yes", "bad_recording", iso(pack.log.time(bad[0]) + DRAW_WITHIN)
    found = _drawn_risks(pack, names, of, closed[0])
    if found is None:
        return "", "", ""
    opened, ended = pack.disclosed.body(of[OPENED[0]][0]), pack.disclosed.body(closed[0])
    digest = hashlib.sha256(f"{opened.get('session')} {ended.get('head')}".encode()).digest()
    share = min(100, sum(DRAW_PERCENT[each] for each in found))
    if int.from_bytes(digest[:4], "big") * 100 >= share * DRAW_NUMBERS:
        return "no", "", ""
    return "yes", ", ".join(found), iso(pack.log.time(closed[0]) + DRAW_WITHIN)


def _drawn_risks(pack: Contents, names: Names, of: ByKind, closed: int) -> Optional[List[str]]:
    """What made the session one to look at; None where the range does not say what kind of person it was."""
    head = of[OPENED[0]][0]
    opened, ended = pack.disclosed.body(head), pack.disclosed.body(closed)
    person, because = opened.get("person"), opened.get("because")
    kind = names.kind_of(str(person), closed)
    if kind is None:
        return None
    orders = [index for index in of.get(KILL_ORDERED, ()) if index < closed][-1:]
    by = [pack.disclosed.body(index).get("by") for index in orders]
    at = pack.log.time(head)
    so: Dict[str, Any] = {
        "privileged": opened.get("privileged"),
        "approved": because.get("request") if type(because) is dict else None,
        "vendor": kind == "vendor",
        "odd_hours": (at // DAY + 3) % 7 >= 5 or at % DAY // HOUR not in DRAW_DAY,
        "killed": bool(by) and by[0] not in (None, person),
        "gap": ended.get("gap") is not None,
    }
    return ["any", *(risk for risk, holds in so.items() if holds)]
