"""Each report of the pack, by the tables: what of it is proved, and what is the exporter's word."""

from __future__ import annotations

import bisect
from typing import List, Optional, Union

from onepam.evidence.verifier.access import Access
from onepam.evidence.verifier.again import Again
from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.factors import check_age
from onepam.evidence.verifier.matrix import Matrix
from onepam.evidence.verifier.naming import Names
from onepam.evidence.verifier.population import Population
from onepam.evidence.verifier.recordings import Recordings
from onepam.evidence.verifier.refusal import Refused, Spoiled, counted
from onepam.evidence.verifier.report import Report, by_kind
from onepam.evidence.verifier.rules import AS_OF, BY_RULE, CHOSEN, DERIVED, PERIOD
from onepam.evidence.verifier.standing import Accounts
from onepam.evidence.verifier.systems import Systems
from onepam.evidence.verifier.watched import check_watched


def judge_reports(pack: Contents, answer: Answer) -> List[Report]:
    """Reads the reports of the pack and holds them against the log."""
    names: Optional[Names] = None
    found: List[Report] = []
    again = Again()
    for name in pack.manifest["reports"]:
        if names is None and (name in PERIOD or name in AS_OF):
            names = Names(pack)
        try:
            report = Report(pack, name)
            _judge(pack, report, names, answer, again)
        except Refused as error:
            raise Spoiled(str(error)) from None
        over = "over the period" if report.as_of is None else f"as of {iso(report.as_of)}"
        answer.about.append(f"report {name} (version {report.version}), {over}: {counted(report.count, 'row')}")
        _say_columns(report, answer)
        found.append(report)
    again.say(found, answer)
    return found


def _judge(pack: Contents, report: Report, names: Optional[Names], answer: Answer, again: Again) -> None:
    rule: Union[Population, Accounts, None] = None
    if names is not None and report.name in PERIOD:
        rule = Population(pack, report, names)
    elif names is not None and report.name in AS_OF:
        rule = Accounts(pack, report, names)
    recordings = Recordings(pack, report) if report.name == "sessions" else None
    whole = _all_at_once(pack, report)
    last = None if report.as_of is None else pack.log.first + bisect.bisect_right(pack.log.times, report.as_of) - 1
    derived, chosen = (report.places(table.get(report.name, {})) for table in (DERIVED, CHOSEN))
    for row in report.rows():
        if last is not None and max(row.ledger) > last:
            later = next(index for index in row.ledger if index > last)
            raise Refused(f"{row.where}: rests on entry {later}, which is later than the as-of")
        if rule is not None:
            rests = rule.rests(row)
            of = by_kind(rests, pack.disclosed)
            report.check_cells(row, derived, of)
            check_watched(pack, names, report, row, of)
            if recordings is not None:
                check_age(pack, report, row)
                recordings.check(row, of)
        if report.name in CHOSEN:
            report.check_cells(row, chosen, by_kind(row.ledger, pack.disclosed))
        if whole is not None:
            whole.check(row)
        again.take(report, row)
    if rule is None and whole is None:
        answer.not_proved.append(f"report {report.name}: that no row is missing or too many")
    for each in (rule, recordings, whole):
        if each is not None:
            each.finish(answer)


def _all_at_once(pack: Contents, report: Report) -> Union[Access, Matrix, Systems, None]:
    """What a report must have whose rows follow all together."""
    if report.name == "access":
        return Access(pack, report)
    if report.name == "systems":
        return Systems(pack, report)
    return Matrix(pack, report) if report.name == "matrix" else None


def _say_columns(report: Report, answer: Answer) -> None:
    """Which columns are proved, which say what entries say that the exporter chose, and which are the exporter's."""
    derived, by_rule = DERIVED.get(report.name, {}), BY_RULE.get(report.name, ())
    chosen = CHOSEN.get(report.name, {})
    if report.words:
        by_rule = ()
    elif report.name in PERIOD:  # whose rows cite what they must
        derived, chosen = {**derived, **chosen}, {}
    by_rule = (*by_rule, *report.followed)
    derived, chosen = (
        {name: sources for name, sources in each.items() if name in report.columns and name not in by_rule}
        for each in (derived, chosen)
    )
    rest = [each for each in report.columns if each not in derived and each not in by_rule and each not in chosen]
    for columns, said in ((derived, "what the entries of each row say"), (by_rule, "what follows from them")):
        if columns:
            answer.proved.append(f"report {report.name}, {said}: {', '.join(columns)}")
    if chosen:
        said = "what entries say that the exporter chose"
        answer.not_proved.append(f"report {report.name}, {said}: {', '.join(chosen)}")
    if rest:
        answer.not_proved.append(f"report {report.name}, the exporter's words: {', '.join(rest)}")
