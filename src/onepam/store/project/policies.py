"""Policy documents, who confirmed them, and who was reminded."""

from onepam.domain.policies import events
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

POLICY = state(
    StateTable(
        "policy",
        ("policy",),
        {
            "policy": "TEXT NOT NULL",
            "version": "INTEGER NOT NULL",
            "title": "TEXT NOT NULL",
            "digest": "TEXT NOT NULL",
            "size": "INTEGER NOT NULL",
            "media": "TEXT NOT NULL",
            "owner": "TEXT NOT NULL",
            "review_by": "INTEGER NOT NULL",
            "readers": "TEXT NOT NULL",
            "published": "INTEGER NOT NULL",
            "published_by": "TEXT NOT NULL",
            "looked_through": "INTEGER",
        },
    )
)
POLICY_CONFIRMED = state(
    StateTable(
        "policy_confirmed",
        ("policy", "person"),
        {
            "policy": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "version": "INTEGER NOT NULL",
            "confirmed": "INTEGER NOT NULL",
        },
        (("person",),),
    )
)
"""The version that somebody confirmed last."""

POLICY_REMINDED = state(
    StateTable(
        "policy_reminded",
        ("policy", "person"),
        {
            "policy": "TEXT NOT NULL",
            "person": "TEXT NOT NULL",
            "version": "INTEGER NOT NULL",
            "times": "INTEGER NOT NULL",
            "told": "INTEGER NOT NULL",
        },
    )
)


@projects(events.PolicyPublished)
def policy_published(db: Db, place: Place, event: events.PolicyPublished) -> None:
    POLICY.put(
        db,
        place.time,
        policy=event.policy,
        version=event.version,
        title=event.title,
        digest=event.digest,
        size=event.size,
        media=event.media,
        owner=event.owner,
        review_by=event.review_by,
        readers=event.readers,
        published=place.time,
        published_by=event.by,
    )


@projects(events.PolicyLookedThrough)
def policy_looked_through(db: Db, place: Place, event: events.PolicyLookedThrough) -> None:
    changes = {"review_by": event.review_by, "looked_through": place.time}
    POLICY.change(db, place.time, {"policy": event.policy}, **changes)


@projects(events.PolicyConfirmed)
def policy_confirmed(db: Db, place: Place, event: events.PolicyConfirmed) -> None:
    POLICY_CONFIRMED.put(
        db, place.time, policy=event.policy, person=event.by, version=event.version, confirmed=place.time
    )


@projects(events.PolicyReminded)
def policy_reminded(db: Db, place: Place, event: events.PolicyReminded) -> None:
    POLICY_REMINDED.put(
        db,
        place.time,
        policy=event.policy,
        person=event.person,
        version=event.version,
        times=event.times,
        told=place.time,
    )


@projects(events.PolicyRetired)
def policy_retired(db: Db, place: Place, event: events.PolicyRetired) -> None:
    POLICY.end(db, place.time, policy=event.policy)
