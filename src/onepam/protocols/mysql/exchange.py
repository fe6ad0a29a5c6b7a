"""What stands open between a client and its target: the one command that the target has not answered in full, and the
statements and executions that this is about.

A client of MySQL waits for an answer before it asks again. So does a gateway that must know what an answer belongs to:
what a client sends meanwhile stays here, in bounds, and goes on when its turn has come.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from onepam.domain.access.guardrails import size_words
from onepam.kernel.errors import Refused
from onepam.protocols.mysql import wire
from onepam.protocols.mysql.wire import Status
from onepam.protocols.sql.events import Allowance, Done, Run, Step
from onepam.protocols.sql.journal import begun, told
from onepam.protocols.sql.judging import Judged
from onepam.protocols.sql.masking import Masked, Shown
from onepam.recording.statements import MAX_WORDS_BYTES, Form, Outcome, Parameter

MAX_PREPARED: Final = 16_384
"""Prepared statements that a session may have at a time: the server's own bound, unless it is told otherwise."""

MAX_KEPT_BYTES: Final = 512 * 1024
"""What is kept of parameters that were sent ahead, in all; of those beyond it the size is."""

MOST_TAGS: Final = 100
"""Results that are told of one execution."""

NOT_ALLOWED, TOO_MANY, NO_COMMAND, NO_STATEMENT, NO_KILL, TOO_LONG = 1142, 1461, 1047, 1243, 1095, 1153
INTERRUPTED, FAILED = 1317, 1105
"""Numbers of errors (MySQL, "Server Error Message Reference")."""

SQLSTATES: Final = {
    NOT_ALLOWED: "42000", TOO_MANY: "42000", NO_COMMAND: "08S01", NO_STATEMENT: "HY000", NO_KILL: "HY000",
    TOO_LONG: "08S01", INTERRUPTED: "70100",
}  # fmt: skip


