"""A gateway before a server at which users are made for sessions, whichever server that is."""

import asyncio
from base64 import b64encode
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from onepam.app.sessions.target_secrets import prove_secret
from onepam.domain.access.session_users import SessionUsers
from onepam.domain.sessions.events import SessionOpened
from onepam.domain.sessions.session_users import LeftBecause, SessionUserDropped, SessionUserLeft, SessionUserMade
from onepam.domain.sessions.target_secrets import Kept, SecretSet, about
from onepam.jobs.session_users import SessionUserSweep
from onepam.kernel.secret import Secret
from tests.gateway_fixture import SECONDS, Gateway, Person
from tests.protocols.mysql.way import Mysql
from tests.protocols.postgres.server import PASSWORD
from tests.protocols.ways import TARGET, Postgres

OWNER, ROLE = "pam_owner", "app_readers"


W = TypeVar("W", Postgres, Mysql)


@dataclass
class Stand(Generic[W]):
    """The gateway, and the way to the server through it."""

    gateway: Gateway
    way: W

    @property
    def login(self) -> str:
        return self.gateway.target.login

    async def sql(self, script: str) -> str:
        """What the server answers to its owner."""
        return (await asyncio.to_thread(self.way.server.sql, script)).strip()

    async def gone(self, user: str) -> SessionUserDropped:
        """That a user is gone, once the ledger says so."""
        async with asyncio.timeout(SECONDS):
            while True:
                for each in self.gateway.events(SessionUserDropped):
                    if each.user == user:
                        return each
                await asyncio.sleep(0.05)

    def made(self, person: Person) -> list[SessionUserMade]:
        """The users of the person's sessions."""
        mine = {each.session for each in self.gateway.events(SessionOpened, person)}
        return [each for each in self.gateway.events(SessionUserMade) if each.session in mine]

    async def left(self, user: str, because: LeftBecause | None = None) -> SessionUserLeft:
        """That a user is left behind, once the ledger says so."""
        async with asyncio.timeout(SECONDS):
            while True:
                for each in self.gateway.events(SessionUserLeft):
                    if each.user == user and because in (None, each.because):
                        return each
                await asyncio.sleep(0.05)

    async def declare(self, **changed: Any) -> None:
        """The target, where a user is made for each session of the login, or with something changed."""
        users = SessionUsers(OWNER, {self.login: ROLE})
        await self.gateway.record(self.way.resource(TARGET, **{"session_users": users, **changed}))

    async def sweep(self) -> None:
        """What the job does, now."""
        platform = self.gateway.platform
        node, clock = platform.node.name, platform.ledger.time
        await SessionUserSweep(platform.reader, node, platform.session_users.sweep, clock).turn()


async def secret(gateway: Gateway, by: Person) -> None:
    """The vault has the secret of the account that makes users, and the server took it."""
    kept, platform = Kept("sec_1", 1), gateway.platform
    sealed = platform.envelope.seal(Secret(PASSWORD.encode()), about(kept, TARGET, OWNER))
    await gateway.record(SecretSet("sec_1", 1, TARGET, OWNER, by.id, b64encode(sealed).decode("ascii")))
    assert await prove_secret(platform.ledger, kept) is None
