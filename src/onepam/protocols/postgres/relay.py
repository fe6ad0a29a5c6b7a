"""PostgreSQL's relay: what a client hears when it is in, notices, and the key by which it cancels."""

from asyncio import Future
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Final

from onepam.domain.sessions.ends import SessionEnd
from onepam.gateway.ask_first import LAPSED
from onepam.gateway.recorder import Recorder, RecorderFailed
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.catalogue import Catalogue
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.refusing import NOT_ALLOWED
from onepam.protocols.postgres.startup import LET_IN, key_to_cancel
from onepam.protocols.sql import relay
from onepam.protocols.sql.asker import CANCELLED, LEFT, OVER, SKIPPED, Asker, Wanted
from onepam.protocols.sql.events import Allowance, Step
from onepam.recording.frames import Marker

QUERY_CANCELED, FAILED = "57014", "58000"
"""SQLSTATE (PostgreSQL, "Error Codes")."""

_SQLSTATES: Final = {
    CANCELLED: QUERY_CANCELED,
    LAPSED: QUERY_CANCELED,
    "gateway.unavailable": FAILED,
    "gateway.failed": FAILED,
}
"""Of what does not run although nobody said no; of everything else `NOT_ALLOWED`."""

_CANCELLED: Final = Refused(CANCELLED, "the statement was cancelled while it waited.")
_SKIPPED: Final = Refused(SKIPPED, "an error came before it.")


class Relay(relay.Relay[PersonLeg, TargetLeg]):
    """One session's."""

    def __init__(
        self,
        client: PersonLeg,
        target: "Future[TargetLeg | Refused]",
        recorder: Recorder,
        allowance: Callable[[Catalogue | None], Allowance],
        keys: Keys,
        tasks: Tasks,
        asker: Asker | None = None,
    ) -> None:
        self._allowance, self._keys, self._key, self._asker = allowance, keys, (0, b""), asker
        self._talk: Conversation | None = None
        super().__init__(client, target, recorder, tasks)

    def conversation(self, there: TargetLeg) -> Conversation:
        self._talk = Conversation(self._allowance(there.catalogue), dict(_settings(there.greeting)))
        return self._talk

    def greeting(self, there: TargetLeg) -> bytes:
        client = self._client
        self._key = self._keys.make(client.source, client.minor, lambda: self._cancel(there), there.process)
        greeting = b"".join(there.greeting) + key_to_cancel(*self._key) + wire.ready(b"I")
        return (b"" if client.greeted else LET_IN) + greeting

    def notice(self, words: str) -> bytes:
        """psql shows it; programs hear nothing."""
        return wire.notice(words) if self._client.is_psql else b""

    def forget(self) -> None:
        self._keys.drop(*self._key)

    # What waits for somebody's yes -----------------------------------------------------------------------------------

    def _pass(self, step: Step) -> bool:
        passed = super()._pass(step)
        talk, asker = self._talk, self._asker
        waiting = talk.waiting if talk is not None else None
        if passed and talk is not None and waiting is not None and asker is not None and not self._ended:
            if talk.moot:
                asker.withdraw(SKIPPED)
                self._decide(talk, _SKIPPED)
            elif not asker.asks:
                said = waiting.statement
                wanted = Wanted(
                    waiting.execution.number, said.asks, said.text, waiting.parameters, waiting.in_transaction
                )
                asker.ask(
                    wanted, lambda words: self._tell_wait(talk, words), lambda refused: self._decide(talk, refused)
                )
        return passed

    def _tell_wait(self, talk: Conversation, words: str) -> None:
        """The client and the recording hear that it waits."""
        if not self._ended:
            with suppress(RecorderFailed):
                self._recorder.record(Marker(self._recorder.at, words))
                self._pass(talk.tell(words))

    def _decide(self, talk: Conversation, refused: Refused | None) -> None:
        """It runs, or the client hears why not; then what the client has sent behind it."""
        if talk.waiting is None:  # the session is over
            return
        with suppress(RecorderFailed):  # which ends the session
            if refused is None:
                words = f"execution {talk.waiting.execution.number}: somebody has said yes"
                self._recorder.record(Marker(self._recorder.at, words))
            step = talk.decided(_SQLSTATES.get(refused.code, NOT_ALLOWED) if refused else "", refused)
            if self._pass(step) and step.fault is not None:
                self._client.left = SessionEnd.CLIENT_PROTOCOL
                self._client.part_with(b"")

    def _cancel(self, there: TargetLeg) -> None:
        """The client cancels what runs, or what waits."""
        if self._talk is not None and self._asker is not None and self._asker.withdraw(CANCELLED):
            self._decide(self._talk, _CANCELLED)
        else:
            there.cancel(self._tasks)

    async def close(self) -> None:
        self._withdraw(LEFT)
        await super().close()

    def abort(self) -> None:
        self._withdraw(OVER)
        super().abort()

    def _withdraw(self, because: str) -> None:
        if self._asker is not None:
            self._asker.withdraw(because)


def _settings(greeting: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """What a target told of its settings (ParameterStatus)."""
    for message in greeting:
        if message[0] == wire.SETTING:
            name, value, *_ = message[wire.HEAD.size :].decode("utf-8", "replace").split("\0")
            yield name, value
