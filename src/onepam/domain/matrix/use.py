"""Whether what somebody may do is what they do: rights held against the sessions that used them.

A *right* is a role's login on a resource, as somebody holds it. It is *used* by a session that was opened by it; a
sign-in uses none. What was held for 90 days and not used in them is *unused*: flagged on that day, and to be taken,
turned into on request, or kept by a review within 30 more.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.model import Mode
from onepam.domain.matrix.matrix import RoleDefinition
from onepam.kernel.clock import DAY, Instant

UNUSED_AFTER = 90 * DAY
"""Held for so long without a session it is unused (microseconds)."""

DISPOSED_WITHIN = 30 * DAY
"""What is unused is taken, changed or kept within this (microseconds)."""


class Standing(StrEnum):
    """Of a right: used within 90 days, unused, or not held for long enough to tell."""

    USED = "used"
    UNUSED = "unused"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Used:
    """How often within 90 days, and when last (None: never, as far as is known). `work` are the commands, file
    operations and statements of these sessions."""

    sessions: int = 0
    last: Instant | None = None
    work: int = 0

    def plus(self, other: "Used") -> "Used":
        """Both together."""
        last = max(self.last or other.last or Instant(0), other.last or self.last or Instant(0)) or None
        return Used(self.sessions + other.sessions, last, self.work + other.work)


@dataclass(frozen=True, slots=True)
class HeldUse:
    """A role of a person that opens something: since when they hold it, by name or by which groups, what of it they
    used, and when a review last kept it. `rights` are logins on resources, of which `touched` were used within 90
    days."""

    person: str
    role: str
    since: Instant
    by_name: bool
    groups: tuple[str, ...]
    rights: int
    touched: int
    used: Used
    kept: Instant | None = None

    def standing(self, now: Instant) -> Standing:
        """Whether it is used."""
        if self.used.sessions:
            return Standing.USED
        return Standing.UNUSED if self.flagged() <= now else Standing.NEW

    def flagged(self) -> Instant:
        """When it becomes unused, if nothing is done with it."""
        return Instant(max(self.since, self.used.last or self.since) + UNUSED_AFTER)

    def due(self) -> Instant:
        """By when it is to be taken, changed or kept."""
        return Instant(self.flagged() + DISPOSED_WITHIN)

    def is_kept(self) -> bool:
        """Whether a review kept it since it was flagged."""
        return self.kept is not None and self.kept >= self.flagged()

    def is_late(self, now: Instant) -> bool:
        """Whether it is unused, nobody kept it, and its time is over."""
        return self.standing(now) is Standing.UNUSED and not self.is_kept() and self.due() <= now


@dataclass(frozen=True, slots=True)
class RoleUse:
    """A role with all who hold it: how many use it, and how much of what it gives to them."""

    role: str
    people: int
    using: int
    unused: int
    late: int
    rights: int
    touched: int

    @property
    def share(self) -> float:
        """The part of the rights that is used, 0 to 1."""
        return self.touched / self.rights if self.rights else 0.0


def by_role(held: Iterable[HeldUse], now: Instant) -> tuple[RoleUse, ...]:
    """The roles by name."""
    listed: dict[str, list[HeldUse]] = {}
    for each in held:
        listed.setdefault(each.role, []).append(each)
    return tuple(
        RoleUse(
            role,
            len(some),
            sum(each.standing(now) is Standing.USED for each in some),
            sum(each.standing(now) is Standing.UNUSED and not each.is_kept() for each in some),
            sum(each.is_late(now) for each in some),
            sum(each.rights for each in some),
            sum(each.touched for each in some),
        )
        for role, some in sorted(listed.items())
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do: take the role from the person, who holds it by name; or turn the standing `permission` of the role,
    which nobody used, into one on request. One of `person` and `permission` is empty."""

    role: str
    person: str = ""
    permission: str = ""


def proposals(
    held: Iterable[HeldUse], roles: Mapping[str, RoleDefinition], used: frozenset[tuple[str, str]], now: Instant
) -> tuple[Proposal, ...]:
    """By role: first what is turned into on request, then from whom it is taken. `used` are the permissions by which
    anybody opened a session within 90 days, each with its role.

    A permission that a person has not held for long enough yet is left as it is, for all.
    """
    known: dict[str, list[HeldUse]] = {}
    for each in held:
        known.setdefault(each.role, []).append(each)
    return tuple(
        each for name, some in sorted(known.items()) for each in _proposed(roles.get(name), name, some, used, now)
    )


def _proposed(
    role: RoleDefinition | None, name: str, some: list[HeldUse], used: frozenset[tuple[str, str]], now: Instant
) -> Iterator[Proposal]:
    told = all(each.standing(now) is not Standing.NEW for each in some)
    for permission in role.permissions if role is not None and told else ():
        if permission.mode is Mode.STANDING and (name, permission.name) not in used:
            yield Proposal(name, permission=permission.name)
    for each in sorted(some, key=lambda one: one.person):
        if each.by_name and each.standing(now) is Standing.UNUSED and not each.is_kept():
            yield Proposal(name, person=each.person)
