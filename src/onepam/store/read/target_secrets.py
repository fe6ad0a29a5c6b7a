"""Targets' secrets as people may see them: whose, which versions, and when they were used; never what they are."""

import json
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.sessions.target_secrets import Kept, SecretStatus
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A version that is not retired. `used` is when a session was given this secret last, in whatever version."""

    secret: str
    version: int
    resource: str
    login: str
    status: SecretStatus
    set_by: str
    set_at: Instant
    proven: Instant | None
    used: Instant | None


def target_secrets(db: Snapshot, at: Instant) -> tuple[SecretRow, ...]:
    """All versions that are not retired, by resource and login."""
    found = rows(
        db,
        "SELECT t.secret, t.version, t.resource, t.login, t.status, t.set_by, t.set_at, t.proven, "
        "(SELECT max(u.valid_from) FROM target_secret_use u WHERE u.secret = t.secret AND u.valid_from <= :at) AS used "
        "FROM target_secret t WHERE t.status != 'retired' AND t.valid_from <= :at AND :at < t.valid_until "
        "ORDER BY t.resource, t.login, t.version",
        {"at": at},
    )
    return tuple(
        SecretRow(each[0], each[1], each[2], each[3], SecretStatus(each[4]), *tuple(each)[5:9]) for each in found
    )


def next_version(db: Snapshot, at: Instant, resource: str, login: str) -> Kept | None:
    """What the next secret of a login will be; None where it has had none, whose id is then new."""
    newest = row(
        db,
        f"SELECT secret, version FROM target_secret WHERE resource = :resource AND login = :login AND {AT} "
        "ORDER BY version DESC LIMIT 1",
        {"resource": resource, "login": login, "at": at},
    )
    return Kept(newest["secret"], newest["version"] + 1) if newest else None


def dialled(db: Snapshot, at: Instant, resource: str) -> tuple[str, str, int, tuple[str, ...]] | None:
    """Where a resource is dialled and what it is known by: kind, address, port, pins; None where it cannot be."""
    found = rows(
        db,
        f"SELECT kind, address, port, pins FROM resource WHERE resource = :resource AND {AT}",
        {"resource": resource, "at": at},
    )
    each = found[0] if found else None
    if not each or not each["address"]:
        return None
    return each["kind"], each["address"], each["port"], tuple(json.loads(each["pins"]))
