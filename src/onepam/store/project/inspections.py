"""Sessions that were drawn to be inspected, who looked at a recording, and what they said of it."""

import json
from typing import Any

from onepam.domain.people.events import PersonKind
from onepam.domain.sessions.events import RecordingWatched, SessionClosed
from onepam.domain.sessions.inspecting import WITHIN, Ended, RecordingInspected, Risk, is_drawn, percent, risks
from onepam.kernel.clock import FOREVER
from onepam.store.db import Db, row
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

DRAWN = state(
    StateTable(
        "drawn_session",
        ("session",),
        {
            "session": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "risks": "TEXT NOT NULL",
            "percent": "INTEGER NOT NULL",
            "drawn": "INTEGER NOT NULL",
            "due": "INTEGER NOT NULL",
            "inspected": "INTEGER",
        },
        (("inspected", "due"), ("drawn",)),
    )
)
"""`inspected` is when somebody first said what they saw; NULL while it waits."""

WATCHED = state(StateTable("watched", ("session", "person"), {"session": "TEXT NOT NULL", "person": "TEXT NOT NULL"}))
"""The newest row of a key begins when the recording was last shown to them."""

INSPECTION = state(
    StateTable(
        "inspection",
        ("session", "inspector"),
        {
            "session": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "inspector": "TEXT NOT NULL",
            "verdict": "TEXT NOT NULL",
            "note": "TEXT",
            "inspected": "INTEGER NOT NULL",
        },
        (("inspected",), ("person",)),
        personal=("note",),
    )
)

_NOW = f"valid_until = {FOREVER}"


def draw(db: Db, place: Place, event: SessionClosed) -> None:
    """A session was closed, which its row says already: it is drawn, or not."""
    session: Any = row(
        db, f"SELECT person, privileged, because, opened, kill_by FROM session WHERE session = ? AND {_NOW}",
        (event.session,),
    )  # fmt: skip
    if session is None:
        return
    kind = row(db, f"SELECT kind FROM person WHERE person = ? AND {_NOW}", (session["person"],))
    found = risks(
        Ended(
            opened=session["opened"],
            privileged=bool(session["privileged"]),
            approved=bool(json.loads(session["because"]).get("request")),
            vendor=kind is not None and kind["kind"] == PersonKind.VENDOR,
            killed=session["kill_by"] not in (None, session["person"]),
            gap=event.gap is not None,
        )
    )
    if is_drawn(event.session, event.head, found):
        _put(db, place, event.session, session["person"], found)


def found_bad(db: Db, place: Place, session: str) -> None:
    """The recording of a session is not what was sealed: somebody looks at it, once more if somebody did before."""
    of: Any = row(db, f"SELECT person FROM session WHERE session = ? AND {_NOW}", (session,))
    if of is not None:
        _put(db, place, session, of["person"], (Risk.BAD_RECORDING,))


def _put(db: Db, place: Place, session: str, person: str, found: tuple[Risk, ...]) -> None:
    DRAWN.put(
        db,
        place.time,
        session=session,
        person=person,
        risks=found,
        percent=percent(found),
        drawn=place.time,
        due=place.time + WITHIN,
        inspected=None,
    )


@projects(RecordingWatched)
def recording_watched(db: Db, place: Place, event: RecordingWatched) -> None:
    WATCHED.put(db, place.time, session=event.session, person=event.by)


@projects(RecordingInspected)
def recording_inspected(db: Db, place: Place, event: RecordingInspected) -> None:
    INSPECTION.put(
        db,
        place.time,
        session=event.session,
        person=event.person,
        inspector=event.by,
        verdict=event.verdict,
        note=event.note,
        inspected=place.time,
    )
    DRAWN.change(db, place.time, {"session": event.session}, inspected=place.time)
