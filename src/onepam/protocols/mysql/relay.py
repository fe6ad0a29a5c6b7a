"""MySQL's relay: what a client hears when it is in, and the numbers by which its person's other clients may end it."""

from asyncio import Future
from collections.abc import Callable

from onepam.gateway.recorder import Recorder
from onepam.gateway.tasks import Tasks
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import wire
from onepam.protocols.mysql.catalogue import Catalogue
from onepam.protocols.mysql.dial import TargetLeg
from onepam.protocols.mysql.machine import Conversation
from onepam.protocols.mysql.person import PersonLeg
from onepam.protocols.mysql.threads import Threads
from onepam.protocols.mysql.wire import Can
from onepam.protocols.sql import relay
from onepam.protocols.sql.asker import Asker
from onepam.protocols.sql.events import Allowance


class Relay(relay.Relay[PersonLeg, TargetLeg]):
    """One session's, of this person."""

    def __init__(
        self,
        client: PersonLeg,
        target: "Future[TargetLeg | Refused]",
        recorder: Recorder,
        allowance: Callable[[Catalogue | None], Allowance],
        threads: Threads,
        person: str,
        tasks: Tasks,
        asker: Asker | None = None,
    ) -> None:
        self._allowance, self._threads, self._person = allowance, threads, person
        super().__init__(client, target, recorder, tasks, asker)

    def conversation(self, there: TargetLeg) -> Conversation:
        client, target = self._client, there.place
        self._threads.hold(
            client.thread,
            self._person,
            (target, there.thread),
            lambda: self._killed(there),
            lambda: client.part("this session was ended by KILL"),
        )
        return Conversation(
            self._allowance(there.catalogue),
            lambda thread, whole: self._threads.kill(thread, self._person, target, whole),
            there.status,
            files=Can.LOCAL_FILES in there.can,
        )

    def greeting(self, there: TargetLeg) -> bytes:
        """An OK with the target's status; from now on the sequence is that of the commands."""
        client, conversation = self._client, self._conversation
        said = wire.ok(client.sequence(), there.status)
        client.sequence = lambda: conversation.said if isinstance(conversation, Conversation) else 1
        return said

    def forget(self) -> None:
        self._threads.drop(self._client.thread)

    def _killed(self, there: TargetLeg) -> None:
        """What waits or runs now is cancelled, and nothing where nothing does: it would hit the next statement."""
        if self._take_back() or self._is_for_later(lambda: self._killed(there)):
            return
        if self._conversation is not None and self._conversation.busy:
            self._stop(there)

    def _stop(self, there: TargetLeg) -> None:
        """What the client has sent already waits, too."""
        super()._stop(there)
        self._pause(on=self._stopping is not None)

    def _stopped(self, over: object = None) -> None:
        self._pause(on=False)
        super()._stopped(over)
        self._from_client(b"")

    def _pause(self, *, on: bool) -> None:
        if isinstance(self._conversation, Conversation):
            self._conversation.paused = on
