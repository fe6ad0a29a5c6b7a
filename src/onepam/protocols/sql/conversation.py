"""One conversation between a client and a database, from the client's being let in on: what all protocols' have. Pure:
bytes of either side to where they go, what is recorded of them, and what is refused. Any chunking of the same bytes has
the same effects."""

from abc import ABC, abstractmethod
from typing import Any, Final, Generic, Protocol, TypeVar

from onepam.kernel.errors import Refused
from onepam.protocols.sql.events import Event, Step, Wanted

AT_ONCE_BYTES: Final = 512
"""A longer text is read beside the loop (`relay.py`), for all sessions would wait meanwhile: reading takes some 4 µs a
byte of one that is made to take long."""


class Exchange(Protocol):
    """What stands open between both. `over`: what comes now goes nowhere; `failed`: for a side broke the protocol, or
    has gone. `midway`: the client has a part of a message; `parting`: the target's last word. `muted`: of the rest of
    an answer the client hears nothing. Nothing of the client's is taken while a text is `reading` beside the loop;
    `read` is what the last one was."""

    step: Step
    over: bool
    failed: bool
    midway: bool
    parting: bool
    muted: bool
    reading: bytes | None
    read: Any

    def end(self) -> None: ...


E = TypeVar("E", bound=Exchange)


class Conversation(ABC, Generic[E]):
    """What passes between both, in one session."""

    def __init__(self, exchange: E) -> None:
        self._exchange = exchange

    @property
    @abstractmethod
    def full(self) -> bool:
        """So much waits for the target's answers that nothing should be read from the client."""

    @property
    def over(self) -> bool:
        """The client has said goodbye, or a side broke the protocol: whatever comes now goes nowhere."""
        return self._exchange.over

    @property
    def goodbye(self) -> bool:
        """The client has said goodbye, and waits for the target to hang up."""
        return self._exchange.over and not self._exchange.failed

    @property
    def midway(self) -> bool:
        """The client has a part of a message, or the target's last word, so that no word of ours may follow."""
        return self._exchange.midway or self._exchange.parting

    @property
    def cut(self) -> bool:
        """A statement had more rows than may be given, and has not ended yet."""
        return self._exchange.muted

    @property
    @abstractmethod
    def busy(self) -> bool:
        """The target has something to do."""

    @property
    def runs(self) -> bool:
        """The target runs a statement, which it can be told to cancel."""
        return self.busy

    @property
    @abstractmethod
    def wanted(self) -> Wanted | None:
        """The execution that waits for somebody's yes."""

    @property
    def moot(self) -> bool:
        """The target skips what it was sent with the execution that waits."""
        return False

    @property
    def reading(self) -> bytes | None:
        """A text that is to be read before anything more of the client's is taken."""
        return self._exchange.reading

    @abstractmethod
    def look(self) -> object:
        """What the text is that is `reading`; this takes long, and may run beside the loop."""

    def has_read(self, looked: object) -> None:
        """It is read, and found to be this."""
        self._exchange.read, self._exchange.reading = looked, None

    @abstractmethod
    def tell(self, words: str) -> Step:
        """The client hears a notice, if there is one: now, or where the message ends that it has a part of."""

    @abstractmethod
    def decided(self, refused: Refused | None) -> Step:
        """What waits runs now, or is refused; and what the client has sent behind it."""

    @abstractmethod
    def from_client(self, data: bytes) -> Step:
        """Bytes that the client sent."""

    @abstractmethod
    def from_target(self, data: bytes) -> Step:
        """Bytes that the target sent."""

    def end(self) -> tuple[Event, ...]:
        """Nothing more comes: what is unfinished. Once."""
        step = self._exchange.step = Step()
        self._exchange.end()
        return tuple(step.events)
