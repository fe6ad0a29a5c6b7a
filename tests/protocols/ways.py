"""The protocols that pass the table of ends, each before a running gateway with real targets and real clients."""

import asyncio
import fcntl
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from secrets import randbelow, token_bytes, token_hex
from typing import Any

import pytest

from onepam.app.open_session import Opened
from onepam.boot import databases
from onepam.boot.clock import wall_clock
from onepam.boot.doors import LIMITS, bound
from onepam.boot.platform import Platform
from onepam.domain.access.events import ResourceSet
from onepam.domain.access.guardrails import Guardrails, StatementClass
from onepam.domain.access.model import Action, MfaRule, Permission, ResourceKind
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.login_tokens import LoginTokenIssued
from onepam.gateway.crowd import Crowd, Known
from onepam.gateway.listener import Listener
from onepam.identity.tokens import LOGIN_TOKEN, new_token, token_digest
from onepam.kernel.clock import MINUTE, Instant
from onepam.kernel.errors import Refused
from onepam.kernel.ids import new_id
from onepam.kernel.secret import Secret
from onepam.recording.frames import Frame, Input
from onepam.recording.statements import Executed
from tests.gateway_fixture import SECONDS, STANDING, Gateway, Person, outcome, running_gateway
from tests.protocols.echo.gateway import EchoDoor
from tests.protocols.postgres.server import PASSWORD, Server, pair, running_server
from tests.targets import descendants, free_port

ECHO = Path(__file__).parent / "echo"
TARGET = "way-1"
"""The way's own target."""


