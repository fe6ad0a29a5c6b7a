"""The clauses of the rules, as their source has them, and which of them the findings of a story come from.

A *clause* is a place at which a rule gives a reason against an entry, or a question of `standing.py` its answer. Where
a rule passes on what a question or another rule says, that it can is a clause of its own.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import GeneratorType
from typing import Any, NamedTuple

import onepam.ledger.lawful
from onepam.ledger.findings import Row
from onepam.ledger.lawful.entry import Entry
from onepam.ledger.lawful.judging import Judging, Lawful
from onepam.ledger.lawful.rows import of_rows, read, through
from onepam.ledger.lawful.rule import Judge, Rule, Why
from onepam.ledger.lawful.state import State

SOURCES = Path(onepam.ledger.lawful.__file__).parent
NO_RULES = {"__init__", "entry", "form", "forms", "judging", "known", "rows", "rule", "state", "table"}
_REASONS = ("str | Unless | None", "str | Unless | Later | None")
_ANSWERS = ("str | None", "Unless")


@dataclass(frozen=True, slots=True, order=True)
class Clause:
    """Where it stands, and its words as a pattern; none where it passes on another's. An `answer` is found by its words
    alone, wherever it is asked for."""

    file: str
    line: int
    words: str
    answer: bool = False

    def __str__(self) -> str:
        said = re.sub(r"\\(.)", r"\1", self.words).replace(".+", "…") if self.words else "what it passes on"
        return f"{self.file}.py:{self.line}: {said}"


class Heard(NamedTuple):
    """A reason that became a finding: of which entry, where it was yielded, from the rule inwards, and its words; all
    entries of the history that were found, and the history."""

    at: int
    places: tuple[tuple[str, int], ...]
    why: str
    found: frozenset[int]
    rows: tuple[Row, ...]

    def alone(self) -> bool:
        """Whether it is found, and nothing else, where whatever else was found had not been."""
        if self.found == {self.at}:
            return True
        judging, others = of_rows(), self.found - {self.at}
        for _ in through(judging, (row for row in self.rows if row.position not in others)):
            pass
        left = judging.end().findings
        return {each.position for each in left} == {self.at} and any(each.why == self.why for each in left)


def clauses() -> list[Clause]:
    """All of them, in order of their places."""
    found: set[Clause] = set()
    for path in sorted(SOURCES.glob("*.py")):
        if path.stem not in NO_RULES:
            found |= set(_of_file(path.stem, ast.parse(path.read_text("utf-8"))))
    return sorted(found)


def broken(clause: Clause, those: list[Heard], beside: list[Clause]) -> list[Heard]:
    """Which of the findings come from a clause; `beside` are those that stand on one line with it."""
    if clause.answer:
        return [each for each in those if re.fullmatch(clause.words, each.why)]
    here = [each for each in those if (clause.file, clause.line) in each.places]
    if clause.words:
        return [each for each in here if re.fullmatch(clause.words, each.why)]
    others = [each.words for each in beside if each.words and not each.answer]
    return [each for each in here if not any(re.fullmatch(words, each.why) for words in others)]


def _of_file(file: str, tree: ast.Module) -> Iterator[Clause]:
    for function in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.returns is not None):
        returns = ast.unparse(function.returns) if function.returns else ""
        for node in ast.walk(function):
            if "Why" in returns or any(each in returns for each in _REASONS):
                if isinstance(node, ast.Yield | ast.YieldFrom):
                    yield from (Clause(file, node.lineno, words) for words in _words(node.value or ast.Constant(None)))
            elif isinstance(node, ast.Return) and node.value is not None and returns in (*_ANSWERS, *_REASONS):
                yield from (Clause(file, node.lineno, words, True) for words in _words(node.value) if words)


def _words(value: ast.expr) -> Iterator[str]:
    """The patterns of what an expression can say; an empty one for what another place says."""
    match value:
        case ast.IfExp():
            yield from _words(value.body)
            yield from _words(value.orelse)
        case ast.GeneratorExp(elt=each):
            yield from _words(each)
        case ast.Constant(value=str(text)):
            yield re.escape(text)
        case ast.Constant():
            return
        case ast.JoinedStr():
            yield "".join(
                re.escape(str(each.value)) if isinstance(each, ast.Constant) else ".+" for each in value.values
            )
        case ast.Call(func=ast.Name(id="Unless" | "Later")):
            yield from _words(value.args[0])
        case _:
            yield ""


HEARD: list[Heard] = []
"""Of all histories that were judged here."""


class Listening(Judging):
    """Judges as the product does, and hears from where each finding comes."""

    def __init__(self) -> None:
        super().__init__(read)
        self._said: list[tuple[int, str, tuple[tuple[str, int], ...]]] = []
        self._rows: list[Row] = []
        self._rules = {key: self._heard(rule) for key, rule in self._rules.items()}

    def hear(self, row: Row) -> None:
        """The next row."""
        self._rows.append(row)
        self.take(row.position, row.time, row.kind, row.version, row.body)

    def end(self) -> Lawful:
        """What was found; `HEARD` grows by it."""
        lawful = super().end()
        findings, rows = {(each.position, each.why) for each in lawful.findings}, tuple(self._rows)
        found = frozenset(at for at, _ in findings)
        HEARD.extend(Heard(at, places, why, found, rows) for at, why, places in self._said if (at, why) in findings)
        return lawful

    def _heard(self, rule: Rule) -> Rule:
        return replace(rule, judge=self._listen(rule.judge)) if rule.judge is not None else rule

    def _listen(self, judge: Judge) -> Callable[[State, Entry], Why]:
        def listening(state: State, entry: Entry) -> Why:
            running = judge(state, entry)
            for why in running:
                if why is not None:
                    said = why if isinstance(why, str) else why.why
                    self._said.append((entry.position, said, tuple(_places(running))))
                yield why

        return listening


def _places(running: Any) -> Iterator[tuple[str, int]]:
    """Where a judge waits after it has yielded, and where those wait that it takes its reasons from."""
    while isinstance(running, GeneratorType):
        if running.gi_frame is not None:
            yield Path(running.gi_code.co_filename).stem, running.gi_frame.f_lineno
        running = running.gi_yieldfrom
