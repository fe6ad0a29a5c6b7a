"""Reports as of an instant, over accounts: which there were, what each row rests on, and how old the roster was."""

from __future__ import annotations

import bisect
from typing import Any, Dict, List

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import canonical
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.naming import Names
from onepam.evidence.verifier.refusal import Refused, need
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.rules import ADDED, AS_OF, LISTED, NAMED, ROSTER_HOURS, STANDING, TAKEN


class Accounts:
    """One row for each account that was enabled then, and for others that the report may have beside."""

    def __init__(self, pack: Contents, report: Report, names: Names) -> None:
        self._pack, self._report, self._names = pack, report, names
        self._rule, self._as_of = AS_OF[report.name], report.as_of or 0
        whole = pack.log.first == 0 and not report.excluded
        need(whole, f"{report.what}: rests on part of the log, or leaves accounts out")
        self._due = self._accounts()
        self._left = set(self._due)
        self._taken = pack.log.all_of((TAKEN,), 0, self._as_of + 1)[-1:]
        self._last = pack.log.first + bisect.bisect_right(pack.log.times, self._as_of) - 1

    def _accounts(self) -> Dict[int, List[int]]:
        """What the row of each enabled account rests on, by its head: all that was said of it by then."""
        log, disclosed = self._pack.log, self._pack.disclosed
        due: Dict[Any, List[int]] = {}
        enabled: Dict[Any, bool] = {}
        kinds: Dict[Any, Any] = {}
        for index in log.all_of((*NAMED, *STANDING), 0, self._as_of + 1):
            if index not in disclosed:
                raise Refused(f"{self._report.what}: entry {index} ({log.kind(index)}) is not disclosed")
            kind, body = log.kind(index), disclosed.body(index)
            who = canonical(body.get("person"))
            if kind == ADDED:
                due[who] = [index]
            elif kind in STANDING:
                due.setdefault(who, []).append(index)
            if kind == ADDED or kind in STANDING[:2]:
                enabled[who] = kind != "person.disabled"
            kinds[who] = body.get("kind") or kinds.get(who)
        known = (who for who in due if log.kind(due[who][0]) == ADDED)
        wanted = self._rule.kinds
        return {due[who][0]: due[who] for who in known if enabled[who] and (not wanted or kinds[who] in wanted)}

    def rests(self, row: Row) -> List[int]:
        """The entries of a row, without the roster's about the account, which the exporter chose."""
        head, log = row.ledger[0], self._pack.log
        other = log.kind(head) in self._rule.others
        if not other and head not in self._left:
            need(head not in self._due, f"{row.where}: entry {head} has a row already")
            raise Refused(f"{row.where}: entry {head} is no enabled account of this report")
        self._left.discard(head)
        first = [head] if other else self._due[head]
        person = "" if other else str(self._pack.disclosed.body(head).get("person"))
        due = first + sorted({*self._names.by(person, self._last), *self._taken} - set(first))
        cited = [index for index in row.ledger if index in due or log.kind(index) != LISTED]
        need(cited == due, f"{row.where}: must rest on entries {due}, and rests on {cited}")
        tested = row.cells[self._report.columns["result"]] != "not-tested"
        same = tested == self._fresh()
        need(same, f"{row.where}: whether it was tested is not what the age of the roster says")
        return due

    def _fresh(self) -> bool:
        """A roster that is older than a day, or none, tests nothing."""
        received = self._pack.disclosed.body(self._taken[0]).get("received") if self._taken else None
        return type(received) is int and self._as_of - received <= ROSTER_HOURS * 3_600_000_000

    def finish(self, answer: Answer) -> None:
        """After the last row: refused where one is missing."""
        for head in sorted(self._left):
            raise Refused(f"{self._report.what}: no row for entry {head} ({self._pack.log.kind(head)})")
        name, kinds = self._report.name, " or ".join(self._rule.kinds)
        answer.proved.append(
            f"report {name}: exactly one row for each of the {len(self._due)} accounts {kinds}{' ' if kinds else ''}"
            "that were enabled, and which roster was in force"
        )
        answer.not_proved.append(f"report {name}: that a row rests on the roster's last word about the account")
