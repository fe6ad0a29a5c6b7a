"""Reports as of an instant, over accounts: which there were, what each row rests on, and how old the roster was."""

from __future__ import annotations

from typing import Any, Dict, List

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import canonical
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.refusal import Refused, need
from onepam.evidence.verifier.report import Report
from onepam.evidence.verifier.rules import ADDED, ROSTER_HOURS, STANDING, TAKEN, Standing


def check_standing(pack: Contents, report: Report, rule: Standing, answer: Answer) -> None:
    """One row for each account that was enabled then, resting on all that was said of it by then."""
    what, log, end = report.what, pack.log, (report.as_of or 0) + 1
    need(log.first == 0 and not report.excluded, f"{what}: rests on part of the log, or leaves accounts out")
    heads: Dict[Any, int] = {}
    due: Dict[Any, List[int]] = {}
    enabled: Dict[Any, bool] = {}
    kinds: Dict[Any, Any] = {}
    for index in log.all_of((*ADDED, "person.changed", *STANDING), 0, end):
        need(index in pack.disclosed.bodies, f"{what}: entry {index} ({log.kind(index)}) is not disclosed")
        kind, body = log.kind(index), pack.disclosed.bodies[index]
        who = canonical(body.get("person"))
        if kind in ADDED:
            heads[who], due[who] = index, [index]
        elif kind in STANDING:
            due.setdefault(who, []).append(index)
        if kind in ADDED or kind in STANDING[:2]:
            enabled[who] = kind != "person.disabled"
        kinds[who] = body.get("kind") or kinds.get(who)
    inside = (who for who in heads if enabled[who] and (not rule.kinds or kinds[who] in rule.kinds))
    population = {heads[who]: who for who in inside}
    taken = log.all_of(TAKEN, 0, end)[-1:]
    found = set()
    for number, row in enumerate(report.rows, 1):
        head = row["ledger"][0]
        need(head not in found, f"{what} row {number}: entry {head} has a row already")
        found.add(head)
        other = log.kind(head) in rule.others
        need(other or head in population, f"{what} row {number}: entry {head} is no enabled account of this report")
        cited = [i for i in row["ledger"] if log.kind(i) in (*ADDED, *STANDING, *TAKEN)]
        rests = ([] if other else due[population[head]]) + taken
        need(cited == rests, f"{what} row {number}: must rest on entries {rests}, and rests on {cited}")
    for head in sorted(set(population) - found):
        raise Refused(f"{what}: no row for entry {head} ({log.kind(head)})")
    answer.proved.append(
        f"report {report.name}: exactly one row for each of the {len(population)} accounts "
        f"{' or '.join(rule.kinds)}{' ' if rule.kinds else ''}that were enabled, and which roster was in force"
    )
    answer.not_proved.append(f"report {report.name}: that a row rests on the roster's last word about the account")


def check_roster_age(pack: Contents, report: Report) -> None:
    """A roster that is older than a day, or none, tests nothing."""
    as_of, result = report.as_of or 0, report.at("result")
    taken = pack.log.all_of(TAKEN, 0, as_of + 1)[-1:]
    received = pack.disclosed.bodies.get(taken[0], {}).get("received") if taken and report.rows else None
    fresh = type(received) is int and as_of - received <= ROSTER_HOURS * 3_600_000_000
    for number, row in enumerate(report.rows, 1):
        same = (row["cells"][result] != "not-tested") == fresh
        need(same, f"{report.what} row {number}: whether it was tested is not what the age of the roster says")
