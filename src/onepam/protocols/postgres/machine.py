"""PostgreSQL's conversation, from the first ReadyForQuery on."""

from collections.abc import Mapping
from typing import Final

from onepam.gateway.ask_first import LAPSED
from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.answering import Answering
from onepam.protocols.postgres.asking import MOST_BEHIND, Asking
from onepam.protocols.postgres.exchange import MAX_OWED, RUNNING, Exchange, Waiting
from onepam.protocols.postgres.hiding import Hiding
from onepam.protocols.postgres.refusing import NOT_ALLOWED
from onepam.protocols.postgres.texts import Looked, read_otherwise
from onepam.protocols.sql import conversation
from onepam.protocols.sql.asker import CANCELLED
from onepam.protocols.sql.events import Allowance, Step, Wanted

QUERY_CANCELED, FAILED = "57014", "58000"
"""SQLSTATE (PostgreSQL, "Error Codes")."""

_SQLSTATES: Final = {
    CANCELLED: QUERY_CANCELED,
    LAPSED: QUERY_CANCELED,
    "gateway.unavailable": FAILED,
    "gateway.failed": FAILED,
}
"""Of what does not run although nobody said no; of everything else `NOT_ALLOWED`."""


class Conversation(conversation.Conversation[Exchange]):
    """What passes between both, in one session. `settings` are those that the target reported when it let us in, and
    `status` that of its transaction."""

    def __init__(self, allowance: Allowance, settings: Mapping[str, str] | None = None, status: bytes = b"I") -> None:
        super().__init__(Exchange(allowance, status, settings=dict(settings or {})))
        self._exchange.resets = allowance.classes is not None and read_otherwise(self._exchange.settings)
        self._asking = Asking(self._exchange)
        hides = allowance.masks is not None or allowance.results is not None
        self._answering = Hiding(self._exchange) if hides else Answering(self._exchange)

    @property
    def full(self) -> bool:
        return len(self._exchange.owed) >= MAX_OWED or self._asking.behind > MOST_BEHIND

    @property
    def waiting(self) -> Waiting | None:
        """The execution that waits for somebody's yes."""
        return self._exchange.waiting

    @property
    def wanted(self) -> Wanted | None:
        waiting = self._exchange.waiting
        if waiting is None:
            return None
        said = waiting.statement
        return Wanted(
            waiting.execution.number,
            said.asks,
            said.text,
            waiting.parameters,
            waiting.in_transaction,
            self._exchange.path,
        )

    @property
    def moot(self) -> bool:
        return self._exchange.skipping

    @property
    def busy(self) -> bool:
        return bool(self._exchange.owed)

    @property
    def runs(self) -> bool:
        return any(each.kind in RUNNING for each in self._exchange.owed)

    def look(self) -> Looked:
        return self._asking.texts.look(self._exchange.reading or b"")

    def from_client(self, data: bytes) -> Step:
        step = self._exchange.step = Step()
        if not self._exchange.over:
            self._asking.take(data)
        return step

    def from_target(self, data: bytes) -> Step:
        step = self._exchange.step = Step()
        if not self._exchange.failed:
            self._answering.take(data)
        return step

    def tell(self, words: str) -> Step:
        step = self._exchange.step = Step()
        if self._exchange.midway:
            self._exchange.notice = wire.notice(words)
        else:
            step.to_client.append(wire.notice(words))
        return step

    def decided(self, refused: Refused | None) -> Step:
        step = self._exchange.step = Step()
        self._asking.decided(_SQLSTATES.get(refused.code, NOT_ALLOWED) if refused else "", refused)
        return step
