"""Access: each way in that the entries give has its row, and no other; each person and each resource there was has one,
or is left out for a reason that a release gives. What does not follow is said before the verdict."""

from __future__ import annotations

from typing import Any, Dict, Optional, Set, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.due import Due
from onepam.evidence.verifier.refusal import counted
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.rules import ADDED, DISABLED, LEFT, LEFT_OUT, RETURNED
from onepam.evidence.verifier.ways import (
    OF_WAYS,
    RESOURCE_GONE,
    RESOURCE_SET,
    ROLE_WITHHELD,
    WAY,
    TooMany,
    WayIn,
    WaysIn,
)


class Access:
    """Who and what there was by the as-of, as far as the entries are disclosed, and who is not told of."""

    def __init__(self, pack: Contents, report: Report) -> None:
        self._pack, self._report = pack, report
        self._enabled: Dict[str, bool] = {}
        self._untold: Set[Tuple[str, str]] = set()
        until = pack.until if report.as_of is None else report.as_of + 1
        self._old = report.version == 1 and bool(pack.log.all_of((ROLE_WITHHELD,), 0, until))
        self._why, ways = "", WaysIn(report.version != 1)
        for index in pack.log.all_of(OF_WAYS, 0, until):
            if index not in pack.disclosed:
                self._why = f"entry {index} ({pack.log.kind(index)}) is not disclosed"
                continue
            kind, body = pack.log.kind(index), pack.disclosed.body(index)
            self._read(kind, body)
            if not self._why:
                self._take(ways, index, kind, body)
        self._count = len(self._untold)
        found = self._derive(ways, until - 1)
        self._due = Due(report, WAY, found, self._why, "way in", "ways in")

    def _take(self, ways: WaysIn, index: int, kind: str, body: Any) -> None:
        try:
            ways.take(kind, body)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._why = f"entry {index} does not read as {kind}"

    def _derive(self, ways: WaysIn, at: int) -> Optional[Dict[WayIn, int]]:
        if self._pack.log.first:
            self._why = f"the pack begins at entry {self._pack.log.first}"
        if self._why:
            return None
        try:
            return ways.at(at)
        except TooMany:
            self._why = "there are more ways in than a report has rows"
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            self._why = "what the entries say of roles and resources does not read"
        return None

    def _read(self, kind: str, body: Any) -> None:
        if kind in (RESOURCE_SET, RESOURCE_GONE):
            place = ("resource", str(body.get("resource")))
            (self._untold.add if kind == RESOURCE_SET else self._untold.discard)(place)
            return
        if kind not in (ADDED, LEFT, RETURNED):
            return
        person = str(body.get("person"))
        self._enabled[person] = kind != LEFT
        if kind == ADDED:
            self._untold.add(("person", person))

    def check(self, row: Row) -> None:
        """One row tells of one person and one resource."""
        for what in ("person", "resource"):
            self._untold.discard((what, row.cells[self._report.columns[what]]))
        self._due.check(row)

    def finish(self, answer: Answer) -> None:
        """After the last row."""
        name, wrong = self._report.name, 0
        for index, reason in self._report.excluded.items():
            body = self._pack.disclosed.body(index)
            for value in body.values():
                if type(value) is str:
                    self._untold -= {("person", value), ("resource", value)}
            wrong += reason == DISABLED and self._enabled.get(str(body.get("person")), False)
        if self._untold:
            told = f"{len(self._untold)} of {counted(self._count, 'person or resource', 'people and resources')}"
            answer.lack(f"The report {name} neither has nor leaves out {told}")
        if wrong:
            answer.lack(f"The report {name} leaves out {wrong} as {DISABLED!r}, and the log says otherwise")
        other = sum(reason not in LEFT_OUT for reason in self._report.excluded.values())
        if other:
            answer.lack(f"The report {name} leaves out {other} for reasons that no release has")
        if self._old:
            answer.lack(f"The report {name} is of version 1, in which roles that reviews withhold stand as held")
        self._due.finish(answer)
