"""What people hold against what they used: each role of each person, and each login of each resource by it."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from onepam.app.ports import Snapshot
from onepam.domain.access.authority import HeldRole
from onepam.domain.matrix.matrix import SOURCE, RoleDefinition
from onepam.domain.matrix.turning import Prepared, prepared
from onepam.domain.matrix.use import UNUSED_AFTER, HeldUse, Used, proposals
from onepam.kernel.clock import DAY, Instant
from onepam.store.db import rows
from onepam.store.engine.tables import AT
from onepam.store.facts.changes import people, role_definition
from onepam.store.facts.holders import IN_FORCE, MEMBER, PRESENT, not_withheld
from onepam.store.read.changes import text_in_force
from onepam.store.read.estate import Estate

LOOKED_BACK = 365 * DAY
"""How far back a last use is sought (microseconds)."""

_WORK = " + ".join(
    f"coalesce(CAST(json_extract(counts, '$.{each}') AS BIGINT), 0)" for each in ("channels", "files", "statements")
)
_SESSIONS = f"""
FROM session WHERE opened > :since AND opened <= :at AND status <> 'failed' AND {AT}"""
_USED = f"""
SELECT person, resource, login, json_extract(because, '$.role') AS role,
       json_extract(because, '$.permission') AS permission, max(opened) AS last,
       sum(CASE WHEN opened > :lately THEN 1 ELSE 0 END) AS sessions,
       sum(CASE WHEN opened > :lately THEN {_WORK} ELSE 0 END)
       AS work
{_SESSIONS} GROUP BY 1, 2, 3, 4, 5"""
_ALSO = f"SELECT person, resource, login, also, opened {_SESSIONS} AND also <> '[]'"
_HELD = f"""
SELECT b.role, b.source, '' AS grp, b.subject AS person, b.starts AS since FROM binding b
JOIN person p ON p.person = b.subject AND {PRESENT}
WHERE b.subject_kind = 'person' AND {IN_FORCE} AND {not_withheld("b.subject")}
UNION ALL
SELECT b.role, b.source, m.grp, m.person,
       CASE WHEN m.valid_from > b.starts THEN m.valid_from ELSE b.starts END AS since
