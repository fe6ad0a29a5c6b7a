"""The life of one permitted session, whatever the protocol: recorder, dial, end, and the last word in the ledger.

A protocol gives the two legs (the client's connection and the target's) and what relays between them. Dial and recorder
begin side by side; nothing is forwarded before both are there, for only then a relay is made.

Whatever happens after the permit, the ledger hears how it ended: a client that has gone while the ledger wrote, a disk
that is full, a target that is down, a ledger that does not answer for a while.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from onepam.app.open_session import Opened
from onepam.app.ports import Ledger
from onepam.app.sessions.close_session import close_session, fail_session
from onepam.domain.sessions.ends import SessionEnd
from onepam.domain.sessions.events import SessionClosed, SessionFailed
from onepam.gateway.ask_first import WaitingStatements
from onepam.gateway.dials import Dials
from onepam.gateway.disk import Disk
from onepam.gateway.live import Live
from onepam.gateway.recorder import Recorder
from onepam.gateway.sealing import Sealing
from onepam.gateway.settling import settle
from onepam.gateway.tasks import Tasks
from onepam.kernel.clock import Clock, Instant
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import RandomBytes
from onepam.recording.frames import Opened as RecordingOpened

log = logging.getLogger(__name__)

LINGER_SECONDS = 1.0
"""How long the relay may take to tell the client that its target is gone, before we hang up."""

SILENT_SECONDS = 10.0
"""How long both connections may take to close. What takes longer has no time of its last byte."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of this process that the sessions of every protocol share.

    `resolve` gives the IP address that may be dialled for a target's address and port (egress/). `new_key` makes the
    key of a session's recording and lays it, wrapped, beside the recording; it may block, and raises `OSError` or
    `Fault`. `new_code` makes what a client is shown and its person types into the browser, and the hex digest that it
    is known by. `clock` is the ledger's time.
    """

    node: str
    ledger: Ledger
    live: Live
    sealing: Sealing
    resolve: Callable[[str, int], Awaitable[str | Refused]]
    recordings: Path
    new_key: Callable[[str], bytes]
    new_code: Callable[[], tuple[str, str]]
    disk: Disk
    console_url: str
    clock: Clock
    random: RandomBytes
    pool: Executor
    tasks: Tasks = field(default_factory=Tasks)
    dials: Dials = field(default_factory=Dials)
    statements: WaitingStatements = field(default_factory=WaitingStatements)


class ClientLeg(Protocol):
    """The connection to the person's client. It is there before the session. `left` says why it has gone, once it has
    gone by itself."""

    left: SessionEnd

    def is_closed(self) -> bool: ...

    async def wait_closed(self) -> None:
        """Returns when the client has gone, or is of no more interest because we have parted."""

    def part(self, words: str) -> asyncio.Event:
        """End it now: nothing more is relayed, and a client that still reads hears `words`. The event is set when
        nothing more is sent, not even by our kernel."""


class TargetLeg(Protocol):
    """The connection to the target. `left` says why it was lost, once it was."""

    left: SessionEnd

    def cut(self) -> None:
        """End it now; what our kernel holds for the target is dropped."""

    async def wait_closed(self) -> None: ...


class Relay(Protocol):
    """What passes between the legs, and is recorded before it does."""

    def tell(self, words: str) -> None:
        """One line for a person who sits at a terminal of this session, recorded first; no program hears it."""

    async def close(self) -> None:
        """The client has gone: let what it sent last reach the target, then hang up."""

    def abort(self) -> None:
        """End both legs now: what is recorded is recorded on return, and nothing more passes either way."""


T = TypeVar("T", bound=TargetLeg)
R = TypeVar("R", bound=Relay)


class Legs(ABC, Generic[T, R]):
    """What a protocol gives its session. `protocol` is its name in the recording."""

    protocol: str
    client: ClientLeg

    @abstractmethod
    async def dial(self, opened: Opened, address: str) -> T | Refused:
        """The connection to the target at an IP address that was admitted, which is the pinned one and lets the
        permit's login in; or why not (`SessionEnd`). A cancelled dial leaves no connection."""

    @abstractmethod
    def relay(self, opened: Opened, target: "asyncio.Future[T | Refused]", recorder: Recorder) -> R:
        """What relays from now on; what the client asks before the target is there waits for it."""


