"""Reports over the period: exactly the rows that the log says, each resting on the entries that belong to it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import MAX_INTEGER, canonical
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.leaving import Leaving
from onepam.evidence.verifier.naming import Names
from onepam.evidence.verifier.recordings import newest_checks
from onepam.evidence.verifier.refusal import Refused, counted, need
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.rules import CHAIN, CLOSED, PERIOD


class Population:
    """What a report over the period must hold, by its rule. Every entry that could make a difference is disclosed."""

    def __init__(self, pack: Contents, report: Report, names: Names) -> None:
        self._pack, self._report, self._names = pack, report, names
        self._rule = rule = PERIOD[report.name]
        self._heads = pack.log.all_of(rule.heads, pack.begin, pack.until)
        self._left = set(self._heads).difference(report.excluded)
        for head in sorted(set(report.excluded).difference(self._heads)):
            raise self._foreign(head)
        self._followers = self._by_link(rule.follows, rule.link, pack.begin) if self._heads else {}
        self._chains = self._by_link(CHAIN, ("request",), 0) if self._heads and rule.chain else {}
        self._checks: Dict[int, int] = {}
        if report.name == "sessions":
            closings = {index for each in self._followers.values() for index in each if pack.log.kind(index) == CLOSED}
            self._checks = newest_checks(pack, sorted(closings))
        self._leaving: Optional[Leaving] = None
        if report.name == "leavers":
            self._leaving = Leaving(pack, report, sorted(self._left))

    def rests(self, row: Row) -> List[int]:
        """The entries of a row, as they must be: its head, those that follow it, and the others in their order."""
        head, rule, log = row.ledger[0], self._rule, self._pack.log
        if head not in self._left:
            need(head not in self._report.excluded, f"{row.where}: entry {head} is excluded by the envelope")
            twice = log.kind(head) in rule.heads and self._pack.begin <= log.time(head) < self._pack.until
            need(not twice, f"{row.where}: entry {head} has a row already")
            raise self._foreign(head)
        self._left.remove(head)
        body = self._pack.disclosed.body(head)
        link = key_of(body, rule.link) if all(each in body for each in rule.link) else ""
        first = [head] + [index for index in self._followers.get(link, ()) if index > head]
        others = self._names.of_row(first, rule.people)
        request = self._pack.disclosed.value(head, rule.chain) if rule.chain else None
        others += self._chains.get(link_of(request), []) if request else []
        closed = [index for index in first if log.kind(index) == CLOSED][-1:]
        others += [self._checks[index] for index in closed if index in self._checks]
        leaving = self._leaving if self._leaving and self._leaving.judged else None
        others += leaving.ends(head) if leaving else []
        due = first + sorted(set(others) - set(first))
        beside = () if leaving else rule.beside
        cited = row.ledger
        if beside:
            cited = [index for index in cited if index in due or log.kind(index) not in beside]
        if cited != due:
            raise Refused(f"{row.where}: must rest on entries {due}, and rests on {cited}")
        if leaving:
            leaving.check(row)
        return due

    def finish(self, answer: Answer) -> None:
        """After the last row: refused where one is missing."""
        for head in sorted(self._left):
            raise Refused(f"{self._report.what}: no row for entry {head} ({self._pack.log.kind(head)})")
        if self._leaving:
            self._leaving.finish(answer)
        heads = counted(len(self._heads), "entry", "entries") + f" {' or '.join(self._rule.heads)} of the period"
        gone, follows = len(self._report.excluded), ", ".join(self._rule.follows)
        save = f", but for {gone} that {'is' if gone == 1 else 'are'} listed as left out" if gone else ""
        answer.proved.append(
            f"report {self._report.name}: exactly one row for each of the {heads}{save}; "
            f"each row has all that followed ({follows})"
        )

    def _foreign(self, head: int) -> Refused:
        what = self._report.what
        return Refused(f"{what}: entry {head} does not belong to this report's population in the period")

    def _by_link(self, kinds: Tuple[str, ...], link: Tuple[str, ...], begin: int) -> Dict[str, List[int]]:
        """All entries of these kinds from `begin` on, by their link; each must be disclosed, so that none is hidden."""
        log, disclosed = self._pack.log, self._pack.disclosed
        found: Dict[str, List[int]] = {}
        for index in log.all_of(kinds, begin, MAX_INTEGER + 1):
            if index not in disclosed:
                raise Refused(f"{self._report.what}: entry {index} ({log.kind(index)}) is not disclosed")
            found.setdefault(key_of(disclosed.body(index), link), []).append(index)
        return found


def key_of(body: Any, link: Tuple[str, ...]) -> str:
    """What a body says at these members, as a key."""
    return link_of(body.get(link[0]) if len(link) == 1 else [body.get(each) for each in link])


def link_of(value: Any) -> str:
    """A value as a key: no two have the same one."""
    return f'"{value}' if type(value) is str else canonical(value)
