"""What directories have said, as their clients, the pages and the command line read it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onepam.app.ports import Snapshot
from onepam.domain.provisioning.events import name_key
from onepam.kernel.clock import Instant
from onepam.store.db import row, rows
from onepam.store.engine.tables import AT

MOST_SCANNED = 200_000
"""Rows that one search looks through."""


@dataclass(frozen=True, slots=True)
class ScimToken:
    """A token, or a proposal of one (`approved_by` None); `digest` is of its secret, `oauth` as it was proposed."""

    token: str
    provider: str
    name: str
    networks: tuple[str, ...]
    end_attribute: str
    ends: Instant
    proposed: Instant
    proposed_by: str
    approved_by: str | None
    oauth: bool
    digest: str
    domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScimUser:
    """A user of a directory; `groups` are (id, name) of those that name it. `document` has its id for a name once
    it is erased."""

    user: str
    provider: str
    person: str | None
    active: bool
    version: int
    trouble: str
    created: Instant
    modified: Instant
    document: str
    groups: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ScimGroup:
    """A group of a directory; `members` are users' ids, where they were asked for."""

    group: str
    provider: str
    version: int
    name: str
    created: Instant
    modified: Instant
    document: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryCount:
    """How much a provider has sent, and when it last changed anything."""

    provider: str
    users: int
    active: int
    groups: int
    changed: Instant | None


def working_token(db: Snapshot, at: Instant, digest: str) -> ScimToken | None:
    """The token with this hex digest, if it works at `at`."""
    found = row(
        db,
        f"SELECT * FROM scim_token WHERE digest = :digest AND approved_by IS NOT NULL AND ends > :at AND {AT}",
        {"digest": digest, "at": at},
    )
    return _token(found) if found else None


def token_in_force(db: Snapshot, at: Instant, token: str) -> ScimToken | None:
    """The token of this id, if it works at `at`."""
    found = row(
        db,
        f"SELECT * FROM scim_token WHERE token = :token AND approved_by IS NOT NULL AND ends > :at AND {AT}",
        {"token": token, "at": at},
    )
    return _token(found) if found else None


def tokens(db: Snapshot, at: Instant) -> list[ScimToken]:
    """All tokens and proposals, the newest first."""
    return [
        _token(each) for each in rows(db, f"SELECT * FROM scim_token WHERE {AT} ORDER BY proposed DESC", {"at": at})
    ]


def user(db: Snapshot, at: Instant, provider: str, user: str) -> ScimUser | None:
    """One user of the provider."""
    found = row(
        db,
        f"SELECT * FROM scim_user WHERE scim_user = :user AND provider = :provider AND {AT}",
        {"user": user, "provider": provider, "at": at},
    )
    return _with_groups(db, [found], at)[0] if found else None


def group(db: Snapshot, at: Instant, provider: str, group: str, *, members: bool = True) -> ScimGroup | None:
    """One group of the provider."""
    found = row(
        db,
        f"SELECT * FROM scim_group WHERE scim_group = :group AND provider = :provider AND {AT}",
        {"group": group, "provider": provider, "at": at},
    )
    return _group(db, found, at, members) if found else None


USER_COLUMNS = {"username": "user_key", "externalid": "external_id", "id": "scim_user"}
GROUP_COLUMNS = {"displayname": "name_key", "externalid": "external_id", "id": "scim_group"}
"""Attributes (lower case) that an index answers, and their columns."""


def users(
    db: Snapshot, at: Instant, provider: str, equal: tuple[str, str] | None, start: int, count: int
) -> tuple[int, list[ScimUser]]:
    """How many users there are (with `equal`: an attribute of `USER_COLUMNS` and its value), and a page of them."""
    total, found = _page(db, at, "scim_user", "scim_user", USER_COLUMNS, provider, equal, start, count)
    return total, _with_groups(db, found, at)


def groups(
    db: Snapshot,
    at: Instant,
    provider: str,
    equal: tuple[str, str] | None,
    start: int,
    count: int,
    *,
    members: bool = True,
) -> tuple[int, list[ScimGroup]]:
    """The same of groups."""
    total, found = _page(db, at, "scim_group", "scim_group", GROUP_COLUMNS, provider, equal, start, count)
    return total, [_group(db, each, at, members) for each in found]


def missing_users(db: Snapshot, at: Instant, provider: str, users: Sequence[str]) -> list[str]:
    """Which of these are no users of the provider."""
    found = rows(
        db,
        "SELECT scim_user FROM scim_user "
        f"WHERE provider = :p AND scim_user IN (SELECT value FROM json_each(:u)) AND {AT}",
        {"p": provider, "u": json.dumps(list(users)), "at": at},
    )
    return sorted(set(users) - {each[0] for each in found})


