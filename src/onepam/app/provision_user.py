"""One SCIM request about a user is one command: the directory's record, the person, and all that follows."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.commit import Committed
from onepam.domain.provision_user import PutUser, User, UserFacts, put_user, remove_user
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ScimUserQuery:
    """The token, the user, and whoever the profile names: by user name, address and manager ("" for none)."""

    facts: ClassVar[type[UserFacts]] = UserFacts
    token: str
    user: str
    user_name: str = ""
    email: str | None = None
    manager: str = ""


async def provision_user(ledger: Ledger, token: str, command: PutUser) -> Committed[User] | Refused:
    """The user as it is now. `scim.changed`: read it again, and decide again."""
    profile = command.profile
    query = ScimUserQuery(token, command.user, profile.user_name, profile.email, profile.manager)
    return await ledger.commit(query, lambda facts, now: put_user(facts, command, now))


async def deprovision_user(
    ledger: Ledger, token: str, user: str, version: int | None, received: Instant
) -> Refused | None:
    """None when the user is gone; with a `version`, only if it is still that one."""
    outcome = await ledger.commit(
        ScimUserQuery(token, user), lambda facts, now: remove_user(facts, user, version, received, now)
    )
    return outcome if isinstance(outcome, Refused) else outcome.result
