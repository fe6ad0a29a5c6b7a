"""Finished recordings as the ledger vouches for them, and when each was held against it last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from onepam.kernel.clock import Instant
from onepam.store.database import Db, row, rows
from onepam.store.entries import size_at
from onepam.store.tables import AT

LAST_CHECK = (
    "(SELECT c.valid_from FROM recording_check c WHERE c.begin <= closing AND closing < c.until "
    "AND c.valid_from <= :at ORDER BY c.valid_from DESC LIMIT 1)"
)
"""SQL: when the recording of a session closed by the entry `closing` was checked last; NULL if it never was."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the ledger says of one finished recording: its closing entry, and the newest head sealed while it ran.

    `chunks` is 0 and `head` of no meaning where nothing was recorded; `sealed` is the (chunk, head) of the newest
    `recording.chunks_sealed` entry that names it. `died`: the process ended before the session did.
    """

    closing: int
    session: str
    head: str
    chunks: int
    counts: Mapping[str, int]
    verified: bool
    died: bool
    sealed: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the checks are: the recordings of closing entries below `fresh` were checked when they were new; the
    rotation's current `turn` (0: none yet) began at `began` and has come to `until`."""

    fresh: int
    turn: int
    until: int
    began: Instant | None


def vouched(db: Db, at: Instant, begin: int, end: int, most: int) -> tuple[Vouched, ...]:
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
           FROM entry WHERE kind = 'session.closed' AND idx >= ? AND idx < ? AND json_valid(CAST(body AS TEXT))
           ORDER BY idx LIMIT ?""",
        (begin, min(end, size_at(db, at)), most),
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
        )
        for each in found
        if isinstance(each["session"], str) and isinstance(each["head"], str) and isinstance(each["chunks"], int)
    )


def sealed_head(db: Db, at: Instant, session: str) -> tuple[int, str] | None:
    """The newest (chunk, head) that was sealed of a session's recording."""
    found = row(
        db, f"SELECT chunk, head FROM sealed_head WHERE session = :session AND {AT}", {"session": session, "at": at}
    )
    return (found["chunk"], found["head"]) if found else None


def progress(db: Db, at: Instant) -> Progress:
    """How far the checks are."""
    fresh = row(db, "SELECT max(until) FROM recording_check WHERE turn = 0")
    newest = row(
        db,
        "SELECT turn, max(until) AS until, min(valid_from) AS began FROM recording_check WHERE turn > 0 "
        "GROUP BY turn ORDER BY turn DESC LIMIT 1",
    )
    done = fresh[0] or 0 if fresh else 0
    return Progress(done, newest["turn"], newest["until"], newest["began"]) if newest else Progress(done, 0, 0, None)
