"""Sessions that were drawn to be looked at, and what was said of them."""

import json
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.sessions.events import EntryPoint
from onepam.domain.sessions.inspecting import Risk, Verdict
from onepam.kernel.clock import DAY, FOREVER, Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT
from onepam.store.read.names import name
from onepam.store.read.paging import Page, Window

STATES = {"waiting": "To inspect", "overdue": "Overdue", "done": "Inspected"}

SPAN = 90 * DAY
"""How far back the figures reach (microseconds)."""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said of a recording; the note is None where there is none, or it was erased."""

    inspector: str
    inspector_name: str
    verdict: Verdict
    note: str | None
    at: Instant


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A session that was drawn: why it is one to look at, until when somebody should have, and what they said."""

    session: str
    person: str
    person_name: str
    resource: str
    login: str
    entry: EntryPoint
    opened: Instant
    closed: Instant
    risks: tuple[Risk, ...]
    drawn: Instant
    due: Instant
    inspected: Instant | None
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the sessions that ended within `SPAN`: how many were drawn; of these how many were inspected, in time or not,
    are still in time or overdue; and how many inspections said that there is a concern."""

    ended: int
    drawn: int
    inspected: int
    late: int
    waiting: int
    overdue: int
    concerns: int


_D = "d.valid_from <= :at AND :at < d.valid_until"
_S = "s.valid_from <= :at AND :at < s.valid_until"
_ALL = (
    "d.*, s.resource, s.login, s.entry, s.opened, s.closed FROM drawn_session d "
    f"JOIN session s ON s.session = d.session AND {_S}"
)
_WAITS = "(:state = '' OR (d.due > :at) = (:state = 'waiting'))"


def drawn_sessions(db: Snapshot, at: Instant, state: str = "", window: Window | None = None) -> Page[DrawnRow]:
    """A page of them, what is due first at the top; of those that were inspected the newest. `state`: of `STATES`, ""
    for all that wait."""
    window = window or Window()
    of: dict[str, Any] = {"at": at, "state": state, "after": window.after, "most": window.most + 1}
    after = row(db, f"SELECT due FROM drawn_session d WHERE d.session = :after AND {_D}", of)
    if state == "done":
        of["due"] = after["due"] if after else FOREVER
        found = rows(
            db,
            f"SELECT {_ALL} WHERE {_D} AND d.inspected > 0 "
            "AND (d.due < :due OR (d.due = :due AND d.session < :after)) "
            "ORDER BY d.due DESC, d.session DESC LIMIT :most",
            of,
        )
        total = row(db, f"SELECT count(*) FROM drawn_session d WHERE {_D} AND d.inspected > 0", of)
    else:
        of["due"] = after["due"] if after else 0
        found = rows(
            db,
            f"SELECT {_ALL} WHERE {_D} AND d.inspected IS NULL AND {_WAITS} "
            "AND (d.due > :due OR (d.due = :due AND d.session > :after)) ORDER BY d.due, d.session LIMIT :most",
            of,
        )
        total = row(db, f"SELECT count(*) FROM drawn_session d WHERE {_D} AND d.inspected IS NULL AND {_WAITS}", of)
    page = Page.of(found, window, total[0] if total else 0, itemgetter("session"))
    return page.map(lambda shown: (_row(db, at, each) for each in shown))


def drawn(db: Snapshot, at: Instant, session: str) -> DrawnRow | None:
    """One that was drawn; None for any other."""
    found = row(
        db,
        f"SELECT {_ALL} WHERE d.session = :session AND {_D}",
        {"session": session, "at": at},
    )
    return _row(db, at, found) if found is not None else None


def said_of(db: Snapshot, at: Instant, session: str) -> tuple[Said, ...]:
    """What was said of a recording, drawn or not, the newest last."""
    found = rows(
        db,
        f"SELECT inspector, verdict, note, inspected FROM inspection WHERE session = :session AND {AT} "
        "ORDER BY inspected",
        {"session": session, "at": at},
    )
    return tuple(
        Said(
            each["inspector"],
            name(db, at, each["inspector"]),
            Verdict(each["verdict"]),
            each["note"],
            each["inspected"],
        )
        for each in found
    )


def figures(db: Snapshot, at: Instant) -> Figures:
    """How far the share is that somebody looked at."""
    of = {"at": at, "since": at - SPAN}
    ended = row(db, f"SELECT count(*) FROM session s WHERE s.closed > :since AND s.status = 'closed' AND {_S}", of)
    found: Any = row(
        db,
        f"""SELECT count(*) AS drawn,
                   coalesce(sum(CASE WHEN d.inspected <= d.due THEN 1 ELSE 0 END), 0) AS inspected,
                   coalesce(sum(CASE WHEN d.inspected > d.due THEN 1 ELSE 0 END), 0) AS late,
                   coalesce(sum(CASE WHEN d.inspected IS NULL AND d.due > :at THEN 1 ELSE 0 END), 0) AS waiting,
                   coalesce(sum(CASE WHEN d.inspected IS NULL AND d.due <= :at THEN 1 ELSE 0 END), 0) AS overdue
            FROM drawn_session d WHERE d.drawn > :since AND {_D}""",
        of,
    )
    concerns = row(
        db,
        f"SELECT count(*) FROM inspection WHERE inspected > :since AND verdict = '{Verdict.CONCERN}' AND {AT}",
        of,
    )
    return Figures(
        ended=ended[0] if ended else 0,
        drawn=found["drawn"],
        inspected=found["inspected"],
        late=found["late"],
        waiting=found["waiting"],
        overdue=found["overdue"],
        concerns=concerns[0] if concerns else 0,
    )


def _row(db: Snapshot, at: Instant, found: Any) -> DrawnRow:
    return DrawnRow(
        session=found["session"],
        person=found["person"],
        person_name=name(db, at, found["person"]),
        resource=found["resource"],
        login=found["login"],
        entry=EntryPoint(found["entry"]),
        opened=found["opened"],
        closed=found["closed"],
        risks=tuple(Risk(each) for each in json.loads(found["risks"])),
        drawn=found["drawn"],
        due=found["due"],
        inspected=found["inspected"],
        said=said_of(db, at, found["session"]),
    )
