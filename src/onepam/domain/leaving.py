"""Leaving: everything that a person holds ends in one command. And coming back, with nothing but the account."""

from dataclasses import dataclass

from onepam.domain.access import BindingEnded, ConsoleRight
from onepam.domain.authority import Actor, ActorFacts, authorised
from onepam.domain.commit import Decided
from onepam.domain.people import ADMINISTRATOR, GroupMemberRemoved, PersonDisabled, PersonEnabled
from onepam.domain.requests import GrantEnded, RequestStatus, RequestWithdrawn
from onepam.domain.roster import PersonFacts, unknown_person
from onepam.domain.sign_in import EnrolmentEnded, FactorRemoved, SignedOut
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MOST_OF_EACH = 1_200
"""Sign-in sessions, grants, requests, links, factors, bindings and groups, each, that one command ends. What is left
over gives nothing while the person is disabled, and ends with the return."""

ENDED = "person.disabled"
"""The code under which everything of a leaver ends."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended: sign-in sessions, grants, requests, links, factors, bindings, memberships of groups; and `live`
    gateway sessions that are being cut."""

    sign_ins: int
    grants: int
    requests: int
    enrolments: int
    live: int
    factors: int = 0
    bindings: int = 0
    groups: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """The ids of what somebody holds: a grant's with its request's, a group's name with the source of the membership;
    `bindings` are those to the person alone, `live` the number of gateway sessions that are open."""

    sign_ins: tuple[str, ...] = ()
    grants: tuple[tuple[str, str], ...] = ()
    requests: tuple[str, ...] = ()
    enrolments: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    bindings: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    live: int = 0

    def ended(self) -> Ended:
        """How much there is of each."""
        return Ended(
            sign_ins=len(self.sign_ins),
            grants=len(self.grants),
            requests=len(self.requests),
            enrolments=len(self.enrolments),
            live=self.live,
            factors=len(self.factors),
            bindings=len(self.bindings),
            groups=len(self.groups),
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """Why somebody's access ends: the way the news came, in words, by whom; when they left by the roster or directory,
    and when the news was received (`PersonDisabled`)."""

    origin: str
    because: str
    by: str | None
    left_at: Instant | None = None
    notified: Instant | None = None


@dataclass(frozen=True, slots=True)
class LeavingFacts:
    """The actor, the person (None where there is none), and what they hold."""

    actor: ActorFacts
    person: PersonFacts | None
    same_email: str | None
    held: Held


def departure(held: Held, person: str, cause: Cause) -> tuple[object, ...]:
    """All events by which a person's access ends, whoever ends it. For the same command as the news itself."""
    disabled = PersonDisabled(person, cause.by, cause.because, cause.origin, cause.left_at, cause.notified)
    return (disabled, *_endings(held, person, cause.by))


def disable(facts: LeavingFacts, actor: Actor, person: str, because: str, now: Instant) -> Decided[Ended] | Refused:
    """Ends the person's access. Nobody disables themselves: so an administrator who is signed in always remains."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.person is None:
        return unknown_person(person)
    if actor.person == person:
        return Refused("person.self", "Nobody disables themselves.", "Ask another administrator.")
    if not facts.person.enabled:
        return Refused("person.disabled_already", f"{person} is disabled already.")
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    return Decided(departure(facts.held, person, Cause(ADMINISTRATOR, why, actor.person)), facts.held.ended())


def enable(facts: LeavingFacts, actor: Actor, person: str, because: str, now: Instant) -> Decided[None] | Refused:
    """Lets the person sign in again; whatever was held before stays ended."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.person is None:
        return unknown_person(person)
    if facts.person.enabled:
        return Refused("person.enabled_already", f"{person} is enabled already.")
    if facts.person.ends is not None and facts.person.ends <= now:
        return Refused("person.end_past", f"The end of {person} has passed.", "Change the end first.")
    if facts.same_email is not None:
        return Refused("person.email_taken", "Somebody else has this address by now.", f"/people/{facts.same_email}")
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    return Decided((*_endings(facts.held, person, actor.person), PersonEnabled(person, actor.person, why)), None)


def _endings(held: Held, person: str, by: str | None) -> tuple[object, ...]:
    return (
        *(SignedOut(each, person, ENDED, by) for each in held.sign_ins),
        *(GrantEnded(grant, request, ENDED, by) for grant, request in held.grants),
        *(RequestWithdrawn(each, RequestStatus.VOID, ENDED, by) for each in held.requests),
        *(EnrolmentEnded(each, person, ENDED, by) for each in held.enrolments),
        *(FactorRemoved(each, person, ENDED, by) for each in held.factors),
        *(BindingEnded(each, ENDED, "", by) for each in held.bindings),
        *(GroupMemberRemoved(group, person, source, by) for group, source in held.groups),
    )