def directories(db: Snapshot, at: Instant) -> list[DirectoryCount]:
    """What each provider has sent so far."""
    values = {"at": at}
    people = rows(
        db,
        f"SELECT provider, count(*), sum(active), max(valid_from) FROM scim_user WHERE {AT} GROUP BY provider",
        values,
    )
    grouped = rows(
        db, f"SELECT provider, count(*), max(valid_from) FROM scim_group WHERE {AT} GROUP BY provider", values
    )
    found = {each[0]: (each[1], each[2], each[3]) for each in people}
    teams = {each[0]: (each[1], each[2]) for each in grouped}
    names = {each.provider for each in tokens(db, at)} | found.keys() | teams.keys()
    return [
        DirectoryCount(
            provider=name,
            users=found.get(name, (0, 0, None))[0],
            active=found.get(name, (0, 0, None))[1],
            groups=teams.get(name, (0, None))[0],
            changed=max(
                (t for t in (found.get(name, (0, 0, None))[2], teams.get(name, (0, None))[1]) if t is not None),
                default=None,
            ),
        )
        for name in sorted(names)
    ]


def _page(
    db: Snapshot,
    at: Instant,
    table: str,
    key: str,
    columns: dict[str, str],
    provider: str,
    equal: tuple[str, str] | None,
    start: int,
    count: int,
) -> tuple[int, list[Any]]:
    values: dict[str, Any] = {"provider": provider, "at": at, "count": count, "start": start}
    where = f"provider = :provider AND {AT}"
    if equal is not None:
        column = columns[equal[0]]
        values["value"] = name_key(equal[1]) if column.endswith("_key") else equal[1]
        where = f"{column} = :value AND {where}"
    total = row(db, f"SELECT count(*) FROM {table} WHERE {where}", values)
    found = rows(db, f"SELECT * FROM {table} WHERE {where} ORDER BY {key} LIMIT :count OFFSET :start", values)
    return (total[0] if total else 0), found


def _token(found: Any) -> ScimToken:
    return ScimToken(
        token=found["token"],
        provider=found["provider"],
        name=found["name"],
        networks=tuple(json.loads(found["networks"])),
        end_attribute=found["end_attribute"],
        ends=found["ends"],
        proposed=found["proposed"],
        proposed_by=found["proposed_by"],
        approved_by=found["approved_by"],
        oauth=bool(found["oauth"]),
        digest=found["digest"] or "",
        domains=tuple(json.loads(found["domains"])),
    )


def _erased(user: str, active: bool) -> str:
    return json.dumps({"userName": user, "active": active}, separators=(",", ":"))


def _with_groups(db: Snapshot, found: Sequence[Any], at: Instant) -> list[ScimUser]:
    named = rows(
        db,
        "SELECT m.scim_user, g.scim_group, g.name FROM json_each(:users) n JOIN scim_member m ON m.scim_user = n.value "
        "AND m.valid_from <= :at AND :at < m.valid_until JOIN scim_group g ON g.scim_group = m.scim_group "
        "AND g.valid_from <= :at AND :at < g.valid_until ORDER BY g.name",
        {"users": json.dumps([each["scim_user"] for each in found]), "at": at},
    )
    grouped: dict[str, list[tuple[str, str]]] = {}
    for each in named:
        grouped.setdefault(each[0], []).append((each[1], each[2]))
    return [
        ScimUser(
            user=each["scim_user"],
            provider=each["provider"],
            person=each["person"],
            active=bool(each["active"]),
            version=each["version"],
            trouble=each["trouble"],
            created=each["created"],
            modified=each["valid_from"],
            document=each["document"] or _erased(each["scim_user"], bool(each["active"])),
            groups=tuple(grouped.get(each["scim_user"], ())),
        )
        for each in found
    ]


def _group(db: Snapshot, found: Any, at: Instant, members: bool) -> ScimGroup:
    named = (
        rows(
            db,
            f"SELECT scim_user FROM scim_member WHERE scim_group = :g AND {AT} ORDER BY 1",
            {"g": found[0], "at": at},
        )
        if members
        else []
    )
    return ScimGroup(
        group=found["scim_group"],
        provider=found["provider"],
        version=found["version"],
        name=found["name"],
        created=found["created"],
        modified=found["valid_from"],
        document=found["document"] or "{}",
        members=tuple(each[0] for each in named),
    )
