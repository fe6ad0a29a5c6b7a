"""Users of databases for one session each: entered before the server hears of them, dropped after it, and swept."""

import asyncio
import logging
from base64 import b64decode
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from onepam.app.open_session import Opened
from onepam.app.sessions.session_users import begin_user, drop_user, find_user, leave_user
from onepam.domain.access.model import ResourceKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.session_users import Dropping, LeftBecause
from onepam.domain.sessions.target_secrets import Kept, Leased, about
from onepam.kernel.errors import Corrupt, Fault, Refused
from onepam.protocols.mysql import session_users as at_mysql
from onepam.protocols.postgres import session_users as at_postgres
from onepam.protocols.sql.session_users import Account, Server, SessionUser, User
from onepam.protocols.sql.target import Where
from onepam.store.read.session_users import made_at
from onepam.store.read.target_secrets import dialled

if TYPE_CHECKING:
    from onepam.boot.platform import Platform

log = logging.getLogger(__name__)

AT: Final[Mapping[str, Server]] = {ResourceKind.POSTGRES: at_postgres, ResourceKind.MYSQL: at_mysql}

AT_ONCE = 4
"""Users that this process drops at one server at a time, after sessions of its own."""


class SessionUsers:
    """Those of one process. What it has begun is its own to drop, until it has tried, and one sweep is at a user at a
    time: another leaves that alone."""

    def __init__(self, platform: "Platform") -> None:
        self._platform = platform
        self._own: set[str] = set()
        self._few: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    async def begin(self, opened: Opened, name: str) -> SessionUser | Refused:
        """Enters that the user is to be made for a session that was permitted. `over` comes after it, whatever it
        answers."""
        self._own.add(name)
        begun = await begin_user(self._platform.ledger, name, opened.session, opened.resource, opened.login)
        if isinstance(begun, Refused):
            return begun
        account = self._account(begun.leased, opened.resource, begun.made.made_by)
        return account if isinstance(account, Refused) else SessionUser(begun.made, account)

    async def over(self, name: str, where: Where, begun: SessionUser | None, at: Server) -> None:
        """The session of a user of ours is over, or never came to use it: drops it where it was made. `begun` is None
        where the ledger refused it."""
        try:
            async with self._few[f"{where.address} {where.port}"]:
                await self._ended(name, where, begun, at)
        except Fault as fault:
            log.error("the user %s is left to the sweep: %s", name, fault)
        except Exception:
            log.exception("the user %s is left to the sweep", name)
        finally:
            self._own.discard(name)

    async def sweep(self, name: str, away: LeftBecause | None = None) -> LeftBecause | None:
        """Drops a user whose session is over, of this process or another that is gone. Why it is left behind, None
        where it is gone, or ours still. `away`: it is left behind without a look. Raises `Fault`."""
        if name in self._own:
            return None
        if away is not None:
            return await self._left(name, away)
        self._own.add(name)
        try:
            found = await find_user(self._platform.ledger, name)
            if found is None:
                return None
            account = self._account_of(found)
            if isinstance(found, Dropping) and isinstance(account, Account):
                return await self._swept(found, account)
            return await self._left(name, LeftBecause.SECRET)
        finally:
            self._own.discard(name)

    async def _ended(self, name: str, where: Where, begun: SessionUser | None, at: Server) -> None:
        found = await find_user(self._platform.ledger, name)
        account = self._account_of(found)  # the secret may be another by now
        if begun is None:
            if isinstance(found, Dropping) and isinstance(account, Account):
                await self._swept(found, account)
            return
        account = account if isinstance(account, Account) else begun.account
        done = await at.drop(where, account, User(name, begun.made.role), partial(self._left, name))
        if isinstance(done, LeftBecause):
            await self._left(name, done)
        else:
            await drop_user(self._platform.ledger, name)

    async def _swept(self, found: Dropping, account: Account) -> LeftBecause | None:
        user, ledger = found.user, self._platform.ledger
        place = await self._where(user.resource)
        if isinstance(place, Refused):
            return await self._left(user.user, LeftBecause.of(place.code))
        where, at = place
        done = await at.drop(where, account, User(user.user, user.role), partial(self._left, user.user))
        if done is False and await self._moved(user.user, user.resource):
            done = LeftBecause.MOVED
        if isinstance(done, LeftBecause):
            return await self._left(user.user, done)
        await drop_user(ledger, user.user)
        return None

    async def _left(self, name: str, because: LeftBecause) -> LeftBecause:
        await leave_user(self._platform.ledger, name, because)
        log.warning("the user %s is left behind: %s", name, because.words)
        return because

    def _account_of(self, found: Dropping | Refused | None) -> Account | Refused | None:
        if not isinstance(found, Dropping):
            return found
        return self._account(found.leased, found.user.resource, found.user.made_by)

    def _account(self, leased: Leased, resource: str, login: str) -> Account | Refused:
        kept = Kept(leased.secret, leased.version)
        try:
            return Account(login, self._platform.envelope.open(b64decode(leased.sealed), about(kept, resource, login)))
        except (Corrupt, ValueError):
            words = f"what the vault holds for {login} on {resource} is not version {kept.version} of it"
            return Refused(SessionEnd.TARGET_SECRET, words)

    async def _where(self, resource: str) -> tuple[Where, Server] | Refused:
        found = await self._platform.reader(dialled, None, resource)
        if found is None or found[0] not in AT:
            return Refused(LeftBecause.RESOURCE, LeftBecause.RESOURCE.words)
        kind, name, port, pinned = found
        address = await self._platform.gateway.resolve(name, port)
        where = address if isinstance(address, Refused) else Where.of(address, port, name, pinned)
        return where if isinstance(where, Refused) else (where, AT[kind])

    async def _moved(self, name: str, resource: str) -> bool:
        """Whether the resource has another address than as the user was made: that it is not there says nothing."""
        reader = self._platform.reader
        made = await reader(made_at, None, name)
        return made is not None and _place(await reader(dialled, made, resource)) != _place(
            await reader(dialled, None, resource)
        )


def _place(found: tuple[str, str, int, tuple[str, ...]] | None) -> tuple[object, ...]:
    return found[:3] if found is not None else ()
