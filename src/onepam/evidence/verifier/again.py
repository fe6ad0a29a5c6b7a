"""Tests of controls, run again over the rows of the pack: what each finds, beside what the newest run in the log says.

Only of controls whose population is a report of the pack, and whose rule asks nothing but what its columns say. The
period is the pack's, so the numbers may be others than those of a run over another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Dict, List, Optional, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.report import Report, Row

PASS_ROW, FAIL_ROW, NOT_TESTED_ROW, EXCLUDED_ROW = "pass", "fail", "not-tested", "excluded"
FACTOR_AGE = 12 * 3600  # seconds
MANY = "; "

OfRow = Callable[[str], str]
"""The text of a column in a row."""
Asked = Callable[[OfRow], Optional[str]]
"""What a rule says of a row; None where it is no member of the population."""


def _again_result(cell: OfRow) -> Optional[str]:
    return cell("result") if cell("person") else None


def _again_left(cell: OfRow) -> Optional[str]:
    return PASS_ROW if cell("within_24_hours") == "yes" else FAIL_ROW


def _again_factor(cell: OfRow) -> Optional[str]:
    if cell("outcome") != "session.opened" or cell("factors") == '["machine"]':
        return None
    if cell("factors_basis") == "accepted":
        return EXCLUDED_ROW
    age = cell("factors_age_seconds")
    return PASS_ROW if cell("factors") != "[]" and age and int(age) <= FACTOR_AGE else FAIL_ROW


def _again_recorded(cell: OfRow) -> Optional[str]:
    if not cell("recording_chunks"):
        return None
    whole = cell("recording_chunks") != "0" and cell("verified") == "yes" and not cell("gap")
    return PASS_ROW if whole else FAIL_ROW


def _again_decided(cell: OfRow) -> Optional[str]:
    return FAIL_ROW if cell("decided_by").split(MANY)[0] == cell("person").split(MANY)[0] else PASS_ROW


def _again_changed(cell: OfRow) -> Optional[str]:
    if not cell("applied"):
        return None
    alone = not cell("decided_by") or cell("decided_by") == cell("proposed_by")
    return FAIL_ROW if cell("widens") == "yes" and cell("proposed_by") and alone else PASS_ROW


RULES_AGAIN: Tuple[Tuple[str, str, Asked], ...] = (
    ("IDN-01", "accounts", _again_result),
    ("VND-01", "vendors", _again_result),
    ("OFF-01", "leavers", _again_left),
    ("MFA-01", "sessions", _again_factor),
    ("LOG-01", "sessions", _again_recorded),
    ("REV-03", "decisions", _again_decided),
    ("CHG-01", "changes", _again_changed),
)


HALF = {"REV-03": " (that nobody decided on their own access; whether they were what they decided as, lawful asks)"}
"""Of which a report tells a part only."""


class Again:
    """Counts what the rules say of the rows of all reports."""

    def __init__(self) -> None:
        self._counts: Dict[str, Dict[str, int]] = {}
        self._last: Dict[str, str] = {}

    def take(self, report: Report, row: Row) -> None:
        """One row, of whatever report."""

        def cell(column: str) -> str:
            return row.cells[report.columns[column]]

        for control, name, asked in RULES_AGAIN:
            if name == report.name:
                counts = self._counts.setdefault(control, {})
                said = asked(cell)
                if said is not None:
                    counts[said] = counts.get(said, 0) + 1
        if report.name == "controls":
            numbers = f"{cell('failed')} of {cell('population')} fail"
            self._last[cell("control")] = f"{cell('verdict')} (rule {cell('version')}), {numbers}, on {cell('tested')}"

    def say(self, reports: List[Report], answer: Answer) -> None:
        """After all rows: a line for each control whose report was proved. Of leavers only where what they held is."""
        there = {report.name: report for report in reports}
        for control, name, _ in RULES_AGAIN:
            if name in there and not there[name].words:
                counts = self._counts.get(control, {})
                last = self._last.get(control)
                beside = f"; the newest run in the period says {last}" if last else "; no run of it in the period"
                answer.proved.append(
                    f"control {control}, tested again over the report {name}{HALF.get(control, '')}: "
                    f"{_again_said(counts)}{beside}"
                )


def _again_said(counts: Dict[str, int]) -> str:
    total, failed = sum(counts.values()), counts.get(FAIL_ROW, 0)
    tested = counts.get(PASS_ROW, 0) > 0 and not counts.get(NOT_TESTED_ROW, 0)
    verdict = FAIL_ROW if failed else PASS_ROW if tested else NOT_TESTED_ROW
    return f"{verdict}, {failed} of {total} fail"
