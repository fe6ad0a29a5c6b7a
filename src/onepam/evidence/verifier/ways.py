"""Every way in that there was at an instant, by what the entries up to then say of people, groups, roles, resources and
access on request: the rows that the report of access must have, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Dict, List, NamedTuple, Tuple

from onepam.evidence.verifier.canonical import MAX_INTEGER, iso

PERSON_ADDED, PERSON_CHANGED, PERSON_LEFT, PERSON_BACK = (
    "person.added", "person.changed", "person.disabled", "person.enabled")  # fmt: skip
HELD_BACK, HOLD_DECIDED = "directory.person_held", "directory.person_decided"
MEMBER_ADDED, MEMBER_REMOVED = "group.member_added", "group.member_removed"
BINDING_ADDED, BINDING_ENDED = "binding.added", "binding.ended"
ROLE_WITHHELD, ROLE_RETURNED = "role.withheld", "role.returned"
ROLE_SET, ROLE_GONE = "role.set", "role.removed"
RESOURCE_SET, RESOURCE_GONE = "resource.set", "resource.removed"
GRANT_STARTED, GRANT_OVER = "grant.started", ("grant.ended", "grant.expired")
GRANT_USED = "grant.first_used"
OF_WAYS = (
    PERSON_ADDED, PERSON_CHANGED, PERSON_LEFT, PERSON_BACK, HELD_BACK, HOLD_DECIDED, MEMBER_ADDED, MEMBER_REMOVED,
    BINDING_ADDED, BINDING_ENDED, ROLE_WITHHELD, ROLE_RETURNED, ROLE_SET, ROLE_GONE, RESOURCE_SET, RESOURCE_GONE,
    GRANT_STARTED, GRANT_USED, *GRANT_OVER,
)  # fmt: skip
"""All that is read, in order and up to the instant."""
WAY = (
    "person", "resource", "login", "mode", "permission", "actions", "privileged", "until", "role", "binding", "group",
)  # fmt: skip
"""The columns that follow; a way is their texts."""
DESIGN = (
    "role", "version", "owner", "purpose", "permission", "mode", "actions", "resource", "login", "privileged",
)  # fmt: skip
"""The columns of the role matrix that follow."""
MOST_WAYS = 250_000
"""Rows that a report of a release has at most."""

WayIn = Tuple[str, ...]


class TooMany(Exception):
    """There are more ways in than a report has rows."""


class Opens(NamedTuple):
    """What a role opens: a login of a resource by a permission."""

    resource: str
    login: str
    mode: str
    permission: str
    actions: List[str]
    privileged: str


class WaysIn:
    """What there was, as far as it was `take`n; bodies that are not of their form raise what such reading raises.
    Unless it `withholds`, a role that a review withholds counts as held."""

    def __init__(self, withholds: bool = True) -> None:
        self._withholds = withholds
        self._withheld: Dict[Tuple[str, ...], None] = {}
        self._ends: Dict[str, int] = {}  # of the accounts
        self._left: Dict[str, None] = {}
        self._held: Dict[str, None] = {}
        self._members: Dict[Tuple[str, ...], None] = {}
        self._bindings: Dict[str, Any] = {}
        self._roles: Dict[str, Any] = {}
        self._resources: Dict[str, Any] = {}
        self._grants: Dict[str, Any] = {}

    def take(self, kind: str, body: Any) -> None:
        """The next entry of `OF_WAYS`."""
        if kind in (PERSON_ADDED, PERSON_CHANGED):
            if kind == PERSON_ADDED:
                self._left.pop(body["person"], None)
            if kind == PERSON_ADDED or body["person"] in self._ends:
                self._ends[body["person"]] = _end_of(body["ends"])
        elif kind == PERSON_LEFT:
            self._left[body["person"]] = None
            self._held.pop(body["person"], None)
        elif kind == PERSON_BACK:
            self._left.pop(body["person"], None)
        elif kind == HELD_BACK:
            self._held[body["person"]] = None
        elif kind == HOLD_DECIDED:
            self._held.pop(body["person"], None)
        elif kind in (MEMBER_ADDED, MEMBER_REMOVED, ROLE_WITHHELD, ROLE_RETURNED):
            self._pair(kind, body)
        elif kind in (GRANT_USED, *GRANT_OVER):
            was = self._grants.pop(body["grant"], None)
            if kind == GRANT_USED and was is not None:
                self._grants[body["grant"]] = {**was, "ends": body["ends"]}
        else:
            table, key = {
                BINDING_ADDED: (self._bindings, "binding"), BINDING_ENDED: (self._bindings, "binding"),
                ROLE_SET: (self._roles, "role"), ROLE_GONE: (self._roles, "role"),
                RESOURCE_SET: (self._resources, "resource"), RESOURCE_GONE: (self._resources, "resource"),
                GRANT_STARTED: (self._grants, "grant"),
            }[kind]  # fmt: skip
            if kind in (BINDING_ENDED, ROLE_GONE, RESOURCE_GONE):
                table.pop(body[key], None)
            else:
                table[body[key]] = body

    def _pair(self, kind: str, body: Any) -> None:
        """Who is in which group, and from whom which role is withheld."""
        table, names = self._withheld, ["person", "role"]
        if kind in (MEMBER_ADDED, MEMBER_REMOVED):
            table, names = self._members, ["group", "person", "source"]
        key = tuple(body[name] for name in names)
        if kind in (MEMBER_ADDED, ROLE_WITHHELD):
            table[key] = None
        else:
            table.pop(key, None)

    def at(self, now: int) -> Dict[WayIn, int]:
        """All ways in at that instant, and how often each is there. Raises `TooMany`."""
        found: Dict[WayIn, int] = {}
        for number, way in enumerate(self._all(now), 1):
            if number > MOST_WAYS:
                raise TooMany
            found[way] = found.get(way, 0) + 1
        return found

    def _all(self, now: int) -> Iterator[WayIn]:
        here = {who: ends for who, ends in self._ends.items() if ends > now}
        for gone in (*self._left, *self._held):
            here.pop(gone, None)
        groups: Dict[str, List[str]] = {}
        for group, person, _ in self._members:
            groups.setdefault(group, []).append(person)
        grants: Dict[Tuple[str, str], List[Any]] = {}
        for each in self._grants.values():
            if each["starts"] <= now < each["ends"]:
                grants.setdefault((each["substance"]["person"], each["binding"]), []).append(each)
        reached: Dict[str, List[Opens]] = {}
        for name, binding in self._bindings.items():
            until, role = _end_of(binding["ends"]), binding["role"]
            if until <= now or role not in self._roles:
                continue
            if role not in reached:
                reached[role] = list(self._reach(role))
            by_group = binding["subject_kind"] == "group"
            group = binding["subject"] if by_group else ""
            for person in groups.get(group, ()) if by_group else (binding["subject"],):
                if person in here and not (self._withholds and (person, role) in self._withheld):
                    last = min(until, here[person])
                    rests = (role, name, group)
                    for each in reached[role]:
                        yield _way_in(person, each, each.mode, each.actions, last, rests)
                    for grant in grants.get((person, name), ()):
                        yield from _by_grant(person, grant, reached[role], last, rests)

    def designed(self) -> Dict[Tuple[str, ...], int]:
        """What each role opens of what there is, and how often: columns `DESIGN`. Raises `TooMany`."""
        found: Dict[Tuple[str, ...], int] = {}
        for name, role in self._roles.items():
            head = (name, role["version"], role["owner"], role["purpose"])
            rows = [
                (*head, each.permission, each.mode, ", ".join(each.actions), each.resource, each.login, each.privileged)
                for each in self._reach(name)
            ]
            for row in rows or [(*head, "", "", "", "", "", "")]:
                found[row] = found.get(row, 0) + 1
            if len(found) > MOST_WAYS:
                raise TooMany
        return found

    def _reach(self, role: str) -> Iterator[Opens]:
        for permission in self._roles[role]["permissions"]:
            where, logins = permission["where"], permission["logins"]
            for name, resource in self._resources.items():
                labels = resource["labels"]
                if not (where and where.items() <= labels.items() and resource["pins"] and permission["actions"]):
                    continue
                privileged = permission.get("administrative") or labels.get("env") == "prod"
                for login in resource["logins"]:
                    if login in logins or "*" in logins:
                        yield Opens(name, login, permission["mode"], permission["name"], permission["actions"],
                                    "yes" if privileged else "no")  # fmt: skip


def _by_grant(person: str, grant: Any, reached: List[Opens], last: int, rests: Tuple[str, str, str]) -> Iterator[WayIn]:
    """What access on request opens of what its role does."""
    asked = grant["substance"]
    for each in reached:
        of_it = (each.resource, each.login, each.permission, each.mode)
        if of_it == (asked["resource"], asked["login"], asked["permission"], "request"):
            actions = [action for action in asked["actions"] if action in each.actions]
            if actions:
                yield _way_in(person, each, "granted", actions, min(last, grant["ends"]), rests)


def _way_in(person: str, each: Opens, mode: str, actions: List[str], until: int, rests: Tuple[str, str, str]) -> WayIn:
    ends = "" if until >= MAX_INTEGER else iso(until)
    return (person, each.resource, each.login, mode, each.permission, ", ".join(actions), each.privileged, ends, *rests)


def _end_of(told: Any) -> int:
    return MAX_INTEGER if told is None else int(told)
