"""Leaving: everything that a person holds ends in one command. And coming back, with nothing but the account.

Certificates are not named here: they carry no authority without the sign-in session that they were issued under. What
others would have waited for the leaver to decide is passed on, by name, in the same command.
"""

from dataclasses import dataclass, replace

from onepam.domain.access.authority import Actor, ActorFacts, authorised
from onepam.domain.access.events import BindingEnded
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.people.adding import PersonFacts, erased_person, unknown_person
from onepam.domain.people.events import (
    ADMINISTRATOR,
    GroupMemberAdded,
    GroupMemberRemoved,
    PersonDisabled,
    PersonEnabled,
    PersonKind,
)
from onepam.domain.requests.events import GrantEnded, RequestRerouted, RequestStatus, RequestWithdrawn
from onepam.domain.sessions.events import ConfirmationFailed
from onepam.domain.signing_in.events import EnrolmentEnded, FactorRemoved, SignedOut
from onepam.domain.signing_in.exception_events import MfaExceptionEnded
from onepam.kernel import limits
from onepam.kernel.clock import DAY, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.text import plain_text

MOST_OF_EACH = 1_200
"""Sign-in sessions, grants, requests, links, factors, bindings and so on, each, that one command ends. What is left
over gives nothing while the person is disabled, and ends by the sweep, or with the return."""

MOST_REROUTED = 300
"""Requests that one command passes on. All of them wait in the lists of those who may decide, passed on or not."""

MOST_DECIDERS = 50

SPONSOR_GRACE = 7 * DAY
"""How long a vendor stays without a sponsor (microseconds)."""

END = "end"
"""The origin of a leaving that time has brought: the last day, or a vendor whom nobody answers for."""

ENDED = "person.disabled"
"""The code under which everything of a leaver ends."""

HELD = "person.held"
"""The code under which everything but the account ends, of somebody whose end is held."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How much ended: sign-in sessions, grants, requests, links, factors, bindings, memberships of groups,
    confirmations; `live` gateway sessions that are being cut; `rerouted` requests that others decide now; `exceptions`
    from the second factor."""

    sign_ins: int
    grants: int
    requests: int
    enrolments: int
    live: int
    factors: int = 0
    bindings: int = 0
    groups: int = 0
    confirmations: int = 0
    rerouted: int = 0
    exceptions: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """The ids of what somebody holds: a grant's with its request's, a group's name with the source of the membership;
    `bindings` are those to the person alone, `live` the number of gateway sessions that are open.

    `enrolments` are links and proposals of links, also those that the person made for others; `confirmations` wait
    in a terminal, or were given and not used. `rerouted`: requests that the person could decide, each with the others
    who can. `exceptions` from the second factor, each with whom it is for: the person's own, accepted or waiting, and
    those that the person proposed for others and nobody accepted.
    """

    sign_ins: tuple[str, ...] = ()
    grants: tuple[tuple[str, str], ...] = ()
    requests: tuple[str, ...] = ()
    enrolments: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    bindings: tuple[str, ...] = ()
    groups: tuple[tuple[str, str], ...] = ()
    live: int = 0
    confirmations: tuple[str, ...] = ()
    rerouted: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exceptions: tuple[tuple[str, str], ...] = ()

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
            confirmations=len(self.confirmations),
            rerouted=len(self.rerouted),
            exceptions=len(self.exceptions),
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
    """The actor, the person (None where there is none), and what they hold. `directory` are the groups that directories
    say of the person now, each with its source."""

    actor: ActorFacts
    person: PersonFacts | None
    same_email: str | None
    held: Held
    directory: tuple[tuple[str, str], ...] = ()


def departure(held: Held, person: str, cause: Cause) -> tuple[object, ...]:
    """All events by which a person's access ends, whoever ends it. For the same command as the news itself."""
    disabled = PersonDisabled(person, cause.by, cause.because, cause.origin, cause.left_at, cause.notified)
    passed_on = (RequestRerouted(request, person, to[:MOST_DECIDERS], cause.by) for request, to in held.rerouted)
    return (disabled, *_endings(held, person, cause.by), *passed_on)


def suspension(held: Held, person: str) -> tuple[object, ...]:
    """The end of all that is not the account: sign-ins, grants, requests, links, confirmations, exceptions. Factors,
    roles and groups stay, and give nothing while the account is held (`directory_brake.py`)."""
    kept = replace(held, factors=(), bindings=(), groups=())
    passed_on = (RequestRerouted(request, person, to[:MOST_DECIDERS], None) for request, to in held.rerouted)
    return (*_endings(kept, person, None, HELD), *passed_on)


def due(person: PersonFacts, sponsor_left: Instant | None, now: Instant) -> Cause | None:
    """Why the person's time is over, if it is: the last day has passed, or nobody answers for a vendor; `sponsor_left`
    is since when their sponsor has been gone (None: is there)."""
    if person.ends is not None and person.ends <= now:
        return Cause(END, "the last day has passed", None, person.ends)
    if person.kind is PersonKind.VENDOR and sponsor_left is not None and sponsor_left + SPONSOR_GRACE <= now:
        return Cause(END, "a vendor without a sponsor", None)
    return None


def left_over(held: Held, person: str) -> tuple[object, ...]:
    """The end of what a leaver still holds, because one command was too small."""
    return _endings(held, person, None)


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
    """Lets the person sign in again. Whatever was held before stays ended, but for groups that a directory still says:
    it would not say them again."""
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now)) is not None:
        return refused
    if facts.person is None:
        return unknown_person(person)
    if facts.person.erased:
        return erased_person(person)
    if facts.person.enabled:
        return Refused("person.enabled_already", f"{person} is enabled already.")
    if facts.person.ends is not None and facts.person.ends <= now:
        return Refused("person.end_past", f"The end of {person} has passed.", "Change the end first.")
    if facts.same_email is not None:
        return Refused("person.email_taken", "Somebody else has this address by now.", f"/people/{facts.same_email}")
    why = plain_text(because, limits.MAX_NAME_CHARACTERS, what="reason")
    if isinstance(why, Refused):
        return why
    enabled = PersonEnabled(person, actor.person, why)
    groups = (GroupMemberAdded(group, person, source, actor.person) for group, source in facts.directory)
    return Decided((*_endings(facts.held, person, actor.person), enabled, *groups), None)


def _endings(held: Held, person: str, by: str | None, code: str = ENDED) -> tuple[object, ...]:
    return (
        *(SignedOut(each, person, code, by) for each in held.sign_ins),
        *(GrantEnded(grant, request, code, by) for grant, request in held.grants),
        *(RequestWithdrawn(each, RequestStatus.VOID, code, by) for each in held.requests),
        *(EnrolmentEnded(each, person, code, by) for each in held.enrolments),
        *(ConfirmationFailed(each, by or person, code) for each in held.confirmations),
        *(FactorRemoved(each, person, code, by) for each in held.factors),
        *(BindingEnded(each, code, "", by) for each in held.bindings),
        *(GroupMemberRemoved(group, person, source, by) for group, source in held.groups),
        *(MfaExceptionEnded(each, whose, code, by) for each, whose in held.exceptions),
    )
