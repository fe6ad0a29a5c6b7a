"""Delegation: somebody who approves names another who does to decide for them while they are away.

It gives authority over requests and nothing else, for as long as both may approve, and is passed on no further. Whoever
somebody named does not decide on what that one asks.
"""

from dataclasses import dataclass

from onepam.domain.access.authority import Actor, ActorFacts, HeldRole, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.requests.events import DelegationEnded, DelegationSet
from onepam.kernel import limits
from onepam.kernel.clock import DAY, Instant, utc
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

LONGEST = 92 * DAY
"""A delegation lasts no longer, and begins no further ahead (microseconds)."""

UNKNOWN = Refused("delegation.unknown", "There is no such delegation of yours.", "See: /approvals")
NOBODY = Refused("delegation.to", "Nobody here, or several, are called that.", "Write an address, or a whole name.")
"""Who is to decide cannot be told from what was written."""


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who decides for whom, from when until when."""

    delegation: str
    person: str
    to: str
    begins: Instant
    ends: Instant


@dataclass(frozen=True, slots=True)
class StandIn:
    """For whom the actor may decide, and by which delegation: their roles, what of a manager and an owner they are, and
    whether they could not decide on it either (or only beside one hand with them who agreed)."""

    delegation: str
    person: str
    roles: tuple[HeldRole, ...]
    claims: frozenset[str]
    barred: bool


@dataclass(frozen=True, slots=True)
class DelegatingFacts:
    """Who delegates, with their delegations that are not over; whether the other is here and may approve."""

    actor: ActorFacts
    to_approves: bool
    theirs: tuple[Delegation, ...]


@dataclass(frozen=True, slots=True)
class DelegationFacts:
    """Who ends it, and the delegation; None where there is none."""

    actor: ActorFacts
    delegation: Delegation | None


def delegate(facts: DelegatingFacts, wanted: Delegation, reason: str, now: Instant) -> Decided[Delegation] | Refused:
    """Names who decides for the actor."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    words = plain_text(reason, limits.MAX_TEXT_CHARACTERS, what="reason", required=False)
    if isinstance(words, Refused):
        return words
    if not facts.actor.roles_with(ConsoleRight.APPROVE):
        return Refused("delegation.no_authority", "No role of yours approves: there is nothing to delegate.")
    if wanted.to == facts.actor.person or not facts.to_approves:
        hint = "Name somebody else who holds a role that approves."
        return Refused("delegation.cannot_decide", "They cannot decide for you.", hint)
    begins = max(wanted.begins, now)
    if not begins < wanted.ends <= begins + LONGEST or begins > now + LONGEST:
        hint = f"It ends after it begins, and within {LONGEST // DAY} days of that."
        return Refused("delegation.time", "That is no time for which somebody decides.", hint)
    for each in facts.theirs:
        if each.begins < wanted.ends and begins < each.ends:
            hint = f"It runs until {utc(each.ends)}: end it first."
            return Refused("delegation.overlaps", "Somebody decides for you then already.", hint)
    made = Delegation(wanted.delegation, facts.actor.person, wanted.to, Instant(begins), wanted.ends)
    event = DelegationSet(made.delegation, made.person, made.to, made.begins, made.ends, words or None)
    return Decided((event,), made)


def end_delegation(facts: DelegationFacts, actor: Actor, now: Instant) -> Decided[None] | Refused:
    """Whoever named somebody, whoever was named, or an administrator ends it."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    found = facts.delegation
    may = found is not None and (
        actor.person in (found.person, found.to) or bool(facts.actor.roles_with(ConsoleRight.ADMINISTER))
    )
    if found is None or not may or found.ends <= now:
        return UNKNOWN
    return Decided((DelegationEnded(found.delegation, actor.person),), None)
