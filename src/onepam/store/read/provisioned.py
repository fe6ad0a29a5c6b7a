"""What comes of what directories have sent, as lists: users that do not work here, and groups with what they reach."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter

from onepam.app.ports import Snapshot
from onepam.domain.people.events import DIRECTORY_GROUP
from onepam.domain.provisioning.events import name_key
from onepam.domain.provisioning.users import DISABLED_HERE
from onepam.kernel.clock import Instant
from onepam.store.db import Row, row, rows
from onepam.store.engine.tables import AT
from onepam.store.read.paging import Page, Window

MOST_TROUBLED = 200
"""Users that are listed together at most."""


@dataclass(frozen=True, slots=True)
class GroupUse:
    """A directory's group: how many members it names, how many are in effect, and the roles bound to it."""

    group: str
    provider: str
    name: str
    named: int
    in_effect: int
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Troubled:
    """A user that does not work here, and why; with the userName and the person, where there is one. `waits_for` is the
    account, made by hand, that it would lead to if an administrator agreed."""

    user: str
    provider: str
    user_name: str
    person: str | None
    trouble: str
    waits_for: str | None
    version: int


@dataclass(frozen=True, slots=True)
class TroubleFilter:
    """Which users in trouble; what is "" narrows nothing. `search` is a part of the userName, `trouble` its code."""

    search: str = ""
    trouble: str = ""


_TROUBLED = f"""FROM scim_user u WHERE trouble <> '' AND {AT}
AND NOT (trouble = :disabled AND EXISTS (SELECT 1 FROM person p
         WHERE p.person = u.person AND p.enabled = 1 AND p.valid_from <= :at AND :at < p.valid_until))
AND (:search = '' OR instr(user_key, :search) > 0) AND (:trouble = '' OR trouble = :trouble)"""
_COLUMNS = "scim_user, provider, coalesce(user_name, '') AS user_name, person, trouble, waits_for, version"
_SORT = "provider, coalesce(user_key, ''), scim_user"


def troubled(db: Snapshot, at: Instant, most: int = MOST_TROUBLED) -> list[Troubled]:
    """Users that do not work here, by directory and userName."""
    of = {"at": at, "search": "", "trouble": "", "disabled": DISABLED_HERE, "most": most}
    return [Troubled(*each) for each in rows(db, f"SELECT {_COLUMNS} {_TROUBLED} ORDER BY {_SORT} LIMIT :most", of)]


def troubled_page(db: Snapshot, at: Instant, which: TroubleFilter, window: Window) -> Page[Troubled]:
    """The same a page at a time, narrowed."""
    of = {"at": at, "search": name_key(which.search.strip()), "trouble": which.trouble, "disabled": DISABLED_HERE}
    last = row(
        db,
        f"SELECT provider, coalesce(user_key, '') AS key FROM scim_user WHERE scim_user = :after AND {AT}",
        {"after": window.after, "at": at},
    )
    after = (last["provider"], last["key"], window.after) if last else ("", "", "")
    found = rows(
        db,
        f"SELECT {_COLUMNS} {_TROUBLED} AND ({_SORT}) > (:provider, :key, :after) ORDER BY {_SORT} LIMIT :most",
        {**of, "provider": after[0], "key": after[1], "after": after[2], "most": window.most + 1},
    )
    counted = row(db, f"SELECT count(*) {_TROUBLED}", of)
    told = [Troubled(*each) for each in found]
    return Page.of(told, window, counted[0] if counted else 0, attrgetter("user"))


_GROUPS = f"FROM scim_group WHERE {AT} AND (:search = '' OR instr(name_key, :search) > 0)"


def group_uses(db: Snapshot, at: Instant) -> list[GroupUse]:
    """All groups of all directories by name, with what they reach."""
    return _uses(db, at, rows(db, f"SELECT scim_group {_GROUPS} ORDER BY name, scim_group", {"at": at, "search": ""}))


def group_page(db: Snapshot, at: Instant, search: str, window: Window) -> Page[GroupUse]:
    """The same a page at a time, of those with these words in their name."""
    of = {"at": at, "search": name_key(search.strip())}
    last = row(db, f"SELECT name FROM scim_group WHERE scim_group = :after AND {AT}", {"after": window.after, "at": at})
    found = rows(
        db,
        f"SELECT scim_group {_GROUPS} AND (name, scim_group) > (:name, :after) ORDER BY name, scim_group LIMIT :most",
        {**of, "name": last["name"] if last else "", "after": window.after if last else "", "most": window.most + 1},
    )
    counted = row(db, f"SELECT count(*) {_GROUPS}", of)
    page = Page.of(found, window, counted[0] if counted else 0, lambda each: str(each["scim_group"]))
    return page.map(lambda shown: _uses(db, at, shown))


def _uses(db: Snapshot, at: Instant, groups: Iterable[Row]) -> list[GroupUse]:
    """What these groups reach, in their order."""
    found = rows(
        db,
        f"""
        SELECT g.scim_group, g.provider, g.name,
          (SELECT count(*) FROM scim_member m WHERE m.scim_group = g.scim_group
             AND m.valid_from <= :at AND :at < m.valid_until) AS named,
          (SELECT count(*) FROM group_member m WHERE m.grp = '{DIRECTORY_GROUP}' || g.name
             AND m.source = 'scim:' || g.provider AND m.valid_from <= :at AND :at < m.valid_until) AS in_effect,
          (SELECT json_group_array(DISTINCT b.role) FROM binding b WHERE b.subject_kind = 'group'
             AND b.subject = '{DIRECTORY_GROUP}' || g.name AND b.valid_from <= :at AND :at < b.valid_until) AS roles
        FROM json_each(:groups) n JOIN scim_group g ON g.scim_group = n.value
        AND g.valid_from <= :at AND :at < g.valid_until ORDER BY g.name, g.scim_group
        """,
        {"at": at, "groups": json.dumps([each["scim_group"] for each in groups])},
    )
    return [
        GroupUse(
            group=each["scim_group"],
            provider=each["provider"],
            name=each["name"],
            named=each["named"],
            in_effect=each["in_effect"],
            roles=tuple(sorted(json.loads(each["roles"]))),
        )
        for each in found
    ]


def groups_without_directory(db: Snapshot, at: Instant) -> list[tuple[str, tuple[str, ...]]]:
    """Directory groups that bindings name, no SCIM directory sends, and nobody is in by a sign-in: their names, and the
    roles."""
    found = rows(
        db,
        f"""
        SELECT b.subject, json_group_array(DISTINCT b.role) AS roles FROM binding b
        WHERE b.subject_kind = 'group' AND b.subject LIKE '{DIRECTORY_GROUP}%' AND {AT}
          AND NOT EXISTS (SELECT 1 FROM scim_group g WHERE '{DIRECTORY_GROUP}' || g.name = b.subject
             AND g.valid_from <= :at AND :at < g.valid_until)
          AND NOT EXISTS (SELECT 1 FROM group_member m WHERE m.grp = b.subject
             AND m.valid_from <= :at AND :at < m.valid_until)
        GROUP BY b.subject ORDER BY b.subject
        """,
        {"at": at},
    )
    return [(each["subject"].removeprefix(DIRECTORY_GROUP), tuple(sorted(json.loads(each["roles"])))) for each in found]
