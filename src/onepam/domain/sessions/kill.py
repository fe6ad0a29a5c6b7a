"""Ordering the end of somebody's session, or of one's own."""

from dataclasses import dataclass

from onepam.domain.access.authority import Actor, ActorFacts, present
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.sessions.events import KillOrdered
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text


@dataclass(frozen=True, slots=True)
class KillFacts:
    """The actor, and the session's person and status; None where there is no such session."""

    actor: ActorFacts
    person: str | None
    status: str | None


def kill(facts: KillFacts, actor: Actor, session: str, reason: str, now: Instant) -> Decided[None] | Refused:
    """Its own person, or somebody with the right to administer or to monitor, ends an open session."""
    if (refused := present(facts.actor, now)) is not None:
        return refused
    own = facts.person == actor.person
    rights = (ConsoleRight.ADMINISTER, ConsoleRight.MONITOR)
    if facts.person is None or not (own or any(facts.actor.roles_with(right) for right in rights)):
        return Refused("session.unknown", f"There is no session {session} that you may end.", "/sessions")
    if facts.status != "open":
        return Refused("session.ended", f"Session {session} has ended already.")
    words = plain_text(reason, limits.MAX_TEXT_CHARACTERS, what="reason", required=not own)
    if isinstance(words, Refused):
        return words
    return Decided((KillOrdered(session, actor.person, words),), None)
