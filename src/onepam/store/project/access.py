"""Roles, resources and bindings."""

from onepam.domain.access import events
from onepam.domain.access.separation import SeparationRemoved, SeparationSet
from onepam.kernel.text import natural
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

ROLE = state(
    StateTable(
        "role",
        ("role",),
        {
            "role": "TEXT NOT NULL",
            "version": "TEXT NOT NULL",
            "purpose": "TEXT NOT NULL",
            "owner": "TEXT NOT NULL",
            "permissions": "TEXT NOT NULL",
            "console": "TEXT NOT NULL",
            "change": "TEXT NOT NULL",
            "sort": "TEXT NOT NULL",
        },
    )
)
RESOURCE = state(
    StateTable(
        "resource",
        ("resource",),
        {
            "resource": "TEXT NOT NULL",
            "kind": "TEXT NOT NULL",
            "labels": "TEXT NOT NULL",
            "owner": "TEXT NOT NULL",
            "logins": "TEXT NOT NULL",
            "pins": "TEXT NOT NULL",
            "port": "INTEGER NOT NULL",
            "address": "TEXT",
            "mfa": "TEXT",
            "environment": "TEXT NOT NULL",
            "mask": "TEXT",
            "results": "TEXT",
            "session_users": "TEXT",
            "change": "TEXT NOT NULL",
            "sort": "TEXT NOT NULL",
        },
        (("sort",),),
    )
)
BINDING = state(
    StateTable(
        "binding",
        ("binding",),
        {
            "binding": "TEXT NOT NULL",
            "role": "TEXT NOT NULL",
            "subject_kind": "TEXT NOT NULL",
            "subject": "TEXT NOT NULL",
            "starts": "INTEGER NOT NULL",
            "ends": "INTEGER",
            "source": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "change": "TEXT NOT NULL",
        },
        (("subject",), ("role",)),
    )
)
SEPARATION = state(
    StateTable(
        "separation",
        ("separation",),
        {
            "separation": "TEXT NOT NULL",
            "roles": "TEXT NOT NULL",
            "because": "TEXT NOT NULL",
            "excused": "TEXT NOT NULL",
            "change": "TEXT NOT NULL",
        },
    )
)


@projects(events.RoleSet)
def role_set(db: Db, place: Place, event: events.RoleSet) -> None:
    ROLE.put(
        db,
        place.time,
        role=event.role,
        version=event.version,
        purpose=event.purpose,
        owner=event.owner,
        permissions=event.permissions,
        console=event.console,
        change=event.change,
        sort=natural(event.role),
    )


@projects(events.RoleRemoved)
def role_removed(db: Db, place: Place, event: events.RoleRemoved) -> None:
    ROLE.end(db, place.time, role=event.role)


@projects(events.ResourceSet)
def resource_set(db: Db, place: Place, event: events.ResourceSet) -> None:
    RESOURCE.put(
        db,
        place.time,
        resource=event.resource,
        kind=event.kind,
        labels=event.labels,
        owner=event.owner,
        logins=event.logins,
        pins=event.pins,
        port=event.port,
        address=event.address,
        mfa=event.mfa,
        environment=event.environment,
        mask=event.mask,
        results=event.results,
        session_users=event.session_users,
        change=event.change,
        sort=natural(event.resource),
    )


@projects(events.ResourceRemoved)
def resource_removed(db: Db, place: Place, event: events.ResourceRemoved) -> None:
    RESOURCE.end(db, place.time, resource=event.resource)


@projects(events.BindingAdded)
def binding_added(db: Db, place: Place, event: events.BindingAdded) -> None:
    BINDING.put(
        db,
        place.time,
        binding=event.binding,
        role=event.role,
        subject_kind=event.subject_kind,
        subject=event.subject,
        starts=place.time,
        ends=event.ends,
        source=event.source,
        because=event.because,
        change=event.change,
    )


@projects(events.BindingEnded)
def binding_ended(db: Db, place: Place, event: events.BindingEnded) -> None:
    BINDING.end(db, place.time, binding=event.binding)


@projects(SeparationSet)
def separation_set(db: Db, place: Place, event: SeparationSet) -> None:
    SEPARATION.put(
        db,
        place.time,
        separation=event.separation,
        roles=event.roles,
        because=event.because,
        excused=event.excused,
        change=event.change,
    )


@projects(SeparationRemoved)
def separation_removed(db: Db, place: Place, event: SeparationRemoved) -> None:
    SEPARATION.end(db, place.time, separation=event.separation)
