"""People and group members."""

from onepam.domain.people import events
from onepam.kernel.clock import FOREVER
from onepam.kernel.text import natural
from onepam.store.db import Db, row
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable
from onepam.store.project.directory_brake import answered

ENDS = f"coalesce(ends, {FOREVER})"
"""By what people are found whose last day has passed. An index of the column itself would also serve who has none, and
whoever asks for everybody present would look each of them up by it."""

PERSON = state(
    StateTable(
        "person",
        ("person",),
        {
            "person": "TEXT NOT NULL",
            "kind": "TEXT NOT NULL",
            "enabled": "INTEGER NOT NULL",
            "manager": "TEXT",
            "manager_by": "TEXT",
            "manager_since": "INTEGER NOT NULL",
            "owner": "TEXT",
            "ends": "INTEGER",
            "name": "TEXT",
            "email": "TEXT",
            "added": "INTEGER NOT NULL",
            "because": "TEXT NOT NULL",
            "origin": "TEXT NOT NULL",
            "readdressed": "INTEGER NOT NULL",
            "sort": "TEXT",
            "sought": "TEXT",
        },
        (("email",), ("lower(email)",), ("coalesce(sort, '')", "person"), (ENDS,), ("owner",)),
        personal=("name", "email", "sort", "sought"),
    )
)
LEAVER = state(
    StateTable(
        "leaver",
        ("person",),
        {
            "person": "TEXT NOT NULL",
            "removed": "INTEGER NOT NULL",
            "origin": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "left_at": "INTEGER",
            "notified": "INTEGER",
            "removed_by": "TEXT",
        },
        (("removed",),),
    )
)
GROUP_MEMBER = state(
    StateTable(
        "group_member",
        ("grp", "person", "source"),
        {"grp": "TEXT NOT NULL", "person": "TEXT NOT NULL", "source": "TEXT NOT NULL"},
        (("person",),),
    )
)


@projects(events.PersonAdded)
def person_added(db: Db, place: Place, event: events.PersonAdded) -> None:
    PERSON.put(
        db,
        place.time,
        person=event.person,
        kind=event.kind,
        enabled=1,
        manager=event.manager,
        manager_by=event.by if event.manager else None,
        manager_since=place.time,
        owner=event.owner,
        ends=event.ends,
        name=event.name,
        email=event.email,
        added=place.time,
        because=event.because,
        origin=event.origin,
        readdressed=0,
        **listed(event.name, event.email),
    )


@projects(events.PersonChanged)
def person_changed(db: Db, place: Place, event: events.PersonChanged) -> None:
    """Who named the manager is remembered: for a while they do not decide as one."""
    was = row(
        db, f"SELECT manager FROM person WHERE person = :person AND valid_until = {FOREVER}", {"person": event.person}
    )
    named = was is None or was["manager"] != event.manager
    PERSON.change(
        db,
        place.time,
        {"person": event.person},
        manager=event.manager,
        owner=event.owner,
        ends=event.ends,
        name=event.name,
        email=event.email,
        **listed(event.name, event.email),
        **({"manager_by": event.by, "manager_since": place.time} if named else {}),
        **({"kind": event.kind} if event.kind else {}),
        **({"readdressed": 1} if event.readdressed else {}),
    )


def listed(name: str | None, email: str | None) -> dict[str, str | None]:
    """What lists sort somebody by, and search for their words in."""
    return {"sort": natural(name) if name else None, "sought": f"{name or ''} {email or ''}".casefold().strip() or None}


@projects(events.PersonDisabled)
def person_disabled(db: Db, place: Place, event: events.PersonDisabled) -> None:
    PERSON.change(db, place.time, {"person": event.person}, enabled=0, because=event.because)
    answered(db, place.time, event.person)
    LEAVER.put(
        db,
        place.time,
        person=event.person,
        removed=place.time,
        origin=event.origin,
        because=event.because,
        left_at=event.left_at,
        notified=event.notified,
        removed_by=event.by,
    )


@projects(events.PersonEnabled)
def person_enabled(db: Db, place: Place, event: events.PersonEnabled) -> None:
    PERSON.change(db, place.time, {"person": event.person}, enabled=1, because=event.because)
    LEAVER.end(db, place.time, person=event.person)


@projects(events.GroupMemberAdded)
def group_member_added(db: Db, place: Place, event: events.GroupMemberAdded) -> None:
    GROUP_MEMBER.put(db, place.time, grp=event.group, person=event.person, source=event.source)


@projects(events.GroupMemberRemoved)
def group_member_removed(db: Db, place: Place, event: events.GroupMemberRemoved) -> None:
    GROUP_MEMBER.end(db, place.time, grp=event.group, person=event.person, source=event.source)
