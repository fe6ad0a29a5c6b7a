"""A gateway reduced to its relay: one registered key, one target, a recorder; what the sign-in comes before later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from secrets import randbelow

import asyncssh

from onepam.boot.doors import LIMITS, bound
from onepam.gateway.crowd import Crowd, Known
from onepam.gateway.recorder import Recorded, Recorder
from onepam.gateway.turns import Turns
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Refused
from onepam.protocols.ssh.algorithms import HostKey
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection
from onepam.protocols.ssh.door import Door, listen
from onepam.protocols.ssh.forward import Rule
from onepam.protocols.ssh.relay import Relay
from onepam.protocols.ssh.tap import Kind
from onepam.recording.frames import Opened
from onepam.recording.seal import Head
from tests.gateway.disks import bounded

KEY = bytes(range(32))
ALL: frozenset[Kind] = frozenset({"pty", "exec", "sftp"})


@dataclass
class Acceptor:
    """Where sessions go and what became of them."""

    folder: Path
    person_key: asyncssh.SSHKey
    dial: Callable[[], Awaitable[TargetConnection | Refused]]
    strict: bool = True
    disk_bytes: int = 1 << 40
    kinds: frozenset[Kind] = ALL
    excerpt: bool = False
    rule: Rule | None = None
    port: int = 0
    recorded: list[Recorded] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)
    relays: list[Relay] = field(default_factory=list)
    recorders: list[Recorder] = field(default_factory=list)
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=count)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))

    async def finished(self) -> list[Recorded]:
        """The recordings, once every session has ended."""
        while self.tasks:
            await asyncio.wait(tuple(self.tasks))
        return self.recorded


class RegisteredKeyDoor(Door):
    """Admits the one registered key and opens the session at once."""

    def __init__(self, acceptor: Acceptor) -> None:
        self._acceptor = acceptor
        self._gone = asyncio.Event()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        assert isinstance(conn, PersonConnection)
        self._person = conn

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key == self._acceptor.person_key

    async def begin_auth(self, username: str) -> bool:
        acceptor = self._acceptor
        self._recorder = await Recorder.start(
            acceptor.folder,
            f"rec_{next(acceptor.numbers)}",
            KEY,
            Opened(0, "ses_1", "per_1", "res_1", "root", "ssh", Instant(1_700_000_000_000_000)),
            strict=acceptor.strict,
            share=bounded(acceptor.folder, acceptor.disk_bytes),
            pool=acceptor.pool,
            on_head=acceptor.heads.append,
            on_failure=lambda failure: self._ended(),
        )
        acceptor.recorders.append(self._recorder)
        return True

    def auth_completed(self) -> None:
        acceptor = self._acceptor
        dialling = asyncio.ensure_future(acceptor.dial())
        self.relay = Relay(
            self._person, dialling, self._recorder, acceptor.kinds, excerpt=acceptor.excerpt, rule=acceptor.rule
        )
        acceptor.relays.append(self.relay)
        task = asyncio.ensure_future(self._session(self.relay, self._recorder))
        acceptor.tasks.add(task)
        task.add_done_callback(acceptor.tasks.discard)

    def _ended(self) -> None:
        if self.relay:
            self.relay.abort()

    async def _session(self, relay: Relay, recorder: Recorder) -> None:
        await self._gone.wait()
        await relay.close()
        self._acceptor.recorded.append(await recorder.close("the person left"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()


@asynccontextmanager
async def accepting(acceptor: Acceptor, host_keys: Sequence[HostKey] = ()) -> AsyncIterator[Acceptor]:
    """The listener, on a free port of loopback, with an Ed25519 key of its own or `host_keys`."""
    keys = host_keys or [asyncssh.generate_private_key("ssh-ed25519")]
    crowd = Crowd(LIMITS, Known(), randbelow)
    listening = bound("SSH", "127.0.0.1", 0, "ssh_port")
    server = listen(listening, keys, lambda: RegisteredKeyDoor(acceptor), crowd, Turns())
    acceptor.port = server.sockets[0].getsockname()[1]
    try:
        yield acceptor
    finally:
        server.close()
        for relay in acceptor.relays:
            relay.abort()
        await acceptor.finished()
        await server.wait_closed()
        acceptor.pool.shutdown()
