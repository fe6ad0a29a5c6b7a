"""The platform of one process: every part wired, started in order, stopped in the opposite one."""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn

from onepam import __version__
from onepam.app.close_session import NoFacts
from onepam.boot.anchors import Anchors
from onepam.boot.config import Config
from onepam.boot.node import Node
from onepam.domain.commit import Decided
from onepam.domain.decision import AccessFacts
from onepam.domain.sign_in import FactorKind
from onepam.domain.system import SystemStarted
from onepam.gateway.egress import Egress
from onepam.gateway.live import Live
from onepam.gateway.recover import recover
from onepam.gateway.sealing import Sealing
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Fault, Refused, Unavailable
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.note import VerifierKey
from onepam.protocols.ssh.door import listen
from onepam.protocols.ssh.serve import PersonDoor, SshGateway
from onepam.signing.signer import SignerClient, create_signer
from onepam.store.ledger import SqliteLedger
from onepam.store.publish import Cosign, Prove
from onepam.store.read.access import access
from onepam.store.read.directory import factor_by_reference
from onepam.store.read.live import open_sessions
from onepam.store.reader import Reader
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

log = logging.getLogger(__name__)

SIGNER_START_SECONDS = 10.0
STOP_SECONDS = 10.0


def wall_clock() -> Instant:
    """The system's clock: the one place where the product reads it."""
    return Instant(time.time_ns() // 1000)


class Platform:
    """Everything that runs in one `onepam up`. Use `running()`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        data = config.data
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.database = data / "ledger.db"
        self.recordings = data / "recordings"
        self.recordings.mkdir(mode=0o700, exist_ok=True)
        self.node = Node(data / "nodes", secrets.token_bytes)
        self.envelope = Envelope(FileKeys.create(data / "master-keys.json", secrets.token_bytes), secrets.token_bytes)
        self.authorities = Authorities(data / "authorities", self.envelope, secrets.token_bytes)
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="recorder")
        self._signer: subprocess.Popen[bytes] | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Platform"]:
        """Starts the ledger and all that follows it; listeners come last. Raises `Fault` when a part cannot start."""
        client = await asyncio.to_thread(self._start_signer)
        self.log_key = await asyncio.to_thread(client.vkey)
        self.ledger = SqliteLedger(self.database, self.node.name, wall_clock, secrets.token_bytes)
        self.reader = Reader(self.database, wall_clock)
        self.anchors = self._anchors(client)
        self.live = Live(self.ledger, self._access, wall_clock)
        self.sealing = Sealing(self.ledger, self.live, self.node.name)
        try:
            await self._begin()
            async with self._listeners():
                yield self
        finally:
            await self._end()

    def recording_key(self, session: str) -> bytes:
        """The key of a recording, unwrapped."""
        wrapped = (self.recordings / f"{session}.key").read_bytes()
        return self.envelope.unwrap(wrapped, f"recording/{session}".encode("ascii")).reveal()

    def write_ready_file(self, path: Path) -> None:
        """All addresses as JSON, once every listener accepts."""
        ready = {
            "console": self.config.url,
            "api": f"{self.config.url}/api/v1",
            "ssh": {"host": self.config.ssh_host, "port": self.ssh_port},
            "log_key": self.log_key.encode(),
            "origin": self.config.origin,
            "data": str(self.config.data),
            "pid": os.getpid(),
        }
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(json.dumps(ready, indent=2) + "\n")
        beside.rename(path)

    async def _begin(self) -> None:
        after = self.ledger.size()
        started = SystemStarted(self.node.name, __version__, self.config.origin, self.log_key.encode())
        outcome = await self.ledger.commit(NoFacts(), lambda facts, now: Decided((started,), None))
        if isinstance(outcome, Refused):
            raise Unavailable(outcome.message)
        left = await self.reader(open_sessions, None, self.node.name)
        await recover(self.ledger, left, self.recordings, self.recording_key)
        self.anchors.start()
        self._run("live", lambda: self.live.follow(after))
        self._run("sealing", self.sealing.run)

    def _run(self, name: str, job: Callable[[], Awaitable[None]]) -> None:
        """A task of the platform; one that ends by an error is logged and begun again after a second."""

        async def forever() -> None:
            while True:
                try:
                    await job()
                except Exception:
                    log.exception("%s stopped; it begins again", name)
                await asyncio.sleep(1)

        self._tasks.append(asyncio.get_running_loop().create_task(forever(), name=name))

    @contextlib.asynccontextmanager
    async def _listeners(self) -> AsyncIterator[None]:
        gateway = self._ssh_gateway()
        config = self.config
        host_key = self.authorities.gateway_host_key
        ssh = await listen(config.ssh_host, config.ssh_port, [host_key], lambda: PersonDoor(gateway))
        self.ssh_port: int = ssh.sockets[0].getsockname()[1]
        try:
            async with self._web():
                yield
        finally:
            ssh.close()
            self.live.end_all("gateway.stopped")
            if gateway.running:
                await asyncio.wait(gateway.running, timeout=STOP_SECONDS)

    @contextlib.asynccontextmanager
    async def _web(self) -> AsyncIterator[None]:
        from onepam.boot.web import create_web

        config = uvicorn.Config(
            create_web(self),
            host=self.config.console_host,
            port=self.config.console_port,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
            limit_concurrency=1000,
        )
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        task = asyncio.get_running_loop().create_task(server._serve())
        while not server.started:
            if task.done():
                raise Unavailable(f"the console cannot listen on {self.config.console_host}:{self.config.console_port}")
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await task

    def _ssh_gateway(self) -> SshGateway:
        return SshGateway(
            node=self.node.name,
            ledger=self.ledger,
            live=self.live,
            sealing=self.sealing,
            egress=Egress(self.config.admitted),
            authorities=self.authorities,
            envelope=self.envelope,
            find_key=self._find_key,
            recordings=self.recordings,
            source_addresses=self.config.source_addresses,
            console_url=self.config.url,
            clock=wall_clock,
            random=secrets.token_bytes,
            pool=self.pool,
        )

    async def _find_key(self, fingerprint: str) -> str | None:
        found = await self.reader(factor_by_reference, None, FactorKind.SSH_KEY, fingerprint)
        return found.person if found else None

    async def _access(self, person: str, resource: str) -> AccessFacts:
        return await self.reader(access, None, person, resource)

    def _start_signer(self) -> SignerClient:
        """The configured signer, or one of our own as a child process. Raises `Unavailable`."""
        if self.config.signer_socket:
            return SignerClient(Path(self.config.signer_socket))
        folder = self.config.data / "signer"
        folder.mkdir(mode=0o700, exist_ok=True)
        key, state, socket = folder / "key", folder / "state", folder / "socket"
        if not key.exists():
            create_signer(key, state, self.config.origin)
        client = SignerClient(socket)
        with contextlib.suppress(Unavailable):
            client.vkey()
            return client
        command = [sys.executable, "-m", "onepam.boot.command", "signer", "--folder", str(folder)]
        self._signer = subprocess.Popen([*command, "--origin", self.config.origin], start_new_session=True)
        deadline = time.monotonic() + SIGNER_START_SECONDS
        while time.monotonic() < deadline and self._signer.poll() is None:
            with contextlib.suppress(Unavailable):
                client.vkey()
                return client
            time.sleep(0.05)
        raise Unavailable("the signer did not start")

    def _anchors(self, client: SignerClient) -> Anchors:
        def sign(checkpoint: Checkpoint, prove: Prove) -> bytes | Refused:
            size, _ = client.last()
            proof = prove(size) if size <= checkpoint.size else []
            return client.sign(checkpoint.size, checkpoint.root, proof, wall_clock())

        keys = (VerifierKey.parse(self.config.witness_key),) if self.config.witness_key else ()
        return Anchors(
            self.database,
            self.config.data / "log",
            self.config.origin,
            self.log_key,
            sign,
            self._cosign(),
            keys,
            wall_clock,
        )

    def _cosign(self) -> Cosign | None:
        return None

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(Fault):
            await self.sealing.flush()
        await asyncio.to_thread(self.anchors.stop)
        self.ledger.close()
        self.reader.close()
        self.pool.shutdown()
        if self._signer is not None:
            self._signer.terminate()
            self._signer.wait(5)
        self.node.release()
