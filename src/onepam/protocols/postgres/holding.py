"""What of a batch is held back: where a statement asks first, not even its Parse and its Bind reach the target before
somebody has said yes, for with them the target takes locks. They go on together, or never.

Whatever else is to pass goes behind them. So they are held for no longer than until the client runs something else,
or wants an answer.
"""

from onepam.protocols.postgres.exchange import Exchange, Execution, Portal, Statement, Waiting
from onepam.protocols.postgres.refusing import Refusing
from onepam.recording.statements import Parameter

MOST_HELD, MOST_MESSAGES = 1024 * 1024, 1024
"""Bytes and messages of a batch that are held back, at most; then they pass, and what asks behind them counts as within
a transaction."""


class Holding(Refusing):
    """The client's direction, as far as it is held back. Each message of `_back` is owed an answer, behind all else."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._back: list[bytes] = []
        self._bytes = 0

    def _pass(self, whole: bytes) -> None:
        """It goes to the target, behind what was held back."""
        self._release()
        self._exchange.step.to_target.append(whole)

    def _pass_or_hold(self, whole: bytes, *, asks: bool) -> None:
        """A message that runs nothing: of a statement that asks first, or behind one that is held back, it is, too."""
        if not asks and not self._back:
            self._exchange.step.to_target.append(whole)
            return
        self._back.append(whole)
        self._bytes += len(whole)
        if self._bytes > MOST_HELD or len(self._back) > MOST_MESSAGES:
            self._release()

    def _release(self) -> None:
        """What was held back goes on."""
        if self._back:
            self._exchange.step.to_target += self._back
            self._skip()

    def _skip(self) -> None:
        """The target skips its batch, and owes nothing of it any more."""
        self._back, self._bytes = [], 0

    def _forget(self) -> None:
        """The target shall have nothing of what was held back: none of it has happened."""
        owed = self._exchange.owed
        dropped = [owed.pop() for _ in range(min(len(self._back), len(owed)))]
        self._skip()
        self._exchange.drop(dropped[::-1])

    def _refuse(self, words: bytes) -> None:
        self._release()
        super()._refuse(words)

    def _refuse_and_ready(self, words: bytes) -> None:
        self._release()
        super()._refuse_and_ready(words)

    def _wait(
        self,
        execution: Execution,
        statement: Statement,
        parameters: tuple[Parameter, ...],
        whole: bytes,
        portal: Portal | None,
    ) -> None:
        """An execution waits, and with it what was held back."""
        exchange = self._exchange
        if portal is None:
            self._release()
        in_transaction = exchange.status != b"I" or len(exchange.owed) > len(self._back)
        exchange.waiting = Waiting(execution, statement, parameters, whole, portal, in_transaction)
