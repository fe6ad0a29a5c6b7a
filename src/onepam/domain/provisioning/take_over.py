"""Letting a directory lead an account that was made by hand."""

from dataclasses import dataclass, replace

from onepam.domain.access.authority import ActorFacts, authorised
from onepam.domain.access.model import ConsoleRight
from onepam.domain.history.commit import Decided
from onepam.domain.people.events import GroupMemberAdded
from onepam.domain.provisioning.events import AccountTakenOver, ScimUserSet
from onepam.domain.provisioning.users import TAKEOVER, Known, origin
from onepam.domain.signing_in.rules import fresh
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class TakeoverFacts:
    """The actor; the user as the directory set it last, whose address belongs to `namesake`, an account that was made
    by hand; `groups` as in `UserFacts`, `led_to` whether another user of the provider leads there."""

    actor: ActorFacts
    user: ScimUserSet | None
    namesake: Known | None
    led_to: bool
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the administrator saw and agrees to: the user in this version, and the person whose account it would
    lead."""

    user: str
    version: int
    person: str


def agree_takeover(facts: TakeoverFacts, shown: Shown, now: Instant) -> Decided[str] | Refused:
    """An administrator lets a directory lead an account that was made by hand; the result is whose. Needs a fresh
    factor: from now on the directory can rename and end it. The directory may have given its user another address
    since the page was made, so the word holds for what was shown and for nothing else."""
    user = shown.user
    if (refused := authorised(facts.actor, ConsoleRight.ADMINISTER, now) or fresh(facts.actor, now)) is not None:
        return refused
    was, namesake = facts.user, facts.namesake
    if was is None or was.trouble != TAKEOVER or namesake is None or not namesake.facts.enabled or facts.led_to:
        return Refused("takeover.unknown", f"Nothing waits for a word about the user {user}.", "/provisioning")
    person = namesake.facts.person
    if (was.version, person) != (shown.version, shown.person):
        words = f"The user {user} has changed meanwhile: it would lead the account of {person} now."
        return Refused("takeover.changed", words, "Look at it again.")
    linked = replace(was, person=person, trouble="", version=was.version + 1, waits_for=None)
    agreed = AccountTakenOver(person, was.provider, user, facts.actor.person)
    added = tuple(GroupMemberAdded(each, person, origin(was.provider), facts.actor.person) for each in facts.groups)
    return Decided((agreed, linked, *added), person)
