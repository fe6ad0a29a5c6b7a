"""One permitted session: the recorder first, then the dial and the relay, and the last word in the ledger.

Whatever happens after the permit, the ledger hears how it ended: a client that has gone while the ledger wrote, a disk
that is full, a target that is down, a ledger that does not answer for a while.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

import asyncssh
from asyncssh.constants import DEFAULT_LANG, DISC_BY_APPLICATION

from onepam.app.open_session import Opened
from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import close_session, fail_session
from onepam.domain.access.model import Action, Recording
from onepam.domain.sessions.events import SessionClosed, SessionFailed
from onepam.egress.egress import Egress
from onepam.gateway.disk import ENDED, Disk
from onepam.gateway.live import Live
from onepam.gateway.probes import Probes
from onepam.gateway.recorder import Recorder
from onepam.gateway.sealing import Sealing
from onepam.gateway.tasks import Tasks
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import RandomBytes
from onepam.protocols.ssh.connections import PersonConnection, TargetConnection, cut
from onepam.protocols.ssh.dial import dial
from onepam.protocols.ssh.relay import Relay
from onepam.protocols.ssh.tap import Kind
from onepam.recording.frames import Opened as RecordingOpened
from onepam.store.read.proofs_of_sign_in import KeyHolder
from onepam.vault.authorities import Authorities, target_principal
from onepam.vault.envelope import Envelope
from onepam.vault.files import create_private

log = logging.getLogger(__name__)

DIAL_SECONDS = 30.0
"""How long a target may take until it lets us in: a busy machine, ours or the target's, takes its time."""

LINGER_SECONDS = 1.0
"""How long the channels may take to tell the client that its target is gone, before we hang up."""

PARTING_SECONDS = 0.3
"""How long the last words may take to a client that reads."""

SILENT_SECONDS = 10.0
"""How long both connections may take to close. What takes longer has no time of its last byte."""

SETTLE_SECONDS = 1.0

_KINDS: dict[Action, Kind] = {Action.SHELL: "pty", Action.EXEC: "exec", Action.SFTP: "sftp"}
_ENDS = {
    "killed": "this session was ended by order",
    "expired": "the time of this access is over",
    "person.disabled": "this account has been disabled",
    "person.held": "your company's directory says that you have left",
    "session.revoked": "this sign-in was revoked: sign in again",
    "factors.replaced": "the password or second factor of this account was replaced: sign in again",
    "provider.logout": "you signed out at your identity provider",
    "service.key": "the key of this service account was removed",
    "access.narrowed": "this access was narrowed: connect again for what is left of it",
    "resource.unknown": "this access was taken away",
    "resource.moved": "the target has another address now: connect again",
    ENDED: "the disk that holds the recordings is nearly full, and this session wrote most to it",
    "recorder.failed": "this session cannot be recorded any more",
    "ledger.unavailable": "the ledger does not answer, and nothing runs without it",
    "gateway.stopped": "the gateway is being stopped: connect again in a moment",
    "target.lost": "the connection to the target was lost",
}


@dataclass(frozen=True, slots=True)
class SshGateway:
    """What the SSH listener needs. `find_key` says by its fingerprint whose key it is; `prober` is the public key of
    this process's own prober."""

    node: str
    ledger: Ledger
    live: Live
    sealing: Sealing
    egress: Egress
    authorities: Authorities
    envelope: Envelope
    find_key: Callable[[str], Awaitable[KeyHolder | None]]
    probes: Probes
    prober: bytes
    recordings: Path
    disk: Disk
    source_addresses: tuple[str, ...]
    console_url: str
    clock: Clock
    wall: Clock
    random: RandomBytes
    pool: Executor
    tasks: Tasks = field(default_factory=Tasks)


class _Stage(Enum):
    RUNNING = auto()
    ENDED = auto()


