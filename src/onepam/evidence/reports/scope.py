"""What every report is drawn from, and what it gives."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from onepam.app.ports import History
from onepam.evidence.envelope import AsOf, Exclusion, Filter, Period
from onepam.evidence.report import Report, Said
from onepam.evidence.reports.entries import Entries
from onepam.kernel.clock import Instant

MAX_ROWS = 250_000
"""Rows of one report. More do not fit a spreadsheet by far, nor the memory that drawing them may take."""

NAMES = "SELECT person, entry FROM ev_people_v1 WHERE entry < :end ORDER BY entry"
CHAINS = """\
SELECT request, entry FROM ev_requests_v3
WHERE kind IN ('request.made', 'request.preapproved', 'request.approved', 'grant.started')
  AND entry >= :first AND entry < :end
ORDER BY entry"""

NAMED = ("person.added", "person.changed")
"""The kinds of entries that say how somebody is called."""


class TooLarge(Exception):
    """The report has more rows than `MAX_ROWS`."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A report with all that its envelope says of how it came to be.

    `rests` are the entries to disclose beside those of the rows: what rules out that one was hidden, and exclusions.
    """

    report: Report
    over: Period | AsOf
    query: str
    parameters: Mapping[str, int | str]
    filters: Sequence[Filter] = field(default=())
    exclusions: Sequence[Exclusion] = field(default=())
    rests: Sequence[int] = field(default=())


@dataclass(frozen=True)
class Scope:
    """A snapshot, the period, the entries [first, end) that the pack proves, and the instant of what is as-of."""

    history: History
    period: Period
    as_of: Instant
    first: int
    end: int

    @cached_property
    def entries(self) -> Entries:
        """What the entries say."""
        return Entries(self.history)

    @cached_property
    def _names(self) -> Mapping[str, list[int]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for person, entry in self.history.query(NAMES, {"end": self.end}):
            found[person].append(entry)
        return found

    @cached_property
    def naming(self) -> Sequence[int]:
        """All entries of the range that say how somebody is called: they rule out a later one that is hidden."""
        return [entry for entries in self._names.values() for entry in entries if entry >= self.first]

    def naming_of(self, person: str) -> Sequence[int]:
        """Those that say how this person is called, or what kind of person it is."""
        return [entry for entry in self._names.get(person, []) if entry >= self.first]

    def named(self, person: str | None, by: int) -> list[int]:
        """The entry that said last, before or at entry `by`, how the person is called: one, or none in the range."""
        entries = self._names.get(person or "", [])
        place = bisect_right(entries, by)
        return [entry for entry in entries[max(0, place - 1) : place] if entry >= self.first]

    @cached_property
    def _chains(self) -> Mapping[str, list[int]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for request, entry in self.history.query(CHAINS, {"end": self.end, "first": self.first}):
            found[request].append(entry)
        return found

    @cached_property
    def chained(self) -> Sequence[int]:
        """All entries of the range that are a link of such a chain."""
        return [entry for entries in self._chains.values() for entry in entries]

    def chain(self, request: str | None) -> list[int]:
        """The entries by which a request was made, approved and became a grant, as far as they are in the range."""
        return self._chains.get(request or "", [])


def names(heads: Iterable[tuple[str, str]]) -> list[Said]:
    """The sources of a name: of the person at `path` of the row's entry of `kind`, for each such pair."""
    return [Said(kind, "payload.name", ("body.person", *head)) for head in heads for kind in NAMED]


def ordered(head: int, follows: Sequence[int], others: Iterable[int]) -> list[int]:
    """The entries of a row: its head, those that follow it, and the others in their order, each once."""
    first = [head, *follows]
    return [*first, *sorted(set(others) - set(first))]
