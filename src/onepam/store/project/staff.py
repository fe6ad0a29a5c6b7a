"""The staff roster: its entries, its versions, where it comes from and how it is judged."""

from onepam.domain.roster import events
from onepam.domain.roster.events import Standing
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable
from onepam.store.project.people import listed

ENTRY = state(
    StateTable(
        "staff_entry",
        ("entry",),
        {
            "entry": "TEXT NOT NULL",
            "person": "TEXT",
            "version": "TEXT NOT NULL",
            "type": "TEXT NOT NULL",
            "manager": "TEXT",
            "sponsor": "TEXT",
            "starts": "INTEGER",
            "ends": "INTEGER",
            "contract_ends": "INTEGER",
            "time_zone": "TEXT NOT NULL",
            "number": "TEXT",
            "name": "TEXT",
            "email": "TEXT",
            "sort": "TEXT",
            "sought": "TEXT",
            "removed": "INTEGER",
            "said": "INTEGER NOT NULL",
        },
        (("person",), ("email",)),
        personal=("number", "name", "email", "sort", "sought"),
    )
)
VERSION = state(
    StateTable(
        "staff_version",
        ("version",),
        {
            "version": "TEXT NOT NULL",
            "standing": "TEXT NOT NULL",
            "digest": "TEXT NOT NULL",
            "source": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "row_count": "INTEGER NOT NULL",
            "added": "INTEGER NOT NULL",
            "changed": "INTEGER NOT NULL",
            "ended": "INTEGER NOT NULL",
            "leavers": "INTEGER NOT NULL",
            "accounts": "INTEGER NOT NULL",
            "errors": "INTEGER NOT NULL",
            "received": "INTEGER NOT NULL",
            "decided": "INTEGER NOT NULL",
            "made_by": "TEXT",
            "released_by": "TEXT",
            "said": "TEXT",
            "idx": "INTEGER NOT NULL",
        },
        (("received",), ("digest",)),
        naming=("said",),
    )
)
SETTING = state(
    StateTable(
        "staff_source",
        ("one",),
        {
            "one": "TEXT NOT NULL",
            "host": "TEXT NOT NULL",
            "pull_every": "INTEGER NOT NULL",
            "set_by": "TEXT NOT NULL",
            "url": "TEXT",
            "header": "TEXT",
            "secret": "TEXT",
            "directory": "TEXT",
        },
    )
)
RULES = state(
    StateTable(
        "staff_rules",
        ("one",),
        {
            "one": "TEXT NOT NULL",
            "brake_percent": "INTEGER NOT NULL",
            "stale_after": "INTEGER NOT NULL",
            "creates": "INTEGER NOT NULL",
            "columns": "TEXT NOT NULL",
            "set_by": "TEXT NOT NULL",
        },
    )
)
ONE = "staff"
"""The key of what there is one of."""


@projects(events.RosterEntrySet)
def entry_set(db: Db, place: Place, event: events.RosterEntrySet) -> None:
    ENTRY.put(
        db,
        place.time,
        entry=event.entry,
        person=event.person,
        version=event.version,
        type=event.type,
        manager=event.manager,
        sponsor=event.sponsor,
        starts=event.starts,
        ends=event.ends,
        contract_ends=event.contract_ends,
        time_zone=event.time_zone,
        number=event.number,
        name=event.name,
        email=event.email,
        **listed(event.name, event.email),
        removed=None,
        said=place.time,
    )


@projects(events.RosterEntryEnded)
def entry_ended(db: Db, place: Place, event: events.RosterEntryEnded) -> None:
    key = {"entry": event.entry}
    ENTRY.change(db, place.time, key, version=event.version, removed=event.left_at, said=place.time)


@projects(events.RosterLinked)
def linked(db: Db, place: Place, event: events.RosterLinked) -> None:
    ENTRY.change(db, place.time, {"entry": event.entry}, person=event.person)


@projects(events.RosterTaken)
def taken(db: Db, place: Place, event: events.RosterTaken) -> None:
    _version(db, place, event, Standing.TAKEN)


@projects(events.RosterHeld)
def held(db: Db, place: Place, event: events.RosterHeld) -> None:
    _version(
        db,
        place,
        event,
        Standing.HELD,
        because=event.because,
        leavers=event.leavers,
        accounts=event.accounts,
        said=event.who,
    )


@projects(events.RosterReleased)
def released(db: Db, place: Place, event: events.RosterReleased) -> None:
    VERSION.change(
        db,
        place.time,
        {"version": event.version},
        standing=Standing.RELEASED,
        released_by=event.by,
        decided=place.time,
    )


@projects(events.RosterRefused)
def refused(db: Db, place: Place, event: events.RosterRefused) -> None:
    VERSION.put(
        db,
        place.time,
        version=event.version,
        standing=Standing.REFUSED,
        digest=event.digest,
        source=event.source,
        because=event.because,
        row_count=0,
        added=0,
        changed=0,
        ended=0,
        leavers=0,
        accounts=0,
        errors=event.errors,
        received=event.received,
        decided=place.time,
        made_by=event.by,
        said=event.said,
        idx=place.index,
    )


@projects(events.RosterSourceSet)
def source_set(db: Db, place: Place, event: events.RosterSourceSet) -> None:
    SETTING.put(
        db,
        place.time,
        one=ONE,
        host=event.host,
        pull_every=event.interval,
        set_by=event.by,
        url=event.url,
        header=event.header,
        secret=event.secret,
        directory=event.directory,
    )


@projects(events.RosterRulesSet)
def rules_set(db: Db, place: Place, event: events.RosterRulesSet) -> None:
    RULES.put(
        db,
        place.time,
        one=ONE,
        brake_percent=event.brake_percent,
        stale_after=event.stale_after,
        creates=event.creates,
        columns=event.columns,
        set_by=event.by,
    )


def _version(
    db: Db, place: Place, event: events.RosterTaken | events.RosterHeld, standing: Standing, **more: object
) -> None:
    """A held version that was let through keeps its id when it is taken."""
    VERSION.put(
        db,
        place.time,
        **{
            "version": event.version,
            "standing": standing,
            "digest": event.digest,
            "source": event.source,
            "because": "",
            "row_count": event.rows,
            "added": event.added,
            "changed": event.changed,
            "ended": event.ended,
            "leavers": 0,
            "accounts": 0,
            "errors": 0,
            "received": event.received,
            "decided": place.time,
            "made_by": event.by,
            "idx": place.index,
            **more,
        },
    )
