"""What became of each recording, by the checks that are entries: three columns of the report of sessions.

A newer check than those disclosed may exist, but nothing that it found: all entries of `FOUND` are disclosed.
"""

from __future__ import annotations

import bisect
from typing import Any, Dict, List, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import need
from onepam.evidence.verifier.report import Report
from onepam.evidence.verifier.rules import BAD, CHECKED, CLOSED, FOUND

RECORDING = ("recording_condition", "recording_checked", "recording_partial")


def check_recordings(pack: Contents, report: Report, answer: Answer) -> Tuple[str, ...]:
    """Holds the three columns against the entries, and makes the line *recordings*. Returns the columns."""
    kind, bodies, counts = pack.log.kind, pack.disclosed.bodies, {}  # type: Any, Dict[int, Any], Dict[str, int]
    of = [[i for i in row["ledger"] if kind(i) == CLOSED][-1:] for row in report.rows]
    newest, total, checked, as_of = newest_checks(pack, sorted(i for each in of for i in each)), 0, 0, 0
    for number, (row, closed) in enumerate(zip(report.rows, of), 1):
        where, expected = f"{report.what} row {number}", ["", "", ""]
        due = [newest[closed[0]]] if closed and closed[0] in newest else []
        cited = [i for i in row["ledger"] if kind(i) == CHECKED]
        need(cited == due, f"{where}: must rest on the check {due}, and rests on {cited}")
        if closed:
            found = [i for i in row["ledger"] if kind(i) in FOUND][-1:]
            at = max(map(pack.log.time, due + found), default=0)
            expected = [_condition(bodies, bodies[closed[0]], found, due), iso(at) if at else "", ""]
            said = bodies[closed[0]].get("counts")
            omitted = said.get("omitted_bytes") if type(said) is dict else None
            if type(omitted) is int and omitted > 0:
                expected[2] = "partial by policy"
            total, checked, as_of = total + 1, checked + bool(at), max(as_of, at)
            for word in (BAD.get(expected[0], ""), expected[2]):
                counts[word] = counts.get(word, 0) + 1
        for column, text in zip(RECORDING, expected):
            same = row["cells"][report.at(column)] == text
            need(same, f"{where}: {column} is not what the checks say, which is {text!r}")
    answer.bad = sum(counts.get(word, 0) for word in set(BAD.values()))
    answer.recordings = f"{checked} of {total} checked" + (f", as of {iso(as_of)}" if as_of else "")
    for word in ("missing", "cut", "altered", "foreign", "unopened", "partial by policy"):
        answer.recordings += f"; {counts[word]} {word}" if counts.get(word) else ""
    answer.proved.append(
        f"report sessions, columns {', '.join(RECORDING)}: what follows from {', '.join((CLOSED, CHECKED, *FOUND))}"
    )
    answer.not_proved.append("that a recording is today what its last check found: a pack holds no recordings")
    return RECORDING


def newest_checks(pack: Contents, closings: List[int]) -> Dict[int, int]:
    """The newest disclosed check of each closing entry: the range of a check is [begin, until) of its body."""
    found: Dict[int, int] = {}
    bodies = pack.disclosed.bodies
    for index in sorted((i for i in bodies if pack.log.kind(i) == CHECKED), reverse=True):
        begin, until = (bodies[index].get(end) for end in ("begin", "until"))
        need(type(begin) is int and type(until) is int, f"entry {index} ({CHECKED}): names no range")
        low, high = bisect.bisect_left(closings, begin), bisect.bisect_left(closings, min(until, index))
        found.update((closing, index) for closing in closings[low:high])
        del closings[low:high]
    return found


def _condition(bodies: Dict[int, Any], closed: Any, found: List[int], check: List[int]) -> str:
    """What the newest finding says; without one, what a check finds that finds nothing wrong."""
    if found:
        return str(bodies[found[0]].get("condition"))
    if not check:
        return "not checked"
    if not closed.get("chunks"):
        return "none"
    return "whole" if closed.get("gap") is None and closed.get("verified") is True else "gap"
