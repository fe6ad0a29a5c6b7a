"""The platform of one process: every part wired, started in order, stopped in the opposite one."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import secrets
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import asyncssh

from onepam import __version__
from onepam.app.provisioning.traffic import ScimTraffic
from onepam.app.sessions.close_session import append_event
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.databases import databases
from onepam.boot.doors import Doors, bound
from onepam.boot.jobs import inner_jobs, outbox_of, outer_jobs, own_ports, prober_of
from onepam.boot.node import Node
from onepam.boot.private_folder import founding, private_folder
from onepam.boot.publishing import Lacking, author_of, cosigning, hold_to_signed, kept_out, signing, witness_of
from onepam.boot.session_users import SessionUsers
from onepam.boot.ssh_keys import TARGET_CERTIFICATE, host_keys
from onepam.boot.stopping import Stop
from onepam.boot.waiting import announced_continuation, only_cancelling, waiting_words
from onepam.boot.web.operations import Operations
from onepam.boot.web.server import web_server
from onepam.console.frame.queries import Queries
from onepam.domain.access.authority import Actor
from onepam.domain.access.decision import AccessFacts
from onepam.domain.history.system import SystemStarted
from onepam.domain.host.announcing import Announcement
from onepam.domain.sessions.ends import SessionEnd
from onepam.egress.egress import Egress
from onepam.evidence.draw import Progress
from onepam.evidence.envelope import Period
from onepam.files.private_file import replace_private
from onepam.gateway.ask_first import WaitingStatements
from onepam.gateway.disk import Disk
from onepam.gateway.live import Live
from onepam.gateway.playback import Playback
from onepam.gateway.probes import Probes
from onepam.gateway.sealing import Sealing
from onepam.gateway.session import Gateway
from onepam.gateway.watching import Watchers
from onepam.identity.tokens import new_code
from onepam.jobs.anchors import Anchors
from onepam.jobs.eras import follow_seams
from onepam.jobs.evidence import Evidence, quiet
from onepam.jobs.job import Jobs
from onepam.jobs.recording_check import key_beside, new_key_beside
from onepam.jobs.recovery import Recovery
from onepam.jobs.self_check import SelfCheck
from onepam.jobs.signer_process import SignerProcess
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Fault, Refused
from onepam.ledger.note import VerifierKey
from onepam.protocols.ssh.door import listen
from onepam.protocols.ssh.serve import PersonDoor
from onepam.protocols.ssh.session import SshGateway
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.reader import SqliteReader
from onepam.store.read.access import access, at_port
from onepam.store.read.proofs_of_sign_in import KeyHolder, key_holder
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0
SWITCH_SECONDS = 0.0005
"""How long a busy thread keeps the interpreter from the event loop, on which the bytes of live sessions pass."""
COLLECTED = (700, 10, 10)
"""Python's own thresholds of the garbage collector; a start has larger ones."""


