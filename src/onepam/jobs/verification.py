"""Verifying the ledger: entries against what was published and signed, and the state tables against the entries."""

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onepam.app.ports import Snapshot
from onepam.blobs.tile_folder import TileFolder
from onepam.files.data_file import content
from onepam.jobs.eras import Seam, judge, log_keys_of, seams
from onepam.kernel.canonical import NotCanonical, decode
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Corrupt
from onepam.ledger.authors import Batch, Standing
from onepam.ledger.authorship import Authorship
from onepam.ledger.check import Anchor, Position, Report, check
from onepam.ledger.checkpoint import open_checkpoint
from onepam.ledger.findings import Row
from onepam.ledger.lawful.judging import Judging, Lawful
from onepam.ledger.lawful.rows import of_rows, through
from onepam.ledger.note import COSIGNATURE_V1, ED25519, BadNote, VerifierKey
from onepam.ledger.verdict import Held
from onepam.signing.stream import MAX_STATE_BYTES
from onepam.store.as_stored import stored_batches, stored_rows, stored_time
from onepam.store.engine.append import read_head
from onepam.store.engine.damage import damage, unsound
from onepam.store.engine.database import DatabaseError, connect, fault, is_damage
from onepam.store.engine.rebuild import Difference, compare

STEP = 5_000

STUMBLES = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What a value that nobody foresaw raises."""

log_of = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found, in words; nothing found is the good answer.

    `size` entries are there, the newest of ledger time `head_at`; `root` is that of the tree over them, empty where
    rows that are missing or out of place leave no tree. `signed` of them are under the published checkpoint, whose
    signature holds; None where they do not give its root. A known witness cosigned it over `witnessed` entries. `held`
    are the anchors that they give. `lawful` is whether the history gave every right that was used; None where the
    verification did not begin at the beginning. Of `unjudged` entries nobody can say who wrote them: they are of a log
    before a seam whose key is not known.
    """

    findings: tuple[str, ...]
    size: int
    root: str
    head_at: Instant
    signed: int | None
    witnessed: int
    position: Position
    standing: Standing
    held: tuple[Held, ...] = ()
    seams: tuple[Seam, ...] = ()
    lawful: Lawful | None = None
    unjudged: int = 0


def verify_entries(
    database: Path,
    log: Path,
    origin: str,
    keys: Sequence[VerifierKey],
    seen: Sequence[Anchor] = (),
    start: tuple[Position, Standing] | None = None,
    progress: Progress = lambda done, of: None,
) -> Verdict:
    """Checks the entries from `start` on. `keys` are the log's and the witnesses', also of logs before a seam; `seen`
    are heads held elsewhere. Damage is a finding, and so is what this check stumbles over: nobody knows what an entry
    holds that was not written by us. Raises `OtherRelease`, and `Unavailable` where trying again helps."""
    try:
        return _verify_entries(database, log, origin, keys, seen, start, progress)
    except (DatabaseError, Corrupt) as error:
        return unreadable([unread("entries", error)])
    except STUMBLES as error:
        log_of.exception("the verification of the entries broke off")
        return unreadable([f"entries: the check broke off, so nothing is known of them: {type(error).__name__}"])


def unreadable(findings: Sequence[str]) -> Verdict:
    """The verdict where not even the entries can be read."""
    return Verdict(tuple(findings), 0, "", Instant(0), None, 0, Position(), Standing(""))


def damaged(database: Path) -> tuple[list[str], bool]:
    """What is wrong with the database as one, and whether its entries can be asked. Raises as `verify_entries` does."""
    try:
        with contextlib.closing(connect(database, read_only=True)) as db:
            db.execute("BEGIN")
            return damage(db)
    except (DatabaseError, Corrupt) as error:
        return [unread("database", error)], False


def unread(what: str, error: DatabaseError | Corrupt) -> str:
    """The finding that damage keeps `what` from being read. Raises `Unavailable` where it is no damage."""
    if isinstance(error, DatabaseError) and not is_damage(error):
        raise fault(error) from error
    return f"{what}: cannot be read: {error}"


