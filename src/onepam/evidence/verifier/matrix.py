"""The role matrix: a row for each role, permission, resource and login that the entries give, and no other; so whose a
role is and what it is for follows, too."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.due import Due
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.ways import DESIGN, RESOURCE_GONE, RESOURCE_SET, ROLE_GONE, ROLE_SET, TooMany, WaysIn


class Matrix:
    """What the entries up to the as-of give."""

    def __init__(self, pack: Contents, report: Report) -> None:
        until = pack.until if report.as_of is None else report.as_of + 1
        found: Optional[Dict[Tuple[str, ...], int]] = None
        why = f"the pack begins at entry {pack.log.first}" if pack.log.first else ""
        ways = WaysIn()
        for index in pack.log.all_of((ROLE_SET, ROLE_GONE, RESOURCE_SET, RESOURCE_GONE), 0, until):
            kind = pack.log.kind(index)
            if index not in pack.disclosed:
                why = why or f"entry {index} ({kind}) is not disclosed"
                continue
            try:
                ways.take(kind, pack.disclosed.body(index))
            except (KeyError, TypeError, ValueError, AttributeError):
                why = why or f"entry {index} does not read as {kind}"
        try:
            found = None if why else ways.designed()
        except TooMany:
            why = "there are more lines than a report has rows"
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            why = "what the entries say of roles and resources does not read"
        self._due = Due(report, DESIGN, found, why, "line of the role matrix", "lines of the role matrix")

    def check(self, row: Row) -> None:
        """The next row."""
        self._due.check(row)

    def finish(self, answer: Answer) -> None:
        """After the last row."""
        self._due.finish(answer)
