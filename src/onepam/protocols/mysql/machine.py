"""One conversation between a client and a MySQL or MariaDB, from the client's being let in on. Pure: bytes of either
side to where they go, what is recorded of them, and what is refused. Any chunking of the same bytes has the same
effects."""

from collections.abc import Callable

from onepam.protocols.mysql.answering import Answering
from onepam.protocols.mysql.asking import Asking
from onepam.protocols.mysql.exchange import Exchange
from onepam.protocols.sql.events import Allowance, Event, Step


class Conversation:
    """What passes between both, in one session. `status` is what the target said last of it. `kill` ends the statement
    (with True: the session) of this number where it is one of the same person's, and says whether it was."""

    def __init__(self, allowance: Allowance, kill: Callable[[int, bool], bool], status: int = 0) -> None:
        self._exchange = Exchange(allowance, kill, status)
        self._asking = Asking(self._exchange)
        self._answering = Answering(self._exchange)
        self.paused = False
        """What the client has asked meanwhile waits still, though the last answer is over."""

    @property
    def full(self) -> bool:
        """So much waits for the target's answer that nothing should be read from the client."""
        return self._asking.full

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
        """The client has a part of a packet, or the last word already, so that no word of ours may follow."""
        return self._exchange.midway or self._exchange.parting

    @property
    def said(self) -> int:
        """The sequence of the packet that the client expects next."""
        return self._exchange.said

    @property
    def cut(self) -> bool:
        """A statement had more rows than may be given, and has not ended yet."""
        return self._exchange.muted

    @property
    def busy(self) -> bool:
        """The target has something to do."""
        return self._exchange.owed is not None

    def from_client(self, data: bytes) -> Step:
        """Bytes that the client sent."""
        step = self._exchange.step = Step()
        if not self._exchange.over:
            self._asking.take(data)
        return step

    def from_target(self, data: bytes) -> Step:
        """Bytes that the target sent. What the client has asked meanwhile goes on once that is answered."""
        step = self._exchange.step = Step()
        if not self._exchange.failed:
            self._answering.take(data)
            if not self._exchange.over and not self.paused:
                self._asking.take(b"")
        return step

    def end(self) -> tuple[Event, ...]:
        """Nothing more comes: what is unfinished. Once."""
        step = self._exchange.step = Step()
        self._exchange.end()
        return tuple(step.events)
