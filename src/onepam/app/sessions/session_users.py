"""Making users of databases for sessions, and dropping them: what the ledger hears before and after."""

from dataclasses import dataclass
from typing import ClassVar

from onepam.app.ports import Ledger
from onepam.domain.sessions.session_users import (
    Begun,
    Dropping,
    LeftBecause,
    MadeFacts,
    MakingFacts,
    begin,
    drop,
    find,
    leave,
)
from onepam.kernel.errors import Refused


@dataclass(frozen=True, slots=True)
class MakingQuery:
    """A session that wants a user of this name."""

    facts: ClassVar[type[MakingFacts]] = MakingFacts
    session: str
    resource: str
    login: str
    user: str


@dataclass(frozen=True, slots=True)
class MadeQuery:
    """A user by its name."""

    facts: ClassVar[type[MadeFacts]] = MadeFacts
    user: str


async def begin_user(ledger: Ledger, user: str, session: str, resource: str, login: str) -> Begun | Refused:
    """That the user is to be made stands in the ledger; then the server may hear of it."""
    outcome = await ledger.commit(
        MakingQuery(session, resource, login, user),
        lambda facts, now: begin(facts, user, session, resource, login, now),
    )
    return outcome if isinstance(outcome, Refused) else outcome.result


async def find_user(ledger: Ledger, user: str) -> Dropping | Refused | None:
    """What it takes to drop a user; None where it is gone. It comes after all that was committed before."""
    outcome = await ledger.commit(MadeQuery(user), lambda facts, now: find(facts))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def drop_user(ledger: Ledger, user: str) -> Refused | None:
    """The server says that the user is gone."""
    outcome = await ledger.commit(MadeQuery(user), lambda facts, now: drop(facts))
    return outcome if isinstance(outcome, Refused) else outcome.result


async def leave_user(ledger: Ledger, user: str, because: LeftBecause) -> Refused | None:
    """The user could not be dropped."""
    outcome = await ledger.commit(MadeQuery(user), lambda facts, now: leave(facts, because))
    return outcome if isinstance(outcome, Refused) else outcome.result
