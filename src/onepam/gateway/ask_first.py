"""Statements that ask first, while they wait: what they say, for whoever decides, and the wait itself.

The text and the parameters of a statement that waits are in the memory of the process that holds its session, and in
the session's recording. The ledger has neither.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from onepam.app.sessions.ask_statement import ask_statement, end_statement
from onepam.domain.access.guardrails import StatementClass
from onepam.domain.sessions.waiting_statements import LONGEST, Asking, StatementAsked
from onepam.gateway.settling import settle
from onepam.kernel.errors import Fault, Refused
from onepam.kernel.ids import new_id

if TYPE_CHECKING:
    from onepam.gateway.session import Gateway

UNHEARD_SECONDS = 5.0
"""How long after its time a decision that was in time may take to be heard of."""

LAPSED = "statement.lapsed"
"""Why a statement runs no more on which nobody decided in time."""

_NOBODY = Refused(LAPSED, "nobody decided on this statement in time.")
_UNAVAILABLE = Refused(
    "gateway.unavailable", "the ledger does not answer, so nobody can be asked about this statement."
)


@dataclass(frozen=True, slots=True)
class Said:
    """What whoever decides sees of a statement, as text without control characters: its text, its parameters, and what
    set the session's search_path last, "" where nothing is known to have."""

    text: str
    parameters: tuple[str, ...] = ()
    path: str = ""

    @property
    def before(self) -> tuple[tuple[str, str], ...]:
        """What of the session decides on what the text means."""
        return (("search_path was set by", self.path),) if self.path else ()


class WaitingStatements:
    """What the statements say that wait in this process, by id."""

    def __init__(self) -> None:
        self._shown: dict[str, Said] = {}

    def __len__(self) -> int:
        return len(self._shown)

    def keep(self, statement: str, shown: Said) -> None:
        """It waits."""
        self._shown[statement] = shown

    def forget(self, statement: str) -> None:
        """It waits no more."""
        self._shown.pop(statement, None)

    def shown(self, statement: str) -> Said | None:
        """None where it does not wait here."""
        return self._shown.get(statement)

    def facts(self, statement: str) -> list[tuple[str, str]]:
        """The same as words and what stands beside them."""
        shown = self.shown(statement)
        if shown is None:
            return []
        values = ((f"${each}", value) for each, value in enumerate(shown.parameters, 1))
        return [*shown.before, ("Statement", shown.text), *values]


@dataclass(slots=True)
class Question:
    """A statement of a session that would run: execution number `execution` of its recording. It waits at most
    `longest` (microseconds). `because` is why it runs no more, for whoever cancels the wait."""

    session: str
    execution: int
    classes: tuple[StatementClass, ...]
    in_transaction: bool
    shown: Said
    longest: int = LONGEST
    because: str = "session.over"


Told = Callable[[StatementAsked], None]
"""Hears that it waits now."""


async def ask_first(gateway: "Gateway", question: Question, told: Told) -> Refused | None:
    """Waits until somebody has said yes to it (None), or why it does not run. Whoever cancels this ends the wait."""
    statement = new_id("stm", gateway.random)
    command = Asking(
        statement, question.session, question.execution, question.classes, question.in_transaction, question.longest
    )
    waits = True
    gateway.statements.keep(statement, question.shown)
    try:
        with gateway.live.decision(statement) as decision:
            asked = await ask_statement(gateway.ledger, command)
            if isinstance(asked, Refused):
                waits = False
                return asked
            told(asked)
            await asyncio.wait((decision,), timeout=gateway.live.seconds_until(asked.expires))
            if not decision.done() and await _ends(gateway, statement, LAPSED):
                waits = False
                return _NOBODY
            async with asyncio.timeout(UNHEARD_SECONDS):
                refused = await decision
            waits = False
            return refused
    except (Fault, TimeoutError):
        question.because = _UNAVAILABLE.code
        return _UNAVAILABLE
    finally:
        gateway.statements.forget(statement)
        if waits:
            end = partial(end_statement, gateway.ledger, statement, question.because)
            gateway.tasks.spawn(settle(end))


async def _ends(gateway: "Gateway", statement: str, because: str) -> bool:
    """Whether it waited until now. Raises `Fault` where the ledger takes nothing."""
    ended = await end_statement(gateway.ledger, statement, because)
    if isinstance(ended, Refused):
        raise Fault(ended.message)
    return ended
