"""What a directory's word about one of its groups does here: its active members are members of `directory:NAME`."""

from collections.abc import Mapping
from dataclasses import dataclass

from onepam.domain.commit import Decided
from onepam.domain.people import DIRECTORY_GROUP, GroupMemberAdded, GroupMemberRemoved
from onepam.domain.provision_user import dead_token, origin, stale
from onepam.domain.provisioning import ScimGroupMemberAdded, ScimGroupMemberRemoved, ScimGroupRemoved, ScimGroupSet
from onepam.domain.scim_token import Token
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
    (those that are named, and all members where all are touched), and bindings that use the group's present name."""

    token: Token | None
    group: Group | None
    name_taken: bool
    members: Mapping[str, Member]
    bindings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PutGroup:
    """A group as it shall be. `version` is that of the group it was made from, None for a new one.

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
    events: list[object] = [ScimGroupMemberRemoved(command.group, each) for each in sorted(removed)]
    events += _ended(facts, ending, old, ours)
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
    beginning = (before - removed) | added if renamed else added
    people = {facts.members[each].person: each for each in sorted(beginning) if facts.members[each].person is not None}
    events += [
        GroupMemberAdded(new, person, ours, None)
        for person, user in people.items()
        if person is not None and new not in facts.members[user].in_effect
    ]
    if len(events) > limits.MAX_EVENTS_PER_COMMAND:
        return _too_many(len(before))
    return Decided(tuple(events), Group(command.group, command.name, version))


def remove_group(facts: GroupFacts, group: str, version: int | None, now: Instant) -> Decided[None] | Refused:
    """The group is gone: whoever was in it holds nothing by it any more, bindings that use it included."""
    token, was = facts.token, facts.group
    if token is None or not token.works(now):
        return dead_token()
    if was is None or version not in (None, was.version):
        return stale(was is None)
    before = {user for user, member in facts.members.items() if member.is_member}
    events: list[object] = [ScimGroupMemberRemoved(group, each) for each in sorted(before)]
    events += _ended(facts, before, DIRECTORY_GROUP + was.name, origin(token.provider))
    events.append(ScimGroupRemoved(group, token.provider, was.name, facts.bindings[:MOST_BINDINGS_NAMED], token.token))
    if len(events) > limits.MAX_EVENTS_PER_COMMAND:
        return _too_many(len(before))
    return Decided(tuple(events), None)


def _ended(facts: GroupFacts, users: set[str] | frozenset[str], group: str, ours: str) -> list[object]:
    """The memberships in effect that this provider brought about."""
    people = {
        person
        for each in users
        if (person := facts.members[each].person) is not None and group in facts.members[each].in_effect
    }
    return [GroupMemberRemoved(group, person, ours, None) for person in sorted(people)]


def _too_many(count: int) -> Refused:
    return Refused("scim.too_many", f"{count:,} members in one request are too many.", "Send them in parts.")
