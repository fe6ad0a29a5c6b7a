"""The door and the relay before a real PostgreSQL, without a ledger: whoever comes is let in, and what is recorded is
kept in memory. What a whole gateway does around them is the table of ends (tests/protocols/test_ends.py)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from secrets import randbelow, token_bytes
from types import SimpleNamespace
from typing import Any, cast

import pytest

from onepam.app.open_session import Opened
from onepam.boot.clock import wall_clock
from onepam.boot.doors import LIMITS, bound
from onepam.domain.access.decision import Because
from onepam.domain.access.model import Action
from onepam.domain.sessions.events import EntryPoint
from onepam.gateway.crowd import Crowd, Known, Limits
from onepam.gateway.entering import Proven, Unfit
from onepam.gateway.probes import Probes
from onepam.gateway.session import Gateway
from onepam.gateway.tasks import Tasks
from onepam.gateway.turns import Turns
from onepam.kernel.clock import HOUR, later
from onepam.kernel.errors import Refused
from onepam.kernel.secret import Secret
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.relay import Relay
from onepam.protocols.postgres.serve import PersonDoor, listen
from onepam.protocols.postgres.session import PostgresGateway, PostgresLegs
from onepam.protocols.sql import door
from onepam.protocols.sql.session_users import Users
from onepam.protocols.sql.tls import server_context
from onepam.recording.frames import Frame
from onepam.recording.statements import Executed, Finished, StatementText
from tests.protocols.postgres.server import PASSWORD, Server, pair

LINGER_SECONDS = 1.0
"""How long a relay may take to tell the client that its target is gone; as in `gateway.session`."""

TOKEN = "a login token"
SHOWN = pair("localhost")
STOLEN = "a login token of somebody elsewhere"
WRONG = Refused("token.unknown", "This token opens nothing.", "Make another one.")


class Journal:
    """In the place of a recorder."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.full = False
        self._waiting: list[Callable[[], None]] = []

    @property
    def at(self) -> int:
        return len(self.frames)

    def record(self, *frames: Frame) -> None:
        self.frames += frames

    note = record

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._waiting.append(callback)

    def drained(self) -> None:
        self.full = False
        for each in self._waiting:
            each()

    def statements(self) -> list[tuple[str, tuple[bytes | int | None, ...], Finished | None]]:
        """Each execution: its text, what was bound, and what came of it."""
        texts: dict[int, bytes] = {}
        found: dict[int, tuple[str, tuple[bytes | int | None, ...], Finished | None]] = {}
        for each in self.frames:
            if isinstance(each, StatementText):
                texts[each.statement] = texts.get(each.statement, b"") + each.text
            elif isinstance(each, Executed):
                bound = tuple(parameter.value for parameter in each.parameters)
                found[each.execution] = (texts.get(each.statement, b"").decode("utf-8", "replace"), bound, None)
            elif isinstance(each, Finished):
                text, bound, before = found[each.execution]
                assert before is None, "one end for each execution"
                found[each.execution] = (text, bound, each)
        assert list(found) == sorted(found)
        return list(found.values())


@dataclass
class Small:
    """A running door. `journals` are those of the sessions, in the order in which they began."""

    port: int
    root: Path
    server: Server
    gateway: PostgresGateway
    journals: list[Journal] = field(default_factory=list)
    relays: list[Relay] = field(default_factory=list)
    refused: list[tuple[object, ...]] = field(default_factory=list)
    doors: list[PersonDoor] = field(default_factory=list)

    def words(self, user: str = "app@db-1", database: str = "postgres", token: str = TOKEN, more: str = "") -> str:
        """What libpq connects by."""
        return (
            f"host=localhost hostaddr=127.0.0.1 port={self.port} user={user} password='{token}' dbname={database} "
            f"sslmode=verify-full sslrootcert={self.root} {more}"
        )

    @property
    def environment(self) -> dict[str, str]:
        """The same for programs of PostgreSQL."""
        return {
            **os.environ, "PGHOST": "localhost", "PGHOSTADDR": "127.0.0.1", "PGPORT": str(self.port),
            "PGUSER": "app@db-1", "PGPASSWORD": TOKEN, "PGDATABASE": "app", "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(self.root), "LC_ALL": "C",
        }  # fmt: skip

    async def run(self, *command: str, stdin: bytes = b"", **environment: str) -> tuple[int, str, str]:
        """How a program of PostgreSQL ends: status, output, errors."""
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**self.environment, **environment},
        )  # fmt: skip
        async with asyncio.timeout(120):
            out, err = await process.communicate(stdin)
        return process.returncode or 0, out.decode(), err.decode()

    async def psql(self, script: str, *options: str, **environment: str) -> tuple[int, str, str]:
        return await self.run("psql", "-X", "-A", "-t", "-q", *options, stdin=script.encode(), **environment)


