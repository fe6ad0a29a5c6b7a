"""What became of each recording, by the checks that are entries: three columns of the report of sessions.

All entries of `FOUND` are disclosed, so nothing that a check found is hidden; that a newer check is, is said.
"""

from __future__ import annotations

import bisect
from typing import Any, Dict, List, Set

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import MAX_INTEGER, canonical, iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import Refused, counted
from onepam.evidence.verifier.report import ByKind, Report, Row
from onepam.evidence.verifier.rules import BAD, BAD_FOUND, CHECKED, CLOSED, FOUND, OPENED, RECORDING
from onepam.kernel.instant import HOUR

PARTIAL = "partial by policy"
OVERDUE = HOUR  # after its latest end a session is closed, by whoever can
SOUND = ("whole", "gap", "none")
WORDS_OF_BAD = ("missing", "cut", "altered", "foreign", "unopened")


class Recordings:
    """Holds the three columns against the entries that each row rests on, and makes the line *recordings*."""

    def __init__(self, pack: Contents, report: Report) -> None:
        self._pack, self._report = pack, report
        self._counts: Dict[str, int] = {}
        self._total = self._checked = self._as_of = self._endless = 0
        self._told: Set[str] = set()
        self._earliest = MAX_INTEGER  # of the closing entries

    def check(self, row: Row, of: ByKind) -> None:
        """One row, and what it rests on."""
        expected = ["", "", ""]
        closed = of.get(CLOSED, [])[-1:]
        if closed:
            check = of.get(CHECKED, [])
            found = sorted(index for kind in FOUND for index in of.get(kind, ()))[-1:]
            at = max(map(self._pack.log.time, check + found), default=0)
            body = self._pack.disclosed.body(closed[0])
            expected = [self._condition(body, found, check), iso(at) if at else "", _partial(body)]
            self._total, self._checked, self._as_of = self._total + 1, self._checked + bool(at), max(self._as_of, at)
            self._earliest = min(self._earliest, closed[0])
            bad = _bad_word(self._pack, found[0]) if found else ""
            self._told.update({canonical(body.get("session"))} if bad else ())
            for word in (bad, expected[2]):
                self._counts[word] = self._counts.get(word, 0) + 1
        elif OPENED[0] in of and "session.failed" not in of:
            ends = self._pack.disclosed.body(of[OPENED[0]][0]).get("ends")
            self._endless += type(ends) is int and ends + OVERDUE < self._pack.log.times[-1]
        for column, text in zip(RECORDING, expected):
            if row.cells[self._report.columns[column]] != text:
                raise Refused(f"{row.where}: {column} is not what the checks say, which is {text!r}")

    def _condition(self, closed: Any, found: List[int], check: List[int]) -> str:
        """What the newest finding says; without one, what a check finds that finds nothing wrong."""
        if found:
            return str(self._pack.disclosed.body(found[0]).get("condition"))
        if not check:
            return "not checked"
        if not closed.get("chunks"):
            return "none"
        return "whole" if closed.get("gap") is None and closed.get("verified") is True else "gap"

    def finish(self, answer: Answer) -> None:
        """After the last row."""
        counts = self._counts
        answer.bad, answer.told = len(self._told), self._told
        answer.recordings = f"{self._checked} of {self._total} checked"
        answer.recordings += f", as of {iso(self._as_of)}" if self._as_of else ""
        answer.recordings += "".join(
            f"; {counts[word]} {word}" for word in (*WORDS_OF_BAD, PARTIAL) if counts.get(word)
        )
        if self._endless:
            overdue = counted(self._endless, "session has", "sessions have")
            answer.lack(
                f"{overdue} no end in the log, though the latest one has passed: of the recording nothing is told"
            )
        checks = self._pack.log.all_of((CHECKED,), 0, MAX_INTEGER + 1)
        hidden = sum(index > self._earliest and index not in self._pack.disclosed for index in checks)
        if hidden:
            checks_are = f"{counted(hidden, 'check')} of recordings {'is' if hidden == 1 else 'are'}"
            answer.lack(f"{checks_are} not disclosed: recording_checked may be older than it says, or be there")
        answer.not_proved.append("that a recording is today what its last check found: a pack holds no recordings")


def find_untold(pack: Contents, answer: Answer) -> None:
    """Recordings that are bad by the newest finding of the range, whenever their session was, and that no row tells;
    and findings that are not disclosed."""
    newest: Dict[str, str] = {}
    hidden = 0
    for index in pack.log.all_of(FOUND, 0, MAX_INTEGER + 1):
        if index in pack.disclosed:
            newest[canonical(pack.disclosed.body(index).get("session"))] = _bad_word(pack, index)
        else:
            hidden += 1
    bad = [word for session, word in newest.items() if word and session not in answer.told]
    if bad:
        told = ", ".join(f"{bad.count(word)} {word}" for word in WORDS_OF_BAD if word in bad)
        answer.lack(f"The log knows recordings that are not as they were sealed, and no row tells them: {told}")
        answer.recordings += f"; told by no row: {told}"
        answer.bad += len(bad)
    if hidden:
        answer.lack(f"The pack withholds {counted(hidden, 'finding', 'findings')} about recordings")


def _bad_word(pack: Contents, index: int) -> str:
    """What a finding says is wrong; empty where it says that nothing is."""
    condition = pack.disclosed.body(index).get("condition")
    sound = pack.log.kind(index) != BAD_FOUND and condition in SOUND
    return "" if sound else BAD.get(str(condition), "unopened")


def newest_checks(pack: Contents, closings: List[int]) -> Dict[int, int]:
    """The newest disclosed check of each closing entry: the range of a check is [begin, until) of its body."""
    found: Dict[int, int] = {}
    for index in sorted((i for i in pack.disclosed if pack.log.kind(i) == CHECKED), reverse=True):
        body = pack.disclosed.body(index)
        begin, until = body.get("begin"), body.get("until")
        if type(begin) is not int or type(until) is not int:
            raise Refused(f"entry {index} ({CHECKED}): names no range")
        low, high = bisect.bisect_left(closings, begin), bisect.bisect_left(closings, min(until, index))
        found.update((closing, index) for closing in closings[low:high])
        del closings[low:high]
    return found


def _partial(closed: Any) -> str:
    counts = closed.get("counts")
    omitted = counts.get("omitted_bytes") if type(counts) is dict else None
    return PARTIAL if type(omitted) is int and omitted > 0 else ""
