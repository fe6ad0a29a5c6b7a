"""Secrets of targets' logins, by version. Their values are sealed."""

from typing import Any

from onepam.domain.sessions.target_secrets import SecretProven, SecretRetired, SecretSet, SecretStatus, SecretUsed
from onepam.store.db import Db
from onepam.store.engine.projections import Place, projects, state
from onepam.store.engine.tables import StateTable

TARGET_SECRET = state(
    StateTable(
        "target_secret",
        ("secret", "version"),
        {
            "secret": "TEXT NOT NULL",
            "version": "INTEGER NOT NULL",
            "resource": "TEXT NOT NULL",
            "login": "TEXT NOT NULL",
            "status": "TEXT NOT NULL",
            "set_by": "TEXT NOT NULL",
            "set_at": "INTEGER NOT NULL",
            "proven": "INTEGER",
            "because": "TEXT",
            "sealed": "TEXT",
        },
        (("resource", "login"),),
    )
)
SECRET_USE = state(
    StateTable(
        "target_secret_use",
        ("secret",),
        {"secret": "TEXT NOT NULL", "version": "INTEGER NOT NULL", "session": "TEXT NOT NULL"},
    )
)


@projects(SecretSet)
def secret_set(db: Db, place: Place, event: SecretSet) -> None:
    TARGET_SECRET.put(
        db,
        place.time,
        secret=event.secret,
        version=event.version,
        resource=event.resource,
        login=event.login,
        status=SecretStatus.WAITING,
        set_by=event.by,
        set_at=place.time,
        sealed=event.sealed,
    )


@projects(SecretProven)
def secret_proven(db: Db, place: Place, event: SecretProven) -> None:
    key: dict[str, Any] = {"secret": event.secret, "version": event.version}
    TARGET_SECRET.change(db, place.time, key, status=SecretStatus.CURRENT, proven=place.time)


@projects(SecretRetired)
def secret_retired(db: Db, place: Place, event: SecretRetired) -> None:
    """What nothing signs in with any more is not looked for."""
    key: dict[str, Any] = {"secret": event.secret, "version": event.version}
    TARGET_SECRET.change(db, place.time, key, status=SecretStatus.RETIRED, because=event.because, sealed=None)


@projects(SecretUsed)
def secret_used(db: Db, place: Place, event: SecretUsed) -> None:
    SECRET_USE.put(db, place.time, secret=event.secret, version=event.version, session=event.session)
