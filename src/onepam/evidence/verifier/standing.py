"""Reports as of an instant, over accounts: which there were, what each row rests on, and what the roster says of them.

An account of a person passes with exactly one living entry of the roster, a service's with an owner who does, a
vendor's with a sponsor who does, a contract that ends, and access that ends with it and within 90 days.
"""

from __future__ import annotations

import bisect
from typing import Dict, List, NamedTuple, Optional

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.naming import Names
from onepam.evidence.verifier.refusal import Refused, need
from onepam.evidence.verifier.report import Report, Row
from onepam.evidence.verifier.roster import Listed, Version, living
from onepam.evidence.verifier.rules import ADDED, AS_OF, NAMED, STANDING
from onepam.kernel.instant import DAY

AHEAD = 90 * DAY  # how far ahead a vendor's access may end


class Account(NamedTuple):
    """An account as it was then: `told` are the entries about it, the first one added it; `ends` is us since 1970."""

    person: str
    told: List[int]
    enabled: bool
    kind: str
    owner: Optional[str]
    ends: Optional[int]


class Accounts:
    """One row for each account that was enabled then, and where the report has both ways one for each entry of the
    roster that is nobody's account."""

    def __init__(self, pack: Contents, report: Report, names: Names) -> None:
        self._pack, self._report, self._names = pack, report, names
        self._rule, self._as_of = AS_OF[report.name], report.as_of or 0
        whole = pack.log.first == 0 and not report.excluded
        need(whole, f"{report.what}: rests on part of the log, or leaves accounts out")
        self._version = Version(pack, report.what, self._as_of)
        self._listed: Dict[str, List[Listed]] = {}
        nobodys: Dict[int, Listed] = {}
        for each in living(pack, report.what, self._as_of):
            if each.person:
                self._listed.setdefault(each.person, []).append(each)
            elif self._rule.both_ways:
                nobodys[each.told] = each
        self._enabled = {each.person: each for each in self._accounts() if each.enabled}
        kinds = self._rule.kinds
        mine = (each for each in self._enabled.values() if not kinds or each.kind in kinds)
        self._due: Dict[int, Optional[Account]] = {each.told[0]: each for each in mine}
        self._count = len(self._due)
        self._due.update(dict.fromkeys(nobodys))
        self._left = set(self._due)
        self._last = pack.log.first + bisect.bisect_right(pack.log.times, self._as_of) - 1

    def _accounts(self) -> List[Account]:
        """All accounts there were, by what was said of them by then; all of it is disclosed."""
        log, disclosed = self._pack.log, self._pack.disclosed
        found: Dict[str, Account] = {}
        for index in log.all_of((*NAMED, *STANDING), 0, self._as_of + 1):
            if index not in disclosed:
                raise Refused(f"{self._report.what}: entry {index} ({log.kind(index)}) is not disclosed")
            kind, body = log.kind(index), disclosed.body(index)
            who = str(body.get("person"))
            known = found.get(who)
            if kind == ADDED:
                found[who] = Account(who, [index], True, str(body.get("kind")), body.get("owner"), body.get("ends"))
            elif known is not None and kind in STANDING:
                known.told.append(index)
                if kind in ("person.disabled", "person.enabled"):
                    found[who] = known._replace(enabled=kind == "person.enabled")
            elif known is not None:
                kept = body.get("kind") or known.kind
                found[who] = known._replace(kind=kept, owner=body.get("owner"), ends=body.get("ends"))
        return list(found.values())

    def rests(self, row: Row) -> List[int]:
        """The entries of a row, as they must be; and its cells that follow from more than one of them."""
        head = row.ledger[0]
        if head not in self._left:
            need(head not in self._due, f"{row.where}: entry {head} has a row already")
            raise Refused(f"{row.where}: entry {head} is no enabled account of this report")
        self._left.remove(head)
        account = self._due[head]
        first = account.told if account else [head]
        others = [*self._version.taken]
        if account:
            others += self._names.by(account.person, self._last)
            others += [each.told for each in self._listed.get(account.person, ())]
        due = first + sorted(set(others) - set(first))
        if row.ledger != due:
            raise Refused(f"{row.where}: must rest on entries {due}, and rests on {row.ledger}")
        for column, text in self._words(account).items():
            place = self._report.columns[column]
            same = row.cells[place] == text
            need(same, f"{row.where}: {column} is not what follows from the entries, {text!r}")
        return due

    def _words(self, account: Optional[Account]) -> Dict[str, str]:
        """The columns that no single entry says."""
        stale, words = self._version.stale(), {"roster_age_hours": self._version.hours()}
        if account is None:
            result = "not-tested" if stale else "listed"
            return {**words, "kind": "", "owner": "", "finding": "on the roster, without an account", "result": result}
        vendors = self._report.name == "vendors"
        findings = self._of_vendor(account) if vendors else self._of_account(account)
        words["finding"] = stale or "; ".join(findings)
        words["result"] = "not-tested" if stale else "fail" if findings else "pass"
        if vendors:
            words["access_ends"] = "" if account.ends is None else iso(account.ends)
        else:
            words["kind"] = account.kind
        words["sponsor" if vendors else "owner"] = account.owner or ""
        return words

    def _works_here(self, person: Optional[str]) -> bool:
        return person in self._enabled and len(self._listed.get(person or "", ())) == 1

    def _of_account(self, account: Account) -> List[str]:
        if account.kind == "service":
            if account.owner is None:
                return ["a service without an owner"]
            return [] if self._works_here(account.owner) else ["a service whose owner is not on the roster"]
        return self._of_listing(account)

    def _of_listing(self, account: Account) -> List[str]:
        listed = len(self._listed.get(account.person, ()))
        if listed == 1:
            return []
        return ["on the roster more than once"] if listed else ["on no roster, or has left it"]

    def _of_vendor(self, account: Account) -> List[str]:
        found = self._of_listing(account)
        if account.owner is None:
            found.append("no sponsor")
        elif not self._works_here(account.owner):
            found.append("the sponsor is not on the roster")
        listed = self._listed.get(account.person, ())
        contract = [each.contract_ends for each in listed if each.contract_ends is not None]
        if not contract:
            found.append("no contract end")
        if account.ends is None:
            found.append("access without an end")
        elif contract and account.ends > min(contract):
            found.append("access outlasts the contract")
        elif account.ends > self._as_of + AHEAD:
            found.append("access ends more than 90 days ahead")
        return found

    def finish(self, answer: Answer) -> None:
        """After the last row: refused where one is missing."""
        for head in sorted(self._left):
            raise Refused(f"{self._report.what}: no row for entry {head} ({self._pack.log.kind(head)})")
        name, kinds = self._report.name, " or ".join(self._rule.kinds)
        beside = ""
        if self._rule.both_ways:
            alone = len(self._due) - self._count
            beside = f", and for each entry of the roster without an account, {alone} in all"
        answer.proved.append(
            f"report {name}: exactly one row for each account {kinds}{' ' if kinds else ''}that was enabled, "
            f"{self._count} in all{beside}; what the roster in force said of each, and what follows from it"
        )
