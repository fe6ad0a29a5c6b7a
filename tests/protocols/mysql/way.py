"""The way through MySQL's door, for the table of ends."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from onepam.boot.clock import wall_clock
from onepam.domain.access.events import ResourceSet
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import MfaRule, Permission, ResourceKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.recording.frames import Frame
from onepam.recording.statements import StatementText
from tests.gateway_fixture import STANDING, Gateway, Person, outcome
from tests.protocols.mysql.server import Server, running_server
from tests.protocols.postgres.server import PASSWORD, pair
from tests.protocols.ways import TARGET, Way, login_token


class Mysql(Way):
    """libmariadb and a real MariaDB."""

    flood = b"flood\n"
    shows_before = False
    mismatched = SessionEnd.TARGET_CERTIFICATE

    def __init__(self, gateway: Gateway, server: Server) -> None:
        super().__init__(gateway)
        self.server = server
        self.root = gateway.folder / "database-authority.pem"
        self.root.write_bytes(gateway.platform.authorities.database(wall_clock()).root)

    @property
    def port(self) -> int:
        return self.gateway.platform.config.mysql_port

    @property
    def target_port(self) -> int:
        return self.server.port

    @property
    def other_pin(self) -> str:
        return pair("localhost").pin

    @property
    def narrower(self) -> Permission:
        return replace(STANDING, guardrails=Guardrails((StatementClass.READ,)))

    @property
    def filling(self) -> bytes:
        """Rows that come are counted, not kept: what is asked fills it."""
        return b"".join(token_hex(30_000).encode() + b"\n" for _ in range(40))

    def said(self, frames: list[Frame]) -> bytes:
        texts = [each.text for each in frames if isinstance(each, StatementText)]
        return b"".join(each[len(b"SELECT '") : -1] + b"\n" for each in texts if each.startswith(b"SELECT '"))

    def resource(self, name: str, **changed: Any) -> ResourceSet:
        own = {"kind": ResourceKind.MYSQL, "port": self.server.port, "pins": (self.server.shown.pin,)}
        return self.gateway.resource(name, **{**own, **changed})

    async def start(self, person: Person, target: str = TARGET) -> asyncio.subprocess.Process:
        return await (await self.poised(person, target))()

    async def poised(self, person: Person, target: str = TARGET) -> Callable[[], Awaitable[asyncio.subprocess.Process]]:
        client = Path(__file__).with_name("line_client.py")
        token, user = await login_token(self.gateway, person, target), f"{self.gateway.target.login}@{target}"
        return lambda: self.gateway.start(sys.executable, str(client), str(self.port), user, token, str(self.root))

    def shows(self, process: asyncio.subprocess.Process) -> asyncio.StreamReader | None:
        return process.stdout

    async def unconfirmed(self, person: Person) -> asyncio.subprocess.Process:
        """A target that asks for a factor for each session; the sign-in's was shown for another one."""
        await self.gateway.record(self.resource("fresh-1", mfa=MfaRule(None, fresh=True)))
        await outcome(await self.working(person, "fresh-1"))
        return await self.start(person, "fresh-1")

    def serving(self) -> list[int]:
        """Each connection is a thread of the one server's."""
        return [self.server.pid]

    async def lose(self) -> None:
        await asyncio.to_thread(self.server.again)


@asynccontextmanager
async def through(gateway: Gateway, port: int, targets: AsyncExitStack) -> AsyncIterator[Mysql]:
    """A server of its own behind the gateway."""
    server = targets.enter_context(running_server(port=port))
    user = f"`{gateway.target.login}`@`127.0.0.1`"
    script = f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON app.* TO {user}"
    await asyncio.to_thread(server.sql, script)
    yield Mysql(gateway, server)
