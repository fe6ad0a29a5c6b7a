"""What stands open between a client and its target: what the target still owes an answer to, in the order in which it
was asked, and the statements, portals and executions that this is about.

PostgreSQL answers in order. So one queue tells of each answer what it belongs to, also where a client asks much before
it hears anything, and a refusal of ours waits in it for its turn.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.events import Allowance, Done, Run, Step
from onepam.recording.statements import MAX_WORDS_BYTES, Form, Outcome, Parameter

MAX_OWED = 16_384
"""Answers that may be owed before no more is read from the client."""

MAX_BOUND_BYTES = 16 * 1024 * 1024
"""What may be kept of parameters that are bound and not executed."""

MAX_NAMES = 65_536
"""Prepared statements, and as many portals, that a session may have by name."""

REFUSAL, REFUSAL_AND_READY, UNDOING = 256, 257, 258
"""Kinds of `Owed` beside those that clients send: an error of ours; with the ReadyForQuery that ends a Query; and a
message of ours that the target must answer with an error, in the place of which ours goes to the client."""

OURS: Final = frozenset((REFUSAL, REFUSAL_AND_READY, wire.COPY_DONE))
"""Kinds of `Owed` for which the target has no answer."""

MOST_TAGS = 100
"""Command tags that are told of one Query."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was judged: its number in the session, why it may not run, whether it begins with
    COPY, and names of statements that it gives up, None where they may be any."""

    number: int
    refusal: Refused | None = None
    copies: bool = False
    frees: frozenset[bytes] | None = frozenset()


@dataclass(slots=True)
class Execution:
    """An execution until its end is told. `given` are rows of all its results and pages, `page` those of this
    page. `cut`: it had more rows than may be given."""

    number: int
    statement: int
    rows: int = 0
    page: int = 0
    given: int = 0
    size: int = 0
    words: str = ""
    outcome: Outcome = Outcome.UNFINISHED
    over: bool = False
    cut: bool = False
    tags: int = 0
    frees: frozenset[bytes] | None = frozenset()

    def completed(self, tag: str) -> None:
        """A result has ended. Its rows are as many as the tag tells, where it does and they were all given."""
        self.rows += self.page if self.cut else wire.affected(tag) or self.page
        self.page = 0
        self.tags += 1
        if not self.cut and self.outcome is not Outcome.ERROR and self.tags <= MOST_TAGS:
            self.words = f"{self.words}; {tag}" if self.words else tag

    def paged(self) -> None:
        """A page has ended."""
        self.rows += self.page
        self.page = 0


@dataclass(slots=True)
class Portal:
    """A statement with its parameters bound, in the batch of that number. It has one execution: whatever is executed
    of it later is a further page. Then the parameters are dropped, of which it keeps `weight` bytes."""

    statement: Statement
    parameters: tuple[Parameter, ...]
    batch: int
    execution: Execution | None = None
    weight: int = 0


@dataclass(slots=True)
class Owed:
    """One message that the target has not answered in full.

    `batch` counts what ended batches before it. `first`: its execution began with it, and is no further page. `name`
    with `before` is what a name meant until this message (is it a portal's, which), for the target may skip it. `ours`
    is what we say instead of an answer. A Sync is `perhaps` owed where a COPY may have swallowed it.
    """

    kind: int
    batch: int
    execution: Execution | None = None
    portal: Portal | None = None
    first: bool = False
    name: tuple[bool, bytes] | None = None
    before: "Statement | Portal | None" = None
    ours: bytes = b""
    perhaps: bool = False


@dataclass(slots=True)
class Exchange:
    """The state that both directions share. `status` is that of the last ReadyForQuery. `midway`: the client has a part
    of a message, so that nothing of ours may go to it. `skipping`: the client's messages go nowhere until its Sync.
    `muted`: the client had its error, and hears no answers until the target is ready. `copying`: the execution that the
    target takes data for; `swallowed`: a Sync came meanwhile."""

    allowance: Allowance
    status: bytes
    step: Step = field(default_factory=Step)
    owed: deque[Owed] = field(default_factory=deque)
    statements: dict[bytes, Statement] = field(default_factory=dict)
    portals: dict[bytes, Portal] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    midway: bool = False
    skipping: bool = False
    muted: bool = False
    copying: Execution | None = None
    swallowed: bool = False
    batch: int = 0
    bound: int = 0
    executions: int = 0
    held: Execution | None = None
    over: bool = False
    failed: bool = False

    def begin(self, statement: Statement, form: Form, parameters: tuple[Parameter, ...] = ()) -> Execution:
        """A new execution, recorded."""
        self.executions += 1
        self.step.events.append(Run(self.executions, statement.number, form, parameters))
        return Execution(self.executions, statement.number, frees=statement.frees)

    def forget(self, names: frozenset[bytes] | None) -> None:
        """SQL has given up these statements, None for all: whoever binds one of them prepares it again. What was
        prepared since is not among them."""
        since = {each.name[1] for each in self.owed if each.kind == wire.PARSE and each.name is not None}
        for name in (set(self.statements) if names is None else names) - since:
            self.statements.pop(name, None)

    def finish(self, execution: Execution, outcome: Outcome, words: str = "") -> None:
        """What came of it is known, but for the transaction's state and whether it commits: the next end, or the
        target's readiness, tells it."""
        if execution.over:
            return
        execution.over = True
        execution.outcome = outcome
        execution.paged()
        execution.words = words or execution.words
        self.settle()
        self.held = execution

    def settle(self) -> None:
        """What came of the execution that ended last is told."""
        if self.held is not None:
            execution, self.held = self.held, None
            words = execution.words
            if len(words) > MAX_WORDS_BYTES // 4:
                words = words.encode()[:MAX_WORDS_BYTES].decode("utf-8", "ignore")
            self.step.events.append(
                Done(execution.number, execution.outcome, self.status, execution.rows, execution.size, words)
            )

    def refused(self, statement: Statement, form: Form, refusal: Refused) -> None:
        """The execution of a statement that the target never sees."""
        self.finish(self.begin(statement, form), Outcome.REFUSED, refusal.message)
        self.settle()

    def drop_batch(self) -> None:
        """The target skips what it was sent until the next Sync: none of it has happened."""
        skipped: list[Owed] = []
        while self.owed and self.owed[0].kind != wire.SYNC:
            skipped.append(self.owed.popleft())
        self.skipping = self.skipping or not self.owed
        for each in reversed(skipped):
            self.take_back(each)
        for each in skipped:
            if each.execution is not None and (each.first or each.portal is None):
                self.finish(each.execution, Outcome.UNFINISHED, "skipped after an error")

    def take_back(self, owed: Owed) -> None:
        """The name that a skipped message gave or took means what it did."""
        if owed.name is not None:
            of_portal, name = owed.name
            (self.portals if of_portal else self.statements).pop(name, None)
            if isinstance(owed.before, Portal):
                self.portals[name] = owed.before
            elif owed.before is not None:
                self.statements[name] = owed.before

    def release(self, portal: Portal) -> None:
        """Its parameters are recorded, or nobody will execute it."""
        self.bound -= portal.weight
        portal.weight, portal.parameters = 0, ()

    def gone(self, portal: Portal | None) -> None:
        """A portal is no more; what was fetched of it is all there will be."""
        if portal is not None and portal.execution is not None:
            self.finish(portal.execution, Outcome.SUSPENDED)

    def speak(self) -> None:
        """Say what is ours to say, where its turn has come and the client has no part of a message."""
        owed = self.owed
        while owed and not self.midway:
            first = owed[0]
            if first.kind in (REFUSAL, REFUSAL_AND_READY):
                if not self.muted:
                    self.step.to_client.append(first.ours)
                    if first.kind == REFUSAL_AND_READY:
                        self.step.to_client.append(wire.ready(self.status))
            elif first.kind != wire.COPY_DONE:
                return
            owed.popleft()

    def transaction_ended(self, batch: int) -> None:
        """Portals do not outlive it; those that were bound in a later batch are of the next one."""
        for name in [name for name, portal in self.portals.items() if portal.batch <= batch]:
            portal = self.portals.pop(name)
            self.release(portal)
            self.gone(portal)

    def end(self) -> None:
        """Both sides are gone, or the session is over: what is open has come to nothing more."""
        for each in self.owed:
            if each.execution is not None and not each.execution.over:
                failed = each.execution.outcome is Outcome.ERROR
                self.finish(each.execution, Outcome.ERROR if failed else Outcome.UNFINISHED)
        for portal in self.portals.values():
            self.gone(portal)
        self.settle()

    def fail(self, words: str) -> None:
        """A side broke the protocol: the session is over, and nothing more passes."""
        self.over = self.failed = True
        self.step.fault = Refused("postgres.protocol", f"{words}, so the session was ended.")
        if not self.midway:
            self.step.to_client.append(wire.error("08P01", self.step.fault.message, severity="FATAL"))
