"""Users of a database that are made for one session each, by an account of the server whose secret the vault holds.

That one is to be made stands in the ledger before the server hears of it, and that it is gone only once the server has
said so. In between it is the gateway's to drop: at the session's end, and else by a sweep, which touches nothing but
what the ledger says was made. A name is used once.
"""

from dataclasses import dataclass
from enum import StrEnum

from onepam.domain.access.session_users import Making
from onepam.domain.history.commit import Decided
from onepam.domain.history.event import event
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.target_secrets import Leased, Version, in_use
from onepam.kernel.clock import HOUR, MINUTE, Instant
from onepam.kernel.errors import Refused

OUTLIVES = 5 * MINUTE
"""So long after its session's latest end a user lets nobody in any more, whoever drops it (microseconds)."""

MOST_LEFT = 20
"""Users of a resource that may be left behind: with more no session gets another."""

ACCOUNTED = HOUR
"""So long after its session's end a user is dropped, or said to be left behind (microseconds)."""


class LeftBecause(StrEnum):
    """Why a user is left behind. `words` are for people."""

    words: str

    def __new__(cls, code: str, words: str = "") -> "LeftBecause":
        """`code` alone finds a member; a member has words."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.words = words
        return member

    DOWN = "target.down", "the server cannot be reached"
    REFUSING = "target.refusing", "the server refuses just now, or does not let the account in that makes users"
    SECRET = "target.secret", "the vault holds no secret of the account that makes users"
    RESOURCE = "resource.unknown", "the resource is not declared any more"
    MOVED = "resource.moved", "the resource has another address by now, and there it is not"
    CONNECTED = "user.connected", "its connections at the server do not end"
    OWNS = "user.owns", "what it owns could not be given to its role"
    KEPT = "user.kept", "the server does not drop it"
    DEFINES = "user.defines", "it is the definer of views, routines, triggers or events, and without it they fail"

    @classmethod
    def of(cls, code: str) -> "LeftBecause":
        """Of the code of a refusal."""
        return next((each for each in cls if each == code), cls.DOWN)


@event(
    "session_user.made",
    klass="session",
    control="PRV-01 IDN-03 LOG-01",
    words="The user {user} of {resource} is made for the session {session}, by {made_by} as a member of {role}",
)
@dataclass(frozen=True, slots=True)
class SessionUserMade:
    """The gateway is about to have the server make it: from now on it may be there. Nobody signs in as it after
    `until`, where the server can hold that. `secret` and `version` are what the gateway signs in with as the account
    `made_by`."""

    user: str
    session: str
    resource: str
    login: str
    role: str
    made_by: str
    secret: str
    version: int
    until: Instant


@event(
    "session_user.dropped",
    klass="session",
    control="PRV-01 OFF-04 LOG-01",
    words="The user {user} of {resource} is gone",
)
@dataclass(frozen=True, slots=True)
class SessionUserDropped:
    """The server says that there is no such user any more."""

    user: str
    session: str
    resource: str


@event(
    "session_user.left",
    klass="session",
    control="PRV-01 OFF-04",
    words="The user {user} of {resource} is left behind: {because}",
    alarm=True,
)
@dataclass(frozen=True, slots=True)
class SessionUserLeft:
    """Its session is over, and it could not be dropped; it is tried again. Or it leaves behind what fails without it
    (`user.defines`). Told once for each reason."""

    user: str
    session: str
    resource: str
    because: LeftBecause


@dataclass(frozen=True, slots=True)
class MadeUser:
    """A user that is not known to be gone. `over` is when its session ended, None while that goes on; `left` why it
    could not be dropped, None where that was not said."""

    user: str
    session: str
    resource: str
    role: str
    made_by: str
    over: Instant | None = None
    left: LeftBecause | None = None


@dataclass(frozen=True, slots=True)
class MakingFacts:
    """`ends` is that of the session while it runs, else None; `making` what users its login has now, `versions` of the
    secret of the account that makes them. `users` are those of the resource that are not known to be gone, `used`:
    whether the name was, by any; `has`: whether the session has one."""

    ends: Instant | None
    making: Making | None
    versions: tuple[Version, ...]
    users: tuple[MadeUser, ...]
    used: bool
    has: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A user that is to be made now; `leased` is the secret of the account that makes it."""

    made: SessionUserMade
    leased: Leased


@dataclass(frozen=True, slots=True)
class MadeFacts:
    """The user, None where none is known to be there; `versions` of the secret of the account that made it."""

    user: MadeUser | None
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropping:
    """A user to be dropped, and the secret of the account that made it."""

    user: MadeUser
    leased: Leased


def begin(
    facts: MakingFacts, user: str, session: str, resource: str, login: str, now: Instant
) -> Decided[Begun] | Refused:
    """A user for the session, once."""
    if facts.ends is None:
        return Refused("session.ended", f"Session {session} has ended already.")
    if facts.making is None:
        return Refused(SessionEnd.ACCESS_NARROWED, f"no users are made for {login} on {resource} any more")
    if facts.used or facts.has:
        return Refused(SessionEnd.GATEWAY_FAILED, "a session has one user, and each is made once")
    if (refused := _crowded(facts.users, resource, now)) is not None:
        return refused
    leased = _lease(facts.versions, facts.making.made_by, resource)
    if isinstance(leased, Refused):
        return leased
    made = SessionUserMade(
        user=user,
        session=session,
        resource=resource,
        login=login,
        role=facts.making.role,
        made_by=facts.making.made_by,
        secret=leased.secret,
        version=leased.version,
        until=Instant(facts.ends + OUTLIVES),
    )
    return Decided((made,), Begun(made, leased))


def _crowded(users: tuple[MadeUser, ...], resource: str, now: Instant) -> Refused | None:
    """Why nothing more is made where earlier users are still there."""
    left = sum(each.left is not None and each.left is not LeftBecause.MOVED for each in users)
    untold = any(each.left is None and each.over is not None and each.over + ACCOUNTED <= now for each in users)
    if left < MOST_LEFT and not untold:
        return None
    return Refused(
        SessionEnd.TARGET_LEFTOVERS,
        f"{left} users of earlier sessions are left at {resource}: no session gets another",
        "an administrator looks at the resource's page for what keeps them from being dropped",
    )


def find(facts: MadeFacts) -> Decided[Dropping | None] | Refused:
    """What it takes to drop a user; None where it is gone."""
    if facts.user is None:
        return Decided((), None)
    leased = _lease(facts.versions, facts.user.made_by, facts.user.resource)
    return leased if isinstance(leased, Refused) else Decided((), Dropping(facts.user, leased))


def drop(facts: MadeFacts) -> Decided[None]:
    """The server says that it is gone; said once."""
    user = facts.user
    return Decided(() if user is None else (SessionUserDropped(user.user, user.session, user.resource),), None)


def leave(facts: MadeFacts, because: LeftBecause) -> Decided[None]:
    """It could not be dropped; said once for each reason."""
    user = facts.user
    if user is None or user.left is because:
        return Decided((), None)
    return Decided((SessionUserLeft(user.user, user.session, user.resource, because),), None)


def _lease(versions: tuple[Version, ...], account: str, resource: str) -> Leased | Refused:
    found = in_use(versions)
    if found is None:
        return Refused(SessionEnd.TARGET_SECRET, f"the vault holds no secret for {account} on {resource}")
    return found
