"""Access: of its rows nothing is derived, but each person and each resource there was has a row, or is left out for a
reason that a release gives. That a reason is true is the exporter's word, save that somebody was disabled."""

from __future__ import annotations

from typing import Dict, Set, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import counted
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.rules import ADDED, DISABLED, LEFT, LEFT_OUT, RETURNED

PLACED, REMOVED = "resource.set", "resource.removed"


class Access:
    """Who and what there was by the as-of, as far as the entries are disclosed, and who is not told of."""

    def __init__(self, pack: Contents, report: Report) -> None:
        self._pack, self._report = pack, report
        self._enabled: Dict[str, bool] = {}
        self._untold: Set[Tuple[str, str]] = set()
        until = pack.until if report.as_of is None else report.as_of + 1
        for index in pack.log.all_of((ADDED, LEFT, RETURNED, PLACED, REMOVED), 0, until):
            if index in pack.disclosed:
                self._read(pack.log.kind(index), index)
        self._count = len(self._untold)

    def _read(self, kind: str, index: int) -> None:
        body = self._pack.disclosed.body(index)
        if kind in (PLACED, REMOVED):
            place = ("resource", str(body.get("resource")))
            (self._untold.add if kind == PLACED else self._untold.discard)(place)
            return
        person = str(body.get("person"))
        self._enabled[person] = kind != LEFT
        if kind == ADDED:
            self._untold.add(("person", person))

    def check(self, row: Row) -> None:
        """One row tells of one person and one resource."""
        for what in ("person", "resource"):
            self._untold.discard((what, row.cells[self._report.columns[what]]))

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