class Answer(Enum):
    """What a server answers to a command."""

    SIMPLE = auto()
    """An OK, an EOF or an error."""
    LINE = auto()
    """One packet of text, or an error."""
    FIELDS = auto()
    """Descriptions of columns until an EOF, or an error."""
    RESULTS = auto()
    """Results, one after the other, until one says that it is the last."""
    PREPARED = auto()
    """A prepared statement, with the descriptions of its parameters and columns."""
    ROWS = auto()
    """Rows of a cursor."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was judged: its number in the session, and why it may not run. It `asks` for these classes
    before it runs, and then its `text` is kept. `shown` says what of its parameters is recorded, None for all; with
    `masked` the words of an error may repeat what is not. It `loads` a file of the client's. It
    `kills` the session of this number, or (False) its statement, and is not the target's affair."""

    number: int
    refusal: Refused | None = None
    asks: frozenset[str] = frozenset()
    text: bytes = b""
    shown: Shown | None = None
    masked: bool = False
    loads: bool = False
    kills: tuple[int, bool] | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a text is, where the session was so `unsettled`: how it is `judged`, whether it is sure how it reads, and
    how it is recorded: `masked`, and then without its passwords, of which `taken` parts held one; `binds`: a parameter
    may be one; whom a KILL in it is for, as a `Statement` has it."""

    text: bytes
    unsettled: bool
    judged: Judged
    sure: bool
    masked: Masked
    said: bytes
    taken: int
    binds: bool
    kills: tuple[int, bool] | None


@dataclass(slots=True)
class Waiting:
    """An execution that waits for somebody's yes. `whole` is the command that goes to the target then; `prepared` is
    what it executes, None of a text."""

    execution: "Execution"
    statement: Statement
    parameters: tuple[Parameter, ...]
    whole: bytes
    prepared: "Prepared | None" = None


_LONGEST_ROW: Final = 1 << 32
"""No server puts a longer one together: it counts its bytes by 32 bits."""


@dataclass(slots=True)
class Execution:
    """An execution until its end is told. `rows` came, or were touched as the server says; `page` are those of the
    result that comes now, `size` the bytes of all, `given_bytes` those of rows. `cut`: it had more than may be given.
    `masked`: the words of an error may repeat what is. It `loads` a file of the client's, whose bytes `size` has, too.
    `kept` rows are recorded, of so many bytes."""

    number: int
    statement: int
    rows: int = 0
    page: int = 0
    size: int = 0
    given_bytes: int = 0
    words: str = ""
    tags: int = 0
    cut: bool = False
    masked: bool = False
    loads: bool = False
    kept: int = 0
    kept_bytes: int = 0

    def told(self, words: str, rows: int) -> None:
        """A result has ended."""
        self.rows += rows
        self.page = 0
        self.tags += 1
        if not self.cut and self.tags <= MOST_TAGS:
            self.words = f"{self.words}; {words}" if self.words else words


@dataclass(slots=True)
class Prepared:
    """A prepared statement. `types` are those that its parameters had last; `ahead` what was sent of them already, or
    its size where that is not kept. `cursor`: an execution of which rows may be fetched. `columns` are those of its
    result, where they are masked."""

    statement: Statement
    parameters: int
    types: tuple[int, ...] | None = None
    ahead: dict[int, bytearray | int] = field(default_factory=dict)
    cursor: Execution | None = None
    columns: Sequence[Any] = ()


@dataclass(slots=True)
class Owed:
    """The command that is not answered in full. `begun`: descriptions of columns come, or rows; `described`: rows do.
    `lists` of descriptions are left of a statement that is prepared; `prepared` is the one that runs. `wanting`: a file
    of the client's, which comes before the answer goes on. `given`: the rows are parameters that a procedure gives
    back, and an answer follows, though MySQL does not say so behind them."""

    answer: Answer
    execution: Execution | None = None
    prepared: Prepared | None = None
    statement: Statement | None = None
    described: bool = False
    begun: bool = False
    lists: int = 0
    wanting: bool = False
    given: bool = False


@dataclass(slots=True)
class Exchange:
    """The state that both directions share; pure. `kill(thread, whole)` ends the statement, or with `whole` the
    session, of this number where it is one of the same person's, and says whether it was. While one is `waiting`,
    nothing of the client's is taken, nor while a text is `reading` beside the loop; `read` is what the last one was
    found to be. `files`: the target may ask the client for one."""

    allowance: Allowance
    kill: Callable[[int, bool], bool]
    status: int = 0
    step: Step = field(default_factory=Step)
    owed: Owed | None = None
    sequence: int = 0
    """Of the packet that comes next from the target."""
    said: int = 1
    """Of the packet that the client expects next."""
    executions: int = 0
    open: dict[int, Execution] = field(default_factory=dict)
    prepared: dict[int, Prepared] = field(default_factory=dict)
    last: int | None = None
    """The statement that was prepared last, where that went well."""
    kept: int = 0
    over: bool = False
    failed: bool = False
    muted: bool = False
    midway: bool = False
    parting: bool = False
    waiting: Waiting | None = None
    files: bool = False
    reading: bytes | None = None
    read: Looked | None = None

    @property
    def state(self) -> bytes:
        """The state of the transaction, as recordings have it."""
        return b"T" if self.status & Status.IN_TRANSACTION else b"I"

    def begin(self, statement: Statement, form: Form, parameters: tuple[Parameter, ...] = ()) -> Execution:
        """An execution begins, and is recorded."""
        self.executions += 1
        found = self.open[self.executions] = Execution(self.executions, statement.number, loads=statement.loads)
        run = Run(found.number, statement.number, Form.COPY if statement.loads else form, parameters)
        found.masked = begun(self, run, statement.shown, masked=statement.masked)
        return found

    def finish(self, execution: Execution, outcome: Outcome, words: str | None = None) -> None:
        """It has ended, and that is recorded. Once."""
        if self.open.pop(execution.number, None) is None:
            return
        said = execution.words if words is None else words
        if execution.cut:
            outcome = Outcome.ERROR
        elif outcome is Outcome.ERROR:
            said = told(self, said, masked=execution.masked)
        said = said.encode("utf-8", "replace")[:MAX_WORDS_BYTES].decode("utf-8", "ignore")
        rows, size = execution.rows + execution.page, execution.size
        self.step.events.append(Done(execution.number, outcome, self.state, rows, size, said))

    def beyond(self, execution: Execution, length: int) -> str:
        """Why a row may not be given whose first packet has this length, "" where it may be."""
        rows, size = self.allowance.rows, self.allowance.bytes
        if rows is not None and execution.rows + execution.page >= rows:
            return f"This access allows {rows} rows of a statement."
        room = size - execution.given_bytes if size is not None else _LONGEST_ROW
        if size is None or (length <= room and (length < wire.WHOLE or room >= _LONGEST_ROW)):
            return ""
        words = f"This access allows {size_words(size)} of a statement."
        return words if length > room else f"{words} A row of 16 MiB or more may be longer: it does not say how long."

    def refused(self, statement: Statement, form: Form, refused: Refused) -> None:
        """It did not run, and that is recorded."""
        self.finish(self.begin(statement, form), Outcome.REFUSED, refused.message)

    def error(self, sequence: int, number: int, words: str, hint: str = "") -> None:
        """The client hears why not."""
        said = f"{words} {hint}".rstrip()
        self.step.to_client.append(wire.error(sequence, number, SQLSTATES.get(number, "HY000"), said))

    def fail(self, words: str, *, ours: bool) -> None:
        """A side broke the protocol; with `ours` the client."""
        if not self.midway and not self.parting:
            self.error(self.said, 1043, f"{words}.")
        self.over = self.failed = self.parting = True
        self.step.fault = Refused("client.protocol" if ours else "target.protocol", words)

    def answered(self) -> None:
        """The target owes nothing more: whatever comes next answers the client's next command."""
        self.owed, self.muted, self.said = None, False, 1

    def close(self, prepared: Prepared) -> None:
        """Nothing more is fetched of its cursor."""
        if prepared.cursor is not None:
            self.finish(prepared.cursor, Outcome.SUSPENDED)
            prepared.cursor = None

    def forget(self, prepared: Prepared) -> None:
        """What was sent ahead of its parameters."""
        self.kept -= sum(len(each) for each in prepared.ahead.values() if isinstance(each, bytearray))
        prepared.ahead.clear()

    def end(self) -> None:
        """Nothing more comes."""
        self.over = self.failed = True
        if self.waiting is not None:
            waiting, self.waiting = self.waiting, None
            self.finish(waiting.execution, Outcome.REFUSED, "nobody has said yes to it")
        for each in list(self.open.values()):
            self.finish(each, Outcome.UNFINISHED)
