"""One SCIM request about a user is one command: the directory's record, the person, and all that follows."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.access.authority import Actor
from onepam.domain.history.commit import Committed
from onepam.domain.provisioning.take_over import Shown, TakeoverFacts, agree_takeover
from onepam.domain.provisioning.users import PutUser, User, UserFacts, put_user, remove_user
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class ScimUserQuery:
    """The token, the user, and whoever the profile names: by user name, address and manager ("" for none); whether the
    person may be `leaving`, or gets an end."""

    facts: ClassVar[type[UserFacts]] = UserFacts
    token: str
    user: str
    user_name: str = ""
    email: str | None = None
    manager: str = ""
    leaving: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class TakeoverQuery:
    """The actor, and a user of a directory."""

    facts: ClassVar[type[TakeoverFacts]] = TakeoverFacts
    actor: Actor
    user: str


async def provision_user(ledger: Ledger, token: str, command: PutUser) -> Committed[User] | Refused:
    """The user as it is now. `scim.changed`: read it again, and decide again."""
    profile = command.profile
    query = ScimUserQuery(
        token=token,
        user=command.user,
        user_name=profile.user_name,
        email=profile.email,
        manager=profile.manager,
        leaving=not profile.active,
        ends=profile.ends is not None,
    )
    return await ledger.commit(query, lambda facts, now: put_user(facts, command, now))


async def deprovision_user(
    ledger: Ledger, token: str, user: str, version: int | None, received: Instant, hold: str
) -> Refused | None:
    """None when the user is gone; with a `version`, only if it is still that one. `hold` is a fresh id."""
    outcome = await ledger.commit(
        ScimUserQuery(token, user, leaving=True),
        lambda facts, now: remove_user(facts, user, version, received, now, hold),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def agree_to_takeover(ledger: Ledger, actor: Actor, shown: Shown) -> str | Refused:
    """Whose account the directory leads from now on. `takeover.changed`: it is not what was shown any more."""
    query = TakeoverQuery(actor, shown.user)
    outcome = await ledger.commit(query, lambda facts, now: agree_takeover(facts, shown, now))
    return outcome if isinstance(outcome, Refused) else outcome.result
