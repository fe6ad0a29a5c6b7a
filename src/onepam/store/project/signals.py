"""Signal streams, what was proposed of them, and which signals came."""

from typing import Any

from onepam.domain.providers import signals as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

_STREAM = {
    "stream": "TEXT NOT NULL",
    "change": "TEXT NOT NULL",
    "name": "TEXT NOT NULL",
    "issuer": "TEXT NOT NULL",
    "audience": "TEXT NOT NULL",
    "delivery": "TEXT NOT NULL",
    "provider": "TEXT NOT NULL",
    "endpoint": "TEXT NOT NULL",
    "remote": "TEXT NOT NULL",
    "digest": "TEXT",
    "secret": "TEXT",
    "proposed_by": "TEXT NOT NULL",
}
STREAM = state(StateTable("signal_stream", ("stream",), {**_STREAM, "approved_by": "TEXT NOT NULL"}))
STREAM_PROPOSAL = state(StateTable("signal_stream_proposal", ("change",), _STREAM))
SIGNAL = state(
    StateTable(
        "signal",
        ("stream", "jti_digest"),
        {
            "stream": "TEXT NOT NULL",
            "jti_digest": "TEXT NOT NULL",
            "signal": "TEXT NOT NULL",
            "detail": "TEXT NOT NULL",
            "person": "TEXT",
            "ended": "INTEGER NOT NULL",
            "issued": "INTEGER NOT NULL",
            "received": "INTEGER NOT NULL",
            "reason": "TEXT",
        },
        (("stream", "received"), ("person",)),
        personal=("reason",),
    )
)


@projects(events.SignalStreamProposed)
def stream_proposed(db: Db, place: Place, event: events.SignalStreamProposed) -> None:
    STREAM_PROPOSAL.put(db, place.time, proposed_by=event.by, **_columns(event))


@projects(events.SignalStreamSet)
def stream_set(db: Db, place: Place, event: events.SignalStreamSet) -> None:
    STREAM_PROPOSAL.end(db, place.time, change=event.change)
    STREAM.put(db, place.time, proposed_by=event.proposed_by, approved_by=event.by, **_columns(event))


@projects(events.SignalStreamRejected)
def stream_rejected(db: Db, place: Place, event: events.SignalStreamRejected) -> None:
    STREAM_PROPOSAL.end(db, place.time, change=event.change)


@projects(events.SignalStreamRemoved)
def stream_removed(db: Db, place: Place, event: events.SignalStreamRemoved) -> None:
    STREAM.end(db, place.time, stream=event.stream)


@projects(events.SignalReceived)
def signal_received(db: Db, place: Place, event: events.SignalReceived) -> None:
    SIGNAL.put(
        db,
        place.time,
        stream=event.stream,
        jti_digest=event.jti_digest,
        signal=event.signal,
        detail=event.detail,
        person=event.person,
        ended=event.ended,
        issued=event.issued,
        received=place.time,
        reason=event.reason,
    )


def _columns(event: events.SignalStreamProposed | events.SignalStreamSet) -> dict[str, Any]:
    return {
        "stream": event.stream,
        "change": event.change,
        "name": event.name,
        "issuer": event.issuer,
        "audience": event.audience,
        "delivery": event.delivery,
        "provider": event.provider,
        "endpoint": event.endpoint,
        "remote": event.remote,
        "digest": event.digest,
        "secret": event.secret,
    }
