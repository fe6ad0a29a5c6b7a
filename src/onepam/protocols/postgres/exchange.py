"""What stands open between a client and its target: what the target still owes an answer to, in the order in which it
was asked, and the statements, portals and executions that this is about.

PostgreSQL answers in order. So one queue tells of each answer what it belongs to, also where a client asks much before
it hears anything, and a refusal of ours waits in it for its turn.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from onepam.kernel.errors import Refused
from onepam.protocols.postgres import wire
from onepam.protocols.postgres.binding import cut_name
from onepam.protocols.sql.events import Allowance, Done, Freed, Run, Step
from onepam.protocols.sql.journal import begun, told
from onepam.protocols.sql.masking import Shown
from onepam.recording.statements import MAX_WORDS_BYTES, Form, Outcome, Parameter

MAX_OWED = 16_384
"""Answers that may be owed before no more is read from the client."""

MAX_NAMES = 16_384
"""Prepared statements, and as many portals, that a session may have by name. Each keeps less than 1 KiB: parameters
are kept of no portal that has a name."""

REFUSAL, REFUSAL_AND_READY, UNDOING = 256, 257, 258
"""Kinds of `Owed` beside those that clients send: an error of ours; with the ReadyForQuery that ends a Query; and a
message of ours that the target must answer with an error, in the place of which ours goes to the client."""

RUNNING: Final = frozenset((wire.QUERY, wire.EXECUTE, wire.FUNCTION))
"""Kinds of `Owed` that run something at the target."""

OURS: Final = frozenset((REFUSAL, REFUSAL_AND_READY, wire.COPY_DONE))
"""Kinds of `Owed` for which the target has no answer."""

MOST_TAGS = 100
"""Command tags that are told of one Query."""

NOTHING: Final = Freed()
_GIVE_STATEMENTS: Final = frozenset(("DEALLOCATE", "DEALLOCATE ALL", "DISCARD ALL", "PREPARE"))
_GIVE_PORTALS: Final = frozenset(("CLOSE", "DISCARD", "DECLARE", "COMMIT", "ROLLBACK", "PREPARE", "CALL", "DO"))
"""Command tags, and first words of such, after which names may mean something else."""


class Statement(NamedTuple):
    """A statement as it was judged: its number in the session, why it may not run, whether it begins with
    COPY, names that it gives up, None where they may be any, and what of it may be `shown` in the recording; `masked`:
    not all of it is. It `asks` for these classes before it runs, and then its `text` is kept. `resets`: it may change
    how the server reads what follows. `path`: its beginning, where it may set the search_path."""

    number: int
    refusal: Refused | None = None
    copies: bool = False
    frees: Freed | None = NOTHING
    shown: Shown | None = None
    masked: bool = False
    asks: frozenset[str] = frozenset()
    text: bytes = b""
    resets: bool = False
    path: bytes = b""


@dataclass(slots=True)
class Waiting:
    """An execution that waits for somebody's yes. `whole` are the messages that go to the target then; `portal` is the
    one that they execute, None of a Query. `in_transaction`: the target may hold locks of this session meanwhile."""

    execution: "Execution"
    statement: Statement
    parameters: tuple[Parameter, ...]
    whole: bytes
    portal: "Portal | None"
    in_transaction: bool


@dataclass(slots=True)
class Execution:
    """An execution until its end is told. `given` are rows of all its results and pages, of so many `given_bytes`,
    `page` those of this page; `noticed` are bytes of notices. `cut`: why more than was given may not be. `doubted`: its
    command tags tell of names that it gave up, of those that were given before this turn (see `Exchange.turn`).
    `masked`: the words of an error may repeat what is. `columns` are those of the result that comes now; of its rows
    `kept`, of so many bytes, are recorded."""

    number: int
    statement: int
    rows: int = 0
    page: int = 0
    given: int = 0
    given_bytes: int = 0
    size: int = 0
    words: str = ""
    outcome: Outcome = Outcome.UNFINISHED
    over: bool = False
    cut: str = ""
    noticed: int = 0
    tags: int = 0
    doubted: bool = False
    turn: int = 0
    masked: bool = False
    columns: Sequence[Any] | None = None
    kept: int = 0
    kept_bytes: int = 0

    def gave(self, rows: int, size: int) -> None:
        """So many rows of so many bytes go to the client."""
        self.given += rows
        self.page += rows
        self.given_bytes += size
        self.size += size

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
class Prepared:
    """A statement by its name, as it was parsed in this turn. `gone`: the name means nothing that we know. `columns`:
    those of its result, where they were described."""

    statement: Statement
    turn: int
    gone: bool = False
    columns: Sequence[Any] | None = None


@dataclass(slots=True)
class Portal:
    """A statement with its parameters bound, in the batch and the turn of these numbers. It has one execution: whatever
    is executed of it later is a further page. One that has a name may be run by SQL, too (FETCH), so its execution is
    recorded when it is bound; the other keeps its `parameters` until it is executed. `given`: rows of it came."""

    statement: Statement
    parameters: tuple[Parameter, ...]
    batch: int
    turn: int
    execution: Execution | None = None
    given: bool = False
    gone: bool = False
    prepared: Prepared | None = None
    columns: Sequence[Any] | None = None

    @classmethod
    def of(cls, prepared: Prepared, parameters: tuple[Parameter, ...], exchange: "Exchange") -> "Portal":
        """One that is bound now."""
        return cls(prepared.statement, parameters, exchange.batch, exchange.turn, prepared=prepared)


@dataclass(slots=True)
class Owed:
    """One message that the target has not answered in full.

    `batch` counts what ended batches before it. `first`: its execution began with it, and is no further page. `name`
    (is it a portal's, which) means `after` now and meant `before`, for the target may skip this message. `ours`
    is what we say instead of an answer. A Sync is `perhaps` owed where a COPY may have swallowed it.
    """

    kind: int
    batch: int
    execution: Execution | None = None
    portal: Portal | None = None
    first: bool = False
    name: tuple[bool, bytes] | None = None
    before: "Prepared | Portal | None" = None
    after: "Prepared | Portal | None" = None
    ours: bytes = b""
    perhaps: bool = False


@dataclass(slots=True)
class Exchange:
    """The state that both directions share. `status` is that of the last ReadyForQuery. `midway`: the client has a part
    of a message, so that nothing of ours may go to it. `parting`: the client hears from the target that it hangs up,
    and why. `skipping`: the client's messages go nowhere until its Sync.
    `muted`: the client had its error, and hears no answers until the target is ready. `copying`: the execution that the
    target takes data for; `swallowed`: a Sync came meanwhile. `turn` counts executions of texts of which nobody can
    tell beforehand which names they give up, `doubt` is the last of these, and `ended` the last batch that left no
    transaction open. While one is `waiting`, nothing of the client's is taken, nor while a text is `reading` beside the
    loop; `read` is what the last one was found to be (`texts.Looked`). `notice` is said where the next message of the
    target's ends. `resets`: how the server reads texts may have been changed, so that also the end of a transaction may
    change it; `unsettled` is the last batch in which something ran since then of which the target has not said what it
    reads by now, -1 for none. `path`: what set the search_path last, as far as that is known."""

    allowance: Allowance
    status: bytes
    step: Step = field(default_factory=Step)
    owed: deque[Owed] = field(default_factory=deque)
    statements: dict[bytes, Prepared] = field(default_factory=dict)
    portals: OrderedDict[bytes, Portal] = field(default_factory=OrderedDict)  # its first is found at once
    settings: dict[str, str] = field(default_factory=dict)
    midway: bool = False
    parting: bool = False
    skipping: bool = False
    muted: bool = False
    copying: Execution | None = None
    swallowed: bool = False
    batch: int = 0
    executions: int = 0
    turn: int = 0
    doubt: Execution | None = None
    ended: int = -1
    held: Execution | None = None
    over: bool = False
    failed: bool = False
    waiting: Waiting | None = None
    reading: bytes | None = None
    read: Any = None
    notice: bytes = b""
    resets: bool = False
    unsettled: int = -1
    path: bytes = b""

    def begin(self, statement: Statement, form: Form, parameters: tuple[Parameter, ...] = ()) -> Execution:
        """A new execution, recorded."""
        self.executions += 1
        execution = Execution(self.executions, statement.number)
        run = Run(self.executions, statement.number, form, parameters)
        execution.masked = begun(self, run, statement.shown, masked=statement.masked)
        return execution

    def named(self, of_portal: bool, name: bytes) -> Prepared | Portal | None:
        """What a name means now."""
        return (self.portals if of_portal else self.statements).get(cut_name(name))

    def known(self, found: Prepared | Portal) -> bool:
        """Whether a name certainly means this, also for the target when it comes to it."""
        doubt = self.doubt
        return not found.gone and (doubt is None or not doubt.doubted or found.turn >= doubt.turn)

    def asked(self, execution: Execution, statement: Statement) -> None:
        """It goes to the target now: names that its text gives up are known no more, whatever comes of it. Where they
        cannot be told, no name that was given before is, until its command tags tell."""
        frees, self.resets = statement.frees, self.resets or statement.resets
        self.path = statement.path or self.path
        if self.resets:
            self.unsettled = self.batch
        if frees is NOTHING:
            return
        if frees is None:
            self.turn += 1
            self.doubt, execution.doubted, execution.turn = execution, True, self.turn
            return
        if frees.statements is None:
            self.statements.clear()
        else:
            for name in frees.statements:
                self.statements.pop(cut_name(name.encode()), None)
        names = list(self.portals) if frees.portals is None else [cut_name(name.encode()) for name in frees.portals]
        for each in names:  # what was fetched of it may still be owed
            if (portal := self.portals.get(each)) is not None:
                portal.gone = True

    def gave_up(self, execution: Execution, tag: str) -> None:
        """What the tag of a text that nobody has read tells of names that were given before it."""
        if tag in _GIVE_STATEMENTS:
            self.statements = {name: each for name, each in self.statements.items() if each.turn >= execution.turn}
        if tag.partition(" ")[0] in _GIVE_PORTALS:
            for portal in self.portals.values():
                portal.gone = portal.gone or portal.turn < execution.turn

    def finish(self, execution: Execution, outcome: Outcome, words: str = "") -> None:
        """What came of it is known, but for the transaction's state and whether it commits: the next end, or the
        target's readiness, tells it."""
        if execution.over:
            return
        execution.over, execution.doubted = True, False
        execution.outcome = Outcome.ERROR if execution.cut else outcome
        execution.paged()
        execution.words = words or execution.words
        self.settle()
        self.held = execution

    @property
    def answering(self) -> Execution | None:
        """The execution that the target answers now; where it answers none, that which ended last."""
        return (self.owed[0].execution if self.owed else None) or self.held

    @property
    def runs_behind(self) -> bool:
        """Whether the target was sent something that runs behind what it answers now, in another batch."""
        batch = self.owed[0].batch
        return any(each.batch > batch and each.kind in RUNNING for each in self.owed)

    def settle(self) -> None:
        """What came of the execution that ended last is told."""
        if self.held is not None:
            execution, self.held = self.held, None
            words = execution.words
            if execution.outcome is Outcome.ERROR and not execution.cut:
                words = told(self, words, masked=execution.masked)
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
        self.drop(skipped)

    def drop(self, skipped: Sequence[Owed]) -> None:
        """The target has not done, and will not do, what these are about."""
        for each in reversed(skipped):
            self.take_back(each)
        for each in skipped:
            if each.execution is not None and (each.first or each.portal is None):
                self.finish(each.execution, Outcome.UNFINISHED, "skipped after an error")

    def take_back(self, owed: Owed) -> None:
        """The name that a skipped message gave or took means what it did, where nothing later gave it a meaning."""
        if owed.name is None or owed.after is None:
            return
        (of_portal, name), before, owed.after.gone = owed.name, owed.before, True
        names: dict[bytes, Any] = self.portals if of_portal else self.statements
        if names.get(name) is owed.after:
            del names[name]
            if before is not None and not before.gone and (not isinstance(before, Portal) or self._lasts(before)):
                names[name] = before
            elif isinstance(before, Portal):
                self.gone(before)

    def _lasts(self, portal: Portal) -> bool:
        """Whether a portal may be put back. One without a name that was bound again has no parameters any more."""
        return portal.batch > self.ended and portal.execution is not None

    def closed(self, owed: Owed) -> None:
        """A name was given up by the protocol, or a portal's taken by another one."""
        if isinstance(owed.before, Portal):
            self.gone(owed.before)
        if owed.kind == wire.CLOSE and owed.name is not None:
            of_portal, name = owed.name
            names: dict[bytes, Any] = self.portals if of_portal else self.statements
            if names.get(name) is owed.after:
                names.pop(name, None)

    def gone(self, portal: Portal | None) -> None:
        """A portal is no more; what was fetched of it is all there will be."""
        if portal is not None and portal.execution is not None:
            self.finish(portal.execution, Outcome.SUSPENDED if portal.given else Outcome.UNFINISHED)

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
        """Portals do not outlive it; those of a later batch, which stand behind, are of the next one."""
        self.ended = batch
        portals = self.portals
        while portals and portals[name := next(iter(portals))].batch <= batch:
            self.gone(portals.pop(name))

    def end(self) -> None:
        """Both sides are gone, or the session is over: what is open has come to nothing more."""
        if self.waiting is not None:
            waiting, self.waiting = self.waiting, None
            self.finish(waiting.execution, Outcome.REFUSED, "nobody has said yes to it")
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
