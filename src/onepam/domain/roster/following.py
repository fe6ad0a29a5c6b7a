"""What follows from the staff roster for accounts: links, managers, sponsors, ends, leavers, and, if allowed, joiners.

It compares what the roster says with what the accounts are, so it may run at any time, any number of times; each step
is bounded, and nothing that an administrator decided after the roster's last word is undone: somebody who was enabled
again stays enabled until the roster says something new of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from onepam.domain.history.commit import Decided
from onepam.domain.leaving.brake import NO_BRAKE, BrakeFacts, Departing, PersonHold, end_or_hold, returned
from onepam.domain.leaving.leaving import Cause, Held
from onepam.domain.people.events import PersonAdded, PersonChanged, PersonKind
from onepam.domain.roster.events import ROSTER, RosterLinked
from onepam.kernel.clock import Instant

MOST_LEAVERS = 25
"""Leavers in one command: each takes all that they hold along."""

MOST_CHANGES = 500


@dataclass(frozen=True, slots=True)
class Says:
    """What the roster says of an account. Manager and sponsor are people; None where it names nobody who has one."""

    kind: PersonKind
    manager: str | None
    sponsor: str | None
    ends: Instant | None


@dataclass(frozen=True, slots=True)
class Followed:
    """An enabled account as it is, and what the roster says of it.

    `left_at` is when the person left by the roster, None while they are on it; `received` when that was news to us.
    """

    person: str
    left_at: Instant | None
    received: Instant
    kind: PersonKind
    manager: str | None
    owner: str | None
    ends: Instant | None
    name: str | None
    email: str | None
    says: Says


@dataclass(frozen=True, slots=True)
class Joiner:
    """Somebody on the roster, whose first day has come, without an account."""

    entry: str
    name: str
    email: str
    says: Says


@dataclass(frozen=True, slots=True)
class FollowFacts:
    """Some of what is to do: entries (with the person) to link, accounts that differ from their entries, and people to
    add (only where accounts are created); `held` is what the leavers among the accounts hold, by person. `back` are
    people under a hold of the roster who are on it again."""

    links: tuple[tuple[str, str], ...]
    followed: tuple[Followed, ...]
    joiners: tuple[Joiner, ...]
    held: Mapping[str, Held]
    brake: BrakeFacts = NO_BRAKE
    back: tuple[tuple[str, PersonHold], ...] = ()


@dataclass(frozen=True, slots=True)
class Steps:
    """How many accounts were linked, changed, ended and added."""

    linked: int
    changed: int
    left: int
    added: int

    def any(self) -> bool:
        """Whether anything happened."""
        return bool(self.linked or self.changed or self.left or self.added)


def follow(facts: FollowFacts, fresh: Sequence[str], hold: str, now: Instant) -> Decided[Steps]:
    """One bounded step; `fresh` are ids for people that are added, `hold` one for a hold."""
    links = tuple(RosterLinked(entry, person) for entry, person in facts.links)
    left = tuple(each for each in facts.followed if each.left_at is not None and each.person in facts.held)
    leaving = tuple(Departing(each.person, facts.held[each.person], _cause(each)) for each in left)
    departures = end_or_hold(facts.brake, leaving, hold, now)
    back = tuple(returned(person, held) for person, held in facts.back)
    changes = _changes(facts)
    joined = tuple(
        (added, RosterLinked(each.entry, person))
        for each, person in zip(facts.joiners, fresh, strict=False)
        if (added := _join(each, person)) is not None
    )
    events = (*links, *back, *departures, *changes, *(event for pair in joined for event in pair))
    return Decided(events, Steps(len(links), len(changes) + len(back), len(left), len(joined)))


def _cause(each: Followed) -> Cause:
    return Cause(ROSTER, "left by the staff roster", None, each.left_at, each.received)


def _changes(facts: FollowFacts) -> tuple[PersonChanged, ...]:
    """One after another: who gets an end does not stay, so one step cannot give all administrators one."""
    found, brake = list[PersonChanged](), facts.brake
    for each in facts.followed:
        if each.left_at is None and (event := _change(each, brake)) is not None:
            found.append(event)
            if event.ends is not None:
                brake = replace(brake, staying=brake.staying - {each.person})
    return tuple(found)


def _change(each: Followed, brake: BrakeFacts) -> PersonChanged | None:
    """What the roster says replaces what is known, except where it names nobody. Name and address stay; so does the end
    of an administrator without whom nobody would administer: when it has come, the brake holds it."""
    says = replace(each.says, ends=each.ends) if brake.last(each.person) else each.says
    manager = says.manager if says.manager not in (None, each.person) else each.manager
    vendor = says.kind is PersonKind.VENDOR
    owner = (says.sponsor or each.owner) if vendor else None
    if vendor and owner is None:  # a vendor without a sponsor who has an account stays what they are, and is shown
        return None
    if (each.kind, each.manager, each.owner, each.ends) == (says.kind, manager, owner, says.ends):
        return None
    return PersonChanged(each.person, None, manager, owner, says.ends, each.name, each.email, says.kind)


def _join(each: Joiner, person: str) -> PersonAdded | None:
    says = each.says
    if says.kind is PersonKind.VENDOR and (says.sponsor is None or says.ends is None):
        return None
    return PersonAdded(
        person=person,
        kind=says.kind,
        because="joined by the staff roster",
        by=None,
        owner=says.sponsor if says.kind is PersonKind.VENDOR else None,
        ends=says.ends,
        manager=says.manager,
        name=each.name,
        email=each.email,
        origin=ROSTER,
    )
