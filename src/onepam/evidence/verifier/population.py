"""Reports over the period: exactly the rows that the log says, each resting on the entries that belong to it."""

from __future__ import annotations

from typing import Any, Dict, List

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import MAX_INTEGER, canonical
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import Refused, need
from onepam.evidence.verifier.report import Report
from onepam.evidence.verifier.rules import Rule


def check_population(pack: Contents, report: Report, rule: Rule, answer: Answer) -> None:
    """Population and followers of a report; the entries that follow are all disclosed, so that none is hidden."""
    what, log, bodies = report.what, pack.log, pack.disclosed.bodies
    heads = log.all_of(rule.heads, pack.begin, pack.until)
    followers: Dict[Any, List[int]] = {}
    for index in log.all_of(rule.follows, pack.begin, MAX_INTEGER + 1) if heads else []:
        need(index in bodies, f"{what}: entry {index} ({log.kind(index)}) is not disclosed")
        followers.setdefault(canonical(bodies[index].get(rule.link)), []).append(index)
    found: Dict[int, int] = {}
    for number, row in enumerate(report.rows, 1):
        head = row["ledger"][0]
        need(head not in found, f"{what} row {number}: entry {head} has a row already")
        need(head not in report.excluded, f"{what} row {number}: entry {head} is excluded by the envelope")
        found[head] = number
    population = set(heads)
    for head in sorted(population - set(found) - set(report.excluded)):
        raise Refused(f"{what}: no row for entry {head} ({log.kind(head)})")
    for head in sorted((set(found) | set(report.excluded)) - population):
        raise Refused(f"{what}: entry {head} does not belong to this report's population in the period")
    for head, number in found.items():
        link = canonical(bodies[head].get(rule.link)) if rule.link in bodies[head] else ""
        due = [head] + [i for i in followers.get(link, []) if i > head]
        cited = [i for i in report.rows[number - 1]["ledger"] if log.kind(i) in rule.heads + rule.follows]
        need(cited == due, f"{what} row {number}: must rest on entries {due}, and rests on {cited}")
    answer.proved.append(
        f"report {report.name}: exactly one row for each of the {len(heads)} {' and '.join(rule.heads)} of the period, "
        f"save {len(report.excluded)} listed as left out; each with all its {' and '.join(rule.follows)}"
    )
