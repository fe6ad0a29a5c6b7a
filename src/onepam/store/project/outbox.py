"""Receivers of notices, and what each was told last."""

from onepam.domain.telling import choosing
from onepam.domain.telling import outbox as events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

RECEIVER = state(
    StateTable(
        "receiver",
        ("receiver",),
        {
            "receiver": "TEXT NOT NULL",
            "channel": "TEXT NOT NULL",
            "since": "INTEGER NOT NULL",
        },
    )
)
DELIVERY = state(
    StateTable(
        "delivery",
        ("receiver",),
        {
            "receiver": "TEXT NOT NULL",
            "channel": "TEXT NOT NULL",
            "failing": "INTEGER",
            "because": "TEXT",
            "sent": "INTEGER",
            "given_up": "INTEGER",
        },
    )
)
"""How it goes with a receiver: since when it fails and why, when it took its last notice, and when one was given up."""

NOTICE = state(
    StateTable(
        "notice",
        ("receiver", "alike"),
        {
            "receiver": "TEXT NOT NULL",
            "alike": "TEXT NOT NULL",
            "kind": "TEXT NOT NULL",
            "notice": "TEXT NOT NULL",
            "first": "INTEGER NOT NULL",
            "last": "INTEGER NOT NULL",
            "count": "INTEGER NOT NULL",
            "failed": "TEXT",
        },
    )
)


NOTICE_CHOICE = state(
    StateTable(
        "notice_choice",
        ("person",),
        {
            "person": "TEXT NOT NULL",
            "zone": "TEXT NOT NULL",
            "days": "TEXT NOT NULL",
            "digest_at": "INTEGER NOT NULL",
            "quiet_from": "INTEGER NOT NULL",
            "quiet_until": "INTEGER NOT NULL",
            "in_digest": "TEXT NOT NULL",
            "untold": "TEXT NOT NULL",
        },
    )
)
"""How people want to be told; whoever never chose has no row."""


@projects(choosing.NoticesChosen)
def notices_chosen(db: Db, place: Place, event: choosing.NoticesChosen) -> None:
    NOTICE_CHOICE.put(
        db,
        place.time,
        person=event.person,
        zone=event.zone,
        days=event.days,
        digest_at=event.digest_at,
        quiet_from=event.quiet_from,
        quiet_until=event.quiet_until,
        in_digest=event.in_digest,
        untold=event.untold,
    )


@projects(events.ReceiverSet)
def receiver_set(db: Db, place: Place, event: events.ReceiverSet) -> None:
    RECEIVER.put(db, place.time, receiver=event.receiver, channel=event.channel, since=place.index)


@projects(events.ReceiverEnded)
def receiver_ended(db: Db, place: Place, event: events.ReceiverEnded) -> None:
    RECEIVER.end(db, place.time, receiver=event.receiver)
    DELIVERY.end(db, place.time, receiver=event.receiver)


@projects(events.ReceiverFailing)
def receiver_failing(db: Db, place: Place, event: events.ReceiverFailing) -> None:
    changes = {"failing": place.time, "because": event.because}
    if not DELIVERY.change(db, place.time, {"receiver": event.receiver}, **changes):
        DELIVERY.put(db, place.time, receiver=event.receiver, channel=event.channel, **changes)


@projects(events.NoticeSent)
def notice_sent(db: Db, place: Place, event: events.NoticeSent) -> None:
    changes = {"failing": None, "because": None, "sent": place.time}
    if not DELIVERY.change(db, place.time, {"receiver": event.receiver}, **changes):
        DELIVERY.put(db, place.time, receiver=event.receiver, channel=event.channel, **changes)
    _settle(db, place, event, None)


@projects(events.NoticeFailed)
def notice_failed(db: Db, place: Place, event: events.NoticeFailed) -> None:
    DELIVERY.change(db, place.time, {"receiver": event.receiver}, given_up=place.time)
    _settle(db, place, event, event.because)


def _settle(db: Db, place: Place, event: events.NoticeSent | events.NoticeFailed, failed: str | None) -> None:
    NOTICE.put(
        db,
        place.time,
        receiver=event.receiver,
        alike=event.alike,
        kind=event.kind,
        notice=event.notice,
        first=event.first,
        last=event.last,
        count=event.count,
        failed=failed,
    )
