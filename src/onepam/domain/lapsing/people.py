"""What time brings: the end of whoever's last day has passed, or of a vendor whom nobody answers for.

A directory writes both, the end and the sponsor. So for whoever a directory has led, time goes by its brake, as the
directory's own word does (`directory_brake.py`).
"""

from dataclasses import dataclass

from onepam.domain.history.commit import Decided
from onepam.domain.leaving.brake import NO_BRAKE, BrakeFacts, Departing, end_or_hold
from onepam.domain.leaving.leaving import Ended, Held, departure, due, left_over
from onepam.domain.people.adding import PersonFacts, unknown_person
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class OverdueFacts:
    """Somebody whose time may be over, what they hold, and since when their sponsor has been gone (None: is there).

    `led`: a directory (SCIM, the roster) leads them, or did; then `brake` is loaded. `waits`: they are under a hold of
    many.
    """

    person: PersonFacts | None
    sponsor_left: Instant | None
    held: Held
    led: bool = False
    waits: bool = False
    brake: BrakeFacts = NO_BRAKE


def end_overdue(facts: OverdueFacts, person: str, hold: str, now: Instant) -> Decided[Ended] | Refused:
    """Ends whoever's time is over, or all but the account; and what is left over of a leaver. `hold` is a fresh id."""
    who = facts.person
    if who is None:
        return unknown_person(person)
    if not who.enabled:
        rest = left_over(facts.held, person)
        return Decided(rest, facts.held.ended()) if rest else _not_due(person)
    cause = due(who, facts.sponsor_left, now)
    if cause is None or facts.waits:
        return _not_due(person)
    if facts.led:
        events = end_or_hold(facts.brake, (Departing(person, facts.held, cause),), hold, now)
    else:
        events = departure(facts.held, person, cause)
    return Decided(events, facts.held.ended())


def _not_due(person: str) -> Refused:
    return Refused("person.not_due", f"The time of {person} is not over.")