class Platform:
    """Everything that runs in one `onepam up`. Use `running()`."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._founding = contextlib.ExitStack()
        self._founding.enter_context(founding(config.data))
        data = private_folder(config.data)
        self.database = data / "ledger.db"
        self.recordings = data / "recordings"
        self.recordings.mkdir(mode=0o700, exist_ok=True)
        self.node = Node(data / "nodes", secrets.token_bytes)
        self.envelope = Envelope(FileKeys.create(data / "master-keys.json", secrets.token_bytes), secrets.token_bytes)
        self.authorities = Authorities(data / "authorities", self.envelope, secrets.token_bytes)
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="recorder")
        self.doors = Doors(config.proxies)
        self.recording_key = key_beside(self.recordings, self.envelope)
        self.playback = Playback(self.recordings, self.recording_key)
        self._jobs = Jobs()
        self.stopping = threading.Event()
        self.replaced = asyncio.Event()
        self.statements = WaitingStatements()
        self.watchers = Watchers()
        self.queries = Queries()
        self.session_users = SessionUsers(self)
        self.prober_key = asyncssh.generate_private_key("ssh-ed25519")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Platform"]:
        """Starts the ledger and all that follows it; listeners come last. Raises `Fault` when a part cannot start.

        Whatever has started is stopped again, in the opposite order.
        """
        async with contextlib.AsyncExitStack() as parts:
            parts.enter_context(self._founding)
            parts.callback(self.node.release)
            parts.callback(self.pool.shutdown)
            parts.callback(self.playback.close)
            config = self.config
            began = follow_seams(self.database, config.data, config.origin)
            self._signers = SignerProcess(config.signer_socket, config.data / "signer", config.origin, began)
            parts.push_async_callback(asyncio.to_thread, self._signers.stop)
            self.log_key = (await asyncio.to_thread(self._signers.client)).vkey()
            replace_private(self.config.data / "log-key", f"{self.log_key.encode()}\n".encode(), secrets.token_bytes)
            self.waits = await asyncio.to_thread(self._waits)
            author = await asyncio.to_thread(author_of, self.node.name, self._signers)
            self.ledger = SqliteLedger(self.database, author, wall_clock, secrets.token_bytes)
            self._founding.close()
            parts.callback(self.ledger.close)
            self.reader = SqliteReader(self.database, self.ledger.time)
            parts.callback(self.reader.close)
            self._prove()
            self.live = Live(self.ledger, self._access, self.ledger.time, self.ledger.seconds_until)
            self.disk = Disk(self.recordings, self.config.marks)
            self.scim_traffic = ScimTraffic()
            self.probes = Probes(self.node.name, wall_clock, secrets.token_bytes)
            self.sealing = Sealing(self.ledger, self.live, self.node.name)
            await self._begin(parts)
            async with self._listeners() if self.waits is None else self._cancelling():
                yield self

    def _waits(self) -> Announcement | None:
        """None where the ledger has all that was signed; else what was announced of it. Raises `Lacking` where nothing
        was."""
        try:
            hold_to_signed(self.database, self._signers)
        except Lacking:
            if (found := announced_continuation(self.database)) is None:
                raise
            return found
        return None

    def _prove(self) -> None:
        """What publishes the ledger, checks it and draws evidence from it."""
        config, log_folder = self.config, self.config.data / "log"
        witness = witness_of(config)
        self.anchors = Anchors(
            self.database,
            log_folder,
            config.origin,
            self.log_key,
            signing(self._signers),
            cosigning(witness),
            (VerifierKey.parse(config.witness_key),) if config.witness_key else (),
            self.ledger.time,
            kept_out(config),
        )
        self.self_check = SelfCheck(
            self.ledger,
            self._signers,
            self.database,
            log_folder,
            config.origin,
            witness,
            (self.log_key, *self.anchors.witness_keys),
            self.ledger.time,
            self.stopping,
        )
        self.recovery = Recovery(self.ledger, self.reader, self.recordings, self.recording_key, self.node.abandoned)
        self._evidence = Evidence(
            self.ledger,
            self.reader,
            self.database,
            self.anchors.tiles,
            config.data / "packs",
            config.origin,
            self.log_key,
            self.anchors.witness_keys,
            config.environment,
            self.ledger.time,
        )

    async def evidence(
        self, actor: Actor, starts: Instant, ends: Instant, progress: Progress = quiet
    ) -> Path | Refused:
        """An evidence pack of [starts, ends) in a temporary file, drawn for somebody who may."""
        return await self._evidence.draw(actor, Period(starts, ends), progress)

    def write_ready_file(self, path: Path) -> None:
        """All addresses as JSON, once every listener accepts."""
        config = self.config
        ready = {
            **({"metrics": self.operations.port} if config.metrics_at else {}),
            "console": config.url,
            "api": f"{config.url}/api/v1",
            "ssh": {"host": config.ssh_host, "port": self.ssh_port},
            **({"postgres": {"host": config.postgres_host, "port": port}} if (port := config.postgres_port) else {}),
            **({"mysql": {"host": config.mysql_host, "port": port}} if (port := config.mysql_port) else {}),
            "log_key": self.log_key.encode(),
            "origin": config.origin,
            "data": str(config.data),
            "pid": os.getpid(),
        }
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(json.dumps(ready, indent=2) + "\n")
        beside.rename(path)

    async def _begin(self, parts: contextlib.AsyncExitStack) -> None:
        after = self.ledger.size()
        origin, key, environment = self.config.origin, self.log_key.encode(), self.config.environment
        await append_event(self.ledger, SystemStarted(self.node.name, __version__, origin, key, environment))
        if self.waits is not None:
            parts.push_async_callback(self._end_jobs)
            return
        await self.recovery.of((self.node.name,))
        self.anchors.start()
        parts.push_async_callback(asyncio.to_thread, self.anchors.stop)
        parts.push_async_callback(self._end_jobs)
        self._jobs.start(*inner_jobs(self, after))

    @contextlib.asynccontextmanager
    async def _cancelling(self) -> AsyncIterator[None]:
        """The console alone, and of it what a waiting day needs (`waiting.py`); the outbox tells administrators."""
        from onepam.boot.web.app import create_web

        async def admit_no_more() -> None:
            self.operations.checks.stopping = True

        self.admit_no_more, self.ssh_port = admit_no_more, 0
        host, port = self.config.console_host, self.config.console_port
        with contextlib.closing(bound("the console", host, port, "console_port")) as console:
            self.config = replace(self.config, console_port=console.getsockname()[1])
            self.outbox, self.operations = outbox_of(self), Operations(self)
            web = only_cancelling(create_web(self))
            async with self.operations.listening(), web_server(web, console, self.config, self.doors):
                self._jobs.start(self.outbox.job())
                yield

    @contextlib.asynccontextmanager
    async def _listeners(self) -> AsyncIterator[None]:
        from onepam.boot.web.app import create_web

        config = self.config
        with (
            contextlib.closing(
                bound("the console", config.console_host, config.console_port, "console_port")
            ) as console,
            contextlib.closing(bound("SSH", config.ssh_host, config.ssh_port, "ssh_port")) as at_ssh,
            contextlib.ExitStack() as sockets,
        ):
            self.config = config = replace(config, console_port=console.getsockname()[1])
            self.ssh_port = at_ssh.getsockname()[1]
            self.gateway = self._shared()
            ssh_gateway = self._ssh_gateway()
            ssh = listen(
                at_ssh,
                host_keys(self.authorities, config.gateway_name),
                lambda: PersonDoor(ssh_gateway),
                self.doors.ssh,
                self.doors.turns,
                config.silent_seconds,
            )
            sockets.callback(
                ssh.close
            )  # also where the rest of the start fails: nobody else gets its descriptor's bytes
            others = databases(self, sockets)
            self.outbox = outbox_of(self)
            self.operations = Operations(self)
            probing = Jobs()

            async def admit_no_more() -> None:
                self.operations.checks.stopping = True
                self.gateway.tasks.stop()
                await probing.stop()  # a listener that is closed answers no probe: the next process asks
                ssh.close()
                for other in others:
                    other.close()

            self.admit_no_more = admit_no_more
            try:
                async with self.operations.listening(), web_server(create_web(self), console, self.config, self.doors):
                    self.operations.checks.listening |= {"ssh", "console"}
                    probing.start(prober_of(self).job())
                    self._jobs.start(*outer_jobs(self))
                    try:
                        yield
                    finally:
                        await admit_no_more()
                        self.live.end_all(SessionEnd.GATEWAY_STOPPED)  # pages that wait for a session hear it, too
            finally:
                await admit_no_more()
                self.live.end_all(SessionEnd.GATEWAY_STOPPED)
                if not await self.gateway.tasks.over(STOP_SECONDS):
                    log.error("sessions have not ended in %d s: the next start closes what they left", STOP_SECONDS)

    def _shared(self) -> Gateway:
        """What the sessions of every protocol share."""
        return Gateway(
            node=self.node.name,
            ledger=self.ledger,
            live=self.live,
            sealing=self.sealing,
            resolve=Egress(self.config.admitted, own_ports(self)).resolve,
            recordings=self.recordings,
            new_key=new_key_beside(self.recordings, self.envelope, secrets.token_bytes),
            new_code=partial(new_code, secrets.token_bytes),
            disk=self.disk,
            console_url=self.config.url,
            clock=self.ledger.time,
            random=secrets.token_bytes,
            pool=self.pool,
            statements=self.statements,
        )

    def _ssh_gateway(self) -> SshGateway:
        return SshGateway(
            shared=self.gateway,
            authorities=self.authorities,
            find_key=self._find_key,
            access=self._access,
            target_keys=lambda name: host_keys(self.authorities, name, TARGET_CERTIFICATE),
            at_port=lambda port: self.reader(at_port, None, port),
            machine=Egress().machine,
            own_ports=own_ports(self),
            probes=self.probes,
            prober=self.prober_key.public_data,
            source_addresses=self.config.source_addresses,
            wall=wall_clock,
        )

    async def _find_key(self, fingerprint: str) -> KeyHolder | None:
        return await self.reader(key_holder, None, fingerprint)

    async def _access(self, asked: Sequence[tuple[str, str]]) -> list[AccessFacts]:
        return await self.reader(access, None, asked)

    async def _end_jobs(self) -> None:
        self.stopping.set()
        await self._jobs.stop()
        with contextlib.suppress(Fault):
            await self.sealing.flush()


def settled() -> None:
    """What a start has loaded stays: else each full collection walks every module, and sessions stand still for a sixth
    of a second."""
    gc.set_threshold(*COLLECTED)
    gc.collect()
    gc.freeze()


async def run(config: Config, ready_file: Path | None) -> None:
    """`onepam up`: runs until SIGTERM or SIGINT; one that comes while it starts is heeded once it has."""
    stop = Stop()
    sys.setswitchinterval(SWITCH_SECONDS)
    async with Platform(config).running() as platform:
        if ready_file is not None:
            platform.write_ready_file(ready_file)
        settled()
        log.info("%s", kept_out(config))
        if platform.waits is not None:
            log.warning("%s", waiting_words(platform.waits, platform.config.url))
        else:
            log.info("console %s, ssh %s:%d", platform.config.url, config.ssh_host, platform.ssh_port)
        await stop.heeded(platform)
