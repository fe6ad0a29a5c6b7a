"""The user of one session, at whichever server: entered, made, used, and dropped when nothing goes there as it any
more."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from onepam.app.open_session import Opened
from onepam.domain.sessions.session_users import LeftBecause, SessionUserMade
from onepam.gateway.session import Gateway
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import RandomBytes, new_id
from onepam.kernel.secret import Secret
from onepam.protocols.sql.target import TargetLeg, Where

DIAL_SECONDS = 15.0
MAKE_SECONDS = 20.0
DROP_SECONDS = 45.0
"""How long the server may take to let the account in, to make a user, and to drop one."""

PAUSE_SECONDS = 0.1
"""Between two looks whether connections have ended."""

L = TypeVar("L", bound=TargetLeg)


def new_name(random: RandomBytes) -> str:
    """Of a user that never was: with 80 random bits, of 23 signs that each server takes."""
    return new_id("onepam", random)


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a server that makes users for sessions, and its secret."""

    login: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class SessionUser:
    """A user that stands in the ledger as made, of which the server is to hear now."""

    made: SessionUserMade
    account: Account


@dataclass(frozen=True, slots=True)
class User:
    """A user by its name, and the role of which it is a member."""

    name: str
    role: str


class StillThere(Exception):
    """Why a user is not dropped, and what the server says of it."""

    def __init__(self, because: LeftBecause, words: str) -> None:
        super().__init__(words)
        self.because, self.words = because, words


KNOWN_SIGNS = 8
"""So many signs of a password in a row tell too much of it."""


def without_password(words: str, said: str) -> str:
    """What a server says to a statement in which a password is `said`; where it repeats a part of that, nothing of
    it."""
    parts = (said[place : place + KNOWN_SIGNS] for place in range(len(said) - KNOWN_SIGNS + 1))
    return "its words repeat a part of the password" if any(each in words for each in parts) else words


Tell = Callable[[LeftBecause], Awaitable[object]]


class Server(Protocol):
    """How users are made and dropped at servers of one kind."""

    async def make(
        self, where: Where, account: Account, user: User, password: Secret, until: Instant
    ) -> Refused | None:
        """Makes it: nobody comes in as it after `until`, where the server can hold that. What is refused may be there
        all the same, where the connection was lost meanwhile."""

    async def drop(self, where: Where, account: Account, user: User, tell: Tell) -> LeftBecause | bool:
        """Ends its connections, drops it, and looks that it is gone: whether it was there. Else why it still is. `tell`
        hears, before it is dropped, of what stays behind without it."""


class Users(Protocol):
    """The users that are made for sessions of this process."""

    async def begin(self, opened: Opened, name: str) -> SessionUser | Refused:
        """Enters that the user is to be made. `over` comes after it, whatever came of it."""

    async def over(self, name: str, where: Where, begun: SessionUser | None, at: Server) -> None:
        """Nothing goes to the target as this user any more: drops it at the server where it was made. Never raises."""


async def as_made(
    shared: Gateway,
    users: Users,
    at: Server,
    opened: Opened,
    where: Where,
    dial: Callable[[str, Secret, Account], Awaitable[L | Refused]],
) -> L | Refused:
    """Dials as a user that is made for this session, and dropped when nothing goes to the target as it any more, also
    where it never came to that. `dial` hears of the account, too."""
    name, password = new_name(shared.random), Secret(b64encode(shared.random(32)))
    begun: SessionUser | None = None
    there: TargetLeg | None = None
    try:
        entered = await users.begin(opened, name)
        if isinstance(entered, Refused):
            return entered
        begun = entered
        user = User(name, begun.made.role)
        refused = await at.make(where, begun.account, user, password, begun.made.until)
        dialled = refused or await dial(name, password, begun.account)
        there = None if isinstance(dialled, Refused) else dialled
        return dialled
    finally:
        shared.tasks.spawn(_until_over(users, name, where, begun, there, at))


async def _until_over(
    users: Users, name: str, where: Where, begun: SessionUser | None, there: TargetLeg | None, at: Server
) -> None:
    if there is not None:
        await there.wait_closed()
    await users.over(name, where, begun, at)
