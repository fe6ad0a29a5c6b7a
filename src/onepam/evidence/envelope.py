"""The envelope of an export: who drew what, how, from which history. A report cannot be packed without one.

It holds what an auditor asks of information that the audited entity produced itself: the source, the query, what was
left out and why, and how to draw it again. docs/format.md describes the JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from onepam.kernel.canonical import Json, encode
from onepam.kernel.clock import Instant, iso


@dataclass(frozen=True, slots=True)
class System:
    """Which installation speaks: its id, the version of OnePAM and the environment's name (`production`)."""

    id: str
    version: str
    environment: str

    def document(self) -> Json:
        """The JSON that manifest and envelopes carry alike."""
        return {"environment": self.environment, "id": self.id, "version": self.version}


@dataclass(frozen=True, slots=True)
class Period:
    """All entries with begin <= time < until."""

    begin: Instant
    until: Instant

    def __post_init__(self) -> None:
        if self.begin >= self.until:
            raise ValueError("the period is empty")

    def document(self) -> Json:
        """Both ends in RFC 3339."""
        return {"from": iso(self.begin), "to": iso(self.until)}


@dataclass(frozen=True, slots=True)
class AsOf:
    """The state after the last entry with time <= at."""

    at: Instant


@dataclass(frozen=True, slots=True)
class Filter:
    """One step that narrowed the population, with the rows before and after it."""

    filter: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One member of the population that has no row: the index of its entry, and the reason people gave."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """The part of the ledger that was read: entries [first, end) of the tree of the checkpoint so named."""

    first: int
    end: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """The whole statement. `clock` is the state of the system's clock in words, such as `synchronised, within 3 ms`;
    `command` draws the same report again."""

    report: str
    system: System
    run_by: str
    role: str
    started: Instant
    ended: Instant
    clock: str
    over: Period | AsOf
    query: str
    parameters: Mapping[str, Json]
    source: Source
    command: str
    filters: Sequence[Filter] = field(default=())
    exclusions: Sequence[Exclusion] = field(default=())

    def __post_init__(self) -> None:
        """Raises `ValueError` where the statement contradicts itself or leaves something out."""
        if not all((self.run_by, self.role, self.clock, self.query, self.command)):
            raise ValueError(f"the envelope of {self.report} leaves something out")
        if self.ended < self.started:
            raise ValueError(f"the envelope of {self.report} ends before it starts")
        if len({exclusion.index for exclusion in self.exclusions}) != len(self.exclusions):
            raise ValueError(f"the envelope of {self.report} excludes an entry twice")
        if not all(exclusion.reason for exclusion in self.exclusions):
            raise ValueError(f"the envelope of {self.report} excludes without a reason")

    def query_hash(self) -> str:
        """Hex SHA-256(query || 0x00 || canonical parameters)."""
        return sha256(self.query.encode() + b"\x00" + encode(self.parameters)).hexdigest()

    def check_counts(self, rows: int) -> None:
        """Raises `ValueError` unless population, filters, exclusions and the report's `rows` add up."""
        left = rows + len(self.exclusions)
        for step in self.filters:
            if step.before != left or not 0 <= step.after <= left:
                raise ValueError(f"{self.report}: {step.filter!r} goes from {step.before} rows, {left} were there")
            left = step.after
        if left != rows:
            raise ValueError(f"{self.report}: {left} rows are left after all filters, the report has {rows}")

    def encode(self, files: Mapping[str, str]) -> bytes:
        """Canonical JSON, with the hex SHA-256 of each of the report's files by its name."""
        period = self.over.document() if isinstance(self.over, Period) else None
        return encode(
            {
                "as_of": iso(self.over.at) if isinstance(self.over, AsOf) else None,
                "checkpoint": self.source.checkpoint,
                "clock": self.clock,
                "command": self.command,
                "ended": iso(self.ended),
                "exclusions": [{"index": gone.index, "reason": gone.reason} for gone in self.exclusions],
                "files": dict(files),
                "filters": [{"after": f.after, "before": f.before, "filter": f.filter} for f in self.filters],
                "parameters": dict(self.parameters),
                "period": period,
                "query": self.query,
                "query_sha256": self.query_hash(),
                "range": {"end": self.source.end, "first": self.source.first},
                "report": self.report,
                "role": self.role,
                "run_by": self.run_by,
                "started": iso(self.started),
                "system": self.system.document(),
            }
        )
