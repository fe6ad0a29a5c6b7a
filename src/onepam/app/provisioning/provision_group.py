"""One SCIM request about a group is one command: the group, its members, and who gains or loses by it."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.history.commit import Committed
from onepam.domain.provisioning.groups import Group, GroupFacts, PutGroup, put_group, remove_group
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ScimGroupQuery:
    """The token, the group, the users that are named; `all_members` where a change touches all of them."""

    facts: ClassVar[type[GroupFacts]] = GroupFacts
    token: str
    group: str
    name: str
    users: tuple[str, ...]
    all_members: bool


async def provision_group(ledger: Ledger, token: str, command: PutGroup, renamed: bool) -> Committed[Group] | Refused:
    """The group as it is now; `renamed` says that its name may differ from the one in force."""
    query = ScimGroupQuery(
        token,
        command.group,
        command.name,
        tuple(sorted(command.add | command.remove)),
        command.all_members or renamed,
    )
    return await ledger.commit(query, lambda facts, now: put_group(facts, command, now))


async def deprovision_group(
    ledger: Ledger, token: str, group: str, version: int | None, received: Instant, hold: str
) -> Refused | None:
    """None when the group is gone. `hold` is a fresh id."""
    outcome = await ledger.commit(
        ScimGroupQuery(token, group, "", (), True),
        lambda facts, now: remove_group(facts, group, version, received, hold, now),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
