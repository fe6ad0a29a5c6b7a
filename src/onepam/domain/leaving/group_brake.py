"""The brake of a directory's group: what a directory takes by a group from the last administrator waits for a word.

That holds for both ways in which a directory says groups: by SCIM, and in the message by which somebody signs in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from onepam.domain.leaving.brake import (
    NO_BRAKE,
    BrakeFacts,
    Departing,
    HoldReason,
    PersonHold,
    held_events,
    returned,
)
from onepam.domain.leaving.leaving import Cause, Held
from onepam.domain.people.events import GroupMemberAdded, GroupMemberRemoved
from onepam.kernel.clock import Instant


@dataclass(frozen=True, slots=True)
class GroupBrake:
    """What the brake looks at where a directory changes a group.

    `resting` are those who administer by nothing but their membership of the group under its present name, each with
    what they hold; `onward`: the group's new name administers, too. `holds` are those on members, present or to be.
    """

    resting: Mapping[str, Held] = field(default_factory=dict)
    onward: bool = False
    holds: Mapping[str, PersonHold] = field(default_factory=dict)
    brake: BrakeFacts = NO_BRAKE


@dataclass(frozen=True, slots=True)
class Taken:
    """A directory (`origin`) takes people out of a group; `received` when we heard of it, `hold` an id for a hold."""

    group: str
    origin: str
    received: Instant
    hold: str


def take(facts: GroupBrake, people: Collection[str], staying: Collection[str], taken: Taken) -> tuple[object, ...]:
    """All events of memberships that end. Where nobody could administer any more, the last administrator's stays in
    effect and the person is held; `staying` are those who go on under the group's new name."""
    events: list[object] = []
    brake = facts.brake
    for person in sorted(people):
        loses = person in facts.resting and not (facts.onward and person in staying)
        if not loses or not brake.last(person):
            events.append(GroupMemberRemoved(taken.group, person, taken.origin, None))
            if loses:
                gone = {person}
                brake = replace(brake, administrators=brake.administrators - gone, staying=brake.staying - gone)
        elif person not in facts.holds:
            because = f"removed from the group {taken.group}, by which the last administrator administers"
            cause = Cause(taken.origin, because, None, None, taken.received)
            reason, hold = HoldReason.LAST_ADMINISTRATORS_GROUP, f"{taken.hold}-{person}"
            events += held_events(Departing(person, facts.resting[person], cause), hold, reason, None, begins=True)
    return tuple(events)


def given_back(facts: GroupBrake, people: Collection[str], origin: str) -> tuple[object, ...]:
    """The directory says a group again whose membership stayed in effect for these people: it waits for nobody any
    more."""
    group = HoldReason.LAST_ADMINISTRATORS_GROUP
    return tuple(
        returned(each, hold)
        for each in sorted(people)
        if (hold := facts.holds.get(each)) is not None and hold.reason is group and hold.origin == origin
    )


NOTHING = Held()
"""Where nobody is held."""


@dataclass(frozen=True, slots=True)
class MessageBrake:
    """What the brake looks at where a provider's message says the groups of whoever signs in.

    `administering` are all groups that administer, `said` those of them that this provider has said of the person.
    `last`: nobody could administer any more without these; then `held` is what the person holds. `hold` is that on the
    person.
    """

    administering: frozenset[str] = frozenset()
    said: frozenset[str] = frozenset()
    last: bool = False
    held: Held = NOTHING
    hold: PersonHold | None = None


NO_MESSAGE_BRAKE = MessageBrake()
"""What is said where no group administers."""


def said_at_sign_in(
    facts: MessageBrake, person: str, changes: Sequence[GroupMemberAdded | GroupMemberRemoved], taken: Taken
) -> tuple[object, ...]:
    """All events of the groups that a message says: `changes` are those without a brake, `taken.group` is of none.
    Where nobody could administer any more, what administers stays in effect and the person is held, once; a message
    that says such a group again ends that hold."""
    lost = [each for each in changes if isinstance(each, GroupMemberRemoved) and each.group in facts.administering]
    gained = [each for each in changes if isinstance(each, GroupMemberAdded) and each.group in facts.administering]
    if gained or len(lost) < len(facts.said):
        brake = GroupBrake(holds={person: facts.hold} if facts.hold else {})
        return (*changes, *given_back(brake, (person,), taken.origin))
    if not lost or not facts.last:
        return tuple(changes)
    events: list[object] = [each for each in changes if each not in lost]
    if facts.hold is None:
        because = "signed in without a group by which the last administrator administers"
        cause = Cause(taken.origin, because, None, None, taken.received)
        reason = HoldReason.LAST_ADMINISTRATORS_GROUP
        events += held_events(Departing(person, facts.held, cause), taken.hold, reason, None, begins=True)
    return tuple(events)
