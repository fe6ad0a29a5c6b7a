"""What a conversation does with bytes: where they go, what is recorded before, and how it ends. Pure values."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from onepam.domain.access.masking import Results
from onepam.kernel.errors import Refused
from onepam.protocols.sql.masking import Masking
from onepam.recording.statements import Form, Outcome, Parameter


class Text(NamedTuple):
    """A part of the text of a statement; `more` of it follows."""

    statement: int
    text: bytes
    more: bool = False


class Cut(NamedTuple):
    """Of a statement's text of `size` bytes only the first `kept` are recorded, for so much is what policy keeps;
    `sha256` (hex) is that of the whole."""

    statement: int
    kept: int
    size: int
    sha256: str


class Hidden(NamedTuple):
    """In `words`, what of a statement or of an execution (`what`) of this number is masked."""

    what: str
    number: int
    words: str


class Kept(NamedTuple):
    """Row number `row` (from 1) of an execution's result: texts, None for NULL, the size in bytes of what is masked.
    Row 0 has the names of the columns."""

    execution: int
    row: int
    cells: tuple[str | int | None, ...]


class Run(NamedTuple):
    """An execution is about to go to the target, or is refused."""

    execution: int
    statement: int
    form: Form
    parameters: tuple[Parameter, ...] = ()


class Done(NamedTuple):
    """What came of an execution. `rows` are those that came or that the target says it touched, `size` the bytes of
    rows, of data that was copied either way, or of a function's result, without their headers."""

    execution: int
    outcome: Outcome
    status: bytes
    rows: int
    size: int
    words: str


Event = Text | Cut | Hidden | Kept | Run | Done


class Freed(NamedTuple):
    """Names of prepared statements and of portals that a text gives up or gives another meaning, None where those may
    be all that there are."""

    statements: frozenset[str] | None = frozenset()
    portals: frozenset[str] | None = frozenset()


@dataclass(slots=True)
class Step:
    """What follows from some bytes. All `events` are recorded before anything of `to_target` is written.

    `cancel`: the server shall end what it does for this session. `fault`: a side broke the protocol, and the session
    ends; the words for the client are in `to_client` already.
    """

    to_target: list[bytes | memoryview] = field(default_factory=list)
    to_client: list[bytes | memoryview] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    cancel: bool = False
    fault: Refused | None = None

    @property
    def outcome(self) -> bool:
        """Whether it says no more than what came of one execution."""
        return len(self.events) == 1 and type(self.events[0]) is Done and not self.to_target


@dataclass(frozen=True, slots=True)
class Wanted:
    """An execution that waits, as its protocol has it: its number in the recording, its classes, its text and
    its parameters as they came. `path`: the text that set, or may have set, by which schemas its names are read."""

    execution: int
    classes: Iterable[str]
    text: bytes
    parameters: tuple[Parameter, ...]
    in_transaction: bool
    path: bytes = b""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a session may do beyond what the login's rights at the target say, and what is kept of it.

    `classes`: those of statements that may run, None for all; `classify` gives those of a text, None where it cannot
    tell. Of those that may run, `asks` run once somebody else has said yes; `unread`: so does a text that cannot be
    read. `by_name` says whether a text prepares or executes by SQL's own names, which does not pass where some ask.
    `freed` gives the names that a text gives up, None where it cannot tell. `rows`, `bytes`: the most of them that one
    execution may give. `text`, `parameter`: bytes that are kept of a statement's text, and of a parameter: of a longer
    one the size is; 0 keeps the values of none. `masking`: what is not recorded as it is. `masks`: whether a column of
    a result is masked, by the numbers of its relation and its own, `named` by the names of its schema, its table and
    its own; the client has it as it is where it is `unmasked`. `proves`: why a text may not run where columns are.
    `results`: what is kept of rows.
    """

    classes: frozenset[str] | None = None
    rows: int | None = None
    classify: Callable[[str], frozenset[str] | None] | None = None
    freed: Callable[[str], Freed | None] | None = None
    text: int = 1024 * 1024
    parameter: int = 64 * 1024
    masking: Masking | None = None
    asks: frozenset[str] = frozenset()
    unread: bool = False
    by_name: Callable[[str], bool] | None = None
    masks: Callable[[int, int], bool] | None = None
    unmasked: bool = False
    named: Callable[[str, str, str], bool] | None = None
    proves: Callable[[str], Refused | None] | None = None
    results: Results | None = None
    bytes: int | None = None
