"""Accounts of other systems: a row for each that is on the list in force, and no other; so who stands behind each, and
what is found of it, follows, too."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from onepam.evidence.verifier.answer import Answer
from onepam.evidence.verifier.canonical import iso
from onepam.evidence.verifier.contents import Contents
from onepam.evidence.verifier.due import Due
from onepam.evidence.verifier.report import Report, Row
from onepam.kernel.instant import DAY

STOOD_BEHIND = (
    "system", "account", "rights", "person", "service", "known", "last_used", "finding", "since", "due", "answers",
)  # fmt: skip
"""The columns of the report that follow."""
OF_PEOPLE = ("person.added", "person.changed", "person.disabled", "person.enabled")
OF_SYSTEMS = (
    "account_list.taken", "account_system.set", "listed_account.set", "listed_account.linked", "listed_account.gone",
)  # fmt: skip
ANSWERS_WITHIN = 30
"""Days within which what is found is to be mended, until somebody says otherwise."""


class Behind:
    """The accounts on the lists in force, and who is here, as the entries told so far give them."""

    def __init__(self) -> None:
        self._ends: Dict[str, Optional[int]] = {}
        self._left: Dict[str, int] = {}
        self._systems: Dict[str, Dict[str, Any]] = {}
        self._accounts: Dict[str, Dict[str, Any]] = {}

    def take(self, kind: str, time: int, body: Dict[str, Any]) -> None:
        """The next entry. Raises `KeyError`, `TypeError` where its body does not read."""
        if kind in OF_PEOPLE:
            self._of_person(kind, time, body)
        elif kind == "account_list.taken":
            system = self._systems.setdefault(body["system"], {"owner": body["by"], "days": ANSWERS_WITHIN})
            system["taken"] = time
        elif kind == "account_system.set":
            self._systems[body["system"]].update(owner=body["owner"], days=int(body["days"]))
        elif kind == "listed_account.gone":
            del self._accounts[body["account"]]
        else:
            was = self._accounts.get(body["account"], {})
            stands = {"person": body["person"], "service": body["service"]}
            same = kind == "listed_account.set" and all(was.get(key, "") == value for key, value in stands.items())
            said = {"because": "said"} if kind == "listed_account.linked" else body
            self._accounts[body["account"]] = {**was, **said, **stands, "since": was["since"] if same else time}

    def _of_person(self, kind: str, time: int, body: Dict[str, Any]) -> None:
        person = body["person"]
        if kind == "person.disabled":
            self._left[person] = time if body["left_at"] is None else int(body["left_at"])
        else:
            if kind != "person.changed":
                self._left.pop(person, None)
            if kind != "person.enabled":
                self._ends[person] = body["ends"]

    def rows(self, as_of: int) -> Dict[Tuple[str, ...], int]:
        """The rows that the report must have, each once: columns `STOOD_BEHIND`."""
        return {self._row(name, each, as_of): 1 for name, each in self._accounts.items()}

    def _row(self, name: str, each: Dict[str, Any], as_of: int) -> Tuple[str, ...]:
        system, used = self._systems[each["system"]], each["used"]
        return (
            each["system"], name, ", ".join(each["rights"]), each["person"] or "", "yes" if each["service"] else "",
            each["because"], "" if used is None else iso(used), *self._finding(each, system, as_of), system["owner"],
        )  # fmt: skip

    def _finding(self, each: Dict[str, Any], system: Dict[str, Any], as_of: int) -> Tuple[str, str, str]:
        person, begun = each["person"], int(each["since"])
        if person is not None:
            ends = self._ends.get(person)
            gone = self._left.get(person, ends if ends is not None and ends <= as_of else None)
            if gone is None:
                return "", "", ""
            begun = max(begun, gone)
        found = "nobody" if person is None else "still_there" if system["taken"] > begun else "left"
        return found, iso(begun), iso(begun + system["days"] * DAY)


class Systems:
    """What the entries up to the as-of give."""

    def __init__(self, pack: Contents, report: Report) -> None:
        as_of = pack.log.times[-1] if report.as_of is None else report.as_of
        found: Optional[Dict[Tuple[str, ...], int]] = None
        why = f"the pack begins at entry {pack.log.first}" if pack.log.first else ""
        behind = Behind()
        for index in pack.log.all_of((*OF_PEOPLE, *OF_SYSTEMS), 0, as_of + 1):
            kind = pack.log.kind(index)
            if index not in pack.disclosed:
                why = why or f"entry {index} ({kind}) is not disclosed"
                continue
            try:
                behind.take(kind, pack.log.time(index), pack.disclosed.body(index))
            except (KeyError, TypeError, ValueError, AttributeError):
                why = why or f"entry {index} does not read as {kind}"
        try:
            found = None if why else behind.rows(as_of)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            why = "what the entries say of other systems does not read"
        self._due = Due(report, STOOD_BEHIND, found, why, "account of another system", "accounts of other systems")

    def check(self, row: Row) -> None:
        """The next row."""
        self._due.check(row)

    def finish(self, answer: Answer) -> None:
        """After the last row."""
        self._due.finish(answer)
