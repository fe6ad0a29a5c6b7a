"""Relays one session: what either side sends goes through the conversation, and is recorded before it goes on."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.recorder import Recorder, RecorderFailed
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.events import Allowance, Cut, Done, Event, Run, Step, Text
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.startup import LET_IN, key_to_cancel
from onepam.recording.frames import Frame, Marker
from onepam.recording.statements import Executed, Finished, StatementText

LATE_BYTES = 256 * 1024
"""What may wait for the client while a statement is cancelled, before no more is read from the target."""

GRACE_SECONDS = 5.0
"""How long what the client sent last may take to reach the target after the client has gone."""


class Relay:
    """`target` is the dialled connection, or why there is none; the client hears nothing before it is there."""

    def __init__(
        self,
        client: PersonLeg,
        target: "asyncio.Future[TargetLeg | Refused]",
        recorder: Recorder,
        allowance: Allowance,
        keys: Keys,
        tasks: Tasks,
    ) -> None:
        self._client, self._recorder, self._allowance, self._keys, self._tasks = (
            client,
            recorder,
            allowance,
            keys,
            tasks,
        )
        self._target = target
        self._there: TargetLeg | None = None
        self._conversation: Conversation | None = None
        self._key = (0, b"")
        self._ended = self._held = self._waits = False
        self._stopping: asyncio.Task[None] | None = None
        self._early: list[bytes] = []
        self._late: list[bytes] = []
        target.add_done_callback(self._dialled)

    def _dialled(self, target: "asyncio.Future[TargetLeg | Refused]") -> None:
        if target.cancelled() or self._ended:
            return
        there, client = target.result(), self._client
        if isinstance(there, Refused):
            client.refuse("08006", there)
            return
        settings = dict(_settings(there.greeting))
        self._there, self._conversation = there, Conversation(self._allowance, settings)
        self._key = self._keys.make(client.source, client.minor, lambda: there.cancel(self._tasks), there.process)
        client.midway = lambda: bool(self._late) or (self._conversation is not None and self._conversation.midway)
        early = client.let_in()
        greeting = b"".join(there.greeting) + key_to_cancel(*self._key) + wire.ready(b"I")
        client.send((b"" if client.greeted else LET_IN) + greeting)
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
        """The target has gone. A client that said goodbye waits for that, and has left."""
        if self._conversation is not None and self._conversation.goodbye and self._there is not None:
            self._there.left = SessionEnd.CLIENT_LEFT
            self._client.part_with(b"")

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
                self._recorder.record(*_frames(step.events, self._recorder.at))
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
        return True

    def _say(self, words: bytes) -> None:
        if self._stopping is None:
            self._client.send(words)
        else:
            self._late.append(words)

    def _stop(self, there: TargetLeg) -> None:
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
        """A notice for psql, which shows it; programs hear nothing."""
        conversation = self._conversation
        if self._ended or conversation is None or conversation.midway or not self._client.is_psql:
            return
        with suppress(RecorderFailed):
            self._recorder.record(Marker(self._recorder.at, words))
            self._say(wire.notice(words))

    # The end ---------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """The client has gone. What it sent last may reach the target still; what runs there runs on, as it would
        without us."""

        def hang_up(there: TargetLeg) -> None:
            there.close()
            asyncio.get_running_loop().call_later(GRACE_SECONDS, there.cut)

        self._end(hang_up)

    def abort(self) -> None:
        """Nothing more passes, and what runs at the target is cancelled."""

        def cut(there: TargetLeg) -> None:
            if self._conversation is not None and self._conversation.busy:
                there.cancel(self._tasks)
            there.cut()

        self._end(cut)

    def _end(self, hang_up: Callable[[TargetLeg], None]) -> None:
        """Once. What is unfinished is recorded as that on return."""
        if self._ended:
            return
        self._ended = True
        if self._stopping is not None:
            self._stopping.remove_done_callback(self._stopped)
            self._stopping, self._early = None, []
            self._client.send(b"".join(self._late))
            self._late = []
        self._keys.drop(*self._key)
        if self._conversation is not None and (events := self._conversation.end()):
            with suppress(RecorderFailed):
                self._recorder.record(*_frames(events, self._recorder.at))
        if not self._client.is_closed():
            self._client.part_with(b"")
        if not self._target.done():
            self._target.cancel()
        elif not self._target.cancelled() and isinstance(there := self._target.result(), TargetLeg):
            hang_up(there)


def _frames(events: Iterable[Event], at: int) -> Iterator[Frame]:
    for each in events:
        if type(each) is Run:
            yield Executed(at, each.execution, each.statement, each.form, each.parameters)
        elif type(each) is Done:
            yield Finished(at, each.execution, each.outcome, each.status, each.rows, each.size, each.words)
        elif type(each) is Text:
            yield StatementText(at, each.statement, each.text, each.more)
        else:
            assert type(each) is Cut
            yield Marker(
                at,
                f"statement {each.statement}: {each.kept} of {each.size} bytes are kept, SHA-256 of all {each.sha256}",
            )


def _joined(parts: list[bytes | memoryview]) -> bytes:
    return parts[0] if len(parts) == 1 and isinstance(parts[0], bytes) else b"".join(parts)


def _settings(greeting: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """What a target told of its settings (ParameterStatus)."""
    for message in greeting:
        if message[0] == wire.SETTING:
            name, value, *_ = message[wire.HEAD.size :].decode("utf-8", "replace").split("\0")
            yield name, value
