"""Finished recordings as the ledger vouches for them, and when each was held against it last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.sessions.recordings import Checked, Condition
from onepam.domain.sessions.waiting_statements import APPROVED
from onepam.kernel.clock import DAY, HOUR, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.read.waited import waited

MAX_TURN = 30 * DAY
"""How long going once over all recordings may take."""

LAST_CHECK = (
    "(SELECT c.valid_from FROM recording_check c WHERE c.begin <= closing AND closing < c.until "
    "AND c.valid_from <= :at ORDER BY c.valid_from DESC LIMIT 1)"
)
"""SQL: when the recording of a session closed by the entry `closing` was checked last; NULL if it never was."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the ledger says of one finished recording: its closing entry, and the newest head sealed while it ran.

    `chunks` is 0 and `head` of no meaning where nothing was recorded; `sealed` is the (chunk, head) of the newest
    `recording.chunks_sealed` entry that names it. `died`: the process ended before the session did. `waits`: executions
    that waited for somebody's yes, and whether they had it.
    """

    closing: int
    session: str
    head: str
    chunks: int
    counts: Mapping[str, int]
    verified: bool
    died: bool
    sealed: tuple[int, str] | None
    waits: Mapping[int, bool]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the checks are: the recordings of closing entries below `fresh` were checked when they were new; the
    rotation's current `turn` (0: none yet) began at `began` and has come to `until`."""

    fresh: int
    turn: int
    until: int
    began: Instant | None


def vouched(db: Snapshot, at: Instant, begin: int, end: int, most: int) -> tuple[Vouched, ...]:
    """The finished recordings whose closing entries have begin <= index < end, in their order, `most` at most.

    The columns are those of the entries themselves, not of tables made from them. An entry that cannot be read is left
    out: verifying the history names it.
    """
    found = rows(
        db,
        """SELECT idx, json_extract(CAST(body AS TEXT), '$.session') AS session,
                  json_extract(CAST(body AS TEXT), '$.head') AS head,
                  json_extract(CAST(body AS TEXT), '$.chunks') AS chunks,
                  json_extract(CAST(body AS TEXT), '$.verified') AS verified,
                  json_extract(CAST(body AS TEXT), '$.because') AS because,
                  json_extract(CAST(body AS TEXT), '$.counts') AS counts
           FROM entry WHERE kind = 'session.closed' AND idx >= ? AND idx < ? AND time <= ?
             AND json_valid(CAST(body AS TEXT))
           ORDER BY idx LIMIT ?""",
        (begin, end, at, most),
    )
    return tuple(
        Vouched(
            closing=each["idx"],
            session=each["session"],
            head=each["head"],
            chunks=each["chunks"],
            counts=json.loads(each["counts"]),
            verified=bool(each["verified"]),
            died=each["because"] == "gateway.died",
            sealed=sealed_head(db, at, each["session"]),
            waits={execution: it.decision == APPROVED for execution, it in waited(db, at, each["session"]).items()},
        )
        for each in found
        if isinstance(each["session"], str) and isinstance(each["head"], str) and isinstance(each["chunks"], int)
    )


def sealed_head(db: Snapshot, at: Instant, session: str) -> tuple[int, str] | None:
    """The newest (chunk, head) that was sealed of a session's recording."""
    found = row(
        db, f"SELECT chunk, head FROM sealed_head WHERE session = :session AND {AT}", {"session": session, "at": at}
    )
    return (found["chunk"], found["head"]) if found else None


def final_head(db: Snapshot, at: Instant, session: str) -> tuple[int, str] | None:
    """The last (chunk, head) of a finished recording that was made from the file itself; None for any other."""
    found = row(
        db,
        f"SELECT chunks, head FROM session WHERE session = :session AND {AT} AND chunks > 0 "
        "AND (verified = 1 OR closed_because = 'gateway.died')",
        {"session": session, "at": at},
    )
    return (found["chunks"], found["head"]) if found else None


def progress(db: Snapshot, at: Instant) -> Progress:
    """How far the checks are."""
    sql = "SELECT turn, until, valid_from FROM recording_check WHERE {} ORDER BY turn {}, begin {} LIMIT 1"
    fresh = row(db, sql.format("turn = 0", "DESC", "DESC"))
    newest = row(db, sql.format("turn > 0", "DESC", "DESC"))
    first = row(db, sql.format("turn = ?", "ASC", "ASC"), (newest["turn"],)) if newest else None
    return Progress(
        fresh=fresh["until"] if fresh else 0,
        turn=newest["turn"] if newest else 0,
        until=newest["until"] if newest else 0,
        began=first["valid_from"] if first else None,
    )


def untested(db: Snapshot, at: Instant) -> bool:
    """Whether the checks are behind: a recording was closed an hour ago and not looked at, or a turn takes too long."""
    known = progress(db, at)
    waiting = row(
        db,
        "SELECT 1 FROM entry WHERE kind = 'session.closed' AND idx >= ? AND time < ? LIMIT 1",
        (known.fresh, at - HOUR),
    )
    return waiting is not None or (known.began is not None and at - known.began > MAX_TURN)


@dataclass(frozen=True, slots=True)
class Standing:
    """Of `total` finished recordings `checked` were held against the ledger at least once, the newest at `as_of`;
    `bad` are those that are not what was sealed."""

    total: int
    checked: int
    as_of: Instant | None
    bad: tuple[Checked, ...]


def standing(db: Snapshot, at: Instant) -> Standing:
    """What the ledger knows of all finished recordings."""
    closings = "SELECT count(*) FROM entry WHERE kind = 'session.closed' AND idx < ?"
    total, checked = (row(db, closings, (end,)) for end in (1 << 53, progress(db, at).fresh))
    newest = row(db, "SELECT max(valid_from) FROM recording_check")
    bad = rows(db, f"SELECT session, condition, found FROM bad_recording WHERE {AT} ORDER BY session", {"at": at})
    return Standing(
        total=total[0] if total else 0,
        checked=checked[0] if checked else 0,
        as_of=newest[0] if newest else None,
        bad=tuple(Checked(each["session"], Condition(each["condition"]), each["found"]) for each in bad),
    )
