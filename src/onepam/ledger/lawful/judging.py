"""Folding a history and asking of every entry whether it was lawful."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from onepam.kernel.instant import Instant
from onepam.ledger.lawful.entry import Entry, Unjudged, Unlawful
from onepam.ledger.lawful.erasing import whose
from onepam.ledger.lawful.rule import Later, Rule, Unless
from onepam.ledger.lawful.state import State
from onepam.ledger.lawful.table import RULE_SETS

RULE_SET = 1
MAX_UNLAWFUL = 1000


@dataclass(frozen=True)
class Lawful:
    """The line *lawful*: what was found, in order and at most `MAX_UNLAWFUL`; `found` counts all of it.

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
    """One fold, from the first entry to the newest: `take` each, then `end`.

    `read` gives the value of a body, of a kind and version, as it is stored or was read; where that has not the form of
    its kind (`form.py`), or is none, it raises `ValueError`.
    """

    def __init__(self, read: Callable[[str, int, Any], Any]) -> None:
        self._read = read
        self._state = State()
        self._rules = RULE_SETS[RULE_SET]
        self._findings: list[Unlawful] = []
        self._found = self._entries = self._unknown = 0

    def take(self, position: int, time: int, kind: str, version: int, body: Any, begins: bool = False) -> None:
        """The next entry, as it is stored; it `begins` the batch of a node, where anybody says which do. Whatever its
        bytes are it raises nothing: what does not read as its kind is a finding. The body of what no rule asks about is
        not read."""
        self._entries += 1
        rule: Rule | None = None
        state = self._state
        try:
            if type(position) is not int or type(time) is not int or type(kind) is not str:
                raise TypeError("an entry has a place, a time and a kind")
            for unlawful in state.turn(position, Instant(time), begins):
                self._add(unlawful)
            state.kinds.add(kind)
            rule = self._rules.get((kind, version))
            if rule is None:
                self._unknown += 1
                self._add(Unlawful(position, kind, "being an entry", "there is no rule for what it says"))
            elif rule.judge is not None:
                entry = Entry(position, state.now, kind, self._read(kind, version, body))
                state.about.add(position, whose(state, entry))
                for why in rule.judge(state, entry):
                    if why is not None:
                        self._hear(rule, entry, why)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
            right = rule.right if rule is not None else "being an entry"
            self._add(Unlawful(position, str(kind), right, "it does not read as such an entry"))

    def _hear(self, rule: Rule, entry: Entry, why: str | Unless | Later) -> None:
        said = why if isinstance(why, str) else why.why
        unlawful = Unlawful(entry.position, entry.kind, rule.right, said)
        if isinstance(why, Unless):
            self._state.wait(why.causes, unlawful)
        elif isinstance(why, Later):
            self._state.ask(why.holds, unlawful)
        else:
            self._add(unlawful)

    def _add(self, unlawful: Unlawful) -> None:
        self._found += 1
        if len(self._findings) < MAX_UNLAWFUL:
            self._findings.append(unlawful)

    def end(self) -> Lawful:
        """What was found in all."""
        for unlawful in self._state.close():
            self._add(unlawful)
        ordered = tuple(sorted(self._findings, key=lambda each: each.position))
        return Lawful(ordered, self._found, self._entries, self._unknown)


def asks(kind: str, version: int) -> bool:
    """Whether a rule reads the body of such an entry. Whoever discloses a history to be judged discloses these."""
    rule = RULE_SETS[RULE_SET].get((kind, version))
    return rule is not None and rule.judge is not None


def cannot() -> list[str]:
    """What no rule judges: what "yes" does not say."""
    return [each.value for each in Unjudged]
