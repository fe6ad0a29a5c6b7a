"""Relays one session: what either side sends goes through the conversation, and is recorded before it goes on."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.recorder import Recorder, RecorderFailed
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.protocols.sql.asker import CANCELLED, LEFT, OVER, SKIPPED, Asker
from onepam.protocols.sql.conversation import Conversation
from onepam.protocols.sql.events import Step
from onepam.protocols.sql.journal import frames
from onepam.protocols.sql.person import PersonLeg
from onepam.protocols.sql.target import TargetLeg
from onepam.recording.frames import Marker

log = logging.getLogger(__name__)
_pool = ThreadPoolExecutor(2, thread_name_prefix="sql")

LATE_BYTES = 256 * 1024
"""What may wait for the client while a statement is cancelled, before no more is read from the target."""

GRACE_SECONDS = 5.0
"""How long what the client sent last may take to reach the target after the client has gone."""


_CANCELLED: Final = Refused(CANCELLED, "the statement was cancelled while it waited.")
_SKIPPED: Final = Refused(SKIPPED, "an error came before it.")

P = TypeVar("P", bound=PersonLeg)
T = TypeVar("T", bound=TargetLeg)


class Relay(ABC, Generic[P, T]):
    """`target` is the dialled connection, or why there is none; the client hears nothing before it is there."""

    def __init__(
        self,
        client: P,
        target: "asyncio.Future[T | Refused]",
        recorder: Recorder,
        tasks: Tasks,
        asker: Asker | None = None,
    ) -> None:
        self._asker = asker
        self._client, self._recorder, self._tasks = client, recorder, tasks
        self._target = target
        self._there: T | None = None
        self._conversation: Conversation[Any] | None = None
        self._ended = self._held = self._waits = False
        self._stopping: asyncio.Task[None] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._behind: Callable[[], object] | None = None
        self._early: list[bytes] = []
        self._late: list[bytes] = []
        target.add_done_callback(self._dialled)

    @abstractmethod
    def conversation(self, there: T) -> Conversation[Any]:
        """What passes from now on, with a target that has let us in."""

    @abstractmethod
    def greeting(self, there: T) -> bytes:
        """What the client hears first: that it is in."""

    def notice(self, words: str) -> bytes:
        """Words that a person at this client reads; nothing where a program would hear them, or they cannot be said."""
        return b""

    def forget(self) -> None:
        """The session is over: nobody may reach what runs in it any more."""

    def _dialled(self, target: "asyncio.Future[T | Refused]") -> None:
        if target.cancelled() or self._ended:
            return
        there, client = target.result(), self._client
        if isinstance(there, Refused):
            client.refuse("08006", there)
            return
        self._there, self._conversation = there, self.conversation(there)
        client.midway = lambda: bool(self._late) or (self._conversation is not None and self._conversation.midway)
        early = client.let_in()
        client.send(self.greeting(there))
        client.full = there.full = self._brake
        client.heard, there.heard, there.lost = self._from_client, self._from_target, self._hung_up
        if there.early:
            self._from_target(there.early)
        if early:
            self._from_client(early)
        self._brake()

    # What passes -----------------------------------------------------------------------------------------------------

    def _from_client(self, data: bytes) -> None:
        if self._stopping is not None:
            self._early.append(data)
        elif self._conversation is not None and not self._ended:
            step = self._conversation.from_client(data)
            if self._pass(step) and step.fault is not None:
                self._client.left = SessionEnd.CLIENT_PROTOCOL
                self._client.part_with(b"")

    def _hung_up(self) -> None:
        """The target has gone, and the client hears that at once, as it would without us: drivers look whether their
        connection still stands. One that said goodbye waits for that, and has left."""
        there = self._there
        if there is None or self._conversation is None or self._ended:
            return
        if self._conversation.goodbye:
            there.left = SessionEnd.CLIENT_LEFT
            self._client.part_with(b"")
        elif self._stopping is None:
            self._client.follow(there.left)

    def _from_target(self, data: bytes) -> None:
        if self._conversation is not None and not self._ended:
            step = self._conversation.from_target(data)
            if self._pass(step) and step.fault is not None and self._there is not None:
                self._there.left = SessionEnd.TARGET_PROTOCOL
                self._there.cut()

    def _pass(self, step: Step) -> bool:
        """Whether it was recorded, and so went on."""
        there = self._there
        try:
            if step.events:
                record = self._recorder.note if step.outcome else self._recorder.record
                record(*frames(step.events, self._recorder.at))
        except RecorderFailed:  # which ends the session
            return False
        if there is not None:
            if step.to_target:
                there.send(_joined(step.to_target))
            if step.cancel and self._conversation is not None and self._conversation.cut:
                self._stop(there)
        if step.to_client:
            self._say(_joined(step.to_client))
        if self._held or self._full():
            self._brake()
        if self._asker is not None:
            self._ask(self._asker)
        if self._reading is None and self._conversation is not None and self._conversation.reading is not None:
            self._reading = self._tasks.spawn(self._read(self._conversation))
        return True

    # What is read beside the loop ------------------------------------------------------------------------------------

    async def _read(self, talk: Conversation[Any]) -> None:
        """Reads a long text beside the loop: what it does, and what of it is recorded. What the client sent behind it
        comes after it, and so does what cancels it."""
        try:
            looked = await asyncio.get_running_loop().run_in_executor(_pool, talk.look)
        except Exception:  # nothing of the session's could be read any more: it would wait for ever
            log.exception("a text of a session cannot be read")
            self._client.part("the gateway failed at reading this statement")
            return
        self._reading, behind, self._behind = None, self._behind, None
        talk.has_read(looked)
        self._from_client(b"")
        if behind is not None and not self._ended:
            behind()

    def _is_for_later(self, cancel: Callable[[], object]) -> bool:
        """Whether what cancels is for a text that is read now, and so comes behind it."""
        if self._reading is None or self._conversation is None or self._conversation.runs:
            return False
        self._behind = cancel
        return True

    # What waits for somebody's yes -----------------------------------------------------------------------------------

    def _ask(self, asker: Asker) -> None:
        """Somebody is asked about what waits, once; no more where the target skips it."""
        talk = self._conversation
        wanted = talk.wanted if talk is not None else None
        if talk is None or wanted is None or self._ended:
            return
        if talk.moot:
            asker.withdraw(SKIPPED)
            self._decide(_SKIPPED)
        elif not asker.asks:
            asker.ask(wanted, self._tell_wait, self._decide)

    def _tell_wait(self, words: str) -> None:
        """The client and the recording hear that it waits."""
        if not self._ended and self._conversation is not None:
            wanted = self._conversation.wanted
            which = f"execution {wanted.execution} waits: " if wanted is not None else ""
            with suppress(RecorderFailed):
                self._recorder.record(Marker(self._recorder.at, f"{which}{words}"))
                self._pass(self._conversation.tell(words))

    def _decide(self, refused: Refused | None) -> None:
        """It runs, or the client hears why not; then what the client has sent behind it."""
        talk = self._conversation
        wanted = talk.wanted if talk is not None else None
        if talk is None or wanted is None:  # the session is over
            return
        with suppress(RecorderFailed):  # which ends the session
            if refused is None:
                words = f"execution {wanted.execution}: somebody has said yes"
                self._recorder.record(Marker(self._recorder.at, words))
            step = talk.decided(refused)
            if self._pass(step) and step.fault is not None:
                self._client.left = SessionEnd.CLIENT_PROTOCOL
                self._client.part_with(b"")

    def _take_back(self) -> bool:
        """The client cancels what waits; whether something did."""
        waited = self._asker is not None and self._asker.withdraw(CANCELLED)
        if waited:
            self._decide(_CANCELLED)
        return waited

    def _withdraw(self, because: str) -> None:
        if self._asker is not None:
            self._asker.withdraw(because)

    # To either side --------------------------------------------------------------------------------------------------

    def _say(self, words: bytes) -> None:
        if self._stopping is None:
            self._client.send(words)
        else:
            self._late.append(words)

    def _stop(self, there: T) -> None:
        """The statement that gave too many rows is cancelled. Until that is over neither hears the other: it would hit
        the next statement, whatever that is."""
        stopping = there.cancel(self._tasks)
        if stopping is not None and self._stopping is None:
            self._stopping = stopping
            stopping.add_done_callback(self._stopped)
            self._brake()

    def _stopped(self, _: object = None) -> None:
        self._stopping = None
        late, early, self._late, self._early = self._late, self._early, [], []
        if late:
            self._client.send(b"".join(late))
        if early:
            self._from_client(b"".join(early))
        self._brake()

    def _full(self) -> bool:
        """Whether nothing more should be read from the client."""
        return (
            self._stopping is not None
            or self._recorder.full
            or (self._conversation is not None and self._conversation.full)
        )

    def _brake(self, _: bool = False) -> None:
        """Each side is read as long as the other and the recorder take more."""
        there = self._there
        if there is None or self._ended:
            return
        slow, full = self._recorder.full, self._client.is_full
        if slow and not self._waits:
            self._waits = True
            self._recorder.when_drained(self._drained)
        self._held = self._full() or full or there.is_full
        self._client.hold(self._held)
        there.hold(slow or full or sum(map(len, self._late)) > LATE_BYTES)

    def _drained(self) -> None:
        self._waits = False
        self._brake()

    def tell(self, words: str) -> None:
        """As `gateway.session.Relay.tell`."""
        conversation = self._conversation
        if self._ended or conversation is None or conversation.midway or not (said := self.notice(words)):
            return
        with suppress(RecorderFailed):
            self._recorder.record(Marker(self._recorder.at, words))
            self._say(said)

    # The end ---------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """The client has gone. What it sent last may reach the target still, also what is read now; what runs there
        runs on, as it would without us."""
        while self._reading is not None and not self._reading.done():
            await asyncio.wait((self._reading,))

        def hang_up(there: T) -> None:
            there.close()
            asyncio.get_running_loop().call_later(GRACE_SECONDS, there.cut)

        self._withdraw(LEFT)
        self._end(hang_up)

    def abort(self) -> None:
        """Nothing more passes, and what runs at the target is cancelled."""

        def cut(there: T) -> None:
            if self._conversation is not None and self._conversation.busy:
                there.cancel(self._tasks)
            there.cut()

        self._withdraw(OVER)
        self._end(cut)

    def _end(self, hang_up: Callable[[T], None]) -> None:
        """Once. What is unfinished is recorded as that on return."""
        if self._ended:
            return
        self._ended = True
        if self._stopping is not None:
            self._stopping.remove_done_callback(self._stopped)
            self._stopping, self._early = None, []
            self._client.send(b"".join(self._late))
            self._late = []
        self.forget()
        if self._conversation is not None and (events := self._conversation.end()):
            with suppress(RecorderFailed):
                self._recorder.record(*frames(events, self._recorder.at))
        if not self._client.is_closed():
            self._client.part_with(b"")
        if not self._target.done():
            self._target.cancel()
        elif not self._target.cancelled() and not isinstance(there := self._target.result(), Refused):
            hang_up(there)


def _joined(parts: list[bytes | memoryview]) -> bytes:
    return parts[0] if len(parts) == 1 and isinstance(parts[0], bytes) else b"".join(parts)
