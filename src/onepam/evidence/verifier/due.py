"""Rows that follow as a whole: exactly those that the entries give, as often as they do; or why that is not judged."""

from __future__ import annotations

from operator import itemgetter
from typing import Dict, Optional, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.refusal import counted
from onepam.evidence.verifier.report import Report, Row

TOLD_OF = 3  # rows that are named; of the others the number

Cells = Tuple[str, ...]


class Due:
    """The rows that a report must have, by the cells of some columns; None where `why` says why nobody knows. One row
    is of `one`, several are of `many`; `name` says of a row which it is."""

    def __init__(
        self, report: Report, columns: Cells, due: Optional[Dict[Cells, int]], why: str, one: str, many: str
    ) -> None:
        self._report, self._names, self._due, self._why = report, columns, due, why
        self._columns = itemgetter(*(report.columns[name] for name in columns))
        self._one, self._many = one, many
        self._count, self._beyond = sum((due or {}).values()), 0

    def check(self, row: Row) -> None:
        """The next row."""
        if self._due is not None:
            cells = self._columns(row.cells)
            left = self._due.get(cells, 0)
            if left:
                self._due[cells] = left - 1
            else:
                self._beyond += 1

    def finish(self, answer: Answer) -> None:
        """After the last row."""
        name, due = self._report.name, self._due
        if due is None:
            answer.lack(f"The rows of the report {name} are not judged: {self._why}")
            answer.not_proved.append(f"report {name}: that no row is missing or too many")
            return
        missing = sorted(cells for cells, left in due.items() for _ in range(left))
        if missing:
            named = "; ".join(self._said(cells) for cells in missing[:TOLD_OF])
            more = f" and {len(missing) - TOLD_OF} others" if len(missing) > TOLD_OF else ""
            of_all = counted(self._count, self._one, self._many)
            answer.lack(f"The report {name} lacks {len(missing)} of the {of_all} that the entries give: {named}{more}")
        if self._beyond:
            answer.lack(f"The report {name} has {counted(self._beyond, 'row')} that the entries do not give")
        if not (missing or self._beyond):
            answer.proved.append(
                f"report {name}: exactly one row for each {self._one} that the entries give, {self._count} in all"
            )
            self._report.followed = self._names

    def _said(self, cells: Cells) -> str:
        said = dict(zip(self._names, cells))
        if "account" in said:
            return f"{said['account']} of {said['system']}"
        who = said.get("person", said["role"])
        return f"{who} on {said['resource']} as {said['login']}, {said['mode']}" if said["resource"] else f"{who}"
