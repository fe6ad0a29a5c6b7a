"""Drawing an evidence pack from a live ledger: reports, the entries they rest on, and the proof under a checkpoint.

The range that is proved whole begins at the ledger's first entry, because who could reach what rests on entries of any
age, and so does whether the history was lawful: with the first entry on, the body of every entry is disclosed that a
rule of lawful reads. Where more than `MAX_EARLIER` entries lie before the period the range begins with the batch of the
last one before it; then the pack has no report that needs older entries.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onepam.app.ports import History
from onepam.evidence.envelope import Envelope, Period, Source, System
from onepam.evidence.pack import Disclosed, Erased, Packed, PackInput, Payload, checkpoint_name, write_pack
from onepam.evidence.reports import FROM_THE_BEGINNING, MAX_ROWS, REPORTS, Drawn, Scope, TooLarge
from onepam.evidence.verifier import verify
from onepam.kernel.canonical import decode
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Corrupt, Refused, Unavailable
from onepam.ledger.authors import CERTIFIED, SEAM, Batch
from onepam.ledger.entry import Header
from onepam.ledger.lawful.judging import asks
from onepam.ledger.merkle import CompactRange, HashReader

MAX_EARLIER = 1_000_000
"""Entries before the period that a pack carries along (about 100 bytes each)."""

MAX_RANGE = 4_000_000
"""Entries that one pack proves."""

STEP = 10_000

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, how much of it is done, and of how much."""

_ERASURES = "SELECT erased, entry FROM ev_erasures_v1"
_SEAMS = "SELECT entry FROM ev_seams_v1"
_STARTS = "SELECT entry FROM ev_starts_v1"
_NODES = "SELECT entry FROM ev_nodes_v1"
_WITHIN = "FROM ev_batches_v1 WHERE last >= :first - 1 AND first < :end"
_BATCHES = f"SELECT first, last, node, signature {_WITHIN} ORDER BY first"
_AUTHORS = f"SELECT DISTINCT node {_WITHIN} ORDER BY node"
_BEGINS = "SELECT first FROM ev_batches_v1 WHERE first <= :entry AND last >= :entry"


@dataclass(frozen=True, slots=True)
class PublishedLog:
    """The newest checkpoint: its signed note and size, the C2SP verifier keys of the log and of the witnesses that
    cosigned it, and the tree's hashes."""

    note: bytes
    size: int
    log_key: str
    witnesses: tuple[str, ...]
    hashes: HashReader


@dataclass(frozen=True, slots=True)
class Order:
    """What is drawn, and what the envelopes say of it: by whom under which role, the state of the clock in words, and
    the command that draws it again."""

    system: System
    period: Period
    run_by: str
    role: str
    clock: str
    command: str


@dataclass(frozen=True, slots=True)
class PackSummary:
    """What is in a pack that was drawn: rows by report, entries [first, end), and the reports it had no room for."""

    rows: Mapping[str, int]
    first: int
    end: int
    left_out: tuple[str, ...]


def draw_pack(
    history: History, log: PublishedLog, order: Order, now: Clock, out: BinaryIO, progress: Progress
) -> PackSummary | Refused:
    """Writes a pack to `out` (seekable, at its beginning). `history` must reach at least as far as the checkpoint.

    Raises `Unavailable` when a payload was erased after the checkpoint (a newer one will do), and `Corrupt` when the
    ledger contradicts itself.
    """
    if history.size < log.size:
        raise Corrupt(f"{log.size} entries were published, and the ledger has {history.size}")
    first = _first(history, order.period, log.size)
    if log.size - first > MAX_RANGE:
        message = f"The period has {log.size - first} entries to its proof; a pack has at most {MAX_RANGE}."
        return Refused("evidence.too_long", message, "Draw it in the months after the period, or from its last part.")
    scope = Scope(history, order.period, _as_of(history, order.period, log.size, now()), first, log.size)
    left_out = tuple(sorted(FROM_THE_BEGINNING)) if first else ()
    packed, drawn, source = [], [], Source(first, log.size, checkpoint_name(log.note))
    for number, (name, draw) in enumerate(REPORTS.items()):
        progress("reports", number, len(REPORTS))
        if name in left_out:
            continue
        started = now()
        try:
            found = draw(scope)
        except TooLarge:
            message = f"The report {name} has more than {MAX_ROWS} rows."
            return Refused("evidence.too_large", message, "A shorter period helps, unless it is access.")
        drawn.append(found)
        packed.append(Packed(found.report, _envelope(order, found, source, started, now())))
    erasures = dict(history.query(_ERASURES, {}))
    seams, starts, nodes = ([entry for (entry,) in history.query(sql, {})] for sql in (_SEAMS, _STARTS, _NODES))
    always = {entry for entry in (*seams, *starts, *nodes) if first <= entry < log.size}
    judged: list[int] = []
    within = {"first": first, "end": log.size}
    cited = {entry for each in drawn for row in each.report.rows for entry in row.ledger}
    disclosed = _disclosed(drawn, cited | always, erasures, scope)
    pack = PackInput(
        system=order.system,
        period=order.period,
        checkpoint=log.note,
        log_key=log.log_key,
        witnesses=log.witnesses,
        proof=CompactRange.prove(log.hashes, first, log.size, log.size),
        headers=_headers(scope, progress, judged),
        disclosed=_bodies(history, disclosed, judged),
        payloads=_payloads(history, sorted(cited), erasures),
        batches=(Batch(*each) for each in history.query(_BATCHES, within)),
        nodes=_authors(history, within, sorted(entry for entry in (*seams, *nodes) if entry < first)),
        reports=packed,
    )
    try:
        write_pack(pack, out)
    except ValueError as error:
        raise Corrupt(f"the ledger gives no evidence pack: {error}") from None
    return PackSummary({each.report.name: len(each.report.rows) for each in drawn}, first, log.size, left_out)