class Way(ABC):
    """One protocol. A client that works says `ready` first; then each line comes back to it."""

    flood: bytes
    """What makes the target send without end."""

    @property
    def filling(self) -> bytes:
        """What fills the disk of the recordings."""
        return self.flood

    mismatched: SessionEnd = SessionEnd.TARGET_HOST_KEY
    """Why a session with a target fails that is not the pinned one."""

    shows_before = True  # what a client is told before it is in, other than why it is not

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    @property
    @abstractmethod
    def port(self) -> int:
        """Where clients come."""

    @property
    @abstractmethod
    def target_port(self) -> int:
        """Where the target is."""

    @abstractmethod
    def resource(self, name: str, **changed: Any) -> ResourceSet:
        """The target under a name."""

    @property
    def other_pin(self) -> str:
        """Of another target."""
        return self.gateway.foreign.host_key

    def said(self, frames: list[Frame]) -> bytes:
        """What a recording has of what went to the target."""
        return b"".join(each.data for each in frames if isinstance(each, Input))

    @abstractmethod
    async def start(self, person: Person, target: str = TARGET) -> asyncio.subprocess.Process:
        """A client that has been started."""

    @abstractmethod
    def serving(self) -> list[int]:
        """The processes that serve what goes on at the target."""

    async def lose(self) -> None:
        """What serves at the target ends without a word."""
        for pid in reversed(self.serving()):  # a shell that dies first ends its channel in order
            with suppress(ProcessLookupError):  # it followed by itself
                os.kill(pid, signal.SIGKILL)

    def pids(self, process: asyncio.subprocess.Process) -> list[int]:
        """The processes of which a client consists."""
        return [process.pid]

    def shows(self, process: asyncio.subprocess.Process) -> asyncio.StreamReader | None:
        """Where a client shows what it is told before it is in."""
        return process.stderr

    async def poised(self, person: Person) -> Callable[[], Awaitable[asyncio.subprocess.Process]]:
        """Starts a client of which all that it needs from the ledger is there already."""
        return lambda: self.start(person)

    async def unconfirmed(self, person: Person) -> asyncio.subprocess.Process:
        """A client whose person has to confirm."""
        return await self.start(person)

    @property
    def narrower(self) -> Permission:
        """Like `STANDING`, for less of what may be done at the target."""
        return replace(STANDING, actions=(Action.SHELL,))

    async def working(self, person: Person, target: str = TARGET) -> asyncio.subprocess.Process:
        """A client in the middle of a session that goes on until it is ended."""
        process = await self.start(person, target)
        await self.ready(process)
        return process

    async def ready(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async with asyncio.timeout(SECONDS):
            line = await process.stdout.readline()
        if line.strip() != b"ready":
            raise AssertionError((line, await heard(process)))


SERVES = 'echo ready; while read -r line; do [ "$line" = flood ] && exec cat /dev/zero; echo "$line"; done'
"""A command of a target's sshd."""


class Ssh(Way):
    """The stock client and a real sshd."""

    flood = b"flood\n"

    @property
    def port(self) -> int:
        return self.gateway.platform.ssh_port

    @property
    def target_port(self) -> int:
        return self.gateway.target.port

    def resource(self, name: str, **changed: Any) -> ResourceSet:
        return self.gateway.resource(name, **changed)

    async def start(self, person: Person, target: str = TARGET) -> asyncio.subprocess.Process:
        user = f"{self.gateway.target.login}@{target}"
        return await self.gateway.start(*self.gateway.ssh(person, SERVES, user=user))

    def serving(self) -> list[int]:
        return descendants(self.gateway.target.process.pid)


class Jump(Ssh):
    """The stock client through a connection to the gateway: `ssh -J`, which is a process of its own."""

    async def start(self, person: Person, target: str = TARGET) -> asyncio.subprocess.Process:
        return await self.gateway.start(*self.gateway.jump(person, target, SERVES))

    def pids(self, process: asyncio.subprocess.Process) -> list[int]:
        return [process.pid, *descendants(process.pid)]


class Echo(Way):
    """The toy protocol, with a client and a server of their own processes."""

    flood = b"flood\n"

    def __init__(self, gateway: Gateway, listener: Listener, server: asyncio.subprocess.Process, port: int) -> None:
        super().__init__(gateway)
        self._listener, self._server, self._target_port = listener, server, port

    @property
    def port(self) -> int:
        found: int = self._listener.sockets[0].getsockname()[1]
        return found

    @property
    def target_port(self) -> int:
        return self._target_port

    def resource(self, name: str, **changed: Any) -> ResourceSet:
        return self.gateway.resource(name, **{"port": self._target_port, "pins": ("line-server 1",), **changed})

    async def start(self, person: Person, target: str = TARGET) -> asyncio.subprocess.Process:
        process = await self.gateway.start(sys.executable, str(ECHO / "line_client.py"), str(self.port))
        assert process.stdin is not None
        certified = person.key.with_name("id-cert.pub").exists()
        sign_in = person.sign_in if certified else "-"
        process.stdin.write(f"{person.id} {sign_in} {self.gateway.target.login}@{target}\n".encode())
        return process

    def shows(self, process: asyncio.subprocess.Process) -> asyncio.StreamReader | None:
        return process.stdout

    def serving(self) -> list[int]:
        return [self._server.pid]


async def login_token(gateway: Gateway, person: Person, target: str) -> str:
    """A token of the person's for the gateway's login there, good from loopback."""
    secret, now = new_token(LOGIN_TOKEN, token_bytes), wall_clock()
    issued = LoginTokenIssued(
        new_id("tok", token_bytes), person.id, target, gateway.target.login, person.sign_in,
        Instant(now + 10 * MINUTE), token_digest(secret).hex(), "127.0.0.1",
    )  # fmt: skip
    await gateway.record(issued)
    return secret.reveal().decode()


class Postgres(Way):
    """libpq and a real PostgreSQL."""

    flood = b"flood\n"
    mismatched = SessionEnd.TARGET_CERTIFICATE

    def __init__(self, gateway: Gateway, server: Server) -> None:
        super().__init__(gateway)
        self.server = server
        self.root = gateway.folder / "database-authority.pem"
        self.root.write_bytes(gateway.platform.authorities.database(wall_clock()).root)

    @property
    def port(self) -> int:
        return self.gateway.platform.config.postgres_port

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
        """Rows that come are counted, not kept: what is bound fills it."""
        return b"".join(token_hex(30_000).encode() + b"\n" for _ in range(40))

    def said(self, frames: list[Frame]) -> bytes:
        bound = [each.parameters for each in frames if isinstance(each, Executed)]
        return b"".join(each.value + b"\n" for found in bound for each in found if isinstance(each.value, bytes))

    def resource(self, name: str, **changed: Any) -> ResourceSet:
        own = {"kind": ResourceKind.POSTGRES, "port": self.server.port, "pins": (self.server.shown.pin,)}
        return self.gateway.resource(name, **{**own, **changed})

    async def token(self, person: Person, target: str = TARGET) -> str:
        """A login token of the person, as `onepam token` gives one."""
        return await login_token(self.gateway, person, target)

    def words(self, token: str, target: str = TARGET) -> str:
        """What libpq connects by."""
        return (
            f"host=localhost hostaddr=127.0.0.1 port={self.port} user={self.gateway.target.login}@{target} "
            f"password='{token}' dbname=postgres sslmode=verify-full sslrootcert={self.root}"
        )

    async def start(self, person: Person, target: str = TARGET) -> asyncio.subprocess.Process:
        return await (await self.poised(person, target))()

    async def poised(self, person: Person, target: str = TARGET) -> Callable[[], Awaitable[asyncio.subprocess.Process]]:
        client = Path(__file__).parent / "postgres" / "line_client.py"
        words = self.words(await self.token(person, target), target)
        return lambda: self.gateway.start(sys.executable, str(client), words)

    async def unconfirmed(self, person: Person) -> asyncio.subprocess.Process:
        """A target that asks for a factor for each session; the sign-in's was shown for another one."""
        await self.gateway.record(self.resource("fresh-1", mfa=MfaRule(None, fresh=True)))
        await outcome(await self.working(person, "fresh-1"))
        return await self.start(person, "fresh-1")

    def serving(self) -> list[int]:
        return [
            pid for pid in descendants(self.server.pid) if b" 127.0.0.1(" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]


@asynccontextmanager
async def through_ssh(gateway: Gateway, port: int, targets: AsyncExitStack) -> AsyncIterator[Way]:
    yield Ssh(gateway)


@asynccontextmanager
async def through_jump(gateway: Gateway, port: int, targets: AsyncExitStack) -> AsyncIterator[Way]:
    yield Jump(gateway)


@asynccontextmanager
async def through_echo(gateway: Gateway, port: int, targets: AsyncExitStack) -> AsyncIterator[Way]:
    server = await asyncio.create_subprocess_exec(
        sys.executable, str(ECHO / "line_server.py"), str(port), stdout=asyncio.subprocess.PIPE
    )
    targets.push_async_callback(_ended, server)
    assert server.stdout is not None
    assert await server.stdout.readline() == b"listening\n"
    shared, crowd = gateway.platform.gateway, Crowd(LIMITS, Known(), randbelow)
    with closing(bound("echo", "127.0.0.1", 0, "ssh_port")) as listening:
        listener = Listener(listening, crowd, lambda place: EchoDoor(shared, place))
        try:
            yield Echo(gateway, listener, server, port)
        finally:
            listener.close()


@asynccontextmanager
async def through_postgres(gateway: Gateway, port: int, targets: AsyncExitStack) -> AsyncIterator[Postgres]:
    server = targets.enter_context(running_server(port=port))
    await asyncio.to_thread(server.sql, f"CREATE ROLE \"{gateway.target.login}\" LOGIN PASSWORD '{PASSWORD}'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "_leased", _leased)
        yield Postgres(gateway, server)


@asynccontextmanager
async def through_mysql(gateway: Gateway, port: int, targets: AsyncExitStack) -> AsyncIterator[Way]:
    from tests.protocols.mysql.way import through  # which is made of what stands here

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(databases, "_leased", _leased)
        async with through(gateway, port, targets) as way:
            yield way


async def _leased(platform: Platform, opened: Opened) -> Secret | Refused:
    return Secret(PASSWORD.encode())


WAYS = {"ssh": through_ssh, "echo": through_echo, "postgres": through_postgres, "mysql": through_mysql}
"""Each protocol is one: given a running gateway, a free port of loopback that it may dial for a target, and where to
put what ends that target, after the gateway."""

ENDS = {**WAYS, "ssh through a connection": through_jump}
"""And what is no protocol of its own, yet ends otherwise."""


@asynccontextmanager
async def way_through(name: str, folder: Path, **config: Any) -> AsyncIterator[Way]:
    """The protocol of that name in front of a gateway that knows its target as `way-1`."""
    port = free_port()
    config = {"postgres_port": free_port(), "mysql_port": free_port(), **config}
    async with (
        AsyncExitStack() as targets,
        running_gateway(
            folder,
            egress=(f"127.0.0.1/32:{port}",),
            **config,
        ) as gateway,
        ENDS[name](gateway, port, targets) as way,
    ):
        await gateway.record(way.resource(TARGET))
        yield way


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def heard(process: asyncio.subprocess.Process, stdin: bytes | None = None) -> str:
    """All that a client says from now on, once it has ended."""
    done = await outcome(process, stdin)
    return done.stdout.decode("utf-8", "replace") + done.stderr


async def said_back(process: asyncio.subprocess.Process, line: bytes) -> bytes:
    """A line there and back."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line)
    async with asyncio.timeout(SECONDS):
        return await process.stdout.readline()


@contextmanager
def held(gateway: Gateway) -> Iterator[None]:
    """The ledger's lock in other hands, as when another process hangs in the middle of a command."""
    file = os.open(f"{gateway.platform.database}.lock", os.O_RDWR)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)