class _Stage(Enum):
    RUNNING = auto()
    ENDED = auto()


class Session(Generic[T, R]):
    """A session from before its opening; `end` may be called at any time. The first reason is the one that counts, and
    after the end there is none."""

    def __init__(self, gateway: Gateway, legs: Legs[T, R]) -> None:
        self._gateway = gateway
        self._legs = legs
        self._client = legs.client
        self._stage = _Stage.RUNNING
        self._why: SessionEnd | None = None
        self._failure: Refused | None = None
        self._parted: asyncio.Event | None = None
        self._target: asyncio.Task[T | Refused] | None = None
        self._relay: R | None = None

    def end(self, because: SessionEnd) -> None:
        """The session is over now, for the first reason that is given. The client hears it while it still listens."""
        if self._stage is _Stage.ENDED:
            return
        self._why = self._why or because
        if self._parted is None:
            self._parted = self._client.part(because.told)
        if self._relay is not None:
            self._relay.abort()
        elif self._target is not None:
            self._target.cancel()

    def tell(self, words: str) -> None:
        """One line for whoever sits at a terminal of this session while it goes on."""
        if self._relay is not None and self._why is None and self._stage is _Stage.RUNNING:
            self._relay.tell(f"OnePAM: {words}")

    async def begin(self, opened: Opened) -> R | Refused:
        """From the permit to a relay; a session that cannot be recorded or relayed has failed."""
        gateway, recorder = self._gateway, None
        target = self._target = gateway.tasks.spawn(self._dial(opened))
        try:
            recorder = await self._recorder(opened)
            relay = self._relay = self._legs.relay(opened, target, recorder)
        except Exception as fault:  # whatever it is, the permit has an end and the target is left
            expected = recorder is None and _expected(fault)
            log.error("session %s cannot begin: %s", opened.session, fault, exc_info=not expected)
            await self._never_began(opened, target, recorder, fault)
            if recorder is None:
                return Refused("recorder.failed", "This session cannot be recorded, so it is not opened.")
            return Refused(SessionEnd.GATEWAY_FAILED, "The gateway failed, so this session is not opened.")
        gateway.tasks.spawn(self._conclude(opened, target, relay, recorder))
        return relay

    async def _never_began(
        self, opened: Opened, target: "asyncio.Task[T | Refused]", recorder: Recorder | None, fault: Exception
    ) -> None:
        """The end of a session of which nothing has passed; a recording that has begun ends with it."""
        gateway = self._gateway
        because = self._why or (SessionEnd.GATEWAY_FAILED if recorder else SessionEnd.RECORDER_FAILED)
        self._stage = _Stage.ENDED
        gateway.live.unregister(opened.session)
        await _hang_up(target)
        if recorder is not None:
            await recorder.close(because.value)
            gateway.sealing.closed(opened.session)
        failed = SessionFailed(opened.session, because, detail=str(fault))
        gateway.tasks.spawn(settle(lambda: fail_session(gateway.ledger, failed)))

    async def _recorder(self, opened: Opened) -> Recorder:
        gateway, session = self._gateway, opened.session
        key = await asyncio.get_running_loop().run_in_executor(gateway.pool, gateway.new_key, session)
        return await Recorder.start(
            gateway.recordings,
            session,
            key,
            RecordingOpened(
                0, session, opened.person, opened.resource, opened.login, self._legs.protocol, opened.opened
            ),
            strict=opened.privileged,
            share=gateway.disk.share(session, opened.person, self.end),
            pool=gateway.pool,
            on_head=lambda head: gateway.sealing.moved(session, head.seq, head.digest.hex()),
            on_failure=lambda failure: self._unrecorded(),
        )

    def _unrecorded(self) -> None:
        if self._relay is not None:  # else `Recorder.start` raises
            self.end(SessionEnd.RECORDER_FAILED)

    async def _dial(self, opened: Opened) -> T | Refused:
        """The connection to the target, or why there is none; never an exception."""
        if self._why is not None or self._client.is_closed():
            return Refused(self._why or SessionEnd.CLIENT_LEFT, "the session has ended")
        try:
            async with self._gateway.dials.place(opened.person, opened.resource) as refused:
                answer = refused or await self._reach(opened)
        except Exception:
            log.exception("session %s: the target could not be dialled", opened.session)
            answer = Refused(SessionEnd.GATEWAY_FAILED, SessionEnd.GATEWAY_FAILED.words)
        if isinstance(answer, Refused):
            self._failure = answer
        return answer

    async def _reach(self, opened: Opened) -> T | Refused:
        address = await self._gateway.resolve(opened.address, opened.port)
        return address if isinstance(address, Refused) else await self._legs.dial(opened, address)

    async def _conclude(
        self, opened: Opened, target: "asyncio.Task[T | Refused]", relay: R, recorder: Recorder
    ) -> None:
        """Waits for the end of either connection and writes the session's last word."""
        gateway, session = self._gateway, opened.session
        await self._over(target)
        try:
            if self._why is None:
                await relay.close()
            else:
                relay.abort()
        except Exception:  # the last word is written all the same, and nothing stays connected
            log.exception("session %s could not be hung up", session)
            self._parted = self._parted or self._client.part(SessionEnd.GATEWAY_FAILED.told)
            gateway.tasks.spawn(_hang_up(target))
        self._stage = _Stage.ENDED
        failed = self._failed()
        because = self._why or failed or self._client.left
        last_byte = gateway.tasks.spawn(self._last_byte(session, target))
        recorded = await recorder.close(because.value)
        gateway.live.unregister(session)
        gateway.sealing.closed(session)
        if self._failure is not None and because is failed:
            failure = SessionFailed(session, because, detail=self._failure.message)
            await settle(lambda: fail_session(gateway.ledger, failure))
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

    def _failed(self) -> SessionEnd | None:
        """Why the target was never reached."""
        return SessionEnd.of(self._failure.code, SessionEnd.GATEWAY_FAILED) if self._failure is not None else None

    async def _last_byte(self, session: str, target: "asyncio.Task[T | Refused]") -> Instant | None:
        """Now, once both connections are closed by us: we send nothing more to the client or the target. Of a session
        that was ended nothing more is sent by our kernel either, for it was told to drop what it held. Of one that the
        client left, what it sent last was handed to the kernel by now, and may reach the target a moment later."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                if self._parted is not None:
                    await self._parted.wait()
                await asyncio.wait((target,))
                if (dialled := _leg(target)) is not None:
                    await dialled.wait_closed()
        except TimeoutError:
            log.error("session %s: its connections do not close", session)
            return None
        return self._gateway.clock()

    async def _over(self, target: "asyncio.Task[T | Refused]") -> None:
        """Until the person has gone. Without a target there is nothing to stay for: the client is told, then cut."""
        loop = asyncio.get_running_loop()
        gone = loop.create_task(self._client.wait_closed())
        lost = loop.create_task(_lost(target))
        await asyncio.wait((gone, lost), return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            dialled = _leg(target)
            self._why = self._why or self._failed() or (dialled.left if dialled else SessionEnd.TARGET_LOST)
            await asyncio.wait((gone,), timeout=LINGER_SECONDS)
        if not gone.done():
            self.end(self._why or SessionEnd.TARGET_LOST)
        lost.cancel()
        await gone


def _expected(fault: Exception) -> bool:
    return isinstance(fault, Fault | OSError)


def _leg(target: "asyncio.Future[T | Refused]") -> T | None:
    """The connection of a dial that is over, if there is one."""
    if target.cancelled() or isinstance(dialled := target.result(), Refused):
        return None
    return dialled


async def _hang_up(target: "asyncio.Task[T | Refused]") -> None:
    """Ends a dial and whatever it has reached."""
    target.cancel()
    await asyncio.wait((target,))
    if (dialled := _leg(target)) is not None:
        dialled.cut()
        with suppress(TimeoutError):
            async with asyncio.timeout(SILENT_SECONDS):
                await dialled.wait_closed()


async def _lost(target: "asyncio.Task[T | Refused]") -> None:
    """Returns when there is no target, or no longer."""
    dialled = await asyncio.shield(target)
    if not isinstance(dialled, Refused):
        await dialled.wait_closed()
