"""Signal streams and what came by them, for pages, the API, the command line and the receiver."""

import json
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.providers.signals import Stream
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.facts.signals import stream_of
from onepam.store.read.names import name


@dataclass(frozen=True, slots=True)
class Addressed:
    """A stream in force, and the issuer under which its provider's subjects are known ("" where it has none)."""

    stream: Stream
    provider_issuer: str


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A stream in force. `last` and `verified` are None before the first signal and verification; `status` is the last
    one that the transmitter told, "" for none; counts are of all signals so far."""

    stream: Stream
    provider_name: str
    since: Instant
    proposed_by: str
    proposed_by_name: str
    approved_by: str
    approved_by_name: str
    last: Instant | None
    verified: Instant | None
    status: str
    signals: int
    ended: int


@dataclass(frozen=True, slots=True)
class StreamProposalRow:
    """A stream as it is proposed."""

    stream: Stream
    provider_name: str
    new: bool
    by: str
    by_name: str
    at: Instant


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal that was taken; `person` is "" for nobody here."""

    stream_name: str
    signal: str
    detail: str
    person: str
    person_name: str
    ended: int
    issued: Instant
    received: Instant
    reason: str


def addressed(db: Snapshot, at: Instant, ident: str) -> Addressed | None:
    """The stream in force that a message is addressed to, or None."""
    found = row(db, f"SELECT * FROM signal_stream WHERE stream = :stream AND {AT}", {"stream": ident, "at": at})
    return None if found is None else _addressed(db, at, found)


def polled(db: Snapshot, at: Instant) -> list[Addressed]:
    """The streams in force that we fetch."""
    found = rows(db, f"SELECT * FROM signal_stream WHERE delivery = 'poll' AND {AT} ORDER BY stream", {"at": at})
    return [_addressed(db, at, each) for each in found]


def streams(db: Snapshot, at: Instant) -> list[StreamRow]:
    """All streams in force, by name."""
    return [
        _row(db, at, each) for each in rows(db, f"SELECT * FROM signal_stream WHERE {AT} ORDER BY name", {"at": at})
    ]


def stream(db: Snapshot, at: Instant, ident: str) -> StreamRow | None:
    """One stream in force, or None."""
    found = row(db, f"SELECT * FROM signal_stream WHERE stream = :stream AND {AT}", {"stream": ident, "at": at})
    return None if found is None else _row(db, at, found)


def stream_proposals(db: Snapshot, at: Instant) -> list[StreamProposalRow]:
    """Those that wait, oldest first."""
    return [
        StreamProposalRow(
            stream=stream_of(each),
            provider_name=_provider(db, at, each["provider"]),
            new=stream(db, at, each["stream"]) is None,
            by=each["proposed_by"],
            by_name=name(db, at, each["proposed_by"]),
            at=each["valid_from"],
        )
        for each in rows(db, f"SELECT * FROM signal_stream_proposal WHERE {AT} ORDER BY valid_from", {"at": at})
    ]


def signals(db: Snapshot, at: Instant, ident: str = "", limit: int = 50) -> list[SignalRow]:
    """The newest signals, of one stream or of all."""
    found = rows(
        db,
        f"SELECT * FROM signal WHERE (:stream = '' OR stream = :stream) AND {AT} ORDER BY received DESC LIMIT :limit",
        {"stream": ident, "at": at, "limit": limit},
    )
    return [
        SignalRow(
            stream_name=_stream_name(db, each["stream"]),
            signal=each["signal"],
            detail=each["detail"],
            person=each["person"] or "",
            person_name=name(db, at, each["person"]) if each["person"] else "",
            ended=each["ended"],
            issued=each["issued"],
            received=each["received"],
            reason=each["reason"] or "",
        )
        for each in found
    ]


def _addressed(db: Snapshot, at: Instant, found: Row) -> Addressed:
    provider = row(
        db,
        f"SELECT settings FROM provider WHERE provider = :provider AND {AT}",
        {"provider": found["provider"], "at": at},
    )
    issuer = json.loads(provider["settings"]).get("issuer", "") if provider else ""
    return Addressed(stream_of(found), issuer if isinstance(issuer, str) else "")


def _row(db: Snapshot, at: Instant, found: Row) -> StreamRow:
    of = {"stream": found["stream"], "at": at}
    counted = row(
        db,
        "SELECT count(*) AS signals, coalesce(sum(ended), 0) AS ended, max(received) AS last, "
        "max(CASE WHEN signal = 'verification' THEN received END) AS verified "
        f"FROM signal WHERE stream = :stream AND {AT}",
        of,
    )
    assert counted is not None  # an aggregate has a row
    told = row(
        db,
        "SELECT detail FROM signal WHERE stream = :stream AND signal = 'stream-updated' "
        f"AND {AT} ORDER BY received DESC LIMIT 1",
        of,
    )
    return StreamRow(
        stream=stream_of(found),
        provider_name=_provider(db, at, found["provider"]),
        since=found["valid_from"],
        proposed_by=found["proposed_by"],
        proposed_by_name=name(db, at, found["proposed_by"]),
        approved_by=found["approved_by"],
        approved_by_name=name(db, at, found["approved_by"]),
        last=counted["last"],
        verified=counted["verified"],
        status=told["detail"] if told else "",
        signals=counted["signals"],
        ended=counted["ended"],
    )


def _provider(db: Snapshot, at: Instant, provider: str) -> str:
    found = row(db, f"SELECT name FROM provider WHERE provider = :provider AND {AT}", {"provider": provider, "at": at})
    return found["name"] if found else provider


def _stream_name(db: Snapshot, ident: str) -> str:
    found = row(
        db, "SELECT name FROM signal_stream WHERE stream = :stream ORDER BY valid_from DESC LIMIT 1", {"stream": ident}
    )
    return found["name"] if found else ident
