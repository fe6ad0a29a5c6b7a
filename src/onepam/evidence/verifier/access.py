"""Access: each way in that the entries give has its row, and no other; each person and each resource there was has one,
or is left out for a reason that a release gives. What does not follow is said before the verdict."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Dict, Optional, Set, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import counted
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.rules import ADDED, DISABLED, LEFT, LEFT_OUT, RETURNED
from onepam.evidence.verifier.ways import OF_WAYS, RESOURCE_GONE, RESOURCE_SET, WAY, TooMany, WayIn, WaysIn

TOLD_OF = 3  # ways in that are named; of the others the number


class Access:
    """Who and what there was by the as-of, as far as the entries are disclosed, and who is not told of."""

    def __init__(self, pack: Contents, report: Report) -> None:
        self._pack, self._report = pack, report
        self._enabled: Dict[str, bool] = {}
        self._untold: Set[Tuple[str, str]] = set()
        self._columns = itemgetter(*(report.columns[name] for name in WAY))
        self._due: Optional[Dict[WayIn, int]] = None
        self._beyond, self._count_of_ways = 0, 0
        until = pack.until if report.as_of is None else report.as_of + 1
        self._why, ways = "", WaysIn()
        for index in pack.log.all_of(OF_WAYS, 0, until):
            if index not in pack.disclosed:
                self._why = f"entry {index} ({pack.log.kind(index)}) is not disclosed"
                continue
            kind, body = pack.log.kind(index), pack.disclosed.body(index)
            self._read(kind, body)
            if not self._why:
                self._take(ways, index, kind, body)
        self._count = len(self._untold)
        self._derive(ways, until - 1)

    def _take(self, ways: WaysIn, index: int, kind: str, body: Any) -> None:
        try:
            ways.take(kind, body)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._why = f"entry {index} does not read as {kind}"

    def _derive(self, ways: WaysIn, at: int) -> None:
        if self._pack.log.first:
            self._why = f"the pack begins at entry {self._pack.log.first}"
        if self._why:
            return
        try:
            self._due = ways.at(at)
        except TooMany:
            self._why = "there are more ways in than a report has rows"
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            self._why = "what the entries say of roles and resources does not read"
        self._count_of_ways = sum((self._due or {}).values())

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
        if self._due is not None:
            way = self._columns(row.cells)
            left = self._due.get(way, 0)
            if left:
                self._due[way] = left - 1
            else:
                self._beyond += 1

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
        self._finish_ways(answer)

    def _finish_ways(self, answer: Answer) -> None:
        name, due = self._report.name, self._due
        if due is None:
            answer.lack(f"The rows of the report {name} are not judged: {self._why}")
            answer.not_proved.append(f"report {name}: that no row is missing or too many")
            return
        missing = sorted(way for way, left in due.items() for _ in range(left))
        if missing:
            named = "; ".join(f"{way[0]} on {way[1]} as {way[2]}, {way[3]}" for way in missing[:TOLD_OF])
            more = f" and {len(missing) - TOLD_OF} others" if len(missing) > TOLD_OF else ""
            of_all = counted(self._count_of_ways, "way in", "ways in")
            answer.lack(f"The report {name} lacks {len(missing)} of the {of_all} that the entries give: {named}{more}")
        if self._beyond:
            answer.lack(f"The report {name} has {counted(self._beyond, 'row')} that the entries do not give")
        if not (missing or self._beyond):
            answer.proved.append(
                f"report {name}: exactly one row for each way in that the entries give, {self._count_of_ways} in all"
            )
            self._report.followed = WAY