def check_pack(path: Path, log: PublishedLog) -> None:
    """Verifies the finished file as an auditor would, with the keys that we hold. Raises `Corrupt`."""
    try:
        doubts = verify.verify(str(path), [log.log_key], list(log.witnesses)).doubts
    except verify.Refused as refused:
        raise Corrupt(f"the evidence pack does not verify: {refused}") from None
    if doubts:
        raise Corrupt(f"the evidence pack does not verify: {'; '.join(doubts)}")


def _first(history: History, period: Period, end: int) -> int:
    """Where the range begins: at the first entry, or with the batch of the last one before the period."""
    before = min(history.size_at(Instant(period.begin - 1)), end)
    if before <= MAX_EARLIER:
        return 0
    return next((first for (first,) in history.query(_BEGINS, {"entry": before - 1})), before - 1)


def _as_of(history: History, period: Period, end: int, now: Instant) -> Instant:
    """The last instant of the period that has been, and that no entry beyond the checkpoint has changed. The ledger's
    time may be ahead of the clock."""
    (newest,) = history.entries((end - 1,))
    last = Instant(period.until - 1)
    at = min(last, max(now, newest.header.time))
    return at if history.size_at(at) <= end else min(last, newest.header.time)


def _envelope(order: Order, drawn: Drawn, source: Source, started: Instant, ended: Instant) -> Envelope:
    return Envelope(
        report=drawn.report.name,
        system=order.system,
        run_by=order.run_by,
        role=order.role,
        started=started,
        ended=ended,
        clock=order.clock,
        over=drawn.over,
        query=drawn.query,
        parameters=drawn.parameters,
        source=source,
        command=order.command,
        filters=drawn.filters,
        exclusions=drawn.exclusions,
    )


def _disclosed(drawn: list[Drawn], cited: set[int], erasures: Mapping[int, int], scope: Scope) -> list[int]:
    """The entries that are cited, those that rule out a hidden one, and those that erased some of them, in order."""
    found = cited.union(entry for each in drawn for entry in each.rests)
    by = {erasures[entry] for entry in cited & erasures.keys()}
    if any(entry >= scope.end for entry in by):
        raise Unavailable("a payload of the period was erased a moment ago; draw the pack again")
    return sorted(found | by)


def _headers(scope: Scope, progress: Progress, judged: list[int]) -> Iterator[tuple[Header, bytes]]:
    """The headers of the range; in a range that begins with the first entry `judged` collects those that rules read."""
    count = scope.end - scope.first
    for done, (header, body_hash) in enumerate(scope.history.headers(scope.first, scope.end)):
        if done % STEP == 0:
            progress("entries", done, count)
        if not scope.first and asks(header.kind, header.version):
            judged.append(header.index)
        yield header, body_hash
    progress("entries", count, count)


def _bodies(history: History, disclosed: list[int], judged: list[int]) -> Iterator[Disclosed]:
    for kept in history.entries(sorted({*disclosed, *judged})):
        yield Disclosed(kept.header.index, kept.body)


def _authors(history: History, within: Mapping[str, int], earlier: list[int]) -> dict[str, str | None]:
    """The nodes of the range's batches, each with the certificate that was in force before it, by those `earlier`
    entries that bring keys into force and end them."""
    certificates: dict[str, str] = {}
    for kept in history.entries(earlier):
        body = decode(kept.body)
        if kept.header.kind == SEAM:
            certificates.clear()
        elif kept.header.kind == CERTIFIED:
            certificates[body["node"]] = body["certificate"]
        else:
            certificates.pop(body["node"], None)
    return {name: certificates.get(name) for (name,) in history.query(_AUTHORS, within)}


def _payloads(history: History, cited: list[int], erasures: Mapping[int, int]) -> Iterator[Payload | Erased]:
    """Of what a row says only: whatever merely rules something out keeps its personal data to itself."""
    for kept in history.entries(cited):
        index = kept.header.index
        if kept.payload is not None and kept.salt is not None:
            yield Payload(index, kept.salt, kept.payload)
        elif "payload" in decode(kept.body):
            if index not in erasures:
                raise Corrupt(f"entry {index} has lost its payload without an erasure")
            yield Erased(index, erasures[index])