class Session:
    """A session from before its opening; `end` may be called at any time. The first reason is the one that counts, and
    after the end there is none."""

    relay: Relay | None = None

    def __init__(self, gateway: SshGateway, person: PersonConnection) -> None:
        self._gateway = gateway
        self._person = person
        self._stage = _Stage.RUNNING
        self._why: str | None = None
        self._failure: Refused | None = None
        self._parting: _Parting | None = None

    def end(self, because: str) -> None:
        """The session is over now, for the first reason that is given. The client hears it while it still listens."""
        if self._stage is _Stage.ENDED:
            return
        self._why = self._why or because
        words = _ENDS.get(because, f"this access has ended ({because})")
        self._parting = self._parting or _part(self._person, words)
        if self.relay is not None:
            self.relay.abort()

    async def begin(self, opened: Opened) -> Relay | Refused:
        """From the permit to a relay; a session that cannot be recorded has failed."""
        gateway = self._gateway
        try:
            recorder = await self._recorder(opened)
        except (Fault, OSError) as fault:
            log.error("session %s cannot be recorded: %s", opened.session, fault)
            gateway.live.unregister(opened.session)
            failed = SessionFailed(opened.session, "recorder.failed", detail=str(fault))
            gateway.tasks.spawn(settle(lambda: fail_session(gateway.ledger, failed)))
            return Refused("recorder.failed", "This session cannot be recorded, so it is not opened.")
        target = gateway.tasks.spawn(self._dial(opened))
        kinds = frozenset(_KINDS[action] for action in opened.actions)
        excerpt = opened.recording is Recording.HEAD_TAIL
        admitted = opened.environment
        self.relay = Relay(self._person, target, recorder, kinds, excerpt=excerpt, environment=admitted)
        gateway.tasks.spawn(self._conclude(opened, self.relay, recorder))
        return self.relay

    async def _recorder(self, opened: Opened) -> Recorder:
        gateway, session = self._gateway, opened.session
        loop = asyncio.get_running_loop()
        key, wrapped = gateway.envelope.new_data_key(f"recording/{session}".encode("ascii"))
        kept = gateway.recordings / f"{session}.key"
        await loop.run_in_executor(gateway.pool, create_private, kept, wrapped, gateway.random)
        return await Recorder.start(
            gateway.recordings,
            session,
            key.reveal(),
            RecordingOpened(0, session, opened.person, opened.resource, opened.login, "ssh", opened.opened),
            strict=opened.privileged,
            share=gateway.disk.share(session, opened.person, self.end),
            pool=gateway.pool,
            on_head=lambda head: gateway.sealing.moved(session, head.seq, head.digest.hex()),
            on_failure=lambda failure: self.end("recorder.failed") if self.relay else None,  # else `start` raises
        )

    async def _dial(self, opened: Opened) -> TargetConnection | Refused:
        """The connection to the target, or why there is none; never an exception."""
        if self._why is not None or self._person.is_closed():
            return Refused(self._why or "client.closed", "the session has ended")
        try:
            answer = await self._connect(opened)
        except Exception:
            log.exception("session %s: the target could not be dialled", opened.session)
            answer = Refused("gateway.failed", "the gateway failed before it reached the target")
        if isinstance(answer, Refused):
            self._failure = answer
        return answer

    async def _connect(self, opened: Opened) -> TargetConnection | Refused:
        gateway = self._gateway
        address = await gateway.egress.resolve(opened.address, opened.port)
        if isinstance(address, Refused):
            return address
        certified = gateway.authorities.target.issue(
            opened.session,
            [target_principal(opened.login, opened.resource)],
            gateway.source_addresses,
            gateway.wall(),
            pty=Action.SHELL in opened.actions,
        )
        pins = [asyncssh.import_public_key(each) for each in opened.host_keys]
        return await dial(address, opened.port, opened.login, certified.key, certified.certificate, pins, DIAL_SECONDS)

    async def _conclude(self, opened: Opened, relay: Relay, recorder: Recorder) -> None:
        """Waits for the end of either connection and writes the session's last word."""
        gateway, session = self._gateway, opened.session
        await self._over(relay)
        if self._why is None:
            await relay.close()
        else:
            relay.abort()
        self._stage = _Stage.ENDED
        because = self._why or (self._failure.code if self._failure else "client.closed")
        last_byte = gateway.tasks.spawn(self._last_byte(session, relay))
        recorded = await recorder.close(because)
        gateway.live.unregister(session)
        gateway.sealing.closed(session)
        failure = self._failure
        if failure is not None and because == failure.code:
            failed = SessionFailed(session, because, detail=failure.message)
            await settle(lambda: fail_session(gateway.ledger, failed))
            return
        closed = SessionClosed(
            session=session,
            because=because,
            head=recorded.head.digest.hex(),
            chunks=recorded.head.seq,
            counts=dict(recorded.counts),
            verified=recorded.verified,
            gap=recorded.problem or None,
            last_byte=await last_byte,
        )
        await settle(lambda: close_session(gateway.ledger, closed))

    async def _last_byte(self, session: str, relay: Relay) -> Instant | None:
        """Now, once both connections are closed: nothing more was sent to the client or the target."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                if self._parting is not None:
                    await self._parting.over.wait()
                await asyncio.wait((relay.target,))
                if not relay.target.cancelled() and isinstance(dialled := relay.target.result(), TargetConnection):
                    await dialled.wait_closed()
        except TimeoutError:
            log.error("session %s: its connections do not close", session)
            return None
        return self._gateway.clock()

    async def _over(self, relay: Relay) -> None:
        """Until the person has gone. Without a target there is nothing to stay for: the client is told, then cut."""
        loop = asyncio.get_running_loop()
        gone = loop.create_task(self._person.wait_closed())
        lost = loop.create_task(_lost(relay))
        await asyncio.wait((gone, lost), return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            self._why = self._why or (self._failure.code if self._failure else "target.lost")
            await asyncio.wait((gone,), timeout=LINGER_SECONDS)
        if not gone.done():
            self.end(self._why or "target.lost")
        lost.cancel()
        await gone


class _Parting(asyncio.Protocol):
    """What a client still sends after the end: read, so that it can read our last words, and dropped."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.over = asyncio.Event()
        self._patience = asyncio.get_running_loop().call_later(PARTING_SECONDS, cut, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        self.over.set()


def _part(person: PersonConnection, words: str) -> _Parting | None:
    """Ends the connection as asyncssh's own abort does, yet what was forwarded already and the reason still reach a
    client that reads; from one that does not the rest is kept, even by our kernel. None where it has ended already."""
    transport: asyncio.Transport | None = person._transport
    if transport is None:
        return None
    loop = asyncio.get_running_loop()
    with suppress(asyncssh.Error):
        person._send_disconnect(DISC_BY_APPLICATION, f"OnePAM: {words}.", DEFAULT_LANG)
    person._transport = None
    parting = _Parting(transport)
    transport.set_protocol(parting)
    transport.write_eof()
    loop.call_soon(person._cleanup, None)
    return parting


async def settle(write: Callable[[], Awaitable[Refused | None]]) -> None:
    """Writes how something ended, however long the ledger is away. What a stop of the gateway cuts off, the next start
    recovers."""
    while True:
        try:
            await write()
            return
        except Fault as fault:
            log.error("the end of a session waits for the ledger: %s", fault)
            await asyncio.sleep(SETTLE_SECONDS)


async def _lost(relay: Relay) -> None:
    """Returns when there is no target, or no longer."""
    dialled = await asyncio.shield(relay.target)
    if isinstance(dialled, TargetConnection):
        await dialled.wait_closed()
