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
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh

from onepam import __version__
from onepam.app.leaving.decide_hold import lapse_person_hold, remind_of
from onepam.app.people.end_overdue_person import end_overdue_person
from onepam.app.provisioning.traffic import ScimTraffic
from onepam.app.requests.expire_access import expire_access
from onepam.app.requests.lapse_proposals import lapse_proposals
from onepam.app.sessions.close_session import append_event
from onepam.boot.clock import wall_clock
from onepam.boot.config import Config
from onepam.boot.doors import Doors, bound
from onepam.boot.eras import follow_seams
from onepam.boot.node import Node
from onepam.boot.outbox import Outbox, Receivers
from onepam.boot.private_folder import private_folder
from onepam.boot.roster import fresh as fresh_id
from onepam.boot.roster import keep_roster
from onepam.boot.self_check import SelfCheck
from onepam.boot.ssh_keys import host_keys
from onepam.boot.stopping import Stop
from onepam.boot.upgrading import watch_release
from onepam.boot.web.operations import Operations
from onepam.boot.web.server import web_server
from onepam.domain.access.authority import Actor
from onepam.domain.access.decision import AccessFacts
from onepam.domain.history.system import SystemStarted
from onepam.domain.sessions.ends import SessionEnd
from onepam.egress.egress import Egress
from onepam.evidence.envelope import Period
from onepam.gateway.disk import Disk
from onepam.gateway.live import Live
from onepam.gateway.playback import Playback
from onepam.gateway.probes import Probes
from onepam.gateway.recover import recover
from onepam.gateway.sealing import Sealing
from onepam.gateway.session import Gateway
from onepam.identity.tokens import new_code
from onepam.jobs.anchors import Anchors
from onepam.jobs.evidence import Evidence
from onepam.jobs.handing_out import HandingOut
from onepam.jobs.probing import Listeners, Prober
from onepam.jobs.recording_check import RecordingChecks, key_beside, new_key_beside, sealed_by
from onepam.jobs.signer_process import SignerProcess
from onepam.kernel.clock import Instant
from onepam.kernel.errors import Fault, Refused
from onepam.ledger.checkpoint import Checkpoint
from onepam.ledger.note import Note, Signature, VerifierKey
from onepam.protocols.ssh.door import listen
from onepam.protocols.ssh.serve import PersonDoor
from onepam.protocols.ssh.session import SshGateway
from onepam.signing.witness import WitnessClient
from onepam.store.engine.ledger import SqliteLedger
from onepam.store.engine.publish import Cosign, Prove
from onepam.store.engine.reader import SqliteReader
from onepam.store.read.access import access
from onepam.store.read.directory_brake import lapsed_holds, reminders_due
from onepam.store.read.live import open_sessions
from onepam.store.read.overdue import overdue_people
from onepam.store.read.proofs_of_sign_in import KeyHolder, key_holder
from onepam.vault.authorities import Authorities
from onepam.vault.envelope import Envelope
from onepam.vault.file_keys import FileKeys

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0
RECOVERY_SECONDS = 15.0
EXPIRY_SECONDS = 15.0
SWITCH_SECONDS = 0.0005
"""How long a busy thread keeps the interpreter from the event loop, on which the bytes of live sessions pass."""


