"""Each report of the pack, by the tables: what of it is proved, and what is the exporter's word."""

from __future__ import annotations

from typing import Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.population import check_population
from onepam.evidence.verifier.recordings import check_recordings
from onepam.evidence.verifier.refusal import need
from onepam.evidence.verifier.report import Report
from onepam.evidence.verifier.rules import AS_OF, RULES
from onepam.evidence.verifier.standing import check_roster_age, check_standing


def judge_report(pack: Contents, name: str, answer: Answer) -> None:
    """Reads a report of the pack and holds it against the log."""
    report = Report(pack, name)
    over = "over the period" if report.as_of is None else f"as of {iso(report.as_of)}"
    answer.about.append(f"report {name} (version {report.version}), {over}: {len(report.rows)} rows")
    for number, row in enumerate(report.rows if report.as_of is not None else [], 1):
        for index in row["ledger"]:
            late = pack.log.time(index) > (report.as_of or 0)
            need(not late, f"{report.what} row {number}: rests on entry {index}, which is later than the as-of")
    if name in RULES:
        check_population(pack, report, RULES[name], answer)
    elif name in AS_OF:
        check_standing(pack, report, AS_OF[name], answer)
        check_roster_age(pack, report)
    else:
        said = f"report {name}: that no row is missing or too many (what its rows rest on is proved)"
        answer.not_proved.append(said)
    derived = check_recordings(pack, report, answer) if name == "sessions" else ()
    _say_columns(report, derived, answer)
    if report.excluded:
        reasons = "; ".join(sorted(set(report.excluded.values())))
        said = f"report {name}: that {len(report.excluded)} rows were rightly left out: {reasons}"
        answer.not_proved.append(said)


def _say_columns(report: Report, derived: Tuple[str, ...], answer: Answer) -> None:
    for column, sources in report.columns.items():
        if sources:
            said = " or ".join(" ".join(source) for source in sources)
            answer.proved.append(f"report {report.name}, column {column}: what the entries say in {said}")
        elif column not in derived:
            answer.not_proved.append(f"report {report.name}, column {column}: the exporter's words")
