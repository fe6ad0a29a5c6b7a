"""What a directory's word about one of its groups does here: its active members are members of `directory:NAME`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from onepam.domain.history.commit import Decided
from onepam.domain.leaving.group_brake import GroupBrake, Taken, given_back, take
from onepam.domain.people.events import DIRECTORY_GROUP, GroupMemberAdded
from onepam.domain.provisioning.events import (
    ScimGroupMemberAdded,
    ScimGroupMemberRemoved,
    ScimGroupRemoved,
    ScimGroupSet,
)
from onepam.domain.provisioning.tokens import Token
from onepam.domain.provisioning.users import dead_token, origin, stale
from onepam.kernel import limits
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused

MOST_MEMBERS_CHANGED = 10_000
"""Members that one request adds or removes."""

MOST_BINDINGS_NAMED = 50


@dataclass(frozen=True, slots=True)
class Member:
    """A user as a member of a group, present or to be. `person` is who it leads to while that person may work.

    `in_effect` are those of the group's names, the present and the new one (prefixed), under which this provider has
    made that person a member. What another source says of a group of the same name stands beside it.
    """

    user: str
    person: str | None
    is_member: bool
    in_effect: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the directory as of the decision."""

    group: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """The token, the group, whether another group of the provider has the name, the users that matter by their id
    (those that are named, and all members where all are touched), bindings that use the group's present name, and the
    brake."""

    token: Token | None
    group: Group | None
    name_taken: bool
    members: Mapping[str, Member]
    bindings: tuple[str, ...]
    brake: GroupBrake = field(default_factory=GroupBrake)


@dataclass(frozen=True, slots=True)
class PutGroup:
    """A group as it shall be. `version` is that of the group it was made from, None for a new one; `received` when the
    request came in, `hold` a fresh id for a hold.

    With `all_members`, `add` are the members and there are no others.
    """

    group: str
    version: int | None
    name: str
    external_id: str
    document: str
    add: frozenset[str]
    remove: frozenset[str]
    all_members: bool
    received: Instant
    hold: str


def put_group(facts: GroupFacts, command: PutGroup, now: Instant) -> Decided[Group] | Refused:
    """Creates or changes a group and its members, in effect at once for those who are active."""
    token, was = facts.token, facts.group
    if token is None or not token.works(now):
        return dead_token()
    if command.version is not None and (was is None or command.version != was.version):
        return stale(was is None)
    if facts.name_taken:
        return Refused("scim.display_name", f"Another group has the displayName {command.name!r}.")
    unknown = [each for each in command.add if each not in facts.members]
    if unknown:
        return Refused("scim.member", f"There is no user {min(unknown)[:80]}.", "Create the users first.")
    before = {user for user, member in facts.members.items() if member.is_member}
    added = command.add - before
    removed = (before - command.add) if command.all_members else (command.remove & before)
    if len(added) + len(removed) > MOST_MEMBERS_CHANGED:
        return _too_many(len(added) + len(removed))
    ours = origin(token.provider)
    new = DIRECTORY_GROUP + command.name
    renamed = was is not None and was.name != command.name
    old = DIRECTORY_GROUP + was.name if was is not None else new
    ending = before if renamed else removed
    beginning = (before - removed) | added if renamed else added
    joining = {person: each for each in sorted(beginning) if (person := facts.members[each].person) is not None}
    events: list[object] = [ScimGroupMemberRemoved(command.group, each) for each in sorted(removed)]
    taken = Taken(old, ours, command.received, command.hold)
    events += take(facts.brake, _in_effect(facts, ending, old), joining, taken)
    version = (was.version if was else 0) + 1
    kept = ScimGroupSet(
        group=command.group,
        provider=token.provider,
        version=version,
        name=command.name,
        token=token.token,
        external_id=command.external_id,
        document=command.document,
    )
    events.append(kept)
    events += [ScimGroupMemberAdded(command.group, each) for each in sorted(added)]
    events += [
        GroupMemberAdded(new, person, ours, None)
        for person, user in joining.items()
        if new not in facts.members[user].in_effect
    ]
    there = {person for person, user in joining.items() if new in facts.members[user].in_effect}
    events += given_back(facts.brake, there, ours)
    if len(events) > limits.MAX_EVENTS_PER_COMMAND:
        return _too_many(len(before))
    return Decided(tuple(events), Group(command.group, command.name, version))


def remove_group(
    facts: GroupFacts, group: str, version: int | None, received: Instant, hold: str, now: Instant
) -> Decided[None] | Refused:
    """The group is gone: whoever was in it holds nothing by it any more, bindings that use it included."""
    token, was = facts.token, facts.group
    if token is None or not token.works(now):
        return dead_token()
    if was is None or version not in (None, was.version):
        return stale(was is None)
    before = {user for user, member in facts.members.items() if member.is_member}
    events: list[object] = [ScimGroupMemberRemoved(group, each) for each in sorted(before)]
    name = DIRECTORY_GROUP + was.name
    taken = Taken(name, origin(token.provider), received, hold)
    events += take(facts.brake, _in_effect(facts, before, name), (), taken)
    events.append(ScimGroupRemoved(group, token.provider, was.name, facts.bindings[:MOST_BINDINGS_NAMED], token.token))
    if len(events) > limits.MAX_EVENTS_PER_COMMAND:
        return _too_many(len(before))
    return Decided(tuple(events), None)


def _in_effect(facts: GroupFacts, users: set[str] | frozenset[str], group: str) -> set[str]:
    """The people behind these users whom this provider has made members."""
    return {
        person
        for each in users
        if (person := facts.members[each].person) is not None and group in facts.members[each].in_effect
    }


def _too_many(count: int) -> Refused:
    return Refused("scim.too_many", f"{count:,} members in one request are too many.", "Send them in parts.")
