"""A session's statements that ask first: one at a time is laid before whoever decides."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from onepam.domain.access.guardrails import WAITS, StatementClass
from onepam.domain.sessions.waiting_statements import StatementAsked
from onepam.gateway.ask_first import Question, Said, ask_first
from onepam.gateway.session import Gateway
from onepam.kernel.clock import iso
from onepam.kernel.errors import Refused
from onepam.protocols.sql.events import Wanted
from onepam.protocols.sql.masking import as_text
from onepam.protocols.sql.readings import floating, integer
from onepam.recording.statements import Parameter

log = logging.getLogger(__name__)

CANCELLED, LEFT, OVER, SKIPPED = "client.cancelled", "client.left", "session.over", "statement.skipped"
"""Why a statement waits no more on which nobody decided."""

MOST_PATH = 200
"""Letters that are shown of what set the search_path."""

_FAILED = Refused("gateway.failed", "the gateway failed, so nobody could be asked about this statement.")


class Asker:
    """Asks for the statements of one session, at whose start `path` was said of its search_path, and where one waits so
    long (microseconds). `decided` hears what came of it; nobody hears it of a wait that was withdrawn."""

    def __init__(self, gateway: Gateway, session: str, path: str = "", longest: int = WAITS) -> None:
        self._gateway, self._session, self._path, self._longest = gateway, session, path.encode(), longest
        self._task: asyncio.Task[Refused | None] | None = None
        self._question: Question | None = None

    @property
    def asks(self) -> bool:
        """Whether one waits."""
        return self._task is not None

    def ask(self, wanted: Wanted, tell: Callable[[str], None], decided: Callable[[Refused | None], None]) -> None:
        """Begins to wait. `tell` says to the client that it does."""
        classes = tuple(StatementClass(each) for each in sorted(wanted.classes))
        path = legible(wanted.path or self._path)[:MOST_PATH]
        shown = Said(legible(wanted.text), tuple(values(wanted.parameters)), path)
        question = Question(self._session, wanted.execution, classes, wanted.in_transaction, shown, self._longest)
        url = self._gateway.console_url

        def waits(asked: StatementAsked) -> None:
            roles = " or ".join(asked.approvers)
            whom = f"the role{'s' if len(asked.approvers) > 1 else ''} {roles}"
            words = f"this statement waits for a yes of {whom}, until {iso(asked.expires)[11:19]} UTC at the latest"
            tell(f"{words}: {url}/approvals#{asked.statement}")

        def over(task: "asyncio.Task[Refused | None]") -> None:
            if self._task is task:
                self._task = self._question = None
                fault = None if task.cancelled() else task.exception()
                if fault is not None:
                    log.error("nobody could be asked about a statement of %s", self._session, exc_info=fault)
                decided(_FAILED if fault is not None or task.cancelled() else task.result())

        self._question = question
        self._task = self._gateway.tasks.spawn(ask_first(self._gateway, question, waits))
        self._task.add_done_callback(over)

    def withdraw(self, because: str) -> bool:
        """It waits no more, and `decided` hears nothing. Whether one did."""
        task, question, self._task, self._question = self._task, self._question, None, None
        if task is None or question is None:
            return False
        question.because = because
        task.cancel()
        return True


def legible(said: bytes) -> str:
    """Every byte of a text in letters, and none that hides another: controls and marks of direction are escaped."""
    text = said.decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() or each in "\n\t" else f"\\u{ord(each):04x}" for each in text)


def values(parameters: Iterable[Parameter]) -> Iterator[str]:
    """Parameters as whoever decides sees them. What has a binary form is its bytes, and all that it may be beside."""
    for each in parameters:
        if each.value is None:
            yield "NULL"
        elif isinstance(each.value, int):
            yield f"{each.value} bytes"
        elif not each.binary:
            yield f"'{legible(each.value)}'"
        else:
            numbers = (floating(each.value), integer(each.value))
            may_be = [f"a number {number!r}" for number in numbers if number is not None]
            may_be += [f"text '{legible(each.value)}'"] if as_text(each.value) is not None else []
            yield f"\\x{each.value.hex()}" + (f" (as {' or '.join(may_be)})" if may_be else "")
