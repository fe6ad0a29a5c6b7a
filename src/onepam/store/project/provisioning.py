"""What directories say by SCIM: their tokens, users, groups and members."""

from onepam.domain.provisioning import events
from onepam.domain.provisioning.events import name_key
from onepam.domain.provisioning.users import origin
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable
from onepam.store.project.directory_brake import REPORTED_LEAVER

SCIM_TOKEN = state(
    StateTable(
        "scim_token",
        ("token",),
        {
            "token": "TEXT NOT NULL",
            "provider": "TEXT NOT NULL",
            "name": "TEXT NOT NULL",
            "networks": "TEXT NOT NULL",
            "end_attribute": "TEXT NOT NULL",
            "ends": "INTEGER NOT NULL",
            "proposed": "INTEGER NOT NULL",
            "proposed_by": "TEXT NOT NULL",
            "approved_by": "TEXT",
            "digest": "TEXT",
            "oauth": "INTEGER NOT NULL",
            "domains": "TEXT NOT NULL",
        },
        (("digest",),),
    )
)
SCIM_USER = state(
    StateTable(
        "scim_user",
        ("scim_user",),
        {
            "scim_user": "TEXT NOT NULL",
            "provider": "TEXT NOT NULL",
            "person": "TEXT",
            "active": "INTEGER NOT NULL",
            "version": "INTEGER NOT NULL",
            "trouble": "TEXT NOT NULL",
            "waits_for": "TEXT",
            "created": "INTEGER NOT NULL",
            "user_name": "TEXT",
            "user_key": "TEXT",
            "external_id": "TEXT",
            "document": "TEXT",
        },
        (("provider", "user_key"), ("provider", "external_id"), ("person",)),
        personal=("user_name", "user_key", "external_id", "document"),
    )
)
TAKEOVER = state(
    StateTable(
        "takeover",
        ("person", "provider"),
        {"person": "TEXT NOT NULL", "provider": "TEXT NOT NULL", "agreed_by": "TEXT NOT NULL"},
    )
)
SCIM_GROUP = state(
    StateTable(
        "scim_group",
        ("scim_group",),
        {
            "scim_group": "TEXT NOT NULL",
            "provider": "TEXT NOT NULL",
            "version": "INTEGER NOT NULL",
            "name": "TEXT NOT NULL",
            "name_key": "TEXT NOT NULL",
            "created": "INTEGER NOT NULL",
            "external_id": "TEXT",
            "document": "TEXT",
        },
        (("provider", "name_key"), ("provider", "external_id"), ("name",)),
    )
)
SCIM_MEMBER = state(
    StateTable(
        "scim_member",
        ("scim_group", "scim_user"),
        {"scim_group": "TEXT NOT NULL", "scim_user": "TEXT NOT NULL"},
        (("scim_user",),),
    )
)


@projects(events.ScimTokenProposed)
def scim_token_proposed(db: Db, place: Place, event: events.ScimTokenProposed) -> None:
    SCIM_TOKEN.put(
        db,
        place.time,
        token=event.token,
        provider=event.provider,
        name=event.name,
        networks=event.networks,
        end_attribute=event.end_attribute,
        ends=event.ends,
        proposed=place.time,
        proposed_by=event.by,
        digest=event.digest,
        oauth=event.oauth,
        domains=event.domains,
    )


@projects(events.ScimTokenApproved)
def scim_token_approved(db: Db, place: Place, event: events.ScimTokenApproved) -> None:
    SCIM_TOKEN.change(db, place.time, {"token": event.token}, approved_by=event.by)


@projects(events.ScimTokenEnded)
def scim_token_ended(db: Db, place: Place, event: events.ScimTokenEnded) -> None:
    SCIM_TOKEN.end(db, place.time, token=event.token)


@projects(events.ScimUserSet)
def scim_user_set(db: Db, place: Place, event: events.ScimUserSet) -> None:
    values = {
        "person": event.person,
        "active": event.active,
        "version": event.version,
        "trouble": event.trouble,
        "user_name": event.user_name,
        "user_key": name_key(event.user_name) if event.user_name is not None else None,
        "external_id": event.external_id,
        "document": event.document,
        "waits_for": event.waits_for,
    }
    if event.version == 1 or not SCIM_USER.change(db, place.time, {"scim_user": event.user}, **values):
        SCIM_USER.put(db, place.time, scim_user=event.user, provider=event.provider, created=place.time, **values)


@projects(events.AccountTakenOver)
def account_taken_over(db: Db, place: Place, event: events.AccountTakenOver) -> None:
    TAKEOVER.put(db, place.time, person=event.person, provider=event.provider, agreed_by=event.by)
    REPORTED_LEAVER.end(db, place.time, person=event.person, origin=origin(event.provider))


@projects(events.ScimUserRemoved)
def scim_user_removed(db: Db, place: Place, event: events.ScimUserRemoved) -> None:
    SCIM_USER.end(db, place.time, scim_user=event.user)


@projects(events.ScimGroupSet)
def scim_group_set(db: Db, place: Place, event: events.ScimGroupSet) -> None:
    values = {
        "version": event.version,
        "name": event.name,
        "name_key": name_key(event.name),
        "external_id": event.external_id,
        "document": event.document,
    }
    if event.version == 1 or not SCIM_GROUP.change(db, place.time, {"scim_group": event.group}, **values):
        SCIM_GROUP.put(db, place.time, scim_group=event.group, provider=event.provider, created=place.time, **values)


@projects(events.ScimGroupMemberAdded)
def scim_group_member_added(db: Db, place: Place, event: events.ScimGroupMemberAdded) -> None:
    SCIM_MEMBER.put(db, place.time, scim_group=event.group, scim_user=event.user)


@projects(events.ScimGroupMemberRemoved)
def scim_group_member_removed(db: Db, place: Place, event: events.ScimGroupMemberRemoved) -> None:
    SCIM_MEMBER.end(db, place.time, scim_group=event.group, scim_user=event.user)


@projects(events.ScimGroupRemoved)
def scim_group_removed(db: Db, place: Place, event: events.ScimGroupRemoved) -> None:
    SCIM_GROUP.end(db, place.time, scim_group=event.group)
