"""Users of databases that were made for sessions, until the server said that they are gone."""

from onepam.domain.sessions.session_users import SessionUserDropped, SessionUserLeft, SessionUserMade
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

MADE_USER = state(
    StateTable(
        "made_user",
        ("name",),
        {
            "name": "TEXT NOT NULL",
            "session": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "login": "TEXT NOT NULL",
            "member_of": "TEXT NOT NULL",
            "made_by": "TEXT NOT NULL",
            "made": "INTEGER NOT NULL",
            "because": "TEXT",
            "left_at": "INTEGER",
        },
        (("resource",), ("session",), ("valid_until",)),
    )
)


@projects(SessionUserMade)
def made(db: Db, place: Place, event: SessionUserMade) -> None:
    MADE_USER.put(
        db,
        place.time,
        name=event.user,
        session=event.session,
        resource=event.resource,
        login=event.login,
        member_of=event.role,
        made_by=event.made_by,
        made=place.time,
    )


@projects(SessionUserDropped)
def dropped(db: Db, place: Place, event: SessionUserDropped) -> None:
    MADE_USER.end(db, place.time, name=event.user)


@projects(SessionUserLeft)
def left(db: Db, place: Place, event: SessionUserLeft) -> None:
    MADE_USER.change(db, place.time, {"name": event.user}, because=event.because, left_at=place.time)
