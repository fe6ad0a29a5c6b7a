"""Leaving: everything that a person holds ends in one command. And coming back, with nothing but the account."""

from dataclasses import dataclass

from onepam.domain.access import ConsoleRight
from onepam.domain.authority import Actor, ActorFacts, authorised
from onepam.domain.commit import Decided
from onepam.domain.people import PersonDisabled, PersonEnabled
from onepam.domain.requests import GrantEnded, RequestStatus, RequestWithdrawn
from onepam.domain.roster import PersonFacts, unknown_person
from onepam.domain.sign_in import EnrolmentEnded, SignedOut
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MOST_OF_EACH = 2_000
"""Sign-in sessions, grants, requests and links, each, that one command ends. What is left over gives nothing while the
person is disabled, and ends with the return."""


@dataclass(frozen=True, slots=True)
class LeavingFacts:
    """The actor, the person (None where there is none), and the ids of what they hold; a grant's with its request's."""

    actor: ActorFacts
    person: PersonFacts | None
    same_email: str | None
    sign_ins: tuple[str, ...]
    grants: tuple[tuple[str, str], ...]
    requests: tuple[str, ...]
    enrolments: tuple[str, ...]
    live: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended: sign-in sessions, grants, requests, links; and `live` gateway sessions that are being cut."""

    sign_ins: int
    grants: int
    requests: int
    enrolments: int
    live: int


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
    ended = Ended(len(facts.sign_ins), len(facts.grants), len(facts.requests), len(facts.enrolments), facts.live)
    return Decided((PersonDisabled(person, actor.person, why), *_endings(facts, person, actor)), ended)


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
    return Decided((*_endings(facts, person, actor), PersonEnabled(person, actor.person, why)), None)


def _endings(facts: LeavingFacts, person: str, actor: Actor) -> tuple[object, ...]:
    code = "person.disabled"
    return (
        *(SignedOut(each, person, code, actor.person) for each in facts.sign_ins),
        *(GrantEnded(grant, request, code, actor.person) for grant, request in facts.grants),
        *(RequestWithdrawn(each, RequestStatus.VOID, code, actor.person) for each in facts.requests),
        *(EnrolmentEnded(each, person, code, actor.person) for each in facts.enrolments),
    )
