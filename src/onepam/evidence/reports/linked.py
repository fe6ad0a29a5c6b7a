"""Reports of what happened, whose rows are a head and all that followed it: those that a link alone makes up."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onepam.evidence.report import Column, Report, Said
from onepam.evidence.reports.scope import MAX_ROWS, NAMES, Drawn, Scope, TooLarge, ordered


def said(path: str, *kinds: str) -> list[Said]:
    """The value at the path, in entries of these kinds."""
    return [Said(kind, path) for kind in kinds]


def parameters(scope: Scope) -> Mapping[str, int]:
    """Those of the queries."""
    return {"from": scope.period.begin, "end": scope.end}


@dataclass(frozen=True, slots=True)
class Linked:
    """A report over the period. `query` gives (entry, kind, link, whether it may follow) of its `heads` and of all that
    follows, from the period's begin on; the same link leads to its head. `people` are the paths, by kind, at which
    entries name somebody whose name is told; `rule` gives the cells that no entry says, of a row's head and what
    follows it."""

    name: str
    title: str
    query: str
    heads: tuple[str, ...]
    people: Mapping[str, tuple[str, ...]]
    columns: Sequence[Column]
    rule: Callable[[Scope, Sequence[int]], Mapping[str, str]] = lambda scope, entries: {}

    def draw(self, scope: Scope, found: Iterable[tuple[Any, ...]]) -> Drawn:
        """Of the rows that `query` found. Raises `TooLarge`."""
        heads, rests = list[tuple[int, str]](), list[int]()
        follows: defaultdict[str, list[int]] = defaultdict(list)
        for entry, kind, link, follower in found:
            if follower:
                rests.append(entry)
                follows[link].append(entry)
            if kind in self.heads and scope.entries.time(entry) < scope.period.until:
                heads.append((entry, link))
                if len(heads) > MAX_ROWS:
                    raise TooLarge(self.name)
        rows = []
        for head, link in heads:
            after = [each for each in follows[link] if each > head]
            behind = ordered(head, after, self._named(scope, [head, *after]))
            rows.append(scope.entries.row(self.columns, behind, **self.rule(scope, [head, *after])))
        report = Report(self.name, self.title, 1, self.columns, rows)
        rests = [*rests, *scope.naming]
        return Drawn(report, scope.period, f"{self.query};\n{NAMES}", parameters(scope), rests=rests)

    def _named(self, scope: Scope, entries: Sequence[int]) -> list[int]:
        """Of everybody whom one of these entries names, the last entry that said by the first of them how they are
        called."""
        found = dict[str, list[int]]()
        for entry in entries:
            for path in self.people.get(scope.entries.kind(entry), ()):
                person = scope.entries.body(entry).get(path)
                if type(person) is str and person and person not in found:
                    found[person] = scope.named(person, entry)
        return [each for entries in found.values() for each in entries]
