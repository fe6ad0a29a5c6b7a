"""Locks ("pull the plug"): a person, a resource or everything opens no session until somebody else lifts the lock.

A lock closes sessions and nothing else: who is locked still signs in, and console, command line and directories work
on, so nobody locks anybody out of the repair. Each lock is its own: a second one on the same holds when the first is
lifted.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.authority import Actor, ActorFacts, authorised, present, shown_within
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event, private
from onepam.kernel import limits
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

FRESH = 5 * MINUTE
"""How lately whoever lifts a lock showed a second factor (microseconds)."""

LOCKERS = (ConsoleRight.ADMINISTER, ConsoleRight.MONITOR)


class LockScope(StrEnum):
    """What a lock is on."""

    PERSON = "person"
    RESOURCE = "resource"
    EVERYTHING = "everything"


@event(
    "lock.set",
    klass="access",
    alarm=True,
    control="OFF-04 MON-05",
    words="{by} locked {scope}[ {person}][ {resource}][: {reason}]",
)
@dataclass(frozen=True, slots=True)
class LockSet:
    """From now on no session of the person, or on the resource, or at all, is opened, and those that run end. `person`
    and `resource`: of a lock of that scope, else None."""

    lock: str
    scope: LockScope
    person: str | None
    resource: str | None
    by: str
    reason: str | None = private()


@event("lock.lifted", klass="access", control="OFF-04 MON-05", words="{by} lifted the lock {lock}")
@dataclass(frozen=True, slots=True)
class LockLifted:
    """The lock is over. What another lock is on stays locked."""

    lock: str
    by: str


@dataclass(frozen=True, slots=True)
class LockFacts:
    """The actor, whether there is such a person or resource (of everything: yes), and whether a lock of the actor's
    stands on the same."""

    actor: ActorFacts
    known: bool
    stands: bool = False


@dataclass(frozen=True, slots=True)
class LiftFacts:
    """The actor; whether the lock stands; whoever it is on and whoever set it, each with all who may be one hand with
    them (nobody where it is on no person); and everybody who administers and could sign in to lift it."""

    actor: ActorFacts
    stands: bool
    locked: frozenset[str] = frozenset()
    setting: frozenset[str] = frozenset()
    administrators: frozenset[str] = frozenset()

    def others(self) -> frozenset[str]:
        """Who lifts it in the actor's place: of those whom it does not touch, and before the person whom it is on
        whoever set it."""
        if self.actor.person in self.locked:
            return self.administrators - self.locked
        return self.administrators - self.locked - self.setting if self.actor.person in self.setting else frozenset()


def lock(
    facts: LockFacts, actor: Actor, name: str, scope: LockScope, about: str, reason: str, now: Instant
) -> Decided[str] | Refused:
    """Somebody who administers or monitors locks `about`: a person's or a resource's id, "" for everything."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    if not any(facts.actor.roles_with(right) for right in LOCKERS):
        needed = "This needs a role with the right to administer or monitor; yours have none."
        return Refused("right.missing", needed, "An administrator can bind such a role to you in access.yaml.")
    if not facts.known:
        return Refused("lock.target.unknown", "There is nobody and nothing of that name to lock.", "Name an id.")
    if facts.stands:
        return Refused("lock.stands", "You locked this, and it is locked still.", "onepam locks")
    words = plain_text(reason, limits.MAX_TEXT_CHARACTERS, what="reason", required=True)
    if isinstance(words, Refused):
        return words
    person = about if scope is LockScope.PERSON else None
    resource = about if scope is LockScope.RESOURCE else None
    return Decided((LockSet(name, scope, person, resource, actor.person, words),), name)


def lift(facts: LiftFacts, actor: Actor, name: str, now: Instant) -> Decided[None] | Refused:
    """An administrator under a fresh factor, who neither set it nor is whom it is on, nor may be one hand with them.
    Where there is no such administrator, whoever set it; and whom it is on where nobody else administers."""
    refused = authorised(facts.actor, ConsoleRight.ADMINISTER, now) or shown_within(facts.actor, FRESH, now)
    if refused is not None:
        return refused
    if not facts.stands:
        return Refused("lock.unknown", f"No lock {name} stands.", "onepam locks")
    if others := facts.others():
        message = "Whoever set a lock or is locked by it does not lift it, nor who may be one hand with them."
        return Refused("lock.self_approval", message, f"Ask another administrator: there are {len(others)}.")
    return Decided((LockLifted(name, actor.person),), None)
