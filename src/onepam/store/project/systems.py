"""Other systems: their lists, the accounts on them, and who answers for what is found."""

from onepam.domain.systems import events
from onepam.domain.systems.events import Match, Standing
from onepam.domain.systems.file import name_key
from onepam.domain.systems.linking import DAYS
from onepam.store.db import Db, row
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import AT, StateTable

SYSTEM = state(
    StateTable(
        "account_system",
        ("system",),
        {
            "system": "TEXT NOT NULL",
            "owner": "TEXT NOT NULL",
            "days": "INTEGER NOT NULL",
            "list": "TEXT NOT NULL",
            "taken": "INTEGER NOT NULL",
        },
    )
)
LIST = state(
    StateTable(
        "account_list",
        ("list",),
        {
            "list": "TEXT NOT NULL",
            "system": "TEXT NOT NULL",
            "standing": "TEXT NOT NULL",
            "digest": "TEXT NOT NULL",
            "made": "INTEGER NOT NULL",
            "because": "TEXT NOT NULL",
            "accounts": "INTEGER NOT NULL",
            "added": "INTEGER NOT NULL",
            "changed": "INTEGER NOT NULL",
            "gone": "INTEGER NOT NULL",
            "decided": "INTEGER NOT NULL",
            "brought_by": "TEXT NOT NULL",
            "released_by": "TEXT",
        },
        (("system", "decided"),),
    )
)
ACCOUNT = state(
    StateTable(
        "listed_account",
        ("account",),
        {
            "account": "TEXT NOT NULL",
            "person": "TEXT",
            "system": "TEXT NOT NULL",
            "list": "TEXT NOT NULL",
            "rights": "TEXT NOT NULL",
            "service": "INTEGER NOT NULL",
            "because": "TEXT NOT NULL",
            "since": "INTEGER NOT NULL",
            "used": "INTEGER",
            "linked_by": "TEXT",
            "name": "TEXT",
            "name_key": "TEXT",
            "email": "TEXT",
            "owner": "TEXT",
        },
        (("system", "name_key"), ("person",)),
        personal=("name", "name_key", "email", "owner"),
    )
)
"""`since`: when it became so who stands behind the account."""


@projects(events.AccountListTaken)
def list_taken(db: Db, place: Place, event: events.AccountListTaken) -> None:
    LIST.put(
        db,
        place.time,
        list=event.list,
        system=event.system,
        standing=Standing.TAKEN,
        digest=event.digest,
        made=event.made,
        because="",
        accounts=event.accounts,
        added=event.added,
        changed=event.changed,
        gone=event.gone,
        decided=place.time,
        brought_by=event.by,
    )
    key = {"system": event.system}
    if not SYSTEM.change(db, place.time, key, list=event.list, taken=place.time):
        SYSTEM.put(db, place.time, **key, owner=event.by, days=DAYS, list=event.list, taken=place.time)


@projects(events.AccountListHeld)
def list_held(db: Db, place: Place, event: events.AccountListHeld) -> None:
    LIST.put(
        db,
        place.time,
        list=event.list,
        system=event.system,
        standing=Standing.HELD,
        digest=event.digest,
        made=event.made,
        because=event.because,
        accounts=event.accounts,
        added=0,
        changed=0,
        gone=event.missing,
        decided=place.time,
        brought_by=event.by,
    )


@projects(events.AccountListReleased)
def list_released(db: Db, place: Place, event: events.AccountListReleased) -> None:
    key = {"list": event.list}
    LIST.change(db, place.time, key, standing=Standing.RELEASED, released_by=event.by, decided=place.time)


@projects(events.AccountSystemSet)
def system_set(db: Db, place: Place, event: events.AccountSystemSet) -> None:
    SYSTEM.change(db, place.time, {"system": event.system}, owner=event.owner, days=event.days)


@projects(events.ListedAccountSet)
def account_set(db: Db, place: Place, event: events.ListedAccountSet) -> None:
    known = {"account": event.account, "at": place.time}
    was = row(
        db, f"SELECT person, service, since, linked_by FROM listed_account WHERE account = :account AND {AT}", known
    )
    same = was is not None and (was["person"], bool(was["service"])) == (event.person, event.service)
    ACCOUNT.put(
        db,
        place.time,
        account=event.account,
        person=event.person,
        system=event.system,
        list=event.list,
        rights=event.rights,
        service=event.service,
        because=event.because,
        since=was["since"] if was is not None and same else place.time,
        used=event.used,
        linked_by=was["linked_by"] if was is not None and event.because is Match.SAID else None,
        name=event.name,
        name_key=name_key(event.name) if event.name is not None else None,
        email=event.email,
        owner=event.owner,
    )


@projects(events.ListedAccountLinked)
def account_linked(db: Db, place: Place, event: events.ListedAccountLinked) -> None:
    ACCOUNT.change(
        db,
        place.time,
        {"account": event.account},
        person=event.person,
        service=event.service,
        because=Match.SAID,
        since=place.time,
        linked_by=event.by,
    )


@projects(events.ListedAccountGone)
def account_gone(db: Db, place: Place, event: events.ListedAccountGone) -> None:
    ACCOUNT.end(db, place.time, account=event.account)
