"""What the target owes the client, and what is refused in its own protocol's words."""

from collections.abc import Mapping
from typing import Final

from onepam.protocols.postgres import wire
from onepam.protocols.postgres.exchange import (
    MAX_NAMES,
    REFUSAL,
    REFUSAL_AND_READY,
    UNDOING,
    Exchange,
    Execution,
    Owed,
    Portal,
    Prepared,
    Statement,
)
from onepam.recording.statements import Form, Parameter

NOT_ALLOWED, UNKNOWN_STATEMENT, UNKNOWN_PORTAL, TOO_MANY = "42501", "26000", "34000", "53000"
NOT_SUPPORTED = "0A000"
"""SQLSTATE (PostgreSQL, "Error Codes")."""

_UNDOING: Final = wire.message(wire.BIND, b"\0OnePAM: refused\0" + bytes(6))
"""A Bind to a statement that nobody has. Its error undoes what a client whose statement we refused believes undone."""

_FLUSH: Final = wire.message(wire.FLUSH, b"")

MOST_KEPT: Final = 1024 * 1024
"""Bytes of texts that ask first which a session keeps under names."""

NOBODYS: Final = Statement(0)
"""In the place of one that was closed, until the target has said so."""


class Refusing:
    """What the client's direction owes and refuses. `_known` is the statement that was looked for last, `_ran` whether
    something of this batch goes to the target that runs."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._ran = False
        self._known = Prepared(NOBODYS, 0)

    def _owe(
        self,
        kind: int,
        *,
        execution: Execution | None = None,
        portal: Portal | None = None,
        first: bool = False,
        name: tuple[bool, bytes] | None = None,
        before: Prepared | Portal | None = None,
        after: Prepared | Portal | None = None,
        ours: bytes = b"",
    ) -> None:
        owed = Owed(kind, self._exchange.batch, execution, portal, first, name, before, after, ours)
        self._exchange.owed.append(owed)

    def _end_batch(self) -> None:
        self._exchange.batch += 1
        self._ran = False

    def _allows(self, statement: Statement, form: Form) -> bool:
        """Whether it may run; else it is refused, and that is recorded."""
        if statement.refusal is None:
            return True
        self._exchange.refused(statement, form, statement.refusal)
        words = wire.error(NOT_ALLOWED, statement.refusal.message, statement.refusal.hint)
        if form is Form.SIMPLE:
            self._refuse_and_ready(words)
        else:
            self._refuse(words)
        return False

    def _knows(self, statement: bytes) -> bool:
        """Whether a statement of this name was parsed here, and may be bound; else that is refused."""
        found = self._exchange.statements.get(statement)
        if found is not None and self._exchange.known(found):
            self._known = found
            return True
        words = "this statement was not prepared in this session, or SQL took its name."
        self._refuse(wire.error(UNKNOWN_STATEMENT, words))
        return False

    def _has_room(self, names: Mapping[bytes, object], name: bytes) -> bool:
        """Whether one more may have this name; else that is refused. What the server makes of other letters than
        ASCII's, and so which of two names are one, depends on encodings."""
        if not name.isascii():
            self._refuse(wire.error(NOT_SUPPORTED, "names of statements and portals must be of ASCII's letters."))
        elif len(names) < MAX_NAMES or name in names:
            return True
        else:
            self._refuse(wire.error(TOO_MANY, "this session has too many names."))
        return False

    def _refuse(self, words: bytes) -> None:
        """Within a batch: nothing more of it reaches the target, and what ran of it is undone as a server would."""
        exchange = self._exchange
        undoing = self._ran and exchange.status == b"I"
        if undoing:
            exchange.step.to_target.append(_UNDOING)
        elif exchange.owed:  # what the client hears before is sent by a server with its error
            exchange.step.to_target.append(_FLUSH)
        self._owe(UNDOING if undoing else REFUSAL, ours=words)
        exchange.skipping = True
        exchange.speak()

    def _refuse_and_ready(self, words: bytes) -> None:
        self._owe(REFUSAL_AND_READY, ours=words)
        self._end_batch()
        self._exchange.speak()

    def _keeps(self, statement: Statement) -> bool:
        """Whether the text of a statement that asks first can be kept under its name; else that is refused."""
        if not statement.asks:
            return True
        kept = sum(len(each.statement.text) for each in self._exchange.statements.values())
        if kept + len(statement.text) <= MOST_KEPT:
            return True
        self._refuse(wire.error(TOO_MANY, "this session has prepared too many statements that ask first."))
        return False

    def _asks_once(self, portal: bytes, parameters: tuple[Parameter, ...]) -> bool:
        """Whether a statement that asks first can be bound so: whoever decides sees all of it, and it runs by its own
        Execute alone; else that is refused. A portal that has a name SQL's FETCH may run."""
        if not self._known.statement.asks:
            return True
        if portal:
            self._refuse(wire.error(NOT_SUPPORTED, "a statement that asks first can be bound to no portal of a name."))
        elif any(isinstance(each.value, int) for each in parameters):
            self._refuse(
                wire.error(TOO_MANY, "this statement asks first, and its parameters are too large to be shown.")
            )
        else:
            return True
        return False