def _verify_entries(
    database: Path,
    log: Path,
    origin: str,
    keys: Sequence[VerifierKey],
    seen: Sequence[Anchor],
    start: tuple[Position, Standing] | None,
    progress: Progress,
) -> Verdict:
    tiles = TileFolder(log)
    findings: list[str] = []
    checkpoint, witnessed = None, 0
    note = None
    try:
        note = tiles.checkpoint()
    except (Corrupt, OSError) as error:
        findings.append(f"checkpoint: it cannot be read: {error}")
    if note is not None:
        try:
            found = open_checkpoint(note, keys, origin)
            checkpoint = Anchor(found.checkpoint.size, found.checkpoint.root, "log's own checkpoint")
            if any(each.key.algorithm == COSIGNATURE_V1 for each in found.verified):
                witnessed = found.checkpoint.size
        except BadNote as error:
            findings.append(f"checkpoint: {error}")
    position, standing = start or (None, None)
    begin = position.frontier.size if position else 0
    with contextlib.closing(connect(database, read_only=True)) as db:
        db.execute("BEGIN")
        era, log_keys = log_keys_of(db, origin, [each for each in keys if each.algorithm == ED25519])
        authors = Authorship(standing or Standing(era), _batches(db, begin), log_keys)
        rows, judging = _authored(_rows(db, begin, progress), authors), None if begin else of_rows()
        report = check(_judged(rows, judging, authors), checkpoint, tuple(seen), tiles.read, position)
        found_all = (*report.findings, *authors.end())
        findings += [f"{each.what}: {_range(each.begin, each.end)}: {each.message}" for each in found_all]
        findings += _head(db, report)
        if not begin:
            log_key = next(each for each in keys if each.name == origin and each.algorithm == ED25519)
            findings += judge(db, log_key)
        known = tuple(seams(db))
        held = tuple(Held(each, _time_of(db, each.size - 1)) for each in report.held if each.size)
    position = report.position
    size = begin + report.rows
    root = position.frontier.root().hex() if position.frontier.size == size else ""
    signed = _signed(checkpoint, report, begin) if root else None
    lawful, at = judging.end() if judging else None, Instant(position.time)
    return Verdict(
        findings=tuple(findings),
        size=size,
        root=root,
        head_at=at,
        signed=signed,
        witnessed=witnessed,
        position=position,
        standing=authors.standing,
        held=held,
        seams=known,
        lawful=lawful,
        unjudged=authors.unjudged,
    )


def signed_head(state: Path, origin: str) -> Anchor | None:
    """The tree head that the signer signed last, from its state beside the database; None where it is elsewhere.

    Raises `Corrupt` when the file is not a signer's state of this log.
    """
    try:
        kept = decode(content(state, MAX_STATE_BYTES))
        if kept["origin"] != origin:
            raise Corrupt(f"{state} belongs to another log")
        return Anchor(int(kept["size"]), bytes.fromhex(kept["root"]), "signer") if kept["size"] else None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Corrupt(f"{state} cannot be read: {error.strerror}") from None
    except (NotCanonical, KeyError, TypeError, ValueError):
        raise Corrupt(f"{state} is not a signer's state") from None


def verify_state(database: Path, progress: Progress = lambda done, of: None) -> list[str]:
    """Rebuilds every state table from the entries and compares; and whether those who look things up by an index are
    told what stands in the tables."""
    try:
        with contextlib.closing(connect(database, read_only=True)) as db:
            found = unsound(db, lambda: progress(0, 1))
        return [*found, *(_words(each) for each in compare(database, progress))]
    except (DatabaseError, Corrupt) as error:
        return [unread("state", error)]


def _signed(checkpoint: Anchor | None, report: Report, begin: int) -> int | None:
    """How many entries the checkpoint covers: one from before `begin` was judged by an earlier check."""
    if checkpoint is None:
        return 0
    return checkpoint.size if checkpoint.size < begin or checkpoint in report.held else None


def _rows(db: Snapshot, begin: int, progress: Progress) -> Iterator[Row]:
    total = _total(db)
    for count, found in enumerate(stored_rows(db, begin), begin):
        if count % STEP == 0:
            progress(count, total)
        yield Row._make(found)
    progress(total, total)


def _total(db: Snapshot) -> int:
    """How many entries the head counts, for who waits; what is wrong with it is found when all of them are read."""
    try:
        return read_head(db).size
    except Corrupt:
        return 0


def _batches(db: Snapshot, begin: int) -> Iterator[Batch]:
    return (Batch(*each) for each in stored_batches(db, begin))


def _authored(rows: Iterator[Row], authors: Authorship) -> Iterator[Row]:
    """The rows, each seen by who judges its author, too."""
    for row in rows:
        authors.take(row)
        yield row


def _judged(rows: Iterator[Row], judging: Judging | None, authors: Authorship) -> Iterator[Row]:
    """The rows, each asked whether it was lawful, where that is asked at all; a batch ends a command."""
    return rows if judging is None else through(judging, rows, authors.begins)


def _time_of(db: Snapshot, index: int) -> Instant:
    found = stored_time(db, index)
    return Instant(found) if type(found) is int else Instant(0)


def _head(db: Snapshot, report: Report) -> list[str]:
    """The head row decides the next entry's number: it must say what the entries say."""
    try:
        head = read_head(db)
    except Corrupt as error:
        return [f"head: {error}"]
    position = report.position
    if report.findings or (head.size, head.counters) == (position.frontier.size, position.counters):
        return []
    return [f"head: it counts {head.size} entries {json.dumps(head.counters, sort_keys=True)}, and the entries do not"]


def _range(begin: int, end: int) -> str:
    return f"entry {begin}" if end == begin + 1 else f"entries {begin} to {end - 1}"


def _words(found: object) -> str:
    if isinstance(found, Difference):
        why = (
            "a row that the ledger does not explain"
            if found.kind == "extra"
            else "a row that the ledger demands is gone"
        )
        return f"state: {found.table} {found.row}: {why}"
    return f"state: {found}"
