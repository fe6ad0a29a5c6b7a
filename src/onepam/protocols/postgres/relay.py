"""PostgreSQL's relay: what a client hears when it is in, notices, and the key by which it cancels."""

from asyncio import Future
from collections.abc import Callable, Iterable, Iterator

from onepam.gateway.recorder import Recorder
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.catalogue import Catalogue
from onepam.protocols.postgres.dial import TargetLeg
from onepam.protocols.postgres.keys import Keys
from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.postgres.person import PersonLeg
from onepam.protocols.postgres.startup import LET_IN, key_to_cancel
from onepam.protocols.sql import relay
from onepam.protocols.sql.asker import Asker
from onepam.protocols.sql.events import Allowance


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
        self._allowance, self._keys, self._key = allowance, keys, (0, b"")
        super().__init__(client, target, recorder, tasks, asker)

    def conversation(self, there: TargetLeg) -> Conversation:
        return Conversation(self._allowance(there.catalogue), dict(_settings(there.greeting)))

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

    def _cancel(self, there: TargetLeg) -> "Future[None] | None":
        """The client cancels what waits, what runs, or what is read before it does. The future is done once the target
        has heard of it; None where it hears nothing now."""
        if self._take_back() or self._is_for_later(lambda: self._cancel_read(there)):
            return None
        return there.cancel(self._tasks)

    def _cancel_read(self, there: TargetLeg) -> None:
        """What was read when the client cancelled waits now, runs, or is refused. Then nothing is cancelled: it would
        hit what the client sends next."""
        if not self._take_back() and self._conversation is not None and self._conversation.runs:
            there.cancel(self._tasks)


def _settings(greeting: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """What a target told of its settings (ParameterStatus)."""
    for message in greeting:
        if message[0] == wire.SETTING:
            name, value, *_ = message[wire.HEAD.size :].decode("utf-8", "replace").split("\0")
            yield name, value
