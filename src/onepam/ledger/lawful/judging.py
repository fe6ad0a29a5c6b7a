"""Folding a history and asking of every entry whether it was lawful."""

from collections.abc import Iterator
from dataclasses import dataclass

from onepam.kernel.canonical import NotCanonical, decode
from onepam.kernel.clock import Instant
from onepam.ledger.findings import MAX_FINDINGS, Row
from onepam.ledger.lawful.entry import Entry, Unjudged, Unlawful
from onepam.ledger.lawful.rule import Rule, Unless
from onepam.ledger.lawful.state import State
from onepam.ledger.lawful.table import RULE_SETS

RULE_SET = 1


@dataclass(frozen=True, slots=True)
class Lawful:
    """The line *lawful*: what was found, in order and at most `MAX_FINDINGS`; `found` counts all of it.

    `entries` were judged by the rule set `rule_set`; `unknown` are of kinds that it does not have.
    """

    findings: tuple[Unlawful, ...]
    found: int
    entries: int
    unknown: int = 0
    rule_set: int = RULE_SET

    def line(self) -> str:
        """The line, without its name."""
        if self.found:
            return f"{self.found} {'finding' if self.found == 1 else 'findings'} in {self.entries} entries"
        return f"yes: {self.entries} entries by rule set {self.rule_set}"


class Judging:
    """One fold, from the first entry to the newest: `take` each row, then `end`."""

    def __init__(self) -> None:
        self._state = State()
        self._rules = RULE_SETS[RULE_SET]
        self._findings: list[Unlawful] = []
        self._found = self._entries = self._unknown = 0

    def take(self, row: Row) -> None:
        """The next row. Whatever its bytes are it raises nothing: what does not read as its kind is a finding."""
        self._entries += 1
        rule: Rule | None = None
        try:
            if type(row.position) is not int or type(row.time) is not int:
                raise TypeError("an entry has a place and a time")
            for unlawful in self._state.turn(row.position, Instant(row.time)):
                self._add(unlawful)
            rule = self._rules.get((row.kind, row.version))
            if rule is None:
                self._unknown += 1
                self._add(Unlawful(row.position, row.kind, "being an entry", "there is no rule for what it says"))
            elif rule.judge is not None:
                entry = Entry(row.position, Instant(row.time), row.kind, decode(row.body))
                for why in rule.judge(self._state, entry):
                    if why is not None:
                        self._hear(rule, entry, why)
        except (NotCanonical, KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
            right = rule.right if rule is not None else "being an entry"
            self._add(Unlawful(row.position, str(row.kind), right, "it does not read as such an entry"))

    def _hear(self, rule: Rule, entry: Entry, why: str | Unless) -> None:
        if isinstance(why, str):
            self._add(Unlawful(entry.position, entry.kind, rule.right, why))
        else:
            unlawful = Unlawful(entry.position, entry.kind, rule.right, why.why)
            self._state.wait(why.causes, unlawful)

    def _add(self, unlawful: Unlawful) -> None:
        self._found += 1
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(unlawful)

    def end(self) -> Lawful:
        """What was found in all."""
        for unlawful in self._state.close():
            self._add(unlawful)
        ordered = tuple(sorted(self._findings, key=lambda each: each.position))
        return Lawful(ordered, self._found, self._entries, self._unknown)


def cannot() -> list[str]:
    """What no rule judges: what "yes" does not say."""
    return [each.value for each in Unjudged]


def through(judging: Judging, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, each taken on the way."""
    for row in rows:
        judging.take(row)
        yield row