FROM binding b JOIN group_member m ON m.grp = b.subject AND {MEMBER} JOIN person p ON p.person = m.person AND {PRESENT}
WHERE b.subject_kind = 'group' AND {IN_FORCE} AND {not_withheld("m.person")}"""


@dataclass(frozen=True, slots=True)
class RightUse:
    """A login on a resource that a role gives to somebody, and what they used of it."""

    person: str
    role: str
    resource: str
    login: str
    since: Instant
    used: Used


_Key = tuple[str, str, str, str]
"""Person, role, resource and login."""


@dataclass(frozen=True, slots=True)
class _Held:
    since: Instant
    by_name: bool
    groups: tuple[str, ...]


class Use:
    """All of it as of an instant."""

    def __init__(self, db: Snapshot, at: Instant) -> None:
        found = rows(db, f"SELECT * FROM role WHERE {AT} AND permissions <> '[]' ORDER BY sort, role", {"at": at})
        self.roles = {each["role"]: role_definition(each) for each in found}
        estate = Estate(db, at)
        self.reach = {name: _reach(estate, each) for name, each in self.roles.items()}
        self._used, self.by_permission = _uses(db, at)
        self._held = self._holds(db, at)
        self._kept = {
            (each["person"], each["role"]): each["kept"]
            for each in rows(
                db,
                f"SELECT person, role, max(decided) AS kept FROM review_decision WHERE verdict = 'keep' AND {AT} "
                "GROUP BY person, role",
                {"at": at},
            )
        }

    def held(self) -> tuple[HeldUse, ...]:
        """The roles that open something, by role and person."""
        by_holder: defaultdict[tuple[str, str], list[Used]] = defaultdict(list)
        for (person, role, resource, login), used in self._used.items():
            if (resource, login) in self.reach.get(role, ()):
                by_holder[person, role].append(used)
        return tuple(
            self._one(who, role, each, by_holder[who, role]) for (role, who), each in sorted(self._held.items())
        )

    def rights(self) -> Iterator[RightUse]:
        """Each login on each resource: as many as there are, one after another."""
        for (role, person), each in sorted(self._held.items()):
            for resource, login in sorted(self.reach[role]):
                used = self._used.get((person, role, resource, login), Used())
                yield RightUse(person, role, resource, login, each.since, used)

    def used(self) -> Iterator[tuple[tuple[str, str, str, str], Used]]:
        """What was used of what is there: by person, role, resource and login."""
        yield from self._used.items()

    def _one(self, person: str, role: str, held: _Held, used: list[Used]) -> HeldUse:
        whole = Used()
        for each in used:
            whole = whole.plus(each)
        touched = sum(each.sessions > 0 for each in used)
        return HeldUse(
            person, role, held.since, held.by_name, held.groups, len(self.reach[role]), touched, whole,
            self._kept.get((person, role)),
        )  # fmt: skip

    def _holds(self, db: Snapshot, at: Instant) -> dict[tuple[str, str], _Held]:
        found: dict[tuple[str, str], _Held] = {}
        for each in rows(db, _HELD, {"at": at}):
            if each["role"] in self.reach:
                key = each["role"], each["person"]
                old = found.get(key, _Held(each["since"], False, ()))
                by_name = not each["grp"] and each["source"] == SOURCE
                groups = {*old.groups, each["grp"]} - {""}
                found[key] = _Held(min(old.since, each["since"]), old.by_name or by_name, tuple(sorted(groups)))
        return found


def _uses(db: Snapshot, at: Instant) -> tuple[dict[_Key, Used], frozenset[tuple[str, str]]]:
    """What was used, and by which permissions within 90 days."""
    lately = at - UNUSED_AFTER
    of = {"since": at - LOOKED_BACK, "lately": lately, "at": at}
    found, by_permission = dict[_Key, Used](), set[tuple[str, str]]()
    for each in rows(db, _USED, of):
        key = each["person"], each["role"], each["resource"], each["login"]
        found[key] = found.get(key, Used()).plus(Used(each["sessions"], each["last"], each["work"]))
        if each["sessions"]:
            by_permission.add((each["role"], each["permission"]))
    for each in rows(db, _ALSO, of):
        for chain in json.loads(each["also"]):
            key, fresh = (each["person"], chain["role"], each["resource"], each["login"]), each["opened"] > lately
            found[key] = found.get(key, Used()).plus(Used(int(fresh), each["opened"]))
            if fresh:
                by_permission.add((chain["role"], chain["permission"]))
    return found, frozenset(by_permission)


def _reach(estate: Estate, role: RoleDefinition) -> frozenset[tuple[str, str]]:
    """The logins on resources that a role gives, standing or on request."""
    held = HeldRole("", "", role.role, role.version(), role.permissions, role.console, None)
    return frozenset(
        (site.resource, login)
        for permission in role.permissions
        for login, _, sites in estate.reach(held, permission)
        for site in sites
        if site.only(permission.actions)
    )


def unused_plan(db: Snapshot, at: Instant, which: str = "") -> Prepared:
    """The file in force with what nobody uses taken out of it, or turned into on request; of one role, if that is
    named."""
    use, known = Use(db, at), {each.person: each.email for each in people(db, at)}
    wanted = proposals(use.held(), use.roles, use.by_permission, at)
    return prepared(text_in_force(db, at), (each for each in wanted if which in ("", each.role)), known)


def used_where(db: Snapshot, at: Instant) -> dict[tuple[str, str], int]:
    """By role and resource: how many people opened a session there by the role within 90 days."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for (person, role, resource, _), used in _uses(db, at)[0].items():
        if used.sessions:
            found[role, resource].add(person)
    return {key: len(people) for key, people in found.items()}
