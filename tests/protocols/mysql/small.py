"""The door and the relay before a real MariaDB, without a ledger: whoever comes is let in, and what is recorded is kept
in memory. What a whole gateway does around them is the table of ends (tests/protocols/test_ends.py)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from secrets import randbelow, token_bytes
from types import SimpleNamespace
from typing import cast

import pytest

from onepam.app.open_session import Opened
from onepam.boot.clock import wall_clock
from onepam.boot.doors import LIMITS, bound
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway.crowd import Crowd, Known, Limits
from onepam.gateway.entering import Proven, Unfit
from onepam.gateway.probes import Probes
from onepam.gateway.session import Gateway
from onepam.gateway.tasks import Tasks
from onepam.gateway.turns import Turns
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.mysql.relay import Relay
from onepam.protocols.mysql.serve import PersonDoor, listen
from onepam.protocols.mysql.session import MysqlGateway
from onepam.protocols.mysql.threads import Threads
from onepam.protocols.sql import door
from onepam.protocols.sql.session_users import Users
from onepam.protocols.sql.tls import server_context
from tests.protocols.mysql.server import Server
from tests.protocols.postgres.server import PASSWORD
from tests.protocols.postgres.small import SHOWN, STOLEN, TOKEN, WRONG, Journal, _Admission

VERSION = "5.5.5-10.11.0-MariaDB"


@dataclass
class Small:
    """A running door. `journals` are those of the sessions, in the order in which they began."""

    port: int
    root: Path
    server: Server
    gateway: MysqlGateway
    journals: list[Journal] = field(default_factory=list)
    relays: list[Relay] = field(default_factory=list)
    refused: list[tuple[object, ...]] = field(default_factory=list)
    doors: list[PersonDoor] = field(default_factory=list)

    def client(self, *more: str, user: str = "app@db-1", token: str = TOKEN, program: str = "mariadb") -> list[str]:
        """How a program of MariaDB's is called."""
        return [
            program, "--no-defaults", "--host=localhost", "--protocol=tcp",
            f"--port={self.port}", f"--user={user}", f"--password={token}",
            f"--ssl-ca={self.root}", "--ssl-verify-server-cert", *more,
        ]  # fmt: skip

    async def run(self, *command: str, stdin: bytes = b"") -> tuple[int, str, str]:
        """How a program ends: status, output, errors."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
        async with asyncio.timeout(120):
            out, err = await process.communicate(stdin)
        return process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")

    async def mariadb(self, script: str, *more: str, **who: str) -> tuple[int, str, str]:
        return await self.run(*self.client("--batch", "--skip-column-names", *more, **who), stdin=script.encode())


@asynccontextmanager
async def running_door(server: Server, folder: Path, limits: Limits = LIMITS) -> AsyncIterator[Small]:
    """A door on a free port of loopback, before the server as `db-1`."""
    root = folder / "root.pem"
    root.write_bytes(SHOWN.certificate)
    shared = SimpleNamespace(console_url="https://pam.example.com", tasks=Tasks(), small=None, random=token_bytes)
    context = server_context(SHOWN.certificate, SHOWN.key)

    async def prove(token: str, source: str) -> Proven | Unfit | Refused:
        proven = Proven("per_small", EntryPoint.MYSQL_TOKEN, "sgn_small")
        return proven if token == TOKEN else Unfit(proven, WRONG) if token == STOLEN else WRONG

    async def find(digest: str) -> None:
        return None

    async def lease(opened: Opened) -> Secret | Refused:
        return Secret(PASSWORD.encode())

    gateway = MysqlGateway(
        shared=cast(Gateway, shared),
        shown=lambda: context,
        prove=prove,
        lease=lease,
        threads=Threads(),
        name="pam.example.com",
        users=cast(Users, None),
        version=VERSION,
        probes=Probes("nod_small", wall_clock, token_bytes),
        find_token=find,
    )
    with closing(bound("MySQL", "127.0.0.1", 0)) as listening, pytest.MonkeyPatch.context() as patch:
        patch.setattr(door, "Admission", _Admission)
        listener = listen(listening, gateway, Crowd(limits, Known(), randbelow), Turns())
        shared.small = small = Small(listening.getsockname()[1], root, server, gateway)
        try:
            yield small
        finally:
            listener.close()
            for relay in small.relays:
                relay.abort()
            with contextlib.suppress(TimeoutError):
                await shared.tasks.over(10)
