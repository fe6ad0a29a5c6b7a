"""Gateway sessions, confirmations and the sealed heads of recordings."""

from onepam.domain.sessions import events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, nothing, projects, state
from onepam.store.engine.tables import StateTable
from onepam.store.project.inspections import draw
from onepam.store.project.login_tokens import TOKEN_SESSION

SESSION = state(
    StateTable(
        "session",
        ("session",),
        {
            "session": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "login": "TEXT NOT NULL",
            "entry": "TEXT NOT NULL",
            "actions": "TEXT NOT NULL",
            "privileged": "INTEGER NOT NULL",
            "because": "TEXT NOT NULL",
            "also": "TEXT NOT NULL",
            "mfa": "TEXT NOT NULL",
            "node": "TEXT NOT NULL",
            "source": "TEXT",
            "client": "TEXT",
            "status": "TEXT NOT NULL",
            "opened": "INTEGER NOT NULL",
            "ends": "INTEGER NOT NULL",
            "kill_by": "TEXT",
            "closed": "INTEGER",
            "closing": "INTEGER",
            "closed_because": "TEXT",
            "head": "TEXT",
            "chunks": "INTEGER",
            "counts": "TEXT",
            "verified": "INTEGER",
            "gap": "TEXT",
            "last_byte": "INTEGER",
            "basis": "TEXT NOT NULL",
            "bytes": "INTEGER NOT NULL",
        },
        (
            ("status",),
            ("person",),
            ("resource",),
            ("opened", "entry", "basis", "valid_from"),
            ("closed",),
            ("bytes", "valid_from"),
        ),
        personal=("source", "client"),
    )
)
CONFIRMATION = state(
    StateTable(
        "confirmation",
        ("confirmation",),
        {
            "confirmation": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "resource": "TEXT NOT NULL",
            "login": "TEXT NOT NULL",
            "expires": "INTEGER NOT NULL",
            "code_digest": "TEXT",
            "source": "TEXT",
            "status": "TEXT NOT NULL",
            "mfa": "TEXT",
        },
        (("person",),),
        personal=("code_digest", "source"),
    )
)
SEALED = state(
    StateTable(
        "sealed_head",
        ("session",),
        {"session": "TEXT NOT NULL", "chunk": "INTEGER NOT NULL", "head": "TEXT NOT NULL"},
    )
)

nothing(events.SessionRefused)


@projects(events.SessionOpened)
def session_opened(db: Db, place: Place, event: events.SessionOpened) -> None:
    SESSION.put(
        db,
        place.time,
        session=event.session,
        person=event.person,
        resource=event.resource,
        login=event.login,
        entry=event.entry,
        actions=event.actions,
        privileged=event.privileged,
        because=event.because,
        also=event.also,
        mfa=event.mfa,
        node=event.node,
        source=event.source,
        client=event.client,
        status="open",
        opened=place.time,
        ends=event.ends,
        basis=event.mfa.basis,
        bytes=0,
    )


@projects(events.SessionFailed)
def session_failed(db: Db, place: Place, event: events.SessionFailed) -> None:
    TOKEN_SESSION.end(db, place.time, session=event.session)
    SESSION.change(
        db,
        place.time,
        {"session": event.session},
        status="failed",
        closed=place.time,
        closed_because=event.code,
    )


@projects(events.KillOrdered)
def kill_ordered(db: Db, place: Place, event: events.KillOrdered) -> None:
    SESSION.change(db, place.time, {"session": event.session}, kill_by=event.by)


@projects(events.SessionClosed)
def session_closed(db: Db, place: Place, event: events.SessionClosed) -> None:
    TOKEN_SESSION.end(db, place.time, session=event.session)
    SESSION.change(
        db,
        place.time,
        {"session": event.session},
        status="closed",
        closed=place.time,
        closing=place.index,
        closed_because=event.because,
        head=event.head,
        chunks=event.chunks,
        counts=event.counts,
        bytes=event.counts.get("bytes", 0),
        verified=event.verified,
        gap=event.gap,
        last_byte=event.last_byte,
    )
    draw(db, place, event)


@projects(events.ChunksSealed)
def chunks_sealed(db: Db, place: Place, event: events.ChunksSealed) -> None:
    for each in event.heads:
        SEALED.put(db, place.time, session=each.session, chunk=each.chunk, head=each.head)


@projects(events.ConfirmationAsked)
def confirmation_asked(db: Db, place: Place, event: events.ConfirmationAsked) -> None:
    CONFIRMATION.put(
        db,
        place.time,
        confirmation=event.confirmation,
        person=event.person,
        resource=event.resource,
        login=event.login,
        expires=event.expires,
        code_digest=event.code_digest,
        source=event.source,
        status="asked",
    )


@projects(events.ConfirmationGiven)
def confirmation_given(db: Db, place: Place, event: events.ConfirmationGiven) -> None:
    CONFIRMATION.change(db, place.time, {"confirmation": event.confirmation}, status="given", mfa=event.mfa)


@projects(events.ConfirmationFailed)
def confirmation_failed(db: Db, place: Place, event: events.ConfirmationFailed) -> None:
    CONFIRMATION.change(db, place.time, {"confirmation": event.confirmation}, status="failed")


@projects(events.ConfirmationUsed)
def confirmation_used(db: Db, place: Place, event: events.ConfirmationUsed) -> None:
    CONFIRMATION.change(db, place.time, {"confirmation": event.confirmation}, status="used")