class Platform:
    """Everything that runs in one `onepam up`. Use `running()`."""

    def __init__(self, config: Config) -> None:
        self.config = config
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
        self._tasks: list[asyncio.Task[Any]] = []
        self._stopping = threading.Event()
        self.replaced = asyncio.Event()
        self._prober_key = asyncssh.generate_private_key("ssh-ed25519")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Platform"]:
        """Starts the ledger and all that follows it; listeners come last. Raises `Fault` when a part cannot start.

        Whatever has started is stopped again, in the opposite order.
        """
        async with contextlib.AsyncExitStack() as parts:
            parts.callback(self.node.release)
            parts.callback(self.pool.shutdown)
            parts.callback(self.playback.close)
            config = self.config
            began_under = follow_seams(self.database, config)
            self._signers = SignerProcess(config.signer_socket, config.data / "signer", config.origin, began_under)
            parts.push_async_callback(asyncio.to_thread, self._signers.stop)
            self.log_key = (await asyncio.to_thread(self._signers.client)).vkey()
            (self.config.data / "log-key").write_text(self.log_key.encode() + "\n", "utf-8")
            self.ledger = SqliteLedger(self.database, self.node.name, wall_clock, secrets.token_bytes)
            parts.callback(self.ledger.close)
            self.reader = SqliteReader(self.database, self.ledger.time)
            parts.callback(self.reader.close)
            self.anchors = self._anchors()
            self._evidence = Evidence(
                self.ledger,
                self.reader,
                self.database,
                self.anchors.tiles,
                self.config.data / "packs",
                self.config.origin,
                self.log_key,
                self.anchors.witness_keys,
                self.config.environment,
                self.ledger.time,
            )
            self.live = Live(self.ledger, self._access, self.ledger.time, self.ledger.seconds_until)
            self.disk = Disk(self.recordings, self.config.marks)
            self.scim_traffic = ScimTraffic()
            self.probes = Probes(self.node.name, wall_clock, secrets.token_bytes)
            self.sealing = Sealing(self.ledger, self.live, self.node.name)
            await self._begin(parts)
            async with self._listeners():
                yield self

    async def evidence(self, actor: Actor, starts: Instant, ends: Instant) -> Path | Refused:
        """An evidence pack of [starts, ends) in a temporary file, drawn for somebody who may."""
        return await self._evidence.draw(actor, Period(starts, ends))

    def write_ready_file(self, path: Path) -> None:
        """All addresses as JSON, once every listener accepts."""
        ready = {
            **({"metrics": self.operations.port} if self.config.metrics_at else {}),
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

    async def _begin(self, parts: contextlib.AsyncExitStack) -> None:
        after = self.ledger.size()
        started = SystemStarted(self.node.name, __version__, self.config.origin, self.log_key.encode())
        await append_event(self.ledger, started)
        await self._recover((self.node.name,))
        self.anchors.start()
        parts.push_async_callback(asyncio.to_thread, self.anchors.stop)
        parts.push_async_callback(self._end_tasks)
        self._run("live", lambda: self.live.follow(after))
        self._run("sealing", self.sealing.run)
        self._run("disk", lambda: self.disk.run(self.ledger, self.node.name))
        self._run("expiry", self._expire)
        self._run("release", lambda: watch_release(self.reader, self.replaced))
        self._run("doors", lambda: self.doors.watch(self.ledger, self.reader, self.node.name))
        self._run("recovery", self._recover_others)
        keys = (self.log_key, *self.anchors.witness_keys)
        self.self_check = SelfCheck(self.ledger, self._signers, self.config, self.database, keys, self._stopping)
        self._run("verification", self.self_check.run)
        self._run("handing out", HandingOut(self.ledger, self.anchors, self.config.origin).run)
        checks = RecordingChecks(
            self.ledger, self.reader, self.recordings, self.recording_key, self.node.name, self._stopping
        )
        self._run("recordings", checks.run)

    def _run(self, name: str, job: Callable[[], Awaitable[None]]) -> asyncio.Task[Any]:
        """A task of the platform; one that ends by an error is logged and begun again after a second."""

        async def forever() -> None:
            while True:
                try:
                    await job()
                except Exception:
                    log.exception("%s stopped; it begins again", name)
                await asyncio.sleep(1)

        task = asyncio.get_running_loop().create_task(forever(), name=name)
        self._tasks.append(task)
        return task

    def _prober(self) -> Prober:
        config, tls = self.config, self.config.tls
        listeners = Listeners(
            ssh_host=config.ssh_host,
            ssh_port=self.ssh_port,
            host_key=self.authorities.gateway_host_key.convert_to_public(),
            key=self._prober_key,
            console_host=config.console_host,
            console_port=config.console_port,
            certificate=tls[0] if tls else None,
        )
        return Prober(self.ledger, self.reader, self.probes, listeners, self.ledger.time, secrets.token_bytes)

    def _outbox(self) -> Outbox:
        receivers = Receivers.of(self.config, frozenset({self.ssh_port, self.config.console_port}))
        return Outbox(self.config, receivers, self.ledger, self.reader, wall_clock)

    @contextlib.asynccontextmanager
    async def _listeners(self) -> AsyncIterator[None]:
        from onepam.boot.web.app import create_web

        config = self.config
        with (
            contextlib.closing(bound("the console", config.console_host, config.console_port)) as console,
            contextlib.closing(bound("SSH", config.ssh_host, config.ssh_port)) as at_ssh,
        ):
            self.config = config = replace(config, console_port=console.getsockname()[1])
            self.gateway = self._shared()
            ssh_gateway = self._ssh_gateway()
            self.ssh_port: int = at_ssh.getsockname()[1]
            ssh = listen(
                at_ssh,
                host_keys(self.authorities, config.gateway_name),
                lambda: PersonDoor(ssh_gateway),
                self.doors.ssh,
                self.doors.turns,
                config.ssh_silent_seconds,
            )
            self.outbox = self._outbox()
            self.operations = Operations(self)

            def admit_no_more() -> None:
                self.operations.checks.stopping = True
                ssh.close()
                self.gateway.tasks.stop()

            self.admit_no_more = admit_no_more
            try:
                async with self.operations.listening(), web_server(create_web(self), console, self.config, self.doors):
                    self.operations.checks.listening |= {"ssh", "console"}
                    probing = self._run("probes", self._prober().run)
                    self._run("roster", lambda: keep_roster(self))
                    self._run("outbox", self.outbox.run)
                    try:
                        yield
                    finally:
                        probing.cancel()
            finally:
                admit_no_more()
                self.live.end_all(SessionEnd.GATEWAY_STOPPED)
                if not await self.gateway.tasks.over(STOP_SECONDS):
                    log.error("sessions have not ended in %d s: the next start closes what they left", STOP_SECONDS)

    async def _recover(self, nodes: Sequence[str]) -> None:
        for node in nodes:
            left = await self.reader(open_sessions, None, node)
            await recover(self.ledger, left, self.recordings, self.recording_key, sealed_by(self.reader))

    async def _recover_others(self) -> None:
        """Closes what processes have left open that died and were not started again."""
        while True:
            with self.node.abandoned() as nodes:
                await self._recover(nodes)
            await asyncio.sleep(RECOVERY_SECONDS)

    async def _expire(self) -> None:
        """Receipts for what has ended by itself; nothing depends on their being on time."""
        while True:
            await expire_access(self.ledger)
            await lapse_proposals(self.ledger)
            for person in await self.reader(overdue_people):
                await end_overdue_person(self.ledger, person, fresh_id)
            for person in await self.reader(lapsed_holds):
                await lapse_person_hold(self.ledger, person, fresh_id)
            for hold in await self.reader(reminders_due):
                await remind_of(self.ledger, hold)
            await asyncio.sleep(EXPIRY_SECONDS)

    def _shared(self) -> Gateway:
        """What the sessions of every protocol share."""
        return Gateway(
            node=self.node.name,
            ledger=self.ledger,
            live=self.live,
            sealing=self.sealing,
            resolve=Egress(self.config.admitted, frozenset({self.config.ssh_port, self.config.console_port})).resolve,
            recordings=self.recordings,
            new_key=new_key_beside(self.recordings, self.envelope, secrets.token_bytes),
            new_code=partial(new_code, secrets.token_bytes),
            disk=self.disk,
            console_url=self.config.url,
            clock=self.ledger.time,
            random=secrets.token_bytes,
            pool=self.pool,
        )

    def _ssh_gateway(self) -> SshGateway:
        return SshGateway(
            shared=self.gateway,
            authorities=self.authorities,
            find_key=self._find_key,
            probes=self.probes,
            prober=self._prober_key.public_data,
            source_addresses=self.config.source_addresses,
            wall=wall_clock,
        )

    async def _find_key(self, fingerprint: str) -> KeyHolder | None:
        return await self.reader(key_holder, None, fingerprint)

    async def _access(self, asked: Sequence[tuple[str, str]]) -> list[AccessFacts]:
        return await self.reader(access, None, asked)

    def _anchors(self) -> Anchors:
        def sign(checkpoint: Checkpoint, prove: Prove) -> bytes | Refused:
            client = self._signers.client()
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
            self.ledger.time,
        )

    def _cosign(self) -> Cosign | None:
        if not self.config.witness:
            return None
        witness = WitnessClient(self.config.witness, VerifierKey.parse(self.config.witness_key))
        known = 0

        def cosign(note: bytes, prove: Prove) -> tuple[Signature, ...] | Refused:
            nonlocal known
            answer = witness.submit(note, known, lambda old, new: prove(old))
            if isinstance(answer, Refused):
                return answer
            known = Checkpoint.parse(Note.parse(note).text).size
            return (answer[0],)

        return cosign

    async def _end_tasks(self) -> None:
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(Fault):
            await self.sealing.flush()


async def run(config: Config, ready_file: Path | None) -> None:
    """`onepam up`: runs until SIGTERM or SIGINT; one that comes while it starts is heeded once it has."""
    stop = Stop()
    sys.setswitchinterval(SWITCH_SECONDS)
    async with Platform(config).running() as platform:
        if ready_file is not None:
            platform.write_ready_file(ready_file)
        gc.collect()
        gc.freeze()  # else each full collection walks every module, and sessions stand still for a sixth of a second
        log.info("console %s, ssh %s:%d", config.url, config.ssh_host, platform.ssh_port)
        await stop.heeded(platform)