class _Admission:
    """In the place of the one door: a permit for whoever asks."""

    def __init__(
        self,
        shared: Any,
        legs: PostgresLegs,
        place: Any,
        source: str,
        client: str,
        say: Callable[[str], None],
        ours: bool,
        database: str,
    ) -> None:
        self._small, self._legs, self._place = cast(Small, shared.small), legs, place

    async def enter(self, who: Proven, login: str, target: str) -> Relay | Refused:
        self._place.vouch()
        if target != "db-1":
            return Refused("resource.unknown", "There is no such target in your catalogue.")
        small, journal = self._small, Journal()
        tasks = small.gateway.shared.tasks
        dialled = tasks.spawn(self._legs.dial(_opened(small.server, login), "127.0.0.1"))
        relay = self._legs.relay(_opened(small.server, login), dialled, cast(Any, journal))
        small.journals.append(journal)
        small.relays.append(relay)
        small.doors.append(cast(PersonDoor, self._legs.client))
        tasks.spawn(_conclude(self._legs, dialled, relay))
        return relay

    async def refuse(self, *of: object) -> None:
        self._small.refused.append(of)


async def _conclude(legs: PostgresLegs, dialled: "asyncio.Task[TargetLeg | Refused]", relay: Relay) -> None:
    there = await dialled
    ends = [asyncio.ensure_future(legs.client.wait_closed())]
    if isinstance(there, TargetLeg):
        ends.append(asyncio.ensure_future(there.wait_closed()))
    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    if not ends[0].done():
        await asyncio.wait(ends[:1], timeout=LINGER_SECONDS)
    if not ends[0].done():
        legs.client.part("the connection to the target was lost")
    await relay.close()
    for each in ends:
        await each


def _opened(server: Server, login: str) -> Opened:
    now = wall_clock()
    return Opened(
        "ses_small", "per_small", "db-1", login, "127.0.0.1", server.port, (server.shown.pin,), (Action.EXEC,),
        later(now, HOUR), now, privileged=False, because=Because("r", "v1", "p", "b"),
    )  # fmt: skip


@asynccontextmanager
async def running_door(server: Server, folder: Path, limits: Limits = LIMITS) -> AsyncIterator[Small]:
    """A door on a free port of loopback, before the server as `db-1`."""
    root = folder / "root.pem"
    root.write_bytes(SHOWN.certificate)
    shared = SimpleNamespace(console_url="https://pam.example.com", tasks=Tasks(), small=None)
    context = server_context(SHOWN.certificate, SHOWN.key)

    async def prove(token: str, source: str) -> Proven | Unfit | Refused:
        proven = Proven("per_small", EntryPoint.SSH_CERTIFICATE, "sgn_small")
        return proven if token == TOKEN else Unfit(proven, WRONG) if token == STOLEN else WRONG

    def judge(presented: bytes) -> Proven | Unfit | Refused:
        return WRONG

    async def find(digest: str) -> None:
        return None

    async def lease(opened: Opened) -> Secret | Refused:
        return Secret(PASSWORD.encode())

    gateway = PostgresGateway(
        shared=cast(Gateway, shared),
        shown=lambda: context,
        prove=prove,
        judge=judge,
        lease=lease,
        keys=Keys(token_bytes),
        name="pam.example.com",
        users=cast(Users, None),
        probes=Probes("nod_small", wall_clock, token_bytes),
        find_token=find,
    )
    with closing(bound("PostgreSQL", "127.0.0.1", 0)) as listening, pytest.MonkeyPatch.context() as patch:
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
