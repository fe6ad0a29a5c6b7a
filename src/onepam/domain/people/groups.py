"""Groups as a provider names them in its messages, and the memberships that follow."""

from collections.abc import Sequence
from dataclasses import dataclass

from onepam.domain.people.events import DIRECTORY_GROUP, GroupMemberAdded, GroupMemberRemoved
from onepam.kernel.text import plain_text

MOST_GROUPS = 5_000
"""Groups of one message; what one holds more is left out, which gives less."""
MAX_GROUP_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's membership of a directory's group, and what feeds it (`claims:PROVIDER`, `scim:PROVIDER`)."""

    group: str
    source: str


def kept_groups(named: Sequence[object]) -> tuple[tuple[str, ...], int]:
    """The names that can be kept, each once and in order, and how many values are left out: those that are no plain
    name of at most `MAX_GROUP_CHARACTERS`, and those beyond `MOST_GROUPS`."""
    plain = [
        each for each in named if isinstance(each, str) and plain_text(each, MAX_GROUP_CHARACTERS, what="group") == each
    ]
    kept = tuple(dict.fromkeys(plain))[:MOST_GROUPS]
    return kept, len(named) - len(plain) + len(dict.fromkeys(plain)) - len(kept)


def group_changes(
    person: str, named: tuple[str, ...], held: tuple[Membership, ...], source: str
) -> tuple[GroupMemberAdded | GroupMemberRemoved, ...]:
    """What makes the memberships that `source` feeds those that it names now; others' stay. A name that is no plain
    text is no group."""
    plain = {name: plain_text(name, MAX_GROUP_CHARACTERS, what="group") for name in named}
    wanted = {DIRECTORY_GROUP + name for name, kept in plain.items() if kept == name}
    fed = {each.group for each in held if each.source == source}
    added = (GroupMemberAdded(each, person, source, None) for each in sorted(wanted - fed))
    removed = (GroupMemberRemoved(each, person, source, None) for each in sorted(fed - wanted))
    return (*added, *removed)
