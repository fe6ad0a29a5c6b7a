"""A conversation under test, and what it has said to whom and had recorded so far."""

from onepam.kernel.errors import Refused
from onepam.protocols.postgres.machine import Conversation
from onepam.protocols.sql.events import Allowance, Done, Event, Run, Step, Text


class Told:
    def __init__(self, allowance: Allowance | None = None, status: bytes = b"I") -> None:
        self.conversation = Conversation(allowance or Allowance(), status=status)
        self.events: list[Event] = []
        self.cancels = 0
        self.fault: Refused | None = None

    def client(self, data: bytes) -> tuple[bytes, bytes]:
        """What goes to the target, and to the client, of bytes from the client."""
        to_target, to_client = self._step(self.conversation.from_client(data))
        while self.conversation.reading is not None:  # as the relay does, beside the loop
            self.conversation.has_read(self.conversation.look())
            more = self._step(self.conversation.from_client(b""))
            to_target, to_client = to_target + more[0], to_client + more[1]
        return to_target, to_client

    def target(self, data: bytes) -> bytes:
        """What goes to the client of bytes from the target, which itself hears nothing."""
        to_target, to_client = self._step(self.conversation.from_target(data))
        assert to_target == b""
        return to_client

    def passes(self, data: bytes) -> None:
        assert self.client(data) == (data, b"")

    def answers(self, data: bytes) -> None:
        assert self.target(data) == data

    def _step(self, step: Step) -> tuple[bytes, bytes]:
        self.events += step.events
        self.cancels += step.cancel
        self.fault = self.fault or step.fault
        return b"".join(step.to_target), b"".join(step.to_client)

    def end(self) -> None:
        self.events += self.conversation.end()

    @property
    def texts(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for each in self.events:
            if isinstance(each, Text):
                found[each.statement] = found.get(each.statement, b"") + each.text
        return found

    @property
    def runs(self) -> list[Run]:
        return [each for each in self.events if isinstance(each, Run)]

    @property
    def done(self) -> list[Done]:
        return [each for each in self.events if isinstance(each, Done)]

    @property
    def ran(self) -> list[bytes]:
        """The text of each execution, in order."""
        return [self.texts[run.statement] for run in self.runs]
