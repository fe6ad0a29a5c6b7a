"""MySQL's and MariaDB's conversation."""

from collections.abc import Callable
from typing import Final

from onepam.gateway.ask_first import LAPSED
from onepam.kernel.errors import Refused
from onepam.protocols.mysql.answering import Answering
from onepam.protocols.mysql.asking import Asking
from onepam.protocols.mysql.exchange import FAILED, INTERRUPTED, NOT_ALLOWED, Exchange, Looked
from onepam.protocols.mysql.hiding import Hiding
from onepam.protocols.sql import conversation
from onepam.protocols.sql.asker import CANCELLED
from onepam.protocols.sql.events import Allowance, Step, Wanted

_NUMBERS: Final = {
    CANCELLED: INTERRUPTED,
    LAPSED: INTERRUPTED,
    "gateway.unavailable": FAILED,
    "gateway.failed": FAILED,
}
"""Of what does not run although nobody said no; of everything else `NOT_ALLOWED`."""


class Conversation(conversation.Conversation[Exchange]):
    """What passes between both, in one session. `status` is what the target said last of it. `kill` ends the statement
    (with True: the session) of this number where it is one of the same person's, and says whether it was. `files`: the
    target may ask the client for one."""

    def __init__(
        self, allowance: Allowance, kill: Callable[[int, bool], bool], status: int = 0, *, files: bool = False
    ) -> None:
        super().__init__(Exchange(allowance, kill, status, files=files))
        self._asking = Asking(self._exchange)
        self._answering = (Hiding if allowance.named is not None or allowance.results is not None else Answering)(
            self._exchange
        )
        self.paused = False
        """What the client has asked meanwhile waits still, though the last answer is over."""

    @property
    def full(self) -> bool:
        return self._asking.full

    @property
    def wanted(self) -> Wanted | None:
        waiting = self._exchange.waiting
        if waiting is None:
            return None
        said, in_transaction = waiting.statement, self._exchange.state != b"I"
        return Wanted(waiting.execution.number, said.asks, said.text, waiting.parameters, in_transaction)

    def tell(self, words: str) -> Step:
        """Nothing: a server of MySQL says no word before its answer."""
        self._exchange.step = step = Step()
        return step

    def decided(self, refused: Refused | None) -> Step:
        step = self._exchange.step = Step()
        self._asking.decided(_NUMBERS.get(refused.code, NOT_ALLOWED) if refused else 0, refused)
        return step

    def look(self) -> Looked:
        return self._asking.look(self._exchange.reading or b"")

    @property
    def said(self) -> int:
        """The sequence of the packet that the client expects next."""
        return self._exchange.said

    @property
    def busy(self) -> bool:
        return self._exchange.owed is not None

    def from_client(self, data: bytes) -> Step:
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
