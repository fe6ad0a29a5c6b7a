"""What a conversation does, told in short."""

from typing import Self

from onepam.protocols.mysql.machine import Conversation
from onepam.protocols.sql.events import Allowance, Done, Event, Run, Step, Text


class Talk:
    """A conversation, with all that has come of it so far."""

    def __init__(self, allowance: Allowance | None = None, own: tuple[int, ...] = (), *, files: bool = False) -> None:
        self.killed: list[tuple[int, bool]] = []
        self.talk = Conversation(
            allowance or Allowance(), lambda thread, whole: self._kill(thread, whole, own), files=files
        )
        self.to_target = self.to_client = b""
        self.events: list[Event] = []
        self.cancelled = 0
        self.fault = ""

    def _kill(self, thread: int, whole: bool, own: tuple[int, ...]) -> bool:
        self.killed.append((thread, whole))
        return thread in own

    def client(self, *data: bytes) -> Self:
        for each in data:
            self._add(self.talk.from_client(each))
        return self._read()

    def target(self, *data: bytes) -> Self:
        for each in data:
            self._add(self.talk.from_target(each))
        return self._read()

    def _read(self) -> Self:
        """As the relay does, beside the loop."""
        while self.talk.reading is not None:
            self.talk.has_read(self.talk.look())
            self._add(self.talk.from_client(b""))
        return self

    def _add(self, step: Step) -> None:
        self.to_target += b"".join(step.to_target)
        self.to_client += b"".join(step.to_client)
        self.events += step.events
        self.cancelled += step.cancel
        self.fault = self.fault or (step.fault.code if step.fault else "")

    def end(self) -> Self:
        self.events += self.talk.end()
        return self

    @property
    def texts(self) -> list[bytes]:
        found: dict[int, bytes] = {}
        for each in self.events:
            if isinstance(each, Text):
                found[each.statement] = found.get(each.statement, b"") + each.text
        return list(found.values())

    @property
    def runs(self) -> list[Run]:
        return [each for each in self.events if isinstance(each, Run)]

    @property
    def ends(self) -> list[Done]:
        return [each for each in self.events if isinstance(each, Done)]
